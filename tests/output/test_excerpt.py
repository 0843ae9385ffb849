"""How source is framed and marked, column by column."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mem0_migrate.model import Position, Span
from mem0_migrate.output.excerpt import Label, excerpt
from mem0_migrate.output.view import View


def label(row: int, column: int, end_row: int, end_column: int, *, text: str = "", mark: str = "^") -> Label:
    return Label(Span("a.py", Position(row, column), Position(end_row, end_column)), mark, text, "red")


def framed(source: str, *labels: Label, width: int = 80) -> str:
    return "\n".join(line.rstrip() for line in excerpt(source.split("\n"), labels, View(width=width))) + "\n"


def test_a_line_with_its_neighbours() -> None:
    source = "import mem0\n\nclient = mem0.MemoryClient()\nanswer = client.add('x')\nprint(answer)\nexit()\n"
    assert (
        framed(source, label(4, 10, 4, 25))
        == """\
  |
3 | client = mem0.MemoryClient()
4 | answer = client.add('x')
  |          ^^^^^^^^^^^^^^^
5 | print(answer)
  |
"""
    )


def test_blank_neighbours_are_left_out() -> None:
    assert (
        framed("\nadd()\n\n", label(2, 1, 2, 6))
        == """\
  |
2 | add()
  | ^^^^^
  |
"""
    )


def test_a_far_mark_stands_behind_a_gap() -> None:
    source = "\n".join(f"line{number}" for number in range(1, 13))
    assert (
        framed(source, label(2, 1, 2, 6), label(11, 5, 11, 7, text="read here", mark="-"))
        == """\
   |
 1 | line1
 2 | line2
   | ^^^^^
 3 | line3
...
10 | line10
11 | line11
   |     -- read here
12 | line12
   |
"""
    )


def test_a_gap_of_one_line_is_shown() -> None:
    source = "\n".join(f"line{number}" for number in range(1, 6))
    assert "..." not in framed(source, label(1, 1, 1, 6), label(5, 1, 5, 6))


def test_two_marks_on_one_line() -> None:
    assert (
        framed("ids = add(m)['results']", label(1, 7, 1, 13), label(1, 7, 1, 24, text="read here", mark="-"))
        == """\
  |
1 | ids = add(m)['results']
  |       ^^^^^^
  |       ----------------- read here
  |
"""
    )


def test_a_call_of_several_lines_is_marked_on_its_first() -> None:
    source = "x = add(\n    a,\n    b,\n)\ny = 1\n"
    assert (
        framed(source, label(1, 5, 4, 2))
        == """\
  |
1 | x = add(
  |     ^^^^
2 |     a,
3 |     b,
4 | )
5 | y = 1
  |
"""
    )


def test_the_middle_of_a_long_call_is_left_out() -> None:
    source = "x = add(\n" + "".join(f"    a{number},\n" for number in range(20)) + ")\ny = 1\n"
    assert (
        framed(source, label(1, 5, 22, 2))
        == """\
   |
 1 | x = add(
   |     ^^^^
 2 |     a0,
 3 |     a1,
 4 |     a2,
 5 |     a3,
 6 |     a4,
...
22 | )
23 | y = 1
   |
"""
    )


def test_a_label_that_does_not_fit_behind_its_mark_stands_below() -> None:
    text = "the answer is read here as finished memories"
    assert (
        framed("some_variable = client.add(messages)['results']", label(1, 17, 1, 48, text=text, mark="-"), width=60)
        == """\
  |
1 | some_variable = client.add(messages)['results']
  |                 -------------------------------
  |             the answer is read here as finished memories
  |
"""
    )


def test_a_row_that_the_file_no_longer_has() -> None:
    assert excerpt(["x"], [label(7, 1, 7, 2)], View()) == []


@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "marks"),
    [
        pytest.param("\tadd()", 2, 7, "    add()", "    ^^^^^", id="tab"),
        pytest.param("ab\tadd()", 4, 9, "ab  add()", "    ^^^^^", id="tab to the next stop"),
        pytest.param("'日本'; add()", 7, 12, "'日本'; add()", "        ^^^^^", id="wide characters"),
        pytest.param("'日本'", 2, 4, "'日本'", " ^^^^", id="mark under wide characters"),
        pytest.param("'😀'; add()", 6, 11, "'😀'; add()", "      ^^^^^", id="emoji"),
        pytest.param("'e\u0301'; add()", 7, 12, "'e\u0301'; add()", "     ^^^^^", id="combining character"),
        pytest.param("'\u200b'; add()", 6, 11, "''; add()", "    ^^^^^", id="no width at all"),
        pytest.param("'\x1b[31m'; add()", 10, 15, "'␛[31m'; add()", "         ^^^^^", id="escape sequence"),
        pytest.param("'\u202e'; add()", 6, 11, "'\ufffd'; add()", "     ^^^^^", id="direction override"),
        pytest.param("\x0cadd()", 2, 7, "␌add()", " ^^^^^", id="form feed"),
        pytest.param("add()", 1, 1, "add()", "^", id="empty span"),
        pytest.param("add()", 6, 9, "add()", "     ^", id="behind the end"),
    ],
)
def test_columns_are_those_of_the_terminal(line: str, column: int, end: int, shown: str, marks: str) -> None:
    lines = excerpt([line], [label(1, column, 1, end)], View())
    assert lines[1:3] == [f"1 | {shown}", f"  | {marks}"]


@pytest.mark.parametrize("length", [60, 200, 5_000, 1_000_000])
def test_a_long_line_is_cut_around_the_mark(length: int) -> None:
    line = "x" * length + "add()" + "y" * length
    _, shown, marks, _ = excerpt([line], [label(1, length + 1, 1, length + 6)], View(width=60))
    assert len(shown) <= 60
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "add()"
    assert shown[4] == shown[-1] == "…"


def test_a_long_line_is_cut_at_its_end_where_the_mark_is_in_sight() -> None:
    _, shown, marks, _ = excerpt(["add() " + "y" * 200], [label(1, 1, 1, 6)], View(width=60))
    assert (shown, marks) == ("1 | add() " + "y" * 49 + "…", "  | ^^^^^")


CHARACTERS = st.text(st.characters(exclude_characters="\n\r"), max_size=120)


def columns_of(text: str) -> int:
    """What a terminal makes of a text that has no control characters any more."""
    return sum(
        0 if unicodedata.category(character) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


@example(before="0000000000000➰0000➰⼀⼀", after="0000000000000000000", width=40)
@given(before=CHARACTERS, after=CHARACTERS, width=st.integers(40, 120))
def test_a_mark_stands_below_what_it_marks(before: str, after: str, width: int) -> None:
    line = f"{before}add(){after}"
    column = len(before) + 1
    _, shown, marks, _ = excerpt([line], [label(1, column, 1, column + 5)], View(width=width))
    assert columns_of(shown) <= width
    assert not any(unicodedata.category(character) in {"Cc", "Cf"} for character in shown)
    starts = [index for index in range(len(shown)) if shown.startswith("add()", index)]
    assert columns_of(marks[: marks.index("^")]) in {columns_of(shown[:index]) for index in starts}
    assert marks.count("^") == 5
