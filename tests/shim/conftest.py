"""What the tests of the shim share: the emulated platform, the installed mem0ai, its two clients."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator  # noqa: TC003 - read by pytest
from pathlib import Path

import pytest

os.environ["MEM0_TELEMETRY"] = "False"
os.environ["MEM0_DIR"] = tempfile.mkdtemp(prefix="mem0-")
for _name in [name for name in os.environ if name.startswith("MEM0_SHIM_")]:
    del os.environ[_name]

ROOT = Path(__file__).parents[2]
if importlib.util.find_spec("mem0_shim") is None:
    sys.path.insert(0, str(ROOT / "shim"))

from mem0_shim.testing import Mem0Emulator  # noqa: E402 - the environment and the path come first


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mem0ai: needs the real package mem0ai (any era)")
    config.addinivalue_line("markers", "needs(name): needs this further package")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what lacks its package on a developer's machine; in CI (``CI=true``) it fails by name instead."""
    for item in items:
        packages = [mark.args[0] for mark in item.iter_markers("needs")] + ["mem0" for _ in item.iter_markers("mem0ai")]
        for package in packages:
            if importlib.util.find_spec(package) is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason=f"{package} is not installed: run nox -s eras"))


@pytest.fixture(autouse=True)
def _package_is_there(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("mem0ai") and importlib.util.find_spec("mem0") is None:
        pytest.fail("mem0ai is not installed: run this test with nox -s eras")
    for mark in request.node.iter_markers("needs"):
        if importlib.util.find_spec(mark.args[0]) is None:
            pytest.fail(f"{mark.args[0]} is not installed: run this test with nox -s eras")


@pytest.fixture
def platform() -> Iterator[Mem0Emulator]:
    """The emulated platform; background work takes 0.15 seconds."""
    with Mem0Emulator(latency=0.15) as emulator:
        yield emulator
