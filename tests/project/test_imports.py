"""Import statements found in bytes are those that the parser finds, and no name of one is lost."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem0_migrate.project.imports import ITSELF, Import, candidates, statements

STATEMENTS = [
    ("import a", [Import(0, "a", None)]),
    ("import a.b as c, d", [Import(0, "a.b", None), Import(0, "d", None)]),
    ("from a.b import c as d, e", [Import(0, "a.b", ("c", "e"))]),
    ("from . import a", [Import(1, "", ("a",))]),
    ("from.import a", [Import(1, "", ("a",))]),
    ("from .. a.b import c", [Import(2, "a.b", ("c",))]),
    ("from . . import c", [Import(2, "", ("c",))]),
    ("from a import *", [Import(0, "a", ("*",))]),
    ("from a import(b)", [Import(0, "a", ("b",))]),
    ("from a import (  # one (of)\n    b,  # )\n    c as d,\n)", [Import(0, "a", ("b", "c"))]),
    ("from a import (\n    b,\n    # import these\n    c,\n)", [Import(0, "a", ("b", "c"))]),
    ("from a \\\n  import b, \\\n  c", [Import(0, "a", ("b", "c"))]),
    ("from a \\\r\n  import b, \\\r\n  c\r\n", [Import(0, "a", ("b", "c"))]),
    ("import a; from b import (c,\n d)", [Import(0, "a", None), Import(0, "b", ("c", "d"))]),
    ("f(a); from b import (c,\n d)", [Import(0, "b", ("c", "d"))]),
    ("if a: from b import c", [Import(0, "b", ("c",))]),
    ("x = 1\rimport a\rimport b\r", [Import(0, "a", None), Import(0, "b", None)]),
    ("import a  # import b", [Import(0, "a", None), Import(0, "b", None)]),
    ("importlib.import_module('a.b')", [Import(0, "a.b", None)]),
    ("import_module(\n    name,\n)", []),
    ("__import__(u'a')", [Import(0, "a", None)]),
    ("import_module('.b', 'a')", [Import(0, "a.b", None)]),
    ("import_module('.b', package=__package__)", [Import(1, "b", None)]),
    ("important = 1\nreimport(a)\nfromage import_", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_statements(text: str, expected: list[Import]) -> None:
    assert statements(text.encode()) == tuple(expected)


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_candidates_hold_every_name(text: str, expected: list[Import]) -> None:
    known = frozenset(name.encode() for name in "abcde")
    found = candidates(text.encode(), known)
    for statement in expected:
        named = {*statement.module.split("."), *(statement.names or ())} & set("abcde")
        assert {name.encode() for name in named} <= found
        if not statement.module:
            assert ITSELF in found


def test_candidates_know_only_what_is_asked() -> None:
    assert candidates(b"import os, a\nfrom b import c\n", frozenset({b"a", b"c", b"z"})) == {b"a", b"c"}
    assert candidates(b"a = b", frozenset({b"a"})) == set()


NAMES = st.sampled_from(["a", "b", "c", "import_", "from_", "\u00e9"])
GAP = st.sampled_from([" ", "  ", "\t", " \\\n ", " \\\r\n\t"])
DOTTED = st.lists(NAMES, min_size=1, max_size=3).map(".".join)


@st.composite
def import_statements(draw: st.DrawFn) -> str:
    gap = lambda: draw(GAP)  # noqa: E731
    taken = [
        draw(NAMES) + (f"{gap()}as{gap()}{draw(NAMES)}" if draw(st.booleans()) else "") for _ in range(draw(st.integers(1, 4)))
    ]
    if draw(st.booleans()):
        return f"import{gap()}" + f",{gap()}".join(draw(DOTTED) for _ in taken)
    source = draw(st.sampled_from(["", ".", "..", "..."])) + draw(DOTTED | st.just(""))
    source = source or "a"
    inside = draw(st.sampled_from(["{}", "({})", "(\n{}\n)", "(  # ( import\n{},  # )\n)", "(\r\n\t{}\r\n)"]))
    separator = draw(st.sampled_from([", ", ",\n    ", ",  # x)\n"])) if "(" in inside else f",{gap()}"
    return f"from{gap()}{source}{gap()}import{gap()}{inside.format(separator.join(taken))}"


@st.composite
def import_modules(draw: st.DrawFn) -> str:
    pieces = []
    for _ in range(draw(st.integers(1, 6))):
        pieces.append(draw(st.sampled_from(["", "if x:\n    ", "f(x); ", "x = 1; "])) + draw(import_statements()))
        pieces.append(draw(st.sampled_from(["\n", "\r\n", "  # import z\n", "; y = (1,\n2)\n", "\n" + "z = 'a'\n" * 40])))
    return "".join(pieces)


@given(import_modules())
def test_the_parser_agrees(text: str) -> None:
    expected = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            expected += [Import(0, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            expected.append(Import(node.level, node.module or "", tuple(alias.name for alias in node.names)))
    found = list(statements(text.encode()))
    for statement in expected:
        assert statement in found
        found.remove(statement)
    assert all(statement.names is None for statement in found)  # words of comments
    words = {part for statement in expected for part in (*statement.module.split("."), *(statement.names or ()))} - {""}
    known = frozenset(word.encode() for word in words)
    assert candidates(text.encode(), known) >= known
    if any(not statement.module for statement in expected):
        assert ITSELF in candidates(text.encode(), known)


@given(st.binary(max_size=300) | st.text(st.sampled_from("importfrm .(),\n\\#*a\"'"), max_size=120).map(str.encode))
def test_any_bytes_are_searched(data: bytes) -> None:
    known = frozenset({b"a"})
    found = candidates(data, known)
    for statement in statements(data):
        if "a" in {*statement.module.split("."), *(statement.names or ())}:
            assert b"a" in found
