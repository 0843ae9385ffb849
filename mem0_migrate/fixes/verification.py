"""The proof of a rewritten file: its tree is the old one with the declared changes, and nothing else; and it compiles.

The declared changes are made a second time here, on the syntax tree and by other code than `rewriting`, which makes them in the
text. What comes of both must be the same tree.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

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
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.model import Edit
    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.summary import Place

    _Node = TypeVar("_Node", bound=ast.AST)

_HOLE = "mem0_migrate_hole"
_BLOCKS = ("body", "orelse", "finalbody")

CHECKS = (
    "the syntax tree differs from the old one at the declared nodes only",
    "every character outside the edits is as it was",
    "it compiles",
)


def disproof(before: Source, changes: Sequence[Change], edits: Sequence[Edit], after: Source) -> str | None:
    """Why a rewritten file is not what was declared; None where it is.

    Args:
        before: The file as it was analysed.
        changes: What was declared to change.
        edits: What was replaced, in order of place.
        after: The file as it would be written.
    """
    if not _same_outside(before, edits, after):
        return "something outside the edits would change"
    try:
        expected = _Declared(before.text, changes).tree()
    except UnchangeableError as error:
        return str(error)
    if ast.dump(expected) != ast.dump(after.tree):
        return "the syntax tree would change elsewhere than declared"
    return _uncompilable(after)


def _same_outside(before: Source, edits: Sequence[Edit], after: Source) -> bool:
    """Whether the text between the edits is the same in both, in order and without anything else."""
    old = new = 0
    for edit in edits:
        start = before.offset_at(edit.span.start, edit.span.cell)
        end = before.offset_at(edit.span.end, edit.span.cell)
        if before.text[old:start] != after.text[new : new + start - old] or start < old:
            return False
        new += start - old
        if after.text[new : new + len(edit.content)] != edit.content:
            return False
        old, new = end, new + len(edit.content)
    return before.text[old:] == after.text[new:]


def _uncompilable(after: Source) -> str | None:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if after.cells else 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(after.text, after.filename, "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"it would not compile: {error}"
    return None


class _Declared:
    """The tree of the old text with the declared changes made in it."""

    def __init__(self, text: str, changes: Sequence[Change]) -> None:
        self._tree = ast.parse(text)
        self._changes = changes
        self._nodes: dict[Place, list[ast.expr | ast.stmt]] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._now: dict[ast.AST, ast.AST] = {}
        self._behind: dict[ast.AST, int] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, (ast.expr, ast.stmt)):
                self._nodes.setdefault(place_of(node), []).append(node)
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node

    def tree(self) -> ast.Module:
        """Make the changes, those of statements last. Raises UnchangeableError."""
        makers: dict[type[Any], Callable[[Any], None]] = {
            SetKeyword: self._set_keyword,
            RemoveKeyword: self._remove_keyword,
            SetKey: self._set_key,
            RemoveKey: self._remove_key,
            Surround: self._surround,
            Replace: self._replace,
            Assign: self._assign,
            Insert: self._insert,
            Remove: self._remove,
        }
        for kind, make in makers.items():
            for change in self._changes:
                if type(change) is kind:
                    make(change)
        return self._tree

    def _at(self, place: Place, kind: type[_Node]) -> _Node:
        for node in self._nodes.get(place, ()):
            if isinstance(node, kind):
                return node
        raise UnchangeableError(f"no {kind.__name__} begins at line {place[0]}")

    def _set_keyword(self, change: SetKeyword) -> None:
        call = self._at(change.place, ast.Call)
        given = {keyword.arg: keyword for keyword in call.keywords}
        found = given.get(change.name) or given.get(change.replacing)
        value = _expression(change.value)
        if found is not None:
            found.arg, found.value = change.name, value
            call.keywords = [keyword for keyword in call.keywords if keyword is found or keyword.arg != change.replacing]
        else:
            call.keywords.append(ast.keyword(change.name, value))

    def _remove_keyword(self, change: RemoveKeyword) -> None:
        call = self._at(change.place, ast.Call)
        call.keywords = [keyword for keyword in call.keywords if keyword.arg != change.name]

    def _set_key(self, change: SetKey) -> None:
        display = self._at(change.place, ast.Dict)
        for number, key in enumerate(display.keys):
            if isinstance(key, ast.Constant) and key.value == change.key:
                display.values[number] = _expression(change.value)
                return
        display.keys.append(ast.Constant(change.key))
        display.values.append(_expression(change.value))

    def _remove_key(self, change: RemoveKey) -> None:
        display = self._at(change.place, ast.Dict)
        pairs = [
            (key, value)
            for key, value in zip(display.keys, display.values, strict=True)
            if not (isinstance(key, ast.Constant) and key.value == change.key)
        ]
        display.keys, display.values = [key for key, _ in pairs], [value for _, value in pairs]

    def _surround(self, change: Surround) -> None:
        node = self._at(change.place, ast.expr)
        around = _expression(f"{change.before}{_HOLE}{change.after}")
        holes = [item for item in ast.walk(around) if isinstance(item, ast.Name) and item.id == _HOLE]
        self._put(node, around)
        parents = {child: item for item in ast.walk(around) for child in ast.iter_child_nodes(item)}
        if len(holes) != 1 or holes[0] not in parents:
            raise UnchangeableError("the declared expression does not hold the old one")
        _exchange(parents[holes[0]], holes[0], node)

    def _replace(self, change: Replace) -> None:
        self._put(self._at(change.place, ast.expr), _expression(change.text))

    def _put(self, old: ast.AST, new: ast.AST) -> None:
        _exchange(self._parents[old], old, new)

    def _assign(self, change: Assign) -> None:
        statement = self._at(change.place, ast.Expr)
        target = ast.Name(change.name, ast.Store())
        assigned = ast.Assign([target], statement.value, lineno=statement.lineno, col_offset=statement.col_offset)
        self._put(statement, assigned)
        self._parents[assigned] = self._parents[statement]
        self._now[statement] = assigned

    def _insert(self, change: Insert) -> None:
        statement = self._at(change.place, ast.stmt)
        block, number = self._block(statement)
        body = ast.parse(change.text).body
        at = number + change.after + (self._behind.get(statement, 0) if change.after else 0)
        block[at:at] = body
        if change.after:
            self._behind[statement] = self._behind.get(statement, 0) + len(body)

    def _remove(self, change: Remove) -> None:
        block, number = self._block(self._at(change.place, ast.stmt))
        del block[number]
        if not block:
            block.append(ast.Pass())

    def _block(self, statement: ast.stmt) -> tuple[list[ast.stmt], int]:
        now = self._now.get(statement, statement)
        parent = self._parents[statement]
        for name in _BLOCKS:
            block = getattr(parent, name, None)
            if isinstance(block, list) and now in block:
                return block, block.index(now)
        raise UnchangeableError("a statement stands in no block")


def _expression(text: str) -> ast.expr:
    return ast.parse(f"({text}\n)", mode="eval").body  # `rewriting` puts what needs them in parentheses


def _exchange(parent: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put a node in the place of another below its parent."""
    for name, value in ast.iter_fields(parent):
        if value is old:
            setattr(parent, name, new)
            return
        if isinstance(value, list) and any(item is old for item in value):
            value[next(number for number, item in enumerate(value) if item is old)] = new
            return
    raise UnchangeableError("a node is not where it was")
