"""From declared changes to edits of the text: the smallest ones, in the layout and with the line ends of what is around them.

`skeleton` makes those of the arguments of calls and the items of dictionary displays, by LibCST; `expressions` and `statements`
make the others.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections import defaultdict
from functools import cache, partial
from typing import TYPE_CHECKING, Any

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
from mem0_migrate.fixes.expressions import replacement, surrounding
from mem0_migrate.fixes.skeleton import rewritten
from mem0_migrate.fixes.splices import Splice, merged
from mem0_migrate.fixes.statements import Blocks, Statement
from mem0_migrate.fixes.targets import find, level_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.targets import Target
    from mem0_migrate.model import Edit
    from mem0_migrate.project.source import Source

_UNFIT = re.compile(r"[\"'\\#\r\n]")
_UNFIT_WHOLE = re.compile(r"[\"'\\#\r\n{}:!]")
_UNSURE = "it stands in an f-string that shows its source, or in which Python cannot tell where it stands"
_PROBE = "mem0_migrate_probe"
_KINDS: dict[type[Any], tuple[type[Any], str]] = {
    SetKeyword: (ast.Call, "call"),
    RemoveKeyword: (ast.Call, "call"),
    SetKey: (ast.Dict, "dictionary"),
    RemoveKey: (ast.Dict, "dictionary"),
    Surround: (ast.expr, "expression"),
    Replace: (ast.expr, "expression"),
    Assign: (ast.Expr, "expression statement"),
    Insert: (ast.stmt, "statement"),
    Remove: (ast.stmt, "statement"),
}


def edits(source: Source, changes: Sequence[Change]) -> tuple[Edit, ...]:
    """The edits that make the changes of one file, in order and apart from each other. Equal changes count once.

    Raises:
        UnchangeableError: one of them cannot be made, or two contradict each other.
    """
    unique = list(dict.fromkeys(changes))
    return merged(source, _Rewriting(source, unique).splices())


def spliced(source: Source, edits: Sequence[Edit]) -> str:
    """The text of a file after edits that are in order and apart; of a notebook, of its cells as `Source.text` has them."""
    pieces = []
    done = 0
    for edit in edits:
        start, end = (source.offset_at(position, edit.span.cell) for position in (edit.span.start, edit.span.end))
        pieces += [source.text[done:start], edit.content]
        done = end
    return "".join([*pieces, source.text[done:]])


class _Rewriting:
    """The changes of one file, each at its node."""

    def __init__(self, source: Source, changes: Sequence[Change]) -> None:
        self._source = source
        self._changes = changes
        self._found = find(source.tree, {change.place for change in changes})
        self._gone: list[tuple[int, int, Change | None]] = []

    def splices(self) -> list[Splice]:
        """The splices that make the changes."""
        targets = [(change, self._target(change)) for change in self._changes]
        level = cache(partial(level_of, self._source))
        splices = [*self._statements(targets, level), *self._expressions(targets), *self._items(targets, level)]
        self._refuse_changes_of_what_goes(targets)
        return splices

    def _items(self, targets: Sequence[tuple[Change, Target]], level: Callable[[], str]) -> Iterator[Splice]:
        grouped: dict[int, list[tuple[SetKeyword | RemoveKeyword | SetKey | RemoveKey, Target]]] = defaultdict(list)
        for change, target in targets:
            if isinstance(change, SetKeyword | RemoveKeyword | SetKey | RemoveKey):
                grouped[id(target.node)].append((change, target))
        for group in grouped.values():
            changes = [change for change, _ in group]
            names = [name for change in changes for name in _names(change)]
            if len(set(names)) < len(names):
                raise UnchangeableError("two repairs disagree about one argument")
            target = group[0][1]
            result = rewritten(self._source, target.node, target.depth, changes, level)
            self._gone += [(start, end, None) for start, end in result.gone]
            yield from result.splices

    def _expressions(self, targets: Sequence[tuple[Change, Target]]) -> Iterator[Splice]:
        taken: set[int] = set()
        for change, target in targets:
            if not isinstance(change, Surround | Replace | Assign):
                continue
            if id(target.node) in taken:
                raise UnchangeableError("two repairs change the same expression in different ways")
            taken.add(id(target.node))
            start, end = self._extent(target.node)
            if isinstance(change, Assign):
                yield Splice(start, start, f"{change.name} = ", target.depth, opens=True)
            elif isinstance(change, Surround):
                before, after = surrounding(self._source, target.node, target.parent, change.before, change.after)
                yield Splice(start, start, before, target.depth, opens=True)
                yield Splice(end, end, after, target.depth)
            else:
                self._gone.append((start, end, change))
                yield Splice(start, end, replacement(self._source, target.node, target.parent, change.text), target.depth)

    def _statements(self, targets: Sequence[tuple[Change, Target]], level: Callable[[], str]) -> Iterator[Splice]:
        blocks = Blocks(self._source, level)
        removed = {target.node: change for change, target in targets if isinstance(change, Remove)}
        instead: dict[ast.stmt, list[Insert]] = defaultdict(list)
        going: list[Statement] = []
        for change, target in targets:
            if isinstance(change, Insert) and target.node in removed:
                instead[target.node].append(change)
            elif isinstance(change, Insert):
                yield from blocks.inserted(_statement(target), change.text, after=change.after)
        for change, target in targets:
            if not isinstance(change, Remove):
                continue
            self._gone.append((*self._extent(target.node), change))
            inserts = instead.get(target.node)
            if inserts is None:
                going.append(_statement(target))
            else:
                texts = [insert.text.strip("\n") for insert in sorted(inserts, key=lambda insert: insert.after)]
                yield blocks.replaced(_statement(target), "\n".join(texts))
        yield from blocks.removed(going)

    def _refuse_changes_of_what_goes(self, targets: Sequence[tuple[Change, Target]]) -> None:
        outmost: list[tuple[int, int, Change | None]] = []
        for extent in sorted(self._gone, key=lambda extent: (extent[0], -extent[1])):
            if not outmost or extent[1] > outmost[-1][1]:
                outmost.append(extent)
        starts = [extent[0] for extent in outmost]
        removed = {change.place for change in self._changes if isinstance(change, Remove)}
        for change, target in targets:
            start, end = self._extent(target.node)
            at = bisect_right(starts, start) - 1
            replaces = isinstance(change, Insert) and change.place in removed
            if at >= 0 and end <= outmost[at][1] and change is not outmost[at][2] and not replaces:
                raise UnchangeableError("one repair changes what another takes out")

    def _extent(self, node: Any) -> tuple[int, int]:
        return self._source.offset(node.lineno, node.col_offset), self._source.offset(node.end_lineno, node.end_col_offset)

    def _target(self, change: Change) -> Target:
        kind, name = _KINDS[type(change)]
        found = [target for target in self._found.get(change.place, ()) if isinstance(target.node, kind)]
        outside = [target for target in found if target.string is None]
        if outside:
            return min(outside, key=lambda target: target.depth)
        if len(found) != 1:
            raise UnchangeableError(_UNSURE if found else f"no {name} stands at line {change.place[0]}")
        self._refuse_unless_sure(change, found[0])
        return found[0]

    def _refuse_unless_sure(self, change: Change, target: Target) -> None:
        """Before Python 3.12, nodes in f-strings may have wrong places, and no quotes, backslashes or comments."""
        string: Any = target.string
        (start, end), (first, last) = self._extent(target.node), self._extent(string)
        text = self._source.text
        try:
            probe = ast.parse(f"({text[first:start]}{_PROBE}{text[end:last]}\n)", mode="eval")
            dumps = ast.dump(probe.body), ast.dump(ast.Name(_PROBE, ast.Load())), ast.dump(target.node), ast.dump(string)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            dumps = "", "-", "", ""
        if not first <= start < end <= last or dumps[0].count(dumps[1]) != 1 or dumps[0].replace(dumps[1], dumps[2]) != dumps[3]:
            raise UnchangeableError(_UNSURE)
        if (_UNFIT if isinstance(change, SetKeyword | RemoveKeyword) else _UNFIT_WHOLE).search(_written(change)):
            raise UnchangeableError("it stands in an f-string, which could not hold the new text before Python 3.12")


def _written(change: Change) -> str:
    """What a change of an expression writes."""
    if isinstance(change, Surround):
        return change.before + change.after
    if isinstance(change, Replace):
        return change.text
    return change.value if isinstance(change, SetKeyword) else '""' if isinstance(change, SetKey) else ""


def _names(change: SetKeyword | RemoveKeyword | SetKey | RemoveKey) -> set[str]:
    """The keywords or keys that a change is about."""
    if isinstance(change, SetKey | RemoveKey):
        return {change.key}
    return {change.name, change.replacing} - {""} if isinstance(change, SetKeyword) else {change.name}


def _statement(target: Target) -> Statement:
    return Statement(target.node, target.block, target.parent, target.depth)
