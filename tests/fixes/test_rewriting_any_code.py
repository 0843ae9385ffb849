"""What must hold of edits for all code: the tree changes as declared, comments stay, and there is nothing left to do."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

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
    from collections.abc import Sequence

    from mem0_migrate.fixes.changes import Change

ANY = settings(
    max_examples=int(os.environ.get("MEM0_MIGRATE_TEST_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
SPACES = ["", "", " ", "  ", "\t", "\f", " \\\n ", "\n    ", "\n\n  \t", "  # a, (b\n", "# c\f)\n  # 'd'\n\n    "]
VALUES = [
    "a",
    "(a)",
    "f(b, c=1)",
    "[1,\n 2]",
    "'s, )'",
    "(q := 1)",
    "{'k': v, **w}",
    "(lambda x, y=0: x)",
    "(\n  # e\n  1,)",
    "f'{z!r}'",
]
FRAMES = [
    "{}\n",
    "ä = '🎉'; x = {}; y",
    "if a:\n\tx = [{}]  # b\n",
    "@f({})\ndef g(): pass\n",
    "def f(a={}): 0\n",
    "x = ({})[0] # f\n",
]
STATEMENTS = ["a", "b(c)", "x = 1", "'''s\n  t; # u'''", "del y", "[1,\n2]", "(a.\n b)"]
INSERTED = ["import m", "p = 1\nq", "if p:\n    q\nelse:\n    'r\\n'", "q = '''\n r'''"]
_TO_COMMA = re.compile(r"(?:[\s\\)]|#[^\r\n]*(?=[\r\n]))*,")
AROUND = [("w(", ", p='q')"), ("not ", ""), ("", "['k']"), ("-", " ** 2"), ("lambda: ", ""), ("", " if p else q"), ("[*", "]")]
COMPOUND = {
    "try": (["try:"], ["except A:"], ["else :  # e"], ["finally:"]),
    "class": (["@d", "@e(\n)  # @", "class C:"],),
    "if": (["if a:"], ["elif b: "], ["else:"]),
    "for": (["for a in (b,\n c):"],),
}


@st.composite
def calls(draw: st.DrawFn, depth: int = 2) -> str:
    """A call of `add` in any layout; its values may hold others."""
    values = st.sampled_from(VALUES) | calls(depth - 1) if depth else st.sampled_from(VALUES)
    function = draw(st.sampled_from(["add", "c.add", "(c)  .add", "(  # g\n  c.add)", "g().add"])) + draw(
        st.sampled_from(["", " "])
    )
    if draw(st.integers(0, 9)) == 0:
        return f"{function}({spaces(draw)}{draw(values)} for x in {draw(values)}{spaces(draw)})"
    items = [draw(st.sampled_from(["", "*"])) + draw(values) for _ in range(draw(st.integers(0, 2)))]
    names = draw(st.lists(st.sampled_from(["x", "async_mode", "asyncmode", "user_id", "**"]), max_size=4, unique=True))
    items += [(name if name == "**" else f"{name}{spaces(draw)}={spaces(draw)}") + draw(values) for name in names]
    return f"{function}({listing(draw, items)})"


@st.composite
def displays(draw: st.DrawFn) -> str:
    """A dictionary display in any layout."""
    keys = ["'x'", '"y"', "r'z'", "k()", "**", "'async_mode'", "b'async_mode'", "'async_' 'mode'"]
    items = [
        (key if key == "**" else f"{key}{spaces(draw)}:{spaces(draw)}") + draw(st.sampled_from(VALUES))
        for key in draw(st.lists(st.sampled_from(keys), max_size=4, unique=True))
    ]
    return "{" + listing(draw, items) + "}"


def listing(draw: st.DrawFn, items: list[str]) -> str:
    text = spaces(draw)
    for number, item in enumerate(items, 1):
        comma = "," if number < len(items) else draw(st.sampled_from(["", ","]))
        text += item + spaces(draw) + comma + (spaces(draw) if comma else "")
    return text


def spaces(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(SPACES))


@st.composite
def blocks(draw: st.DrawFn, depth: int = 2) -> list[str]:
    """The lines of a block: statements alone, joined by semicolons, and compound ones on one line and on several."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["joined", "joined", *COMPOUND])) if depth else "joined"
        if kind == "joined":
            lines.append(joined(draw))
        for heads in COMPOUND.get(kind, ()):
            if draw(st.booleans()):
                lines += [*heads[:-1], heads[-1].partition("#")[0] + draw(st.sampled_from(["", " ", " \\\n "])) + joined(draw)]
            else:
                indent = draw(st.sampled_from(["  ", "    ", "\t"]))
                lines += [*heads, *(indent + line for line in draw(blocks(depth - 1)))]
        lines += draw(st.sampled_from([[], [], [""], ["# c"], ["", "# d \\"]])) if kind in ("joined", "class", "for") else []
    return lines


def joined(draw: st.DrawFn) -> str:
    small = draw(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=3))
    return draw(st.sampled_from(["; ", ";", " ; \\\n  "])).join(small) + draw(
        st.sampled_from(["", "  # a \\", ";  # b", " ", " ;"])
    )


@st.composite
def files(draw: st.DrawFn, expressions: st.SearchStrategy[str] | None = None) -> Source:
    """A file that holds one of some expressions, or a block, with one kind of line ends."""
    if expressions is None:
        text = "\n".join(draw(blocks())) + draw(st.sampled_from(["", "\n"]))
    else:
        text = draw(st.sampled_from(FRAMES)).replace("{}", draw(expressions))
    source = parse("case.py", text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"]))).encode())
    assume(isinstance(source, Source))
    assert isinstance(source, Source)
    return source


def rewritten(source: Source, changes: Sequence[Change]) -> Source:
    """The file after the changes; its text is the old one but for the smallest edits, which do not meet."""
    found = edits(source, changes)
    text = spliced(source, found)
    places = [(source.offset_at(edit.span.start), source.offset_at(edit.span.end), edit.content) for edit in found]
    assert all(end < start for (_, end, _), (start, _, _) in pairwise(places))
    done = new = 0
    for start, end, content in places:
        old = source.text[start:end]
        assert old != content
        assert not old or not content or (old[0] != content[0] and old[-1] != content[-1])
        assert text[new : new + start - done] == source.text[done:start]
        new += start - done + len(content)
        done = end
    assert text[new:] == source.text[done:]
    after = parse("case.py", text.encode())
    assert isinstance(after, Source), after
    return after


def comments(text: str) -> list[tuple[int, str]]:
    lines = io.StringIO(re.sub(r"\r\n|\r", "\n", text))
    return [
        (token.start[0], token.string) for token in tokenize.generate_tokens(lines.readline) if token.type == tokenize.COMMENT
    ]


def adds(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add")]


def dicts(tree: ast.AST) -> list[ast.Dict]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Dict)]


def with_keyword(call: ast.Call, replacing: str) -> None:
    given_ = {keyword.arg: keyword for keyword in call.keywords}
    target = given_.get("async_mode") or given_.get(replacing)
    if target is None:
        call.keywords.append(ast.keyword("async_mode", ast.Constant(False)))
        return
    target.arg, target.value = "async_mode", ast.Constant(False)
    call.keywords = [keyword for keyword in call.keywords if keyword is target or keyword.arg != replacing or not replacing]


@ANY
@given(files(calls()), st.sampled_from(["", "asyncmode"]), st.data())
def test_set_keyword(source: Source, replacing: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(adds(source.tree)) - 1))
    call = adds(source.tree)[number]
    change = SetKeyword(place_of(call), "async_mode", "False", replacing)
    expected = ast.parse(source.text)
    with_keyword(adds(expected)[number], replacing)
    after = rewritten(source, [change, change])
    assert ast.dump(after.tree) == ast.dump(expected)
    if not {"async_mode", replacing} & {keyword.arg for keyword in call.keywords}:
        assert all(edit.span.start == edit.span.end for edit in edits(source, [change]))
        assert_comments_stay(source, after, set())
    place = place_of(at_start(adds(after.tree), call))
    assert edits(after, [SetKeyword(place, "async_mode", "False", replacing)]) == ()


@ANY
@given(files(calls()))
def test_set_keyword_of_all_calls(source: Source) -> None:
    changes = [SetKeyword(place_of(call), "async_mode", "False", "") for call in adds(source.tree)]
    inside = any(adds(keyword.value) for call in adds(source.tree) for keyword in call.keywords if keyword.arg == "async_mode")
    if inside:
        with pytest.raises(UnchangeableError, match="takes out"):
            edits(source, changes)
        return
    after = rewritten(source, changes)
    expected = ast.parse(source.text)
    for call in adds(expected):
        with_keyword(call, "")
    assert ast.dump(after.tree) == ast.dump(expected)


@ANY
@given(files(calls()), st.data())
def test_remove_keyword(source: Source, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(adds(source.tree)) - 1))
    call = adds(source.tree)[number]
    expected = ast.parse(source.text)
    wanted = adds(expected)[number]
    wanted.keywords = [keyword for keyword in wanted.keywords if keyword.arg != "async_mode"]
    after = rewritten(source, [RemoveKeyword(place_of(call), "async_mode")])
    assert ast.dump(after.tree) == ast.dump(expected)
    assert edits(after, [RemoveKeyword(place_of(at_start(adds(after.tree), call)), "async_mode")]) == ()
    gone = [keyword for keyword in call.keywords if keyword.arg == "async_mode"]
    assert_comments_stay(source, after, {row for keyword in gone for row in rows_with_comma(source, keyword, keyword.value)})


@ANY
@given(files(displays()), st.data())
def test_set_key(source: Source, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(dicts(source.tree)) - 1))
    display = dicts(source.tree)[number]
    change = SetKey(place_of(display), "async_mode", "False")
    expected = ast.parse(source.text)
    wanted = dicts(expected)[number]
    found = [index for index, key in enumerate(display.keys) if is_key(key)]
    if len(found) > 1:
        with pytest.raises(UnchangeableError, match="2 times"):
            edits(source, [change])
        return
    for index in found:
        wanted.values[index] = ast.Constant(False)
    if not found:
        wanted.keys.append(ast.Constant("async_mode"))
        wanted.values.append(ast.Constant(False))
    after = rewritten(source, [change])
    assert ast.dump(after.tree) == ast.dump(expected)
    assert_comments_stay(source, after, {row for index in found for row in rows_of(display.values[index])})
    assert edits(after, [SetKey(place_of(at_start(dicts(after.tree), display)), "async_mode", "False")]) == ()


@ANY
@given(files(displays()), st.data())
def test_remove_key(source: Source, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(dicts(source.tree)) - 1))
    display = dicts(source.tree)[number]
    expected = ast.parse(source.text)
    wanted = dicts(expected)[number]
    kept = [(key, value) for key, value in zip(wanted.keys, wanted.values, strict=True) if not is_key(key)]
    wanted.keys, wanted.values = [key for key, _ in kept], [value for _, value in kept]
    after = rewritten(source, [RemoveKey(place_of(display), "async_mode")])
    assert ast.dump(after.tree) == ast.dump(expected)
    assert edits(after, [RemoveKey(place_of(at_start(dicts(after.tree), display)), "async_mode")]) == ()
    gone = [(key, value) for key, value in zip(display.keys, display.values, strict=True) if key and is_key(key)]
    assert_comments_stay(source, after, {row for key, value in gone for row in rows_with_comma(source, key, value)})


@ANY
@given(files(), st.data())
def test_statements(source: Source, data: st.DataObject) -> None:
    """Statements put in, taken out and assigned; none can be beside an `elif`, nor always beside one that goes."""
    nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.stmt)]
    expected = ast.parse(source.text)
    wanted = [node for node in ast.walk(expected) if isinstance(node, ast.stmt)]
    blocks = [getattr(node, name, []) for node in ast.walk(expected) for name in ("body", "orelse", "finalbody")]
    home = {id(node): block for block in blocks for node in block}
    changes: list[Change] = []
    for number in data.draw(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=4, unique=True)):
        node, place, block = wanted[number], place_of(nodes[number]), home[id(wanted[number])]
        kind = data.draw(st.sampled_from(["before", "after", "remove", "assign"]))
        if kind == "assign" and isinstance(node, ast.Expr):
            changes.append(Assign(place, "name"))
            block[block.index(node)] = ast.Assign([ast.Name("name", ast.Store())], node.value)
        elif kind == "remove" and not hasattr(node, "body"):
            changes.append(Remove(place))
            block.remove(node)
        elif kind in ("before", "after"):
            text = data.draw(st.sampled_from(INSERTED))
            changes.append(Insert(place, text, kind == "after"))
            index = block.index(node) + (kind == "after")
            block[index:index] = ast.parse(text).body
    for block in blocks:
        if not block and any(block is other for other in home.values()):
            block.append(ast.Pass())
    try:
        after = rewritten(source, changes)
    except UnchangeableError as error:
        kinds = {type(change) for change in changes}
        assert "elif" in str(error) or (kinds >= {Insert, Remove} and "same text" in str(error))  # noqa: PT017 -- depends on the draw
        return
    assert ast.dump(after.tree) == ast.dump(expected)


@ANY
@given(files(calls()), st.sampled_from(AROUND), st.booleans(), st.data())
def test_expressions(source: Source, around: tuple[str, str], replaces: bool, data: st.DataObject) -> None:
    """One expression surrounded or replaced is what was declared, whatever is around it."""
    in_strings = {
        id(part) for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr) for part in ast.iter_child_nodes(node)
    }
    nodes = [
        node for node in ast.walk(source.tree) if isinstance(node, ast.expr) and not fixed(node) and id(node) not in in_strings
    ]
    node = data.draw(st.sampled_from(nodes))
    before, after = around
    change = Replace(place_of(node), f"{before}r{after}") if replaces else Surround(place_of(node), before, after)
    try:
        new = rewritten(source, [change])
    except UnchangeableError as error:
        assert isinstance(node, ast.GeneratorExp) or "f-string" in str(error)  # noqa: PT017 -- depends on the draw
        return
    inner = "r" if replaces else f"({ast.unparse(node)})"
    expected = Exchange(node, ast.parse(f"{before}{inner}{after}", mode="eval").body).visit(source.tree)
    assert ast.dump(new.tree) == ast.dump(expected)


class Exchange(ast.NodeTransformer):
    """One node for another."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> Any:
        """The other node for the one, else the node, its parts visited."""
        return self._new if node is self._old else self.generic_visit(node)


def fixed(node: ast.expr) -> bool:
    """Whether no other expression can stand where this one does."""
    return isinstance(node, ast.Starred) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def is_key(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "async_mode"


def at_start(nodes: Sequence[Any], like: ast.expr) -> Any:
    return next(node for node in nodes if (node.lineno, node.col_offset) == (like.lineno, like.col_offset))


def rows_of(node: ast.expr | ast.keyword) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or 0) + 1))


def rows_with_comma(source: Source, first: ast.expr | ast.keyword, last: ast.expr) -> set[int]:
    """The rows of an item, to the one that its comma is on."""
    end = source.offset(last.end_lineno or 0, last.end_col_offset or 0)
    match = _TO_COMMA.match(source.text, end)
    return set(range(first.lineno, source.position(match.end() if match else end)[1].row + 1))


def assert_comments_stay(before: Source, after: Source, rows: set[int]) -> None:
    """The comments on other rows than those are still there, in order."""
    left = iter([text for _, text in comments(after.text)])
    assert all(text in left for row, text in comments(before.text) if row not in rows)
