"""What only a process of its own shows: what is imported, closed pipes, and terminals of little ability."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import mem0_migrate

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import CommandLine

RUN = [sys.executable, "-m", "mem0_migrate"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *arguments], capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ, **environment}
    )


def test_help_imports_click_alone() -> None:
    code = (
        "import sys\n"
        "from mem0_migrate.__main__ import main\n"
        "sys.argv = ['mem0-migrate', 'check', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "allowed = {'click', 'mem0_migrate', 'colorama', '_distutils_hack'}\n"
        "foreign = {name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names - allowed\n"
        "print(sorted(name for name in foreign if not name.startswith('_')), file=sys.stderr)\n"
        "ours = sorted(name for name in sys.modules if name.startswith('mem0_migrate'))\n"
        "print(ours, file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign, ours = result.stderr.splitlines()[-2:]
    assert foreign == "[]"
    assert "settings" not in ours
    assert "output" not in ours


def test_version() -> None:
    result = run("--version")
    assert (result.stdout, result.returncode) == (f"mem0-migrate {mem0_migrate.__version__}\n", 0)


def test_without_a_command_it_says_what_there_is() -> None:
    result = run()
    assert "  check  Find the calls of mem0's add() that break, and say what breaks.\n" in result.stdout + result.stderr


def test_a_path_where_a_command_belongs(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    result = command.run("src")
    assert result.stderr.endswith("Error: 'src' is a path, not a command. To check it: mem0-migrate check src\n")
    assert result.exit_code == 2


def test_a_command_that_does_not_exist(command: CommandLine) -> None:
    result = command.run("chekc")
    assert "No such command 'chekc'." in result.stderr
    assert result.exit_code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run([*RUN, "rule", "--all"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("encoding", "printed"), [("cp1252", b"\\u65e5 \xd7 \\udce9\n"), ("utf-8", b"\xe6\x97\xa5 \xc3\x97 \\udce9\n")]
)
def test_no_character_is_too_much_for_a_terminal(encoding: str, printed: bytes) -> None:
    code = "from mem0_migrate.cli.terminal import say; say(['\\u65e5 \\xd7 \\udce9'], color=False)"
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert result.stdout.replace(b"\r", b"") == printed


def test_a_check_from_end_to_end_imports_no_codemod(tmp_path: Path) -> None:
    (tmp_path / "deps.py").write_text("from mem0 import MemoryClient\n\nclient = MemoryClient()\n", encoding="utf-8")
    (tmp_path / "api.py").write_text("from deps import client\n\nprint(client.add('é')['results'][0]['id'])\n", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("mem0ai==1.0.3\n", encoding="utf-8")
    code = (
        "import sys\n"
        "from mem0_migrate.__main__ import main\n"
        "sys.argv = ['mem0-migrate', 'check', '--color', 'never']\n"
        "try:\n    main()\nfinally:\n    print('libcst' in sys.modules, 'jsonschema' in sys.modules, file=sys.stderr)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (result.returncode, result.stderr) == (1, "False False\n")
    assert result.stdout.startswith("api.py:3:7: MEM101 [*] `client.add('é')['results'][0]['id']` raises KeyError: 'id'")
    assert "Found 1 error.\n1 call of mem0's add() in 2 files: 1 breaks, 0 may break.\n" in result.stdout
