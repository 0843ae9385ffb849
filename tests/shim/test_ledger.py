"""The ledger and the commands: a receipt survives the process that has received it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mem0_shim
import pytest
from mem0_shim import __main__ as commands
from mem0_shim import ledger
from mem0_shim.testing import Mem0Emulator

HERE, SHIM = Path(__file__).parent, Path(__file__).parents[2] / "shim"
MESSAGES = [{"role": "user", "content": "I like tea"}]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEM0_SHIM_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setenv("MEM0_API_KEY", "key")
    return tmp_path / "ledger"


def make(sdk: Any, platform: Mem0Emulator, policy: str = "warn") -> Any:
    return mem0_shim.wrap(sdk.MemoryClient(api_key="key", host=platform.url), policy=policy, first_delay=0.05)


def test_events_are_written_down_until_they_end(sdk: Any, platform: Mem0Emulator, file: Path) -> None:
    answer = make(sdk, platform).add(MESSAGES, user_id="alice")
    [entry] = ledger.Ledger(file).outstanding()
    handle = mem0_shim.PendingAdd.from_token(entry.token, sdk.MemoryClient(api_key="key", host=platform.url))
    assert (handle.event_ids, handle.added_at) == (mem0_shim.pending(answer).event_ids, entry.added_at)  # type: ignore[union-attr]
    handle.result()
    assert ledger.Ledger(file).outstanding() == []
    assert b"key" not in file.read_bytes().replace(b"key_fingerprint", b"").replace(b"PRIMARY KEY", b"")
    assert file.stat().st_mode & 0o077 == 0


def test_a_ledger_that_cannot_be_used_harms_nobody(
    sdk: Any, platform: Mem0Emulator, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mem0_shim import reports

    monkeypatch.setattr(reports, "_internal_errors", set())
    file.write_bytes(b"no ledger " * 100)
    assert mem0_shim.is_receipt(make(sdk, platform).add(MESSAGES, user_id="alice"))
    assert reports._internal_errors == {f"the ledger {file} cannot be used"}


def test_check_tells_how_the_events_have_ended(
    sdk: Any, platform: Mem0Emulator, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = make(sdk, platform)
    client.add(MESSAGES, user_id="alice")
    platform.adjust(failure_rate=1.0)
    client.add(MESSAGES, user_id="bob")
    platform.adjust(failure_rate=0.0, latency=60.0)
    client.add(MESSAGES, user_id="carol")
    time.sleep(0.3)
    assert commands.main(["pending"]) == 0
    assert "3 outstanding" in capsys.readouterr().out
    assert commands.main(["check"]) == 1
    output = capsys.readouterr().out
    assert "1 FAILED" in output
    assert "1 SUCCEEDED" in output
    assert f"added at {__file__}" in output
    assert commands.main(["check"]) == 0
    assert len(ledger.Ledger(file).outstanding()) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["pending", "--ledger", ""], "there is no ledger"),
        (["check", "--ledger", "none"], "none: there is no such ledger"),
        (["pending", "--ledger", __file__], "not a database"),
        (["run"], "run needs a SCRIPT"),
        (["run", "--policy", "loud", "x.py"], "MEM0_SHIM_POLICY: 'loud' is no policy"),
    ],
)
def test_commands_say_what_is_wrong(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEM0_SHIM_POLICY", "warn")  # is put back afterwards
    monkeypatch.setenv("MEM0_API_KEY", "key")
    assert commands.main(arguments) == 2
    assert text in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_killed_while_it_waits_loses_nothing(
    platform: Mem0Emulator, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.adjust(latency=1.0)
    program = f"""
import sys
sys.path[:0] = {[str(HERE), str(SHIM)]!r}
import mem0_shim, stand_in
sys.modules["mem0.client.main"] = sdk = stand_in.make_http_module()
client = mem0_shim.wrap(sdk.MemoryClient(host={platform.url!r}), policy="wait", first_delay=20)
client.add({MESSAGES!r}, user_id="alice")
"""
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        deadline = time.monotonic() + 10
        while not (file.exists() and _count(file)) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    [entry] = ledger.Ledger(file).outstanding()
    time.sleep(1.1)
    assert commands.main(["check"]) == 0
    assert "1 SUCCEEDED" in capsys.readouterr().out
    assert entry.event_id in platform.platform.events


def _count(file: Path) -> int:
    try:
        with sqlite3.connect(file) as connection:
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
    except sqlite3.Error:
        return 0


@pytest.mark.mem0ai
@pytest.mark.parametrize("as_module", [False, True])
def test_run(platform: Mem0Emulator, tmp_path: Path, as_module: bool) -> None:
    (tmp_path / "application.py").write_text(
        f"import sys, mem0\nclient = mem0.MemoryClient(api_key='k', host={platform.url!r})\n"
        f"print(client.add({MESSAGES!r}, user_id='alice'), sys.argv[1:], __name__)\n"
    )
    program = ["-m", "application"] if as_module else ["application.py"]
    environment = os.environ | {"PYTHONPATH": str(SHIM), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "mem0_shim", "run", "--policy", "wait", *program, "--flag"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    assert "I like tea" in result.stdout
    assert "['--flag'] __main__" in result.stdout


@pytest.mark.mem0ai
def test_the_pth_file_starts_the_shim(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SHIM)!r}); exec(open({str(SHIM / 'mem0_shim.pth')!r}).read());"
        "assert 'mem0_shim.client' not in sys.modules; import mem0;"
        "print(type(vars(mem0.MemoryClient)['add']).__qualname__, 'mem0_shim.client' in sys.modules)"
    )
    for value, expected in (("1", "Method True"), ("", "function False")):
        environment = {**os.environ, "MEM0_SHIM_START": value, "PYTHONWARNINGS": "ignore"}
        result = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=tmp_path, check=True
        )
        assert result.stdout.strip() == expected


@pytest.mark.mem0ai
def test_doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    mem0_shim.install()
    assert commands.main(["doctor"]) == 0
    output = capsys.readouterr().out
    assert "mem0ai" in output
    assert "patching.py" in output or "client.py" in output
    monkeypatch.setenv("MEM0_SHIM_POLICY", "loud")
    assert commands.main(["doctor"]) == 1
    assert "PROBLEM" in capsys.readouterr().out
