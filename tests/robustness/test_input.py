"""Files and names as no one would wish them, from the command line: no traceback, the right exit code, the file named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from mem0_migrate.cli import cli
from mem0_migrate.project import search

if TYPE_CHECKING:
    from click.testing import Result

HEAD = "from mem0 import MemoryClient\nclient = MemoryClient()\n"
READ = 'client.add("m")["id"]\n'
BREAKS = HEAD + READ


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, code: int, **attributes: Any) -> Result:
    """Run `check`; whatever happens, there is no traceback and no error of ours."""
    result = CliRunner().invoke(cli, ["check", "--isolated", *arguments], prog_name="mem0-migrate", **attributes)
    assert "Traceback" not in result.output
    assert "internal error" not in result.output
    assert isinstance(result.exception, SystemExit | None)
    assert result.exit_code == code, result.output
    return result


def places(*arguments: str, code: int = 1) -> list[str]:
    """Where the findings are: as `concise` prints them, and the same out of `json`."""
    concise = [line.split(": MEM")[0] for line in run(*arguments, code=code).stdout.splitlines() if ": MEM" in line]
    report = json.loads(run(*arguments, "--output-format", "json", code=code).stdout)
    spots = [(item["filename"], item["location"]["row"], item["location"]["column"]) for item in report["findings"]]
    assert sorted(concise) == sorted(f"{name}:{row}:{column}" for name, row, column in spots)
    assert not report["incomplete"]
    for name, row, column in spots:
        assert ":" not in name
        assert row >= 1 <= column
    return concise


def incomplete(name: str, reason: str, row: int | None = None) -> None:
    """The file is named with the reason, nothing is found in it, and the run fails unless that is allowed."""
    report = json.loads(run("--output-format", "json", code=1).stdout)
    (problem,) = report["incomplete"]
    assert (problem["filename"], problem["row"]) == (name, row)
    assert reason in problem["reason"]
    assert report["findings"] == []
    assert name in run(code=1).stdout
    run("--allow-incomplete", code=0)


GOOD = {
    "latin-1 cookie": (b"# coding: latin-1\n" + HEAD.encode() + 'x = "\xe9\xe8"; '.encode("latin-1") + READ.encode(), "4:11"),
    "byte order mark": (b"\xef\xbb\xbf" + BREAKS.encode(), "3:1"),
    "CRLF": (BREAKS.replace("\n", "\r\n").encode(), "3:1"),
    "CR": (BREAKS.replace("\n", "\r").encode(), "3:1"),
    "CR after non-ASCII": ((HEAD + 'é = "日本語"; ' + READ).replace("\n", "\r").encode(), "3:12"),
    "CR and a comment": ((HEAD + "# é\n\n" + READ).replace("\n", "\r").encode(), "5:1"),
    "CR and a latin-1 cookie": (
        ("# coding: latin-1\n" + HEAD + 'x = "é"; ' + READ).replace("\n", "\r").encode("latin-1"),
        "4:10",
    ),
    "form feeds": ((HEAD + "\f\n\f" + READ).encode(), "4:2"),
    "all line ends": (b"from mem0 import MemoryClient\r\nclient = MemoryClient()\r\n\r" + READ.encode(), "4:1"),
    "line separators in text": ((HEAD + 'x = "\u2028\x85\x0b"; ' + READ).encode(), "3:12"),
    "wide and astral": ((HEAD + 'x = "𝄞é"; ' + READ).encode(), "3:11"),
    "no last line end": (BREAKS.rstrip().encode(), "3:1"),
}


@pytest.mark.parametrize(("data", "place"), GOOD.values(), ids=GOOD.keys())
def test_rows_and_columns_are_those_of_an_editor(data: bytes, place: str) -> None:
    Path("x.py").write_bytes(data)
    assert places() == [f"x.py:{place}"]
    run("--output-format", "full", code=1)


BAD = {
    "null byte": (BREAKS.encode() + b"\0", "null byte", 4),
    "unknown cookie": (b"# coding: klingon\n" + BREAKS.encode(), "klingon", 1),
    "not UTF-8": (BREAKS.encode() + b"# \xe9\n", "0xe9", 4),
    "syntax of the future": ((BREAKS + "match client as x -> y:\n    pass\n").encode(), "not valid Python", 4),
    "Python 2": ((BREAKS + "print client\n").encode(), "not valid Python", 4),
    "UTF-16": (b"import mem0\n" + BREAKS.encode("utf-16"), "not utf-8", 2),
    "deep parentheses": ((BREAKS + "(" * 10_000 + ")" * 10_000 + "\n").encode(), "paren", 4),
    "deep operators": ((BREAKS + "-" * 10_000 + "x\n").encode(), "nested", None),
    "deep attributes": ((BREAKS + "x" + ".y" * 10_000 + "\n").encode(), "nested", None),
}


@pytest.mark.parametrize(("data", "reason", "row"), BAD.values(), ids=BAD.keys())
def test_a_file_that_cannot_be_analysed_is_named(data: bytes, reason: str, row: int | None) -> None:
    Path("x.py").write_bytes(data)
    incomplete("x.py", reason, row)


def test_one_bad_file_does_not_hide_another() -> None:
    Path("bad.py").write_bytes(b"import mem0\n\0")
    Path("good.py").write_text(BREAKS, encoding="utf-8")
    result = run(code=1)
    assert "good.py:3:1: MEM101" in result.stdout
    assert "bad.py:2:1: MEM901" in result.stdout


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links, FIFOs and names of POSIX")


@POSIX
def test_a_link_to_itself_is_named() -> None:
    Path("round.py").symlink_to("round.py")
    incomplete("round.py", "too many levels of symbolic links")


@POSIX
def test_directories_that_hold_themselves_are_entered_once() -> None:
    Path("pkg").mkdir()
    Path("pkg/up").symlink_to("..")
    Path("pkg/x.py").write_text(BREAKS, encoding="utf-8")
    assert places() == ["pkg/x.py:3:1"]


@POSIX
def test_a_fifo_is_not_waited_for() -> None:
    os.mkfifo("pipe.py")
    assert "No Python files" in run(code=0).stderr
    assert "pipe.py:1:1: MEM901 not checked: not a regular file" in run("pipe.py", code=1).stdout


@POSIX
@pytest.mark.parametrize(
    "name", ["a b.py", "{x}.py", "%s.py", "new\nline.py", "-q.py", "é.py", "x;y.py", "\udcff.py", "\x1b[1m.py"]
)
def test_no_name_is_too_odd(name: str) -> None:
    try:
        Path(name).write_text(BREAKS, encoding="utf-8")
    except OSError:
        pytest.skip("the file system does not take this name")
    (finding,) = json.loads(run("--output-format", "json", code=1).stdout)["findings"]
    assert finding["filename"] == name
    for form in ("concise", "full"):
        printed = run("--output-format", form, code=1).stdout
        assert ".py:3:1" in printed
        assert "\x1b[1m" not in printed
    assert len(run("--output-format", "concise", code=1).stdout.splitlines()) == 5  # one line, and the closing four


@POSIX
def test_a_file_that_may_not_be_read() -> None:
    """In a process that is not root, which may read everything, and in a directory that others may enter."""
    become = "os.setuid(65534);" if os.geteuid() == 0 else ""
    code = (
        "import mem0_migrate.engine, mem0_migrate.settings, os, pkgutil, importlib, mem0_migrate as m\n"
        "for item in pkgutil.walk_packages(m.__path__, 'mem0_migrate.'):\n"
        "    if '__main__' not in item.name: importlib.import_module(item.name)\n"
        f"{become}print(m.check(['.'], m.Settings()).incomplete)"
    )
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        Path(directory, "closed.py").write_text(BREAKS, encoding="utf-8")
        Path(directory, "closed.py").chmod(0)
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=directory)
    assert "filename='closed.py', reason='permission denied'" in result.stdout


def test_a_file_that_is_gone_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("gone.py").write_text(BREAKS, encoding="utf-8")
    Path("left.py").write_text(BREAKS, encoding="utf-8")
    real = search.holds

    def holds(filename: str, word: bytes) -> bool:
        Path("gone.py").unlink(missing_ok=True)
        return real(filename, word)

    monkeypatch.setattr(search, "holds", holds)
    result = run(code=1)
    assert "left.py:3:1: MEM101" in result.stdout
    assert "gone.py:1:1: MEM901 not checked: no such file or directory" in result.stdout


def test_nothing_to_look_at() -> None:
    assert "No Python files found" in run(code=0).stderr
    subprocess.run(["git", "init", "-q"], check=True)
    assert "No Python files found" in run(code=0).stderr
    Path("empty.py").touch()
    assert run(code=0).stderr == ""


def test_a_path_outside_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("inner").mkdir()
    subprocess.run(["git", "init", "-q", "inner"], check=True)
    Path("x.py").write_text(BREAKS, encoding="utf-8")
    monkeypatch.chdir("inner")
    assert places("..") == ["../x.py:3:1"]
    assert places(str(tmp_path / "x.py")) == ["../x.py:3:1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py"], "nowhere.py: no such file or directory"),
        (["x.py", "no\nwhere"], "no such file or directory"),
        (["--no-such-option"], "--no-such-option"),
        (["--select", "MEM999x"], "MEM999x"),
        (["--mem0ai", "newest"], "newest"),
        (["--mem0ai", ""], "--mem0ai"),
        (["--fail-on", "never"], "never"),
        (["--output-format", "xml"], "xml"),
        (["--output-file", "no/such/directory/report"], "no/such/directory/report"),
        (["-"], "--stdin-filename"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: list[str], said: str) -> None:
    Path("x.py").write_text(BREAKS, encoding="utf-8")
    result = run(*arguments, code=2)
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[tool.mem0-migrate\n", "pyproject.toml"),
        (b"[tool.mem0-migrate]\n# \xff\n", "pyproject.toml"),
        (b'[tool.mem0-migrate]\nfail_onn = "error"\n', "fail_onn"),
        (b"[tool.mem0-migrate]\nselect = 3\n", "select"),
        (b"[tool]\nmem0-migrate = 3\n", "mem0-migrate"),
        (b'[tool.mem0-migrate]\nfail-on = "error"\n[tool.mem0-migrate]\nfail-on = "info"\n', "pyproject.toml"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named(content: bytes, said: str) -> None:
    Path("x.py").write_text(BREAKS, encoding="utf-8")
    Path("pyproject.toml").write_bytes(content)
    result = CliRunner().invoke(cli, ["check"], prog_name="mem0-migrate")
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert "internal error" not in result.output


def test_the_closest_of_two_tables_decides() -> None:
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "x.py").write_text(BREAKS, encoding="utf-8")
    Path("pyproject.toml").write_text('[tool.mem0-migrate]\nignore = ["MEM1"]\n', encoding="utf-8")
    Path("b/pyproject.toml").write_text('[tool.mem0-migrate]\nselect = ["MEM1"]\n', encoding="utf-8")
    result = CliRunner().invoke(cli, ["check"], prog_name="mem0-migrate")
    assert [line.split(": ")[0] for line in result.stdout.splitlines() if ": MEM" in line] == ["b/x.py:3:1"]
