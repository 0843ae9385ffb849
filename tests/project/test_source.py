"""Bytes become text and a tree, and nodes have places: encodings, line ends, depth, and files that cannot be read."""

from __future__ import annotations

import ast
import csv
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mem0_migrate.model import Position, Span, Unreadable
from mem0_migrate.project import source as source_module
from mem0_migrate.project.source import DEEPEST, LARGEST, Source, load, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES = Path(__file__).parents[2] / "fixtures" / "bytes"


def cases(table: str) -> list[list[str]]:
    lines = (BYTES / table).read_text(encoding="utf-8").splitlines()
    return list(csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE))


def parsed(text: str | bytes, filename: str = "x.py") -> Source:
    source = parse(filename, text if isinstance(text, bytes) else text.encode())
    assert isinstance(source, Source), source
    return source


def calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add")


@pytest.mark.parametrize(("name", "row", "words"), cases("unreadable.tsv"))
def test_a_file_that_cannot_be_read_says_why_and_where(name: str, row: str, words: str) -> None:
    filename = str(BYTES / "unreadable" / name)
    problem = load(filename)
    assert isinstance(problem, Unreadable)
    assert problem.filename == filename
    assert words in problem.reason
    assert problem.row == (None if row == "-" else int(row))
    assert "\n" not in problem.reason


@pytest.mark.parametrize(("name", "place"), cases("readable.tsv"))
def test_a_call_stands_where_an_editor_shows_it(name: str, place: str) -> None:
    source = load(str(BYTES / "readable" / name))
    assert isinstance(source, Source), source
    found = []
    for call in calls(source):
        span = source.span(call)
        cell = f"cell {span.cell}:" if span.cell else ""
        found.append(f"{cell}{span.start.row}:{span.start.column}-{span.end.row}:{span.end.column}")
        assert source.segment(call).startswith("client.add(")
        rows = source.excerpt(span)
        assert [row for row, _ in rows] == list(range(span.start.row, span.end.row + 1))
        assert "client.add(" in rows[0][1]
        assert not any(set("\r\n") & set(text) for _, text in rows)
    assert found == ([] if place == "none" else [place])


@pytest.mark.parametrize("path", sorted((BYTES / "readable").glob("*.py")), ids=lambda path: path.name)
def test_text_and_encoding_give_back_the_bytes(path: Path) -> None:
    source = load(str(path))
    assert isinstance(source, Source)
    assert source.text.encode(source.encoding) == path.read_bytes()


def test_every_case_is_listed() -> None:
    for folder in ("readable", "unreadable"):
        assert sorted(path.name for path in (BYTES / folder).iterdir()) == sorted(case[0] for case in cases(f"{folder}.tsv"))


def test_what_is_not_there_or_not_a_file(tmp_path: Path) -> None:
    assert load(str(tmp_path / "gone.py")) == Unreadable(str(tmp_path / "gone.py"), "no such file or directory")
    assert load(str(tmp_path)) == Unreadable(str(tmp_path), "not a regular file")


def test_warnings_about_the_users_code_do_not_leak() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        parsed('x = "\\d"\nassert (x, 1)\ny = x is 1\n')
    assert caught == []


def test_a_node_without_a_place_has_no_span() -> None:
    with pytest.raises(AttributeError):
        parsed("x = 1").span(ast.Module())


def test_an_excerpt_of_several_rows() -> None:
    source = parsed("a = 1\r\nclient.add(\r\n\r\n  1)\r\n")
    span = source.span(next(calls(source)))
    assert span == Span("x.py", Position(2, 1), Position(4, 5))
    assert source.excerpt(span) == [(2, "client.add("), (3, ""), (4, "  1)")]
    assert source.lines == ("a = 1", "client.add(", "", "  1)")


DEEP = {
    "sum": "+".join(["a"] * 10_000),
    "calls": "a" + ".b()" * 10_000,
    "negations": "-" * 10_000 + "1",
    "lambdas": "lambda: " * 10_000 + "1",
    "conditionals": "a if b else " * 10_000 + "c",
    "powers": "a**" * 10_000 + "1",
    "elif": "if a:\n    b\n" + "elif a:\n    b\n" * 5_000,
    "sum over rows": "(" + "+\n".join(["a"] * 2_900) + ")",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_a_tree_that_is_too_deep_to_walk_is_refused(text: str) -> None:
    assert parse("x.py", text.encode()) == Unreadable("x.py", "too deeply nested to be analysed")


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".b()" * 1_000,
        "x = {\n" + "".join(f"    'k{number}': {number},\n" for number in range(20_000)) + "}",
        "if a:\n    b\n" + "elif a:\n    b\n" * 1_000,
        f"x = '{'x' * 1_000}'\n" * 1_000,
    ],
    ids=["call chain of 1,000", "dictionary of 20,000", "elif of 1,000", "1 MB"],
)
def test_what_is_only_large_is_parsed(text: str) -> None:
    source = parsed(text)
    assert depth(source.tree) <= DEEPEST
    assert source.span(source.tree.body[-1]).end.column > 1


def test_depth_is_measured_across_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "DEEPEST", 12)
    shallow, deep = "x = (a +\n" + "b +\n" * 5 + "c)", "x = (a +\n" + "b +\n" * 20 + "c)"
    assert isinstance(parse("x.py", shallow.encode()), Source)
    assert isinstance(parse("x.py", deep.encode()), Unreadable)
    assert isinstance(parse("x.py", deep.replace("\n", "").encode()), Unreadable)


def test_too_much_python_is_refused_without_parsing_it() -> None:
    problem = parse("x.py", b"#" * (LARGEST + 1))
    assert isinstance(problem, Unreadable)
    assert "8 Mi characters" in problem.reason


def depth(tree: ast.AST) -> int:
    level, levels = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        levels += 1
    return levels


LINE_ENDS = ("\n", "\r\n", "\r")
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=6)


@st.composite
def modules(draw: st.DrawFn) -> str:
    """Statements in any line ends, with characters of one to four bytes before and inside them."""
    pieces = []
    for _ in range(draw(st.integers(1, 6))):
        before, inside = draw(WORDS), draw(WORDS)
        end = draw(st.sampled_from(LINE_ENDS))
        inner = draw(st.sampled_from(LINE_ENDS))
        pieces.append(
            draw(
                st.sampled_from(
                    [
                        f'"{before}"; client.add("{inside}"){end}',
                        f'x = client.add({inner}  "{inside}",{inner}){end}',
                        f'if "{before}":{end}\tclient.add("{inside}"); y = 1{end}',
                        f"# {before}{end}",
                        f"\f{end}",
                        f'y = """{before}{inner}{inside}"""; client.add(y){end}',
                    ]
                )
            )
        )
    return "".join(pieces)


@given(modules(), st.sampled_from(["utf-8", "utf-8-sig"]))
@example("\ufeffx", "utf-8")
def test_the_segment_is_the_text_of_the_node(text: str, encoding: str) -> None:
    source = parse("x.py", text.encode(encoding))
    if isinstance(source, Unreadable):  # the example: a byte order mark alone is text without one
        pytest.fail(source.reason)
    for node in ast.walk(source.tree):
        if not hasattr(node, "lineno"):
            continue
        assert source.segment(node) == ast.get_source_segment(source.text, node)
        span = source.span(node)
        rows = [text for _, text in source.excerpt(span)]
        assert rows[0][span.start.column - 1 :].startswith(source.segment(node).splitlines()[0][:1])
        if span.start.row == span.end.row:
            assert rows[0][span.start.column - 1 : span.end.column - 1] == source.segment(node)
        else:
            assert (
                rows[-1][: span.end.column - 1] == source.segment(node).replace("\r\n", "\n").replace("\r", "\n").split("\n")[-1]
            )


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode), st.sampled_from(["x.py", "x.ipynb", "x.pyi"]))
@example(b"# coding: utf-7\nx = '+2AA-'\n", "x.py")
@example(b"# coding: idna\nx\n", "x.py")
@example(b"# coding: undefined\nx\n", "x.py")
@example(b"# coding: unicode_escape\n'\\ud800'\n", "x.py")
@example(b"# coding: utf-16\nx\n", "x.py")
@example(b"# coding: mbcs\nx\n", "x.py")
@example(b"\n# coding:\xff\nx\n", "x.py")
@example(b"# coding: x\x00y\n", "x.py")
@example(b"x = " + b"9" * 5000, "x.py")
@example(b"[" * 100_000, "x.ipynb")
@example(b'{"cells": [1, null, {"cell_type": "code"}, {"cell_type": "code", "source": [1, "x"]}], "metadata": 1}', "x.ipynb")
@example(b'{"cells": ' + b"9" * 5000 + b"}", "x.ipynb")
@example(b'{"worksheets": [1, {"cells": 5}]}', "x.ipynb")
def test_any_bytes_are_answered(data: bytes, filename: str) -> None:
    answer = parse(filename, data)
    assert isinstance(answer, Source | Unreadable)
    if isinstance(answer, Source):
        for node in ast.walk(answer.tree):
            if hasattr(node, "lineno"):
                answer.span(node)
    else:
        assert answer.reason
        assert answer.row is None or answer.row >= 1


def test_the_recursion_limit_is_left_alone() -> None:
    before = sys.getrecursionlimit()
    parse("x.py", DEEP["sum"].encode())
    assert sys.getrecursionlimit() == before
