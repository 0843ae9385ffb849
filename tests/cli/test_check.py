"""The command `check`: what it asks the engine, what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mem0_migrate.cli import cli
from mem0_migrate.configuration import KEYS
from mem0_migrate.engine import MissingPathError
from mem0_migrate.model import ERAS, Declaration, Finding, Position, Report, Site, Span, Unreadable
from mem0_migrate.settings import SettingsError

if TYPE_CHECKING:
    import click

    from mem0_migrate.model import Severity

    from .conftest import CommandLine

SPAN = Span("app/api.py", Position(2, 10), Position(2, 23))
SITE = Site(SPAN, "call", "hosted", "certain", "absent", (), "subscript", (), Declaration(frozenset(ERAS)), "breaks")
OLD = Unreadable("app/old.py", "SyntaxError: invalid syntax", 3)
SOURCE = "client = mem0.MemoryClient()\nanswer = client.add(m)\nprint(answer['id'])\n"


def finding(severity: Severity, code: str = "MEM101") -> Finding:
    return Finding(code, "receipt-read-as-memories", severity, "answer['id'] fails", SPAN)


def report(*severities: Severity, incomplete: bool = False) -> Report:
    return Report(tuple(finding(severity) for severity in severities), (SITE,), (OLD,) if incomplete else (), files=7, analysed=2)


@pytest.mark.parametrize(
    ("severities", "incomplete", "options", "code"),
    [
        ([], False, [], 0),
        (["info"], False, [], 0),
        (["warning"], False, [], 1),
        (["error"], False, [], 1),
        (["info", "error"], False, [], 1),
        (["warning"], False, ["--fail-on", "error"], 0),
        (["error"], False, ["--fail-on", "error"], 1),
        (["info"], False, ["--fail-on", "info"], 1),
        ([], False, ["--fail-on", "info"], 0),
        ([], True, [], 1),
        ([], True, ["--fail-on", "error"], 1),
        ([], True, ["--select", "MEM902"], 1),
        ([], True, ["--allow-incomplete"], 0),
        (["error"], True, ["--allow-incomplete"], 1),
        (["error"], True, ["--exit-zero"], 0),
        (["error"], False, ["-e", "--output-format", "json"], 0),
        (["error"], False, ["--statistics"], 1),
        (["error"], False, ["--quiet"], 1),
    ],
)
def test_exit_code(command: CommandLine, severities: list[Severity], incomplete: bool, options: list[str], code: int) -> None:
    command.answer = report(*severities, incomplete=incomplete)
    assert command.run("check", *options).exit_code == code


def test_a_pipe_gets_one_line_per_finding(command: CommandLine) -> None:
    command.answer = report("error", "warning", incomplete=True)
    result = command.run("check")
    assert result.stdout == (
        "app/api.py:2:10: MEM101 answer['id'] fails\n"
        "app/api.py:2:10: MEM101 answer['id'] fails\n"
        "app/old.py:3:1: MEM901 not checked: SyntaxError: invalid syntax\n"
        "\n"
        "Found 1 error and 1 warning.\n"
        "1 call of mem0's add() in 7 files: 1 breaks, 0 may break.\n"
        "Nothing says which mem0ai they run with, so every release was considered. Say which with --mem0ai, for example "
        "--mem0ai 1.0.3.\n"
        "1 file could not be checked, so this is not the whole picture (--allow-incomplete accepts that).\n"
    )
    assert result.stderr == ""


def test_full_shows_the_source(command: CommandLine) -> None:
    Path("app").mkdir()
    Path("app/api.py").write_text(SOURCE, encoding="utf-8")
    command.answer = report("error")
    assert command.run("check", "--output-format", "full", "--quiet").stdout == (
        "MEM101 [error] receipt-read-as-memories\n"
        "answer['id'] fails\n"
        "  --> app/api.py:2:10\n"
        "  |\n"
        "1 | client = mem0.MemoryClient()\n"
        "2 | answer = client.add(m)\n"
        "  |          ^^^^^^^^^^^^^\n"
        "3 | print(answer['id'])\n"
        "  |\n"
        "\n"
    )


def test_full_is_what_a_terminal_gets(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["mem0_migrate.cli.check"], "is_terminal", lambda: True)
    command.answer = report("error")
    assert command.run("check").stdout.startswith("MEM101 [error] receipt-read-as-memories\n")


def test_json(command: CommandLine) -> None:
    command.answer = report("error", incomplete=True)
    result = command.run("check", "--output-format", "json", "--quiet", "--color", "always")
    content = json.loads(result.stdout)
    assert [found["code"] for found in content["findings"]] == ["MEM101"]
    assert content["incomplete"] == [{"filename": "app/old.py", "row": 3, "reason": "SyntaxError: invalid syntax"}]


def test_statistics(command: CommandLine) -> None:
    command.answer = report("error", "error")
    assert command.run("check", "--statistics", "--quiet").stdout == "2\tMEM101\terror\treceipt-read-as-memories\n\n"
    assert json.loads(command.run("check", "--statistics", "--output-format", "json").stdout)["statistics"] == [
        {"code": "MEM101", "name": "receipt-read-as-memories", "severity": "error", "count": 2}
    ]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "app/api.py: 1 remark (MEM104)\n"),
        (["--show-info"], "app/api.py:2:10: MEM104 answer['id'] fails\n"),
        (["--fail-on", "info"], "app/api.py:2:10: MEM104 answer['id'] fails\n"),
    ],
)
def test_remarks_are_one_line_per_file_unless_asked_for(command: CommandLine, options: list[str], shown: str) -> None:
    command.answer = Report((finding("info", "MEM104"),), (), (), files=1)
    assert command.run("check", "--quiet", *options).stdout == shown


def test_nothing_to_look_at_is_said_on_standard_error(command: CommandLine) -> None:
    command.answer = Report((), (), ())
    result = command.run("check")
    assert (result.stderr, result.exit_code) == ("warning: No Python files found under the given path(s)\n", 0)
    assert command.run("check", "--quiet").output == ""


def test_verbose_says_on_standard_error_what_was_assumed(command: CommandLine) -> None:
    Path("pyproject.toml").write_text("[tool.mem0-migrate]\nselect = ['MEM101', 'MEM902']\n", encoding="utf-8")
    command.answer = report("error")
    result = command.run("check", "--verbose")
    assert result.stderr == (
        f"Configuration: {Path.cwd() / 'pyproject.toml'}\n"
        "Rules: MEM101, MEM901, MEM902\n"
        "Searched 7 files, analysed 2 of them\n"
        "Declared: nothing declared: mem0ai 0.x, 1.x and 2.x, 1 call\n"
    )


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": ""}, ["--color", "always"], True),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"MEM0_MIGRATE_COLOR": "always"}, [], True),
    ],
)
def test_colours(command: CommandLine, environment: dict[str, str], options: list[str], colored: bool) -> None:
    command.answer = report("error")
    assert ("\x1b[" in command.run("check", *options, env=environment).stdout) == colored


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"select": None, "fail_on": "warning", "respect_gitignore": True}),
        (["--select", "MEM101,MEM102", "--select", "MEM3"], {"select": ("MEM101", "MEM102", "MEM3")}),
        (["--ignore", "MEM101, MEM102"], {"ignore": ("MEM101", "MEM102")}),
        (["--extend-select", "mem108"], {"extend_select": ("MEM108",)}),
        (["--exclude", "a,b/**"], {"exclude": ("a", "b/**")}),
        (["--extend-exclude", "a b"], {"extend_exclude": ("a b",)}),
        (["--force-exclude"], {"force_exclude": True}),
        (["--no-respect-gitignore"], {"respect_gitignore": False}),
        (["--mem0ai", ">=1,<2"], {"mem0ai": ">=1,<2"}),
        (["--config", "fail-on = 'info'"], {"fail_on": "info"}),
        (["--config", "allow-incomplete = true", "--no-allow-incomplete"], {"allow_incomplete": False}),
        (["--isolated"], {"hierarchical": False}),
    ],
)
def test_options_become_settings(command: CommandLine, options: list[str], expected: dict[str, Any]) -> None:
    result = command.run("check", *options)
    assert result.output == "Nothing found.\nNo call of mem0's add() in 1 file.\n"
    assert {name: getattr(command.settings, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MEM0_MIGRATE_SELECT", "MEM101,MEM102", {"select": ("MEM101", "MEM102")}),
        ("MEM0_MIGRATE_EXTEND_EXCLUDE", "a b,c", {"extend_exclude": ("a b", "c")}),
        ("MEM0_MIGRATE_FAIL_ON", "info", {"fail_on": "info"}),
        ("MEM0_MIGRATE_RESPECT_GITIGNORE", "0", {"respect_gitignore": False}),
        ("MEM0_MIGRATE_FORCE_EXCLUDE", "1", {"force_exclude": True}),
        ("MEM0_MIGRATE_MEM0AI", "1.0.3", {"mem0ai": "1.0.3"}),
        ("MEM0_MIGRATE_ISOLATED", "1", {"hierarchical": False}),
        ("MEM0_MIGRATE_CONFIG", "fail-on = 'info'", {"fail_on": "info"}),
        ("MEM0_MIGRATE_SELECT", "", {"select": None}),
    ],
)
def test_the_environment_has_a_twin_of_each_option(
    command: CommandLine, variable: str, value: str, expected: dict[str, Any]
) -> None:
    assert command.run("check", env={variable: value}).exit_code == 0
    assert {name: getattr(command.settings, name) for name in expected} == expected


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(command: CommandLine) -> None:
    Path("pyproject.toml").write_text("[tool.mem0-migrate]\nfail-on = 'error'\nmem0ai = '<1'\n", encoding="utf-8")
    command.run("check", "--fail-on", "info", env={"MEM0_MIGRATE_FAIL_ON": "warning", "MEM0_MIGRATE_MEM0AI": "<2"})
    assert command.settings is not None
    assert (command.settings.fail_on, command.settings.mem0ai) == ("info", "<2")


def test_paths(command: CommandLine) -> None:
    command.run("check")
    assert command.paths == (".",)
    command.run("check", "a", "b c.py")
    assert command.paths == ("a", "b c.py")


def test_standard_input_stands_for_a_file(command: CommandLine) -> None:
    command.answer = report("error")
    result = command.run(
        "check", "--stdin-filename", "./app//api.py", "-", "--output-format", "full", input=SOURCE.encode("utf-8")
    )
    assert result.stderr == ""
    assert command.settings is not None
    assert (command.paths, command.settings.stdin) == (("app/api.py",), ("app/api.py", SOURCE.encode()))
    assert "2 | answer = client.add(m)\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["check", "-"],
            "Error: `-` needs --stdin-filename: what a file means depends on where in the repository it stands.\n",
        ),
        (
            ["check", "--stdin-filename", "a.py", "b.py"],
            "Error: --stdin-filename checks one file, from standard input; name no other path.\n",
        ),
        (
            ["check", "--fail-on", "fatal"],
            "Error: Invalid value for '--fail-on': 'fatal' is not one of 'error', 'warning', 'info'.\n",
        ),
    ],
)
def test_a_wrong_command_line(command: CommandLine, arguments: list[str], message: str) -> None:
    result = command.run(*arguments)
    usage = "Usage: mem0-migrate check [OPTIONS] [PATHS]...\nTry 'mem0-migrate check --help' for help.\n\n"
    assert (result.stdout, result.stderr, result.exit_code) == ("", usage + message, 2)


def test_an_option_that_does_not_exist(command: CommandLine) -> None:
    result = command.run("check", "--selct", "MEM1")
    assert "No such option" in result.stderr
    assert "--select" in result.stderr
    assert result.exit_code == 2


def test_a_wrong_value_in_the_environment_is_named_as_such(command: CommandLine) -> None:
    result = command.run("check", env={"MEM0_MIGRATE_FAIL_ON": "fatal"})
    assert result.exit_code == 2
    assert "Error: Invalid value for 'MEM0_MIGRATE_FAIL_ON': 'fatal' is not one of 'error', 'warning', 'info'.\n" in result.stderr


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (SettingsError("pyproject.toml:3: unknown setting `selct`"), "Error: pyproject.toml:3: unknown setting `selct`\n"),
        (MissingPathError("no/such.py"), "Error: no/such.py: no such file or directory\n"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--exit-zero"], ["--quiet"], ["--allow-incomplete"]])
def test_what_the_tool_cannot_do_is_one_line_and_exit_2(
    command: CommandLine, raised: Exception, message: str, options: list[str]
) -> None:
    command.answer = raised
    result = command.run("check", *options)
    assert (result.stdout, result.stderr, result.exit_code) == ("", message, 2)


def test_a_setting_in_a_file_that_cannot_be_used(command: CommandLine) -> None:
    Path("pyproject.toml").write_text("[tool.mem0-migrate]\nselct = []\n", encoding="utf-8")
    result = command.run("check")
    assert result.stderr == "Error: pyproject.toml:2: unknown setting `selct`; did you mean `select`?\n"
    assert result.exit_code == 2


def test_an_error_of_ours_is_one_line_with_what_to_do(command: CommandLine) -> None:
    command.answer = ZeroDivisionError("division\nby zero")
    result = command.run("check")
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: internal error: ZeroDivisionError: division by zero (conftest.py:")
    assert "). This is a bug in mem0-migrate, not in your code. Please report it, " in result.stderr
    assert result.exit_code == 2


def test_an_error_of_ours_with_its_traceback(command: CommandLine) -> None:
    command.answer = ZeroDivisionError("division by zero")
    result = command.run("check", "--verbose")
    assert result.stderr.startswith("Traceback (most recent call last):\n")
    assert result.exit_code == 2


def test_an_interrupted_run_is_neither_right_nor_wrong(command: CommandLine) -> None:
    command.answer = KeyboardInterrupt()
    result = command.run("check")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "Interrupted.\n", 130)


def test_output_file(command: CommandLine) -> None:
    command.answer = report("error")
    result = command.run("check", "--quiet", "--output-file", "report.txt", env={"FORCE_COLOR": "1"})
    assert (result.output, result.exit_code) == ("", 1)
    assert Path("report.txt").read_text(encoding="utf-8") == "app/api.py:2:10: MEM101 answer['id'] fails\n"
    assert os.listdir() == ["report.txt"]  # noqa: PTH208 - names only


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_output_file_keeps_its_mode_and_its_link(command: CommandLine) -> None:
    Path("target.txt").write_text("old", encoding="utf-8")
    Path("target.txt").chmod(0o640)
    Path("report.txt").symlink_to("target.txt")
    command.run("check", "-q", "-o", "report.txt")
    assert Path("report.txt").is_symlink()
    assert Path("target.txt").read_text(encoding="utf-8") == ""
    assert stat.S_IMODE(Path("target.txt").stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/stdout")
def test_output_file_may_be_no_regular_file(command: CommandLine) -> None:
    assert command.run("check", "-q", "-o", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()


def test_an_output_file_that_cannot_be_written(command: CommandLine) -> None:
    command.answer = report("error")
    result = command.run("check", "-o", "no/such/report.txt")
    path = Path("no/such/report.txt").resolve()
    assert (result.stderr, result.exit_code) == (f"Error: {path}: cannot be written: No such file or directory\n", 2)


def test_a_failure_while_writing_leaves_the_old_report(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("report.txt").write_text("old", encoding="utf-8")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    assert command.run("check", "-o", "report.txt").exit_code == 2
    assert os.listdir() == ["report.txt"]  # noqa: PTH208 - names only
    assert Path("report.txt").read_text(encoding="utf-8") == "old"


DOCUMENTATION = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "option", [option for option in cli.commands["check"].params if option.name != "paths"], ids=lambda option: option.name
)
def test_every_option_is_documented_and_has_a_twin(option: click.Option) -> None:
    name = option.opts[0]
    assert f"`{name.removeprefix('--')}`" in DOCUMENTATION or f"`{name}" in DOCUMENTATION
    assert option.envvar == "MEM0_MIGRATE_" + name.removeprefix("--").upper().replace("-", "_")
    assert option.help


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_documented(key: str) -> None:
    assert f"| `{key}` | " in DOCUMENTATION
