"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE, SHIM = Path(__file__).parent, Path(__file__).parents[2] / "shim"
HEAD = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import pytest, stand_in
from mem0_shim import client as shim_client

@pytest.fixture
def client():
    sdk = stand_in.make_module()
    shim_client.patch(sdk)
    made = sdk.MemoryClient()
    made.answer = stand_in.receipt("flat")
    return made

"""


def run(tmp_path: Path, code: str, *options: str) -> tuple[dict[str, int], str]:
    """Run a test file, and count its outcomes."""
    path = tmp_path / "test_application.py"
    path.write_text(HEAD + code)
    plugin = [] if _installed() else ["-p", "mem0_shim.testing.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "-q", str(path)]
    result = subprocess.run([*command, *options], capture_output=True, text=True, cwd=SHIM, check=False)
    last = result.stdout.splitlines()[-1]
    return {name: int(n) for n, name in re.findall(r"(\d+) (passed|failed|warning|error)", last)}, result.stdout


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(point.name == "mem0_shim" for point in entry_points(group="pytest11"))


LEGACY = """
def test_legacy(client):
    count = len(client.add("x"))
"""
AWARE = """
def test_aware(client):
    assert client.add("x")["event_id"]
    client.add("x")
"""
KEPT = """
def test_kept(client):
    answer = client.add("x")
    del client
"""
ALIVE = """
kept = []
def test_alive(client):
    kept.append(client.add("x"))
    assert len(kept[0]) == 2
"""


def test_nothing_happens_unless_asked_for(tmp_path: Path) -> None:
    assert run(tmp_path, LEGACY + KEPT)[0] == {"passed": 2}


@pytest.mark.parametrize("policy", ["warn", "raise", "strict"])
def test_aware_code_passes(tmp_path: Path, policy: str) -> None:
    assert run(tmp_path, AWARE, f"--mem0-shim={policy}")[0] == {"passed": 1}


def test_warn(tmp_path: Path) -> None:
    outcomes, output = run(tmp_path, LEGACY + KEPT, "--mem0-shim=warn")
    assert outcomes == {"passed": 2, "warning": 1}
    assert "PendingConsumedWarning: len() reads a receipt as memories" in output


def test_warn_at_the_end_of_the_test(tmp_path: Path) -> None:
    outcomes, output = run(tmp_path, ALIVE, "--mem0-shim=warn", "-W", "error::mem0_shim.PendingMemoryWarning")
    assert outcomes == {"failed": 1}
    assert "len() reads a receipt as memories" in output


def test_raise(tmp_path: Path) -> None:
    outcomes, output = run(tmp_path, LEGACY + KEPT, "--mem0-shim=raise")
    assert outcomes == {"passed": 1, "failed": 1}
    assert "PendingMemoryError: len()" in output


def test_strict(tmp_path: Path) -> None:
    outcomes, output = run(tmp_path, AWARE + KEPT, "--mem0-shim=strict")
    assert outcomes == {"passed": 1, "failed": 1}
    line = next(n for n, text in enumerate((HEAD + AWARE + KEPT).splitlines(), 1) if text.startswith("    answer ="))
    assert f"test_application.py:{line}" in output


def test_the_ini_option(tmp_path: Path) -> None:
    assert run(tmp_path, LEGACY, "-o", "mem0_shim=raise")[0] == {"failed": 1}


def test_a_policy_that_there_is_not(tmp_path: Path) -> None:
    plugin = [] if _installed() else ["-p", "mem0_shim.testing.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *plugin, "-o", "mem0_shim=loud", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=SHIM, check=False)
    assert result.returncode == 4
    assert "mem0_shim = loud is none of raise, warn, strict" in result.stderr


@pytest.mark.mem0ai
def test_fixtures(tmp_path: Path) -> None:
    code = """
import mem0_shim
def test_fixtures(mem0_platform, mem0_client):
    answer = mem0_client.add([{"role": "user", "content": "I like tea"}], user_id="alice")
    answer = mem0_shim.pending(answer).result()
    assert mem0_platform.memories[0].text == "I like tea"
"""
    assert run(tmp_path, code, "--mem0-shim=strict", "-W", "ignore")[0] == {"passed": 1}
