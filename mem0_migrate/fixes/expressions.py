"""Expressions put around others or in their place, in parentheses where they need them."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import UnchangeableError

if TYPE_CHECKING:
    from mem0_migrate.project.source import Source

_CLOSED = (
    *(ast.Attribute, ast.Call, ast.Constant, ast.Dict, ast.DictComp, ast.JoinedStr, ast.List, ast.ListComp, ast.Name, ast.Set),
    *(ast.SetComp, ast.Subscript),
)
_LOOSE = (ast.GeneratorExp, ast.NamedExpr, ast.Starred, ast.Tuple, ast.Yield, ast.YieldFrom)
_ENDS_OPEN = re.compile(r"(?:[(\[{,]|(?<![=!<>:])=)\s*\Z")
_STARTS_CLOSED = re.compile(r"\s*[)\]},]")


def surrounding(source: Source, node: ast.expr, parent: ast.AST, before: str, after: str) -> tuple[str, str]:
    """What to write before and behind an expression, so that it becomes a part of another.

    Raises:
        UnchangeableError: it cannot be a part of another where it stands.
    """
    start, end = _extent(source, node, parent)
    if isinstance(node, ast.Constant):
        inner = after.startswith(".")  # of a number, it would be the point
    elif isinstance(node, (*_CLOSED, ast.GeneratorExp)):
        inner = False
    else:
        inner = isinstance(node, _LOOSE) or not (_ENDS_OPEN.search(before) and _STARTS_CLOSED.match(after))
    before, after = (f"{before}(", f"){after}") if inner else (before, after)
    if _needs_parentheses(source, node, parent, f"{before}_{after}"):
        before, after = f"({before}", f"{after})"
    lead, tail = _gaps(source, start, end, before or source.text[start], after or source.text[end - 1])
    return lead + before, after + tail


def replacement(source: Source, node: ast.expr, parent: ast.AST, text: str) -> str:
    """What to write in the place of an expression, so that it becomes the expression `text`.

    Raises:
        UnchangeableError: it cannot be another where it stands.
    """
    start, end = _extent(source, node, parent)
    if _needs_parentheses(source, node, parent, text):
        text = f"({text})"
    lead, tail = _gaps(source, start, end, text, text)
    return lead + text + tail


def _extent(source: Source, node: ast.expr, parent: ast.AST) -> tuple[int, int]:
    end = source.offset(node.end_lineno or 0, node.end_col_offset or 0)
    if isinstance(node, ast.Starred):
        raise UnchangeableError("a starred argument is no expression of its own")
    if isinstance(node, ast.GeneratorExp) and isinstance(parent, ast.Call) and _end(parent) == _end(node):
        raise UnchangeableError("the parentheses of the generator are those of the call around it")
    return source.offset(node.lineno, node.col_offset), end


def _end(node: ast.expr) -> tuple[int | None, int | None]:
    return node.end_lineno, node.end_col_offset


def _needs_parentheses(source: Source, node: ast.expr, parent: ast.AST, text: str) -> bool:
    """Whether an expression can stand where a node stands in parentheses only."""
    shape, whole = _shape(text)
    start, end = _extent(source, node, parent)
    if isinstance(shape, _LOOSE):
        return True
    if _character(source.text, start, -1) == "(" and _character(source.text, end, 1) == ")":
        return False
    if not whole:
        return True
    if isinstance(shape, _CLOSED):
        return isinstance(shape, ast.Constant) and isinstance(parent, ast.Attribute)
    if isinstance(shape, ast.Await):
        head = parent.func if isinstance(parent, ast.Call) else parent.value if isinstance(parent, ast.Subscript) else None
        return isinstance(parent, ast.Attribute | ast.Await) or node is head
    ends = isinstance(parent, ast.stmt | ast.keyword | ast.List | ast.Set | ast.Tuple)
    return not ends and not (isinstance(parent, ast.Call) and node is not parent.func)


def _character(text: str, at: int, step: int) -> str:
    """The nearest character before (-1) or from (1) an offset that is not blank."""
    at = at if step > 0 else at - 1
    while 0 <= at < len(text) and text[at].isspace():
        at += step
    return text[at] if 0 <= at < len(text) else ""


@lru_cache(maxsize=256)
def _shape(text: str) -> tuple[ast.expr, bool]:
    """An expression as a tree, and whether it is one without parentheses around it."""
    try:
        return ast.parse(text, mode="eval").body, True
    except SyntaxError:
        return ast.parse(f"({text}\n)", mode="eval").body, False


def _gaps(source: Source, start: int, end: int, first: str, last: str) -> tuple[str, str]:
    """The blanks that keep new text apart from the words around it."""
    lead = " " if _wordy(source.text[max(0, start - 1) : start]) and (_wordy(first[0]) or first[0] in "\"'") else ""
    return lead, " " if _wordy(last[-1]) and _wordy(source.text[end : end + 1]) else ""


def _wordy(character: str) -> bool:
    return character == "_" or character.isalnum()
