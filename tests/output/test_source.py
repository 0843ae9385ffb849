"""The lines that excerpts show, of every kind of file that a finding can be in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mem0_migrate.output.source import lines_of


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\nb\n", ["a", "b", ""]),
        (b"a\r\nb\rc", ["a", "b", "c"]),
        (b"a\x0cb\x0bc\x1cd\n", ["a\x0cb\x0bc\x1cd", ""]),
        ("a\u2028b\x85c\n".encode(), ["a\u2028b\x85c", ""]),
        (b"\xef\xbb\xbfa\n", ["a", ""]),
        (b"# coding: latin-1\n\xe9\n", ["# coding: latin-1", "é", ""]),
        (b"a\xff\n", []),
        (b"# coding: nonsense\n", []),
    ],
)
def test_lines_are_those_of_python(content: bytes, lines: list[str]) -> None:
    Path("a.py").write_bytes(content)
    assert list(lines_of()("a.py", None)) == lines


def test_a_manifest_is_no_python() -> None:
    Path("requirements.txt").write_text("mem0ai>=1 # the client\n", encoding="utf-8")
    assert list(lines_of()("requirements.txt", None)) == ["mem0ai>=1 # the client", ""]


def test_the_cells_of_a_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": "# Title"},
        {"cell_type": "code", "source": ["%pip install mem0ai\n", "client = '\u2028'"]},
        {"cell_type": "code", "source": "x = '''\u2028\n'''\n"},
    ]
    Path("a.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    lines = lines_of()
    assert list(lines("a.ipynb", 2)) == ["%pip install mem0ai", "client = '\u2028'"]
    assert list(lines("a.ipynb", 3)) == ["x = '''\u2028", "'''", ""]
    assert list(lines("a.ipynb", 1)) == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"not json"])
def test_what_is_no_notebook_has_no_lines(content: bytes) -> None:
    Path("a.ipynb").write_bytes(content)
    assert list(lines_of()("a.ipynb", 1)) == []


def test_what_is_not_there_has_no_lines() -> None:
    assert list(lines_of()("gone.py", None)) == []


def test_standard_input_stands_for_its_file() -> None:
    Path("a.py").write_text("on disk", encoding="utf-8")
    lines = lines_of(("a.py", b"on stdin"))
    assert list(lines("a.py", None)) == ["on stdin"]
