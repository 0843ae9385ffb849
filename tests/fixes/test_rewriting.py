"""Cases as data in fixtures/edits (see its README), bytes that an editor would not keep, and what must hold for all code."""

from __future__ import annotations

import ast
import re
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
