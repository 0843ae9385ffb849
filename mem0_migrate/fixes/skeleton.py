"""Calls and dictionary displays for LibCST: their brackets and commas, a name in the place of each argument and value.

LibCST loses form feeds and bare carriage returns, and parses deep nesting by recursion. So it is given a skeleton, in which those
are a blank and a line feed and each value is one name, and the text it makes of that is compared with the skeleton: what differs
is where the original changes.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import RemoveKey, RemoveKeyword, SetKey, SetKeyword, UnchangeableError
from mem0_migrate.fixes.splices import Splice, line_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.project.source import Source

    ItemChange = SetKeyword | RemoveKeyword | SetKey | RemoveKey

_TO_ARGUMENTS = re.compile(r"(?:[\s\\)]|#[^\r\n]*(?=[\r\n]))*\(")
_LINE_END = re.compile(r"\r\n|[\r\n]")
_MASKED = re.compile(r"\f|\r(?!\n)")
_TOKEN = re.compile(r"\r\n|[\r\n]|#[^\r\n]*|[^\S\r\n]+|\w+|[^\w\s]")
_UNDERSCORES = re.compile(r"_+")
_MANY = 2_000
"""Words that are compared with each other at most: the comparison takes quadratic time."""
_GENERATOR = " for _ in _"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The splices of a call or display, and the extents of the values that went, as offsets."""

    splices: Sequence[Splice]
    gone: Sequence[tuple[int, int]]


def rewritten(
    source: Source, node: ast.Call | ast.Dict, depth: int, changes: Sequence[ItemChange], level: Callable[[], str]
) -> Rewritten:
    """Make all the changes of one call or dictionary display, which is `depth` levels below the root of the tree.

    `level` says what one level of indentation is, for brackets that hold nothing but line ends.

    Raises:
        UnchangeableError: the text of the node is not where the tree says, or not what LibCST makes of it.
    """
    start, end, values, generator = _call(source, node) if isinstance(node, ast.Call) else _display(source, node)
    frame = ("(_(", "))") if isinstance(node, ast.Call) else ("({", "})")
    edges = [start, *(edge for value in values for edge in value), end]
    gaps = [_masked(source.text[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    taken = "".join(gaps) + "".join(map(repr, changes))
    stem = "_" * (1 + max(map(len, _UNDERSCORES.findall(taken)), default=0))
    names = [f"{stem}{index}_{_GENERATOR if generator else ''}" for index in range(len(values))]
    skeleton = "".join(gap + name for gap, name in zip(gaps, [*names, ""], strict=True))
    text = _changed(frame[0] + skeleton + frame[1], changes, "" if values else level())[len(frame[0]) : -len(frame[1])]
    splices: list[Splice] = []
    gone: list[tuple[int, int]] = []
    before, index = start, 0
    for found, piece in _pieces(text, stem, len(values)):
        lost = values[index:found]
        until = values[found][0] if found < len(values) else end
        splices += _differences(source, before, until, lost, piece, depth, first=index == 0)
        gone += lost
        if found < len(values):
            before, index = values[found][1], found + 1
    return Rewritten(splices, gone)


def _pieces(text: str, stem: str, count: int) -> Iterator[tuple[int, str]]:
    """The values that are still there, by index, each with the text before it; last, their `count` and the text at the end."""
    edge = 0
    for match in re.finditer(rf"{stem}(\d+)_(?:{_GENERATOR})?", text):
        yield int(match[1]), text[edge : match.start()]
        edge = match.end()
    yield count, text[edge:]


def _call(source: Source, node: ast.Call) -> tuple[int, int, list[tuple[int, int]], bool]:
    """Where its brackets begin and end, and its values; and whether one generator without parentheses of its own fills them."""
    func_end = source.offset(node.func.end_lineno or 0, node.func.end_col_offset or 0)
    end = source.offset(node.end_lineno or 0, node.end_col_offset or 0) - 1
    opening = _TO_ARGUMENTS.match(source.text, func_end, end + 1)
    if opening is None or source.text[end] != ")":
        raise UnchangeableError("the call is not where the syntax tree says")
    items = [arg.value if isinstance(arg, ast.Starred) else arg for arg in node.args]
    items += [keyword.value for keyword in node.keywords]
    values = sorted(_extent(source, item) for item in items)
    if len(values) == 1 and isinstance(items[0], ast.GeneratorExp) and values[0][1] == end + 1:
        return opening.end(), end, [(opening.end(), end)], True
    return opening.end(), end, values, False


def _display(source: Source, node: ast.Dict) -> tuple[int, int, list[tuple[int, int]], bool]:
    """Where its brackets begin and end, and its values and computed keys."""
    start, end = _extent(source, node)
    if source.text[start] != "{" or source.text[end - 1] != "}":
        raise UnchangeableError("the dictionary is not where the syntax tree says")
    computed = [key for key in node.keys if key and not (isinstance(key, ast.Constant) and isinstance(key.value, str))]
    return start + 1, end - 1, sorted(_extent(source, item) for item in [*computed, *node.values]), False


def _extent(source: Source, node: ast.expr) -> tuple[int, int]:
    start, end = source.offset(node.lineno, node.col_offset), source.offset(node.end_lineno or 0, node.end_col_offset or 0)
    return start, end


def _changed(skeleton: str, changes: Sequence[ItemChange], level: str) -> str:
    """The text of a skeleton after the changes."""
    import libcst as cst

    from mem0_migrate.fixes import arguments

    line_end = _LINE_END.search(skeleton)
    module = cst.Module([], default_newline=line_end.group() if line_end else "\n")
    try:
        node = cst.parse_expression(skeleton)
        if module.code_for_node(node) != skeleton:
            raise UnchangeableError("LibCST does not reproduce what stands between its brackets")
        for change in changes:
            if isinstance(node, cst.Call) and isinstance(change, SetKeyword):
                node = arguments.set_keyword(node, change.name, change.value, change.replacing, level)
            elif isinstance(node, cst.Call) and isinstance(change, RemoveKeyword):
                node = arguments.remove_keyword(node, change.name)
            elif isinstance(node, cst.Dict) and isinstance(change, SetKey):
                node = arguments.set_key(node, change.key, change.value, level)
            elif isinstance(node, cst.Dict) and isinstance(change, RemoveKey):
                node = arguments.remove_key(node, change.key)
    except cst.ParserSyntaxError as error:
        raise UnchangeableError("LibCST cannot parse what stands between its brackets") from error
    return module.code_for_node(node)


def _differences(
    source: Source, start: int, end: int, lost: Sequence[tuple[int, int]], new: str, depth: int, *, first: bool
) -> Iterator[Splice]:
    """What to change in the text from `start` to `end`, which held the `lost` values, so that it reads `new`."""
    old: list[str] = []
    edge = start
    for value in lost:
        old += [*_TOKEN.findall(_masked(source.text[edge : value[0]])), _masked(source.text[value[0] : value[1]])]
        edge = value[1]
    old += _TOKEN.findall(_masked(source.text[edge:end]))
    words = _TOKEN.findall(new)
    same = _shared(old, words)
    tail = _shared(old[same:][::-1], words[same:][::-1])
    if len(old) - same - tail > _MANY:
        raise UnchangeableError("too much stands between its items for the change to be found")
    offsets = list(accumulate(map(len, old), initial=start))
    matcher = SequenceMatcher(None, old[same : len(old) - tail], words[same : len(words) - tail], autojunk=False)
    for operation, *found in matcher.get_opcodes():
        i, j, k, m = (number + same for number in found)
        if operation == "equal":
            continue
        at, until, put = offsets[i], offsets[j], words[k:m]
        if at == until and i > 0 and put[-1] == old[i - 1] and _LINE_END.match(put[-1]):
            # a whole line: at the end of the line before it
            at = until = offsets[i - 1]
            put = [put[-1], *put[:-1]]
        yield Splice(at, until, _LINE_END.sub(line_end(source, at), "".join(put)), depth, opens=first or (i > 0 and at == end))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _masked(text: str) -> str:
    return _MASKED.sub(lambda match: " " if match.group() == "\f" else "\n", text)
