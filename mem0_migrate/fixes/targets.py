"""The nodes of a syntax tree that changes name by their places."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.summary import Place


@dataclass(frozen=True, slots=True)
class Target:
    """A node, what it is a part of, the block that it stands in, its depth in the tree, and the outmost f-string around it."""

    node: Any
    parent: ast.AST
    block: Sequence[ast.stmt]
    depth: int
    string: ast.JoinedStr | None


def find(tree: ast.Module, places: set[Place]) -> dict[Place, list[Target]]:
    """The nodes at some places. Before Python 3.12 several nodes in f-strings may have one place, or another node's."""
    found: dict[Place, list[Target]] = defaultdict(list)
    if not places:
        return found
    rows = sorted({place[0] for place in places})
    pending = [Target(tree, tree, (), 0, None)]
    while pending:
        target = pending.pop()
        node = target.node
        if isinstance(node, ast.expr | ast.stmt) and place_of(node) in places:
            found[place_of(node)].append(target)
        string = target.string or (node if isinstance(node, ast.JoinedStr) else None)
        for _, value in ast.iter_fields(node):
            children = value if isinstance(value, list) else [value]
            block = children if children and isinstance(children[0], ast.stmt) else ()
            pending += (
                Target(child, node, block, target.depth + 1, string)
                for child in (_near(block, rows) if block else children)
                if isinstance(child, ast.AST) and (string or _holds(child, rows))
            )
    return found


def _near(block: Sequence[ast.stmt], rows: Sequence[int]) -> Sequence[ast.stmt]:
    """The statements from the first to the last of some rows."""
    first = bisect_left(block, rows[0], key=lambda node: node.end_lineno or 0)
    return block[first : bisect_right(block, rows[-1], key=_first_row)]


def _holds(node: ast.AST, rows: Sequence[int]) -> bool:
    """Whether a node reaches over one of some rows; true of those that have no place."""
    end = getattr(node, "end_lineno", None)
    if end is None:
        return True
    at = bisect_left(rows, _first_row(node))
    return at < len(rows) and rows[at] <= end


def _first_row(node: Any) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(decorator.lineno for decorator in decorators)]))


def level_of(source: Source) -> str:
    """One level of indentation, as the first block on lines of its own has it; four blanks where there is none."""
    pending: list[Any] = [source.tree]
    while pending:
        node = pending.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            block = getattr(node, name, None)
            if not isinstance(block, list) or not block:
                continue
            inner = block[0]
            row = getattr(inner, "lineno", 0)
            if name not in ("handlers", "cases") and row > getattr(node, "lineno", row):
                lines = [source.line(at) for at in (node.lineno, row)]
                indents = [line[: len(line) - len(line.lstrip())].rpartition("\f")[2] for line in lines]
                if indents[1].startswith(indents[0]) and len(indents[1]) > len(indents[0]):
                    return indents[1][len(indents[0]) :]
            pending += reversed(block)
    return "    "
