"""The command `fix`: what it writes, what it leaves and says of it, and how it ends. The engine is the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mem0_migrate.cli import cli

SCHEMA = json.loads((Path(__file__).parents[2] / "mem0_migrate" / "output" / "schema.json").read_text(encoding="utf-8"))

CLIENT = "from mem0 import MemoryClient\n\nclient = MemoryClient()\n"
READ = CLIENT + 'print(client.add("m", user_id="u")["results"])\n'
FIXED = READ.replace('"u")', '"u", async_mode=False)')
ADD = CLIENT + 'client.add("m", user_id="u")\n'
FACTORY = "from mem0 import MemoryClient\n\n\ndef get_client():\n    return MemoryClient()\n"
INFERRED = 'from deps import get_client\n\nprint(get_client().add("m", user_id="u")["results"])\n'
EITHER = READ.replace("import", "import Memory,").replace("()\n", "() if hosted else Memory()\n")
NOTEBOOK = json.dumps({
    "cells": [{"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": READ.splitlines(True)}],
    "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
})  # fmt: skip

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `mem0-migrate` in an empty directory whose manifest admits mem0ai 1.x alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    write({"requirements.txt": "mem0ai>=1,<2\n"})
    return lambda *arguments, **attributes: CliRunner().invoke(cli, arguments, prog_name="mem0-migrate", **attributes)


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(text.encode("utf-8"))


def texts(*names: str) -> list[str]:
    return [Path(name).read_bytes().decode("utf-8") for name in names]


# -- how it ends -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "options", "code"),
    [
        ({}, [], 0),
        ({"a.py": "print('hello')\n"}, [], 0),
        ({"a.py": FIXED}, [], 0),
        ({"a.py": FIXED}, ["--diff"], 0),
        ({"a.py": FIXED}, ["--exit-non-zero-on-fix"], 0),
        ({"a.py": ADD}, [], 0),
        ({"a.py": ADD}, ["--fail-on", "info"], 1),
        ({"a.py": READ}, [], 0),
        ({"a.py": READ}, ["--diff"], 1),
        ({"a.py": READ}, ["--exit-non-zero-on-fix"], 1),
        ({"a.py": INFERRED, "deps.py": FACTORY}, [], 1),
        ({"a.py": INFERRED, "deps.py": FACTORY}, ["--diff"], 0),
        ({"a.py": INFERRED, "deps.py": FACTORY}, ["--unsafe-fixes"], 0),
        ({"a.py": READ, "b.py": INFERRED, "deps.py": FACTORY}, [], 1),
        ({"a.py": READ, "old.py": "import mem0\nprint 'hello'\n"}, [], 1),
        ({"a.py": READ, "old.py": "import mem0\nprint 'hello'\n"}, ["--allow-incomplete"], 0),
        ({"a.py": READ}, ["--quiet"], 0),
        ({"a.py": INFERRED, "deps.py": FACTORY}, ["--quiet"], 1),
    ],
)
def test_exit_code(run: Run, files: dict[str, str], options: list[str], code: int) -> None:
    write(files)
    result = run("fix", *options)
    assert result.exit_code == code, result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategy", "best"], "Invalid value for '--strategy': 'best' is not one of"),
        (["--mem0ai", "<<2"], "--mem0ai (or MEM0_MIGRATE_MEM0AI): '<<2' is no version of mem0ai"),
        (["--select", "MEM999"], "--select (or MEM0_MIGRATE_SELECT): "),
        (["--fixable", "F401"], "--fixable (or MEM0_MIGRATE_FIXABLE): "),
        (["nowhere.py"], "nowhere.py: no such file or directory"),
        (["--interactive"], "--interactive asks on the terminal, and there is none."),
        (["--interactive", "--diff"], "--interactive asks whether to make a change, and --diff makes none."),
        (["--interactive", "--output-format", "json"], "--interactive asks a person, and json is for a program."),
        (["--unsave-fixes"], "No such option"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(run: Run, arguments: list[str], message: str) -> None:
    write({"a.py": READ})
    result = run("fix", *arguments)
    assert (result.exit_code, result.stdout, texts("a.py")) == (2, "", [READ])
    assert message in result.stderr


# -- what is left alone ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ({"a.py": READ.replace("()\n", "()\n#") + "\n"}, []),
        ({"a.py": READ.replace("MemoryClient", "Memory")}, []),
        ({"a.py": ADD}, []),
        ({"a.py": ADD}, ["--strategy", "shim"]),
        ({"a.py": READ[:-1] + "  # mem0-migrate: ignore[MEM101]\n"}, []),
        ({"a.py": READ[:-1] + "  # noqa: MEM101\n"}, []),
        ({"a.py": READ}, ["--ignore", "MEM101"]),
        ({"a.py": READ}, ["--select", "MEM104"]),
        ({"a.py": READ}, ["--exclude", "a.py"]),
        ({"a.py": READ}, ["--exclude", "a.py", "--force-exclude", "a.py"]),
        ({"a.py": READ, "pyproject.toml": "[tool.mem0-migrate.per-file-ignores]\n'a.py' = ['MEM1']\n"}, []),
        ({"build/a.py": READ}, []),
    ],
)
def test_nothing_to_fix(run: Run, files: dict[str, str], options: list[str]) -> None:
    write(files)
    before = {name: os.stat(name).st_mtime_ns for name in files}  # noqa: PTH116
    result = run("fix", "--unsafe-fixes", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Nothing was fixed.\n")
    assert texts(*files) == list(files.values())
    assert {name: os.stat(name).st_mtime_ns for name in files} == before  # noqa: PTH116


@pytest.mark.parametrize(
    ("files", "options", "place", "reason"),
    [
        ({"a.py": INFERRED, "deps.py": FACTORY}, [], "a.py:3:7: MEM101 ", "(with --unsafe-fixes)"),
        ({"a.py": READ}, ["--unfixable", "MEM101"], "a.py:4:7: MEM101 ", "not among the rules that are fixed"),
        ({"a.py": READ}, ["--fixable", "MEM2"], "a.py:4:7: MEM101 ", "not among the rules that are fixed"),
        ({"a.py": READ}, ["--mem0ai", ">=1", "--strategy", "keyword"], "a.py:4:7: MEM101 ", "ignores `async_mode`"),
        ({"a.py": EITHER}, ["--strategy", "keyword"], "a.py:4:7: MEM101 ", "The receiver may be the open-source Memory"),
        ({"a.py": f"# @generated\n{READ}"}, [], "a.py:5:7: MEM101 ", "a.py: it is generated: change what generates it"),
        (
            {"a.py": INFERRED, "deps.py": FACTORY},
            ["a.py", "--strategy", "shim"],
            "a.py:3:7: MEM101 ",
            "deps.py: it is not among the files named: `mem0-migrate fix --strategy shim deps.py`",
        ),
        (
            {"a.py": INFERRED, "deps.py": FACTORY},
            ["deps.py", "--unsafe-fixes"],
            "a.py:3:7: MEM101 ",
            "a.py: it is not among the files named: `mem0-migrate fix --unsafe-fixes a.py`",
        ),
    ],
)
def test_what_is_left_is_said_with_the_reason(
    run: Run, files: dict[str, str], options: list[str], place: str, reason: str
) -> None:
    write(files)
    result = run("fix", *options)
    assert (result.exit_code, texts(*files)) == (1, list(files.values()))
    assert result.stdout.startswith("Nothing was fixed.\nNot fixed: 1 finding\n")
    assert place in result.stdout
    assert reason in " ".join(result.stdout.split())
    quiet = run("fix", "--quiet", *options)
    assert (quiet.stdout, place in quiet.stderr, reason in " ".join(quiet.stderr.split())) == ("", True, True)


def test_a_file_that_cannot_be_written(run: Run) -> None:
    write({"a.py": READ, "b.py": READ})
    Path("a.py").chmod(0o444)
    result = run("fix")
    assert (result.exit_code, texts("a.py", "b.py")) == (1, [READ, FIXED])
    assert "a.py: left as it was: not written: the file is read-only; make it writable, then run again" in result.stdout
    assert "Fixed 1 finding in 1 file:\n" in result.stdout
    assert "a.py:4:7: MEM101 " in result.stdout
    assert "Found 1 error.\n" in result.stdout
    assert "a.py: left as it was: not written: the file is read-only" in run("fix", "--quiet").stderr


def test_a_broken_file_does_not_stop_the_others(run: Run) -> None:
    write({"a.py": READ, "old.py": "import mem0\nprint 'hello'\n"})
    result = run("fix")
    assert texts("a.py") == [FIXED]
    assert "old.py:2:1: not checked: not valid Python" in result.stdout
    assert "old.py:2:1: not checked: not valid Python" in run("fix", "--quiet").stderr


# -- what is fixed ---------------------------------------------------------------------------------------------------------------


def test_the_summary(run: Run) -> None:
    write({"a.py": READ, "src/b.py": READ})
    result = run("fix")
    assert (result.exit_code, result.stderr, texts("a.py", "src/b.py")) == (0, "", [FIXED, FIXED])
    assert result.stdout == (
        "Fixed 2 findings in 2 files:\n"
        "  - Pass `async_mode=False` here: add() waits again, and answers with the memories\n"
        "    in a.py, src/b.py\n"
        "Proven of each: nothing but this changed, it compiles, and a second pass changes nothing.\n"
        "Nothing is left to fix.\n"
        "2 calls of mem0's add() in 2 files: 0 break, 0 may break, "
        "2 already explicit (async_mode is given, or the client waits).\n"
    )
    again = run("fix")
    assert (again.exit_code, again.stdout.partition("\n")[0]) == (0, "Nothing was fixed.")


@pytest.mark.parametrize("options", [["fix", "--diff"], ["check", "--diff"]])
def test_a_diff_writes_nothing(run: Run, options: list[str]) -> None:
    write({"a.py": READ})
    result = run(*options)
    assert (result.exit_code, texts("a.py")) == (1, [READ])
    assert result.stdout == (
        "--- a.py\n"
        "+++ a.py\n"
        "@@ -1,4 +1,4 @@\n"
        " from mem0 import MemoryClient\n"
        " \n"
        " client = MemoryClient()\n"
        '-print(client.add("m", user_id="u")["results"])\n'
        '+print(client.add("m", user_id="u", async_mode=False)["results"])\n'
    )
    assert result.stderr.startswith("Would fix 1 finding in 1 file:\n")
    assert run(*options, "--quiet").stderr == ""


def test_check_with_a_diff_never_fails_if_it_must_not(run: Run) -> None:
    write({"a.py": READ})
    assert run("check", "--diff", "--exit-zero").exit_code == 0


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_diff_of_standard_input(run: Run, on_disk: bool) -> None:
    write({"deps.py": FACTORY, **({"a.py": "print('older')\n"} if on_disk else {})})
    result = run("check", "--diff", "--unsafe-fixes", "--stdin-filename", "a.py", input=INFERRED)
    assert result.exit_code == 1, result.output
    assert "-print(get_client().add" in result.stdout
    assert Path("a.py").exists() == on_disk


@pytest.mark.parametrize(
    ("strategy", "after", "manifest"),
    [
        ("auto", FIXED, "mem0ai>=1,<2\n"),
        ("keyword", FIXED, "mem0ai>=1,<2\n"),
        (
            "shim",
            "import mem0_shim\n" + READ.replace("MemoryClient()", 'mem0_shim.wrap(MemoryClient(), policy="wait")'),
            "mem0ai>=1,<2\nmem0-shim\n",
        ),
    ],
)
def test_strategies(run: Run, strategy: str, after: str, manifest: str) -> None:
    write({"a.py": READ})
    result = run("fix", "--strategy", strategy)
    assert (result.exit_code, texts("a.py", "requirements.txt")) == (0, [after, manifest])


def test_the_strategy_async_removes_the_keyword_where_nothing_needs_it(run: Run) -> None:
    write({"a.py": ADD.replace('"u")', '"u", async_mode=False)')})
    result = run("fix", "--strategy", "async", "--unsafe-fixes")
    assert result.exit_code == 0, result.output
    assert "async_mode" not in texts("a.py")[0]


@pytest.mark.parametrize(
    "options", [["--extend-select", "MEM104"], ["--select", "MEM104"], ["--fixable", "MEM104"], ["--fixable", "ALL"]]
)
def test_what_nothing_depends_on_is_fixed_if_it_is_selected(run: Run, options: list[str]) -> None:
    write({"a.py": ADD})
    assert run("fix", *options).exit_code == 0
    assert texts("a.py") == [ADD.replace('"u")', '"u", async_mode=False)')]


def test_other_bytes_stay(run: Run) -> None:
    odd = "\ufeff" + READ.replace("\n", "\r\n").replace("print(", "\x0cprint(") + "#\ttabs and blanks  \r\n\n\r\nx = 'é'"
    write({"a.py": odd})
    assert run("fix").exit_code == 0
    assert texts("a.py") == [odd.replace('"u")', '"u", async_mode=False)')]


def test_a_notebook(run: Run) -> None:
    write({"a.ipynb": NOTEBOOK})
    result = run("fix")
    assert result.exit_code == 0, result.output
    assert texts("a.ipynb") == [NOTEBOOK.replace('user_id=\\"u\\")', 'user_id=\\"u\\", async_mode=False)')]


def test_in_a_folder_of_the_repository(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"src/a.py": READ, "b.py": READ})
    subprocess.run(["git", "init", "--quiet"], check=True)
    monkeypatch.chdir("src")
    result = run("fix")
    assert (result.exit_code, texts("a.py", "../b.py")) == (0, [FIXED, READ])
    assert "    in a.py\n" in result.stdout
    assert run("fix", "../b.py").stdout.startswith("Fixed 1 finding in 1 file:\n")
    assert texts("../b.py") == [FIXED]


def test_a_finding_elsewhere_that_the_named_file_leads_to_is_fixed_in_it(run: Run) -> None:
    write({"a.py": INFERRED, "deps.py": FACTORY, "c.py": READ})
    result = run("fix", "deps.py", "--strategy", "shim")
    assert (result.exit_code, texts("a.py", "c.py")) == (0, [INFERRED, READ])
    assert "mem0_shim.wrap(MemoryClient()" in texts("deps.py")[0]
    assert "Add mem0-shim to requirements.txt, beside mem0ai" in result.stdout


# -- for programs ----------------------------------------------------------------------------------------------------------------


def content(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, SCHEMA)
    return found


def test_json(run: Run) -> None:
    write({"a.py": READ, "b.py": INFERRED, "deps.py": FACTORY, "c.py": READ})
    Path("c.py").chmod(0o444)
    found = content(run("fix", "--output-format", "json"))
    fixes = found["fixes"]
    (rewrite,) = fixes["files"]
    (edit,) = rewrite["edits"]
    assert (rewrite["filename"], edit["content"]) == ("a.py", ", async_mode=False")
    assert edit["location"] == edit["end_location"] == {"row": 4, "column": 34}
    assert len(rewrite["proof"]) == 4
    assert [(item["finding"]["filename"], item["unsafe"]) for item in fixes["left"]] == [("b.py", True), ("c.py", False)]
    assert [(file["filename"], "read-only" in file["reason"]) for file in fixes["failed"]] == [("c.py", True)]


@pytest.mark.parametrize("command", ["fix", "check"])
def test_json_of_a_diff(run: Run, command: str) -> None:
    write({"a.py": READ})
    found = content(run(command, "--diff", "--output-format", "json"))
    assert [file["filename"] for file in found["fixes"]["files"]] == ["a.py"]
    assert texts("a.py") == [READ]


def test_json_of_a_check_has_the_edits(run: Run) -> None:
    write({"a.py": READ})
    (finding,) = content(run("check", "--output-format", "json"))["findings"]
    assert (finding["fix"]["strategy"], finding["fix"]["applicability"]) == ("keyword", "safe")
    assert [edit["content"] for edit in finding["fix"]["edits"]] == [", async_mode=False"]


@pytest.mark.parametrize(
    ("options", "marked"),
    [
        ([], {"a.py"}),
        (["--unsafe-fixes"], {"a.py", "b.py"}),
        (["--unfixable", "MEM101"], set()),
        (["--strategy", "shim"], {"a.py", "b.py"}),
    ],
)
@pytest.mark.parametrize("form", ["concise", "full"])
def test_check_marks_what_would_be_fixed(run: Run, options: list[str], marked: set[str], form: str) -> None:
    write({"a.py": READ, "b.py": INFERRED, "deps.py": FACTORY})
    lines = run("check", "--output-format", form, *options).stdout.splitlines()
    found = set()
    for number, line in enumerate(lines):
        if "MEM101 " in line and "[*] " in line:
            found.add(next(name for near in lines[number:] for name in ("a.py", "b.py") if f"{name}:" in near))
    assert found == marked, lines


# -- asking ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ask(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `fix --interactive`, with answers."""
    monkeypatch.setattr(sys.modules["mem0_migrate.cli.fix"], "is_terminal", lambda: True)
    return lambda answers, *arguments: run("fix", "--interactive", *arguments, input="".join(f"{answer}\n" for answer in answers))


TWICE = READ + 'print(client.add("n", user_id="u")["results"])\n'


@pytest.mark.parametrize(
    ("answers", "fixed", "asked"),
    [
        ("nnn", [], 3),
        ("q", [], 1),
        ("ynn", ["m"], 3),
        ("nyn", ["n"], 3),
        ("yq", ["m"], 2),
        ("an", ["m", "n"], 2),
        ("any", ["m", "n"], 2),
        ("yyy", ["m", "n", "b"], 3),
        ("aa", ["m", "n", "b"], 2),
        ("xyyy", ["m", "n", "b"], 4),
    ],
)
def test_answers(ask: Run, answers: str, fixed: list[str], asked: int) -> None:
    write({"a.py": TWICE, "b.py": READ.replace('"m"', '"b"')})
    result = ask(answers)
    written = "".join(texts("a.py", "b.py"))
    assert [name for name in "mnb" if f'add("{name}", user_id="u", async_mode=False)' in written] == fixed
    assert result.stdout.count("Make this change?") == asked
    assert result.exit_code == (0 if len(fixed) == 3 else 1)
    assert ("declined" in result.stdout) == (len(fixed) < 3)
    assert result.stdout.count("+++ ") <= asked


def test_each_change_is_shown_with_what_it_is_for(ask: Run) -> None:
    write({"a.py": READ})
    result = ask("y", "--color", "always")
    assert 'a.py:4:7: MEM101 `client.add("m", user_id="u")["results"]` gives a receipt instead of memories' in result.stdout
    assert '\x1b[32m+print(client.add("m", user_id="u", async_mode=False)["results"])\x1b[0m' in result.stdout


def test_no_answer_at_all_writes_nothing(ask: Run) -> None:
    write({"a.py": TWICE})
    result = ask("y")
    assert (result.exit_code, texts("a.py")) == (1, [TWICE])
    assert "Aborted!" in result.stderr
