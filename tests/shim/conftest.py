"""What the tests of the shim share: the emulated platform, the installed mem0ai, its two clients."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["MEM0_TELEMETRY"] = "False"
os.environ["MEM0_DIR"] = tempfile.mkdtemp(prefix="mem0-")
for _name in [name for name in os.environ if name.startswith("MEM0_SHIM_")]:
    del os.environ[_name]

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # stand_in
if importlib.util.find_spec("mem0_shim") is None:
    sys.path.insert(0, str(ROOT / "shim"))

from mem0_shim.testing import Mem0Emulator  # noqa: E402 - the environment and the path come first


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mem0ai: needs the real package mem0ai (any era)")
    config.addinivalue_line("markers", "needs(name): needs this further package")
    for kind in ("ResourceWarning", "DeprecationWarning"):  # mem0ai's clients are never closed, and its packages are old
        config.addinivalue_line("filterwarnings", f"ignore::{kind}")


def pytest_sessionfinish() -> None:
    """Let the connections of mem0ai's clients go without their warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


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


@pytest.fixture(autouse=True)
def _nothing_installed() -> Iterator[None]:
    """Every test begins and ends without the shim, which has hidden no error of its own."""
    from mem0_shim import client, reads, reports

    yield
    reads._outstanding.clear()
    hidden = set(reports._internal_errors)
    reports._internal_errors.clear()
    assert not hidden
    client.process.wrapped = False
    client.uninstall()
    client.process.settings = None


@pytest.fixture(scope="session")
def shared_platform() -> Iterator[Mem0Emulator]:
    """One platform for all tests that only need answers of ``add``; background work ends after an hour."""
    with Mem0Emulator(latency=3600.0) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def sync_client(shared_platform: Mem0Emulator) -> Any:
    """One real client: making one loads certificates for 50 milliseconds."""
    module = importlib.import_module("mem0.client.main")
    return module.MemoryClient(api_key="key", host=shared_platform.url)


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Any:
    """Make clients whose ``add`` answers with a receipt of a shape: the real ones, or stand-ins where mem0ai is not installed.

    Call it after the shim is installed, with the shape and ``is_async``.
    """
    from mem0_shim import client as shim_client

    from stand_in import make_module, receipt

    if importlib.util.find_spec("mem0") is None:
        module = make_module()

        def make(shape: str, *, is_async: bool = False) -> Any:
            shim_client.patch(module)
            made = module.AsyncMemoryClient() if is_async else module.MemoryClient()
            made.answer = receipt(shape)
            return made

        return make

    platform = request.getfixturevalue("shared_platform")

    def make_real(shape: str, *, is_async: bool = False) -> Any:
        platform.adjust(shape=shape)
        if not is_async:
            return request.getfixturevalue("sync_client")
        return importlib.import_module("mem0.client.main").AsyncMemoryClient(api_key="key", host=platform.url)

    return make_real


@pytest.fixture(params=["stand-in", pytest.param("mem0ai", marks=pytest.mark.mem0ai)])
def sdk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``mem0.client.main``: the real one, and one with clients that talk as those of 2.x do."""
    if request.param == "mem0ai":
        return importlib.import_module("mem0.client.main")
    from stand_in import make_http_module

    module = make_http_module()
    monkeypatch.setitem(sys.modules, "mem0.client.main", module)
    return module
