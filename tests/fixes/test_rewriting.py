"""Cases as data in fixtures/edits (see its README), bytes that an editor would not keep, and what must hold for all code."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mem0_migrate.fixes.changes import (
    Assign,
    Insert,
    Remove,
    RemoveKey,
    RemoveKeyword,
    Replace,
    SetKey,
    SetKeyword,
    Surround,
    UnchangeableError,
)
from mem0_migrate.fixes.rewriting import edits, spliced
from mem0_migrate.project.source import Source, parse
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.changes import Change

FIXTURES = Path(__file__).parents[2] / "fixtures" / "edits"
CASES = sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/*.py"))

_HEAD = re.compile(r"# (?P<word>change|needs): (?P<rest>.+)\n")
_CHANGE = re.compile(
    r"(?P<operation>\w+)(?: (?P<what>.+?))? (?P<where>at|before|after) (?P<target>(?:expression |statement )?.+)"
)


@dataclass(frozen=True, slots=True)
class Case:
    """What a file says: changes, the Python it needs, input, and the expected output or the reason to refuse."""

    changes: list[str]
    needs: tuple[int, ...]
    text: str
    output: str | None
    reason: str


def read(name: str) -> Case:
    text = (FIXTURES / name).read_bytes().decode()
    changes: list[str] = []
    needs: tuple[int, ...] = ()
    while match := _HEAD.match(text):
        if match["word"] == "change":
            changes.append(match["rest"])
        else:
            needs = tuple(map(int, match["rest"].split(".")))
        text = text[match.end() :]
    before, divider, output = text.partition("# output\n")
    if divider:
        return Case(changes, needs, before, output, "")
    before, divider, reason = text.rpartition("# refused: ")
    assert divider, f"{name}: neither output nor refused"
    return Case(changes, needs, before, None, reason.strip())


def source_of(text: str | bytes) -> Source:
    source = parse("case.py", text.encode() if isinstance(text, str) else text)
    assert isinstance(source, Source), source
    return source


def declared(source: Source, lines: list[str]) -> list[Change]:
    return [change for line in lines for change in _declared(source, line)]


def _declared(source: Source, line: str) -> Iterator[Change]:
    match = _CHANGE.fullmatch(line)
    assert match, line
    operation, what, where = match["operation"], match["what"] or "", match["where"]
    nodes = list(_nodes(source, match["target"]))
    assert nodes, f"nothing at {match['target']}"
    for node in nodes:
        place = place_of(node)
        name, _, value = what.partition("=")
        if operation == "SetKeyword":
            value, _, replacing = value.partition(" instead of ")
            yield SetKeyword(place, name, value, replacing)
        elif operation == "RemoveKeyword":
            yield RemoveKeyword(place, what)
        elif operation == "SetKey":
            yield SetKey(place, name, value)
        elif operation == "RemoveKey":
            yield RemoveKey(place, what)
        elif operation == "Surround":
            before, _, after = what.partition("…")
            yield Surround(place, before, after)
        elif operation == "Replace":
            yield Replace(place, what)
        elif operation == "Assign":
            yield Assign(place, what)
        elif operation == "Insert":
            yield Insert(place, what.replace("\\n", "\n"), where == "after")
        else:
            assert operation == "Remove", operation
            yield Remove(place)


def _nodes(source: Source, target: str) -> Iterator[Any]:
    kind, _, text = target.partition(" ")
    for node in ast.walk(source.tree):
        if kind == "statement":
            if isinstance(node, ast.stmt) and _first_line(node) == text:
                yield node
        elif kind == "expression":
            if isinstance(node, ast.expr) and ast.unparse(node) == text:
                yield node
        elif target == "{}":
            if isinstance(node, ast.Dict):
                yield node
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == target:
            yield node


def _first_line(node: ast.stmt) -> str:
    return next(line for line in ast.unparse(node).splitlines() if not line.startswith("@"))


def changed(source: Source, changes: list[Change]) -> str:
    """The text after the changes; what must hold of every set of edits holds."""
    found = edits(source, changes)
    text = spliced(source, found)
    ast.parse(text)
    offsets = [[source.offset_at(position, edit.span.cell) for position in (edit.span.start, edit.span.end)] for edit in found]
    assert all(one[1] < other[0] for one, other in pairwise(offsets)), "edits meet"
    for (start, end), edit in zip(offsets, found, strict=True):
        old = source.text[start:end]
        assert old != edit.content
        assert not old or not edit.content or (old[0] != edit.content[0] and old[-1] != edit.content[-1]), "not the smallest edit"
    return text


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = read(name)
    if sys.version_info < case.needs:
        pytest.skip(f"needs Python {case.needs}")
    source = source_of(case.text)
    changes = declared(source, case.changes)
    if case.output is None:
        with pytest.raises(UnchangeableError, match=re.escape(case.reason)):
            edits(source, changes)
        return
    assert changed(source, changes) == case.output


SET = "SetKeyword async_mode=False at add"
BYTES = {
    "crlf": (SET, b"add(\r\n    a,\r\n    b  # c\r\n)\r\n", b"add(\r\n    a,\r\n    b,  # c\r\n    async_mode=False\r\n)\r\n"),
    "cr": (SET, b"add(\r    a,\r    b  # c\r)\r", b"add(\r    a,\r    b,  # c\r    async_mode=False\r)\r"),
    "mixed": (SET, b"x\nadd(\r\n  a,\n  b,\r\n)\n", b"x\nadd(\r\n  a,\n  b,\r\n  async_mode=False,\r\n)\n"),
    "cr-in-comment-lines": (SET, b"add(\r  # a\r\r  # b\r)\r", b"add(\r  # a\r\r  # b\r  async_mode=False\r)\r"),
    "form-feed": (
        SET,
        b"\x0cadd(\n\x0c    a, \x0c\n\x0c)\n\x0c",
        b"\x0cadd(\n\x0c    a, \x0c\n     async_mode=False,\n\x0c)\n\x0c",
    ),
    "form-feed-in-comment": (
        SET,
        b"add(\n    a,\n    b  # c\x0cd\n    # e\x0c\n)\n",
        b"add(\n    a,\n    b,  # c\x0cd\n    async_mode=False\n    # e\x0c\n)\n",
    ),
    "form-feed-in-string": (SET, b"add('\x0c', b)\n", b"add('\x0c', b, async_mode=False)\n"),
    "byte-order-mark": (SET, b"\xef\xbb\xbfadd(a)\r\n", b"\xef\xbb\xbfadd(a, async_mode=False)\r\n"),
    "latin-1": (
        SET,
        b"# coding: latin-1\nx = '\xe9'; add('\xfc', b)  # \xdf\n",
        b"# coding: latin-1\nx = '\xe9'; add('\xfc', b, async_mode=False)  # \xdf\n",
    ),
    "line-separators-in-strings": (
        SET,
        "'\u2028\x85\x1c\u2029\x0b'; add('\u2028',\n  '\x85')\n".encode(),
        "'\u2028\x85\x1c\u2029\x0b'; add('\u2028',\n  '\x85',\n  async_mode=False)\n".encode(),
    ),
    "no-line-end": (SET, b"add()", b"add(async_mode=False)"),
    "multi-line-string-crlf": (SET, b"add('''a\r\nb\rc\n''')\r\n", b"add('''a\r\nb\rc\n''', async_mode=False)\r\n"),
    "insert-crlf": ("Insert import b after statement import a", b"import a\r\nx\r\n", b"import a\r\nimport b\r\nx\r\n"),
    "insert-cr-last": ("Insert import b after statement import a", b"x\rimport a", b"x\rimport a\rimport b"),
    "insert-before-form-feed": ("Insert b before statement a", b"if x:\n\x0c    a\n", b"if x:\n    b\n\x0c    a\n"),
    "insert-block-crlf": (
        "Insert if b:\\n    c after statement a",
        b"if x: a\r\n",
        b"if x:\r\n    a\r\n    if b:\r\n        c\r\n",
    ),
    "insert-beyond-byte-order-mark": ("Insert b before statement a", b"\xef\xbb\xbfa", b"\xef\xbb\xbfb\na"),
    "remove-crlf": ("Remove at statement a", b"x\r\na  # b\r\n", b"x\r\n"),
    "remove-mixed": ("Remove at statement a", b"x\na\r\n", b"x\n"),
    "remove-cr": ("Remove at statement a", b"x\ra\ry", b"x\ry"),
    "remove-last-cr": ("Remove at statement a", b"x\ra", b"x"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes(name: str) -> None:
    change, before, after = BYTES[name]
    source = source_of(before)
    assert changed(source, declared(source, [change])).encode(source.encoding) == after


def notebook(*cells: str) -> Source:
    content = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "metadata": {}, "nbformat": 4}
    source = parse("case.ipynb", json.dumps(content).encode())
    assert isinstance(source, Source), source
    return source


NOTEBOOKS = {
    "keyword": (SET, ["x", "%%time\n!ls\nadd(\n    a\n)"], ["x", "%%time\n!ls\nadd(\n    a,\n    async_mode=False\n)"]),
    "behind-magic": (SET, ["%time add(a)\n%pip x"], ["%time add(a, async_mode=False)\n%pip x"]),
    "insert-last": ("Insert b after statement a", ["a", "c"], ["a\nb", "c"]),
    "insert-first": ("Insert b before statement c", ["a", "c"], ["a", "b\nc"]),
    "insert-behind-magic": ("Insert b before statement a", ["%time a"], ["%time b; a"]),
    "insert-after-block": ("Insert b after statement if x:", ["if x:\n  a", "# c\n  # d\n"], ["if x:\n  a\nb", "# c\n  # d\n"]),
    "remove-last": ("Remove at statement a", ["b\na  # c", "d"], ["b", "d"]),
    "remove-first": ("Remove at statement a", ["b", "a\nc"], ["b", "c"]),
    "remove-only": ("Remove at statement a", ["b\n", "a\n", "c\n"], ["b\n", "\n", "c\n"]),
    "remove-last-first": ("Remove at statement a", ["b", "a"], ["b", ""]),
    "remove-two": ("Remove at statement a", ["b\na\n", "a\na\nc\n"], ["b\n", "c\n"]),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(name: str) -> None:
    change, before, after = NOTEBOOKS[name]
    source = notebook(*before)
    changes = declared(source, [change])
    changed(source, changes)
    cells = [re.findall(r".*\n|.+", cell) for cell in before]
    for edit in reversed(edits(source, changes)):
        lines = cells[(edit.span.cell or 0) - 1]
        start, end = edit.span.start, edit.span.end
        head, tail = lines[start.row - 1][: start.column - 1], lines[end.row - 1][end.column - 1 :]
        lines[start.row - 1 : end.row] = [head + edit.content + tail]
    assert ["".join(cell) for cell in cells] == after


def test_block_behind_magic_is_refused() -> None:
    source = notebook("%time a")
    with pytest.raises(UnchangeableError, match="shares its line"):
        edits(source, declared(source, ["Insert if b:\\n    c after statement a"]))


def test_nothing_to_change() -> None:
    assert edits(source_of("a"), []) == ()


def test_place_of_nothing_is_refused() -> None:
    with pytest.raises(UnchangeableError, match="no call stands at line 1"):
        edits(source_of("client.add"), [SetKeyword((1, 0, 1, 10), "async_mode", "False", "")])


def test_more_comments_than_can_be_compared_are_refused() -> None:
    source = source_of("add(a,\n" + "# c\n" * 1001 + "async_mode=False)\n")
    with pytest.raises(UnchangeableError, match="too much stands between"):
        edits(source, declared(source, ["RemoveKeyword async_mode at add"]))
    assert "async_mode=False" in changed(source, declared(source, ["SetKeyword b=c at add"]))


def test_libcst_is_imported_for_arguments_only() -> None:
    code = (
        "import sys\n"
        "from mem0_migrate.fixes.changes import Insert, Surround\n"
        "from mem0_migrate.fixes.rewriting import edits\n"
        "from mem0_migrate.project.source import parse\n"
        "place = (1, 0, 1, 3)\n"
        "assert edits(parse('x.py', b'f()'), [Surround(place, 'g(', ')'), Insert(place, 'import a', False)])\n"
        "assert 'libcst' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
