"""Which findings a comment silences: the finding of each case is the call `client.add(...)`, with code MEM101."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem0_migrate.model import Finding, Position, Span
from mem0_migrate.project.source import Source, parse
from mem0_migrate.suppressions import find, find_in

if TYPE_CHECKING:
    from mem0_migrate.suppressions import Suppressions, Useless

KNOWN = ("MEM101", "MEM102", "MEM103", "MEM104", "MEM902")


def finding(code: str, first: int, last: int, cell: int | None = None) -> Finding:
    return Finding(code, "a-rule", "error", "…", Span("a.py", Position(first, 1), Position(last, 2), cell))


def adds(source: str) -> list[Finding]:
    calls = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "client.add"
    ]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    return [finding("MEM101", node.lineno, node.end_lineno or node.lineno) for node in calls]


def useless(suppressions: Suppressions, enabled: tuple[str, ...] = KNOWN) -> list[Useless]:
    return suppressions.useless(KNOWN.__contains__, enabled.__contains__)


NOT_SILENCED = {
    "no comment": "client.add(m)\n",
    "another rule": "client.add(m)  # noqa: MEM102\n",
    "another tool": "client.add(m)  # noqa: F401, E501\n",
    "another tool's ignore": "client.add(m)  # type: ignore[no-untyped-call]\n",
    "a list without a code": "client.add(m)  # noqa: because it is fine\n",
    "a word that begins like noqa": "client.add(m)  # noqa-ish\n",
    "noqa in a string": "client.add('# noqa: MEM101')\n",
    "noqa in a string of several lines": "client.add('''\n# noqa: MEM101\n''')\n",
    "the line before": "x = 1  # noqa: MEM101\nclient.add(m)\n",
    "the line after": "client.add(m)\nx = 1  # noqa: MEM101\n",
    "noqa on a line of its own": "# noqa: MEM101\nclient.add(m)\n",
    "a line of the same statement, but another element": "x = [\n    1,  # noqa: MEM101\n    client.add(m),\n    2,\n]\n",
    "the header, not the body": "if m:  # noqa: MEM101\n    client.add(m)\n",
    "the function, not its body": "# mem0-migrate: ignore[MEM101]\ndef f():\n    client.add(m)\n",
    "two statements above": "# mem0-migrate: ignore[MEM101]\nx = 1\nclient.add(m)\n",
    "file-ignore of another rule": "# mem0-migrate: file-ignore[MEM104]\nclient.add(m)\n",
    "ignore without a code": "client.add(m)  # mem0-migrate: ignore\n",
    "ignore with an empty list": "client.add(m)  # mem0-migrate: ignore[]\n",
    "a prefix is no code": "client.add(m)  # noqa: MEM1\n",
    "a longer code": "client.add(m)  # noqa: MEM1011\n",
    "a comment that mentions the tool": "client.add(m)  # mem0-migrate: see the README\n",
}

SILENCED = {
    "blanket": "client.add(m)  # noqa\n",
    "blanket with a reason": "client.add(m)  # noqa since the answer is not used\n",
    "one code": "client.add(m)  # noqa: MEM101\n",
    "no space": "client.add(m)  #noqa:MEM101\n",
    "upper case": "client.add(m)  # NOQA: MEM101\n",
    "lower case code": "client.add(m)  # noqa: mem101\n",
    "a space before the colon": "client.add(m)  # noqa : MEM101\n",
    "in a list": "client.add(m)  # noqa: F401, MEM101\n",
    "in a list without commas": "client.add(m)  # noqa: F401 MEM101 both are fine\n",
    "after another comment": "client.add(m)  # type: ignore  # noqa: MEM101\n",
    "ours": "client.add(m)  # mem0-migrate: ignore[MEM101]\n",
    "ours with a reason": "client.add(m)  # mem0-migrate: ignore[MEM101] we poll elsewhere\n",
    "ours in a list": "client.add(m)  # mem0-migrate: ignore[MEM104, MEM101,]\n",
    "ours, lower case": "client.add(m)  # mem0-migrate: ignore[mem101]\n",
    "ours after noqa": "client.add(m)  # noqa: F401  # mem0-migrate: ignore[MEM101]\n",
    "ours above": "# mem0-migrate: ignore[MEM101] we poll elsewhere\nclient.add(m)\n",
    "ours above, indented": "def f():\n    # mem0-migrate: ignore[MEM101]\n    client.add(m)\n",
    "ours above, with another comment and a blank line between": "# mem0-migrate: ignore[MEM101]\n# why\n\nclient.add(m)\n",
    "ours above a statement of several lines": "# mem0-migrate: ignore[MEM101]\nx = [\n    1,\n    client.add(m),\n]\n",
    "ours above, inside a statement": "x = [\n    # mem0-migrate: ignore[MEM101]\n    # why\n    client.add(m),\n]\n",
    "ours above a header": "# mem0-migrate: ignore[MEM101]\nif client.add(m):\n    pass\n",
    "first line of the call": "client.add(  # noqa: MEM101\n    m,\n)\n",
    "middle line of the call": "client.add(\n    m,  # noqa: MEM101\n    n,\n)\n",
    "last line of the call": "client.add(\n    m,\n)  # noqa: MEM101\n",
    "first line of the statement": "x = f(  # noqa: MEM101\n    client.add(m),\n)\n",
    "last line of the statement": "x = f(\n    client.add(m),\n)  # noqa: MEM101\n",
    "last line of a string": "client.add('''\na\n''')  # noqa: MEM101\n",
    "after a backslash": "x = \\\n    client.add(m)  # noqa: MEM101\n",
    "the header of a loop": "for x in client.add(m):  # noqa: MEM101\n    pass\n",
    "file-ignore": "# mem0-migrate: file-ignore[MEM101] generated\n\nclient.add(m)\n",
    "file-ignore at the end": "client.add(m)\n# mem0-migrate: file-ignore[MEM101]\n",
    "file-ignore beside code": "import mem0  # mem0-migrate: file-ignore[MEM101]\nclient.add(m)\n",
    "CRLF": "x = 1\r\nclient.add(m)  # noqa: MEM101\r\n",
    "CR": "x = 1\rclient.add(m)  # noqa: MEM101\r",
    "no final newline": "client.add(m)  # noqa: MEM101",
    "form feed": "\x0cx = 1\n\x0c\nclient.add(m)  # noqa: MEM101\n",
}


@pytest.mark.parametrize("source", NOT_SILENCED.values(), ids=NOT_SILENCED.keys())
def test_a_comment_elsewhere_or_of_another_rule_silences_nothing(source: str) -> None:
    suppressions = find(source)
    assert [suppressions.covers(found) for found in adds(source)] == [False]


@pytest.mark.parametrize("source", SILENCED.values(), ids=SILENCED.keys())
def test_a_comment_at_the_finding_silences_it(source: str) -> None:
    suppressions = find(source)
    assert [suppressions.covers(found) for found in adds(source)] == [True]
    assert useless(suppressions, enabled=("MEM101",)) == []


def test_each_of_several_calls_has_its_own_comment() -> None:
    source = "x = {\n    'a': client.add(m),\n    'b': client.add(m),  # noqa: MEM101\n    'c': client.add(m),\n}\n"
    suppressions = find(source)
    assert [suppressions.covers(found) for found in adds(source)] == [False, True, False]


def test_the_last_row_of_the_site_may_lie_behind_the_span() -> None:
    suppressions = find("f(\n    client.add,\n    m,  # noqa: MEM101\n    n,\n)\n")
    assert not suppressions.covers(finding("MEM101", 2, 2))
    assert suppressions.covers(finding("MEM101", 2, 2), last_row=3)


def test_cells_of_a_notebook_have_their_own_rows() -> None:
    suppressions = find({1: "client.add(m)\n", 3: "client.add(m)  # noqa: MEM101\n"})
    assert not suppressions.covers(finding("MEM101", 1, 1, cell=1))
    assert suppressions.covers(finding("MEM101", 1, 1, cell=3))


def test_a_parsed_notebook() -> None:
    cells = [
        {"cell_type": "markdown", "source": "# noqa: MEM101"},
        {"cell_type": "code", "source": "%time client.add(m)\n# why\nx = 1"},
        {"cell_type": "code", "source": "x = 1\nclient.add(m)  # noqa: MEM101"},
    ]
    source = parse("a.ipynb", json.dumps({"cells": cells}).encode())
    assert isinstance(source, Source)
    suppressions = find_in(source)
    assert not suppressions.covers(finding("MEM101", 1, 1, cell=2))
    assert not suppressions.covers(finding("MEM101", 1, 1, cell=3))
    assert suppressions.covers(finding("MEM101", 2, 2, cell=3))


def test_a_parsed_file() -> None:
    source = parse("a.py", b"# coding: latin-1\n'\xe9'; client.add(m)  # noqa: MEM101\n")
    assert isinstance(source, Source)
    assert find_in(source).covers(finding("MEM101", 2, 2))


def test_file_ignore_in_one_cell_holds_for_all() -> None:
    suppressions = find({1: "# mem0-migrate: file-ignore[MEM101]\n", 2: "client.add(m)\n"})
    assert suppressions.covers(finding("MEM101", 1, 1, cell=2))


@pytest.mark.parametrize(
    ("source", "column", "message"),
    [
        ("x = 1  # noqa: MEM101\n", 8, "MEM101 is not found here"),
        ("x = 1  # noqa: F401, MEM101\n", 8, "MEM101 is not found here"),
        ("x = 1  # noqa: MEM998\n", 8, "no rule has the code MEM998"),
        ("# mem0-migrate: ignore[MEM101]\nx = 1\n", 1, "MEM101 is not found here"),
        ("# mem0-migrate: file-ignore[MEM101]\n", 1, "MEM101 is not found in this file"),
        ("x = 1  # mem0-migrate: ignore\n", 8, "ignore names no rule; write ignore[MEM101]"),
        ("x = 1  # mem0-migrate: ignore[]\n", 8, "ignore names no rule; write ignore[MEM101]"),
        ("x = 1  # mem0-migrate: ignroe[MEM101]\n", 8, "`ignroe` is none of `ignore[...]` and `file-ignore[...]`"),
        ("x = 1  # mem0-migrate: disable[MEM101]\n", 8, "`disable` is none of `ignore[...]` and `file-ignore[...]`"),
        ("x = 1  # mem0-migrate: ignores\n", 8, "`ignores` is none of `ignore[...]` and `file-ignore[...]`"),
    ],
)
def test_a_comment_that_does_nothing_is_told(source: str, column: int, message: str) -> None:
    (found,) = useless(find(source))
    assert (found.row, found.column, found.message) == (1, column, message)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = 1  # noqa\n", id="a blanket one is meant for other tools as well"),
        pytest.param("x = 1  # noqa: F401, S105\n", id="codes of other tools"),
        pytest.param("x = 1  # noqa: MEM103\n", id="a rule that did not run"),
        pytest.param("x = 1  # mem0-migrate: read docs/hook.md\n", id="prose"),
        pytest.param("x = '# noqa: MEM101'\n", id="no comment"),
    ],
)
def test_a_comment_that_may_be_needed_is_left_alone(source: str) -> None:
    assert useless(find(source), enabled=("MEM101", "MEM102")) == []


def test_of_a_list_only_the_useless_code_is_told() -> None:
    suppressions = find("client.add(m)  # noqa: MEM101, MEM104\n")
    assert suppressions.covers(finding("MEM101", 1, 1))
    assert [found.message for found in useless(suppressions)] == ["MEM104 is not found here"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("client.add(m)  # noqa: MEM101\nx = (\n", id="open bracket at the end"),
        pytest.param("client.add(m)  # noqa: MEM101\nx = '''\n", id="open string at the end"),
        pytest.param("client.add(  # noqa: MEM101\nm", id="inside the open bracket"),
        pytest.param("if x:\n        y\n    z\nclient.add(m)  # noqa: MEM101\n", id="after a wrong indentation"),
        pytest.param("x = (\n# mem0-migrate: ignore[MEM101]\nclient.add(m)\n", id="above, inside the open bracket"),
    ],
)
def test_text_that_is_not_python_is_searched_by_line(source: str) -> None:
    row = source.splitlines().index(next(line for line in source.splitlines() if line.startswith("client.add"))) + 1
    assert find(source).covers(finding("MEM101", row, row))


@given(st.text(alphabet=st.sampled_from("#noqa: MEM101[](){}'\"\\\n\r\t\x0c\x00x=,é")))
def test_no_text_makes_it_fail(source: str) -> None:
    suppressions = find(source + "# noqa: MEM101 # mem0-migrate: ignore[MEM101]")
    suppressions.covers(finding("MEM101", 1, 1))
    useless(suppressions)
