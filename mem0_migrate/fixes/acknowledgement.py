"""Consumers of an answer that only ask whether the write was taken: they read `event_id`, as every receipt of mem0ai 2.x has one.

Such are `if result["results"]:`, `bool(result.get("results"))`, `len(result["results"]) > 0` and `if result:`, and no others.
Where another era is admitted, whose receipts have other shapes, `mem0_shim.is_receipt(result)` asks the same.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Replace
from mem0_migrate.fixes.imports import access
from mem0_migrate.sdk.answers import OPTIONAL, TOLERANT
from mem0_migrate.tracking.evidence import place_of
from mem0_migrate.usage.kinds import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.model import Era
    from mem0_migrate.usage.answers import AnswerUse

_SHIM = "mem0_shim"
_KEY = "results"
_READING = frozenset(["memories", "truth", "escapes"])
_MORE_THAN_NONE = {(ast.Gt, 0), (ast.NotEq, 0), (ast.GtE, 1)}


def acknowledging(uses: Sequence[AnswerUse], eras: frozenset[Era], code: Code) -> dict[str, tuple[Change, ...]] | None:
    """The changes by which all uses of an answer read `event_id`; None where one of them needs more than an acknowledgement.

    Args:
        uses: What becomes of the answer.
        eras: Those that the project admits.
        code: The code base.
    """
    found: dict[str, list[Change]] = {}
    for use in uses:
        if CATEGORIES[use.kind] not in _READING:
            continue
        tree = code.tree(use.filename)
        node = tree.at(use.place, ast.expr)
        change = _change(tree, node, use.path, eras) if node is not None else None
        if change is None:
            return None
        found.setdefault(use.filename, []).extend(change)
    return {filename: tuple(dict.fromkeys(changes)) for filename, changes in found.items()} or None


def _change(tree: Tree, node: ast.expr, path: Sequence[str], eras: frozenset[Era]) -> list[Change] | None:
    """How the question that a use is, or is part of, is put to a receipt; `path` leads to what is used."""
    question = _question(tree, node)
    counted = _counted(question)
    answer = _answer(counted or question, path)
    is_boolean = counted is not None and isinstance(question, ast.Compare)
    if answer is None or not (is_boolean or _is_tested(tree, question)) or (counted is not None and not path):
        return None
    text = tree.text(answer)
    if "\n" in text or "\r" in text:
        return None
    if eras != {"v2"}:
        helper = access(tree, question, _SHIM, "is_receipt")
        return [Replace(place_of(question), f"{helper.text}({text})"), *helper.inserts]
    asked = f'{text}.get("event_id")'
    return [Replace(place_of(question), asked if _is_tested(tree, question) else f"bool({asked})")]


def _question(tree: Tree, node: ast.expr) -> ast.expr:
    """The expression that asks: a use without `bool` and `not` around it, with `len` and a comparison."""
    if isinstance(node, ast.Call) and _is_call_of(node, "bool") and len(node.args) == 1:
        node = node.args[0]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node = node.operand
    parent = tree.parent(node)
    if isinstance(parent, ast.Call) and _is_call_of(parent, "len"):
        node, parent = parent, tree.parent(parent)
    return parent if isinstance(parent, ast.Compare) else node


def _counted(node: ast.expr) -> ast.expr | None:
    """What is counted, `x` of `len(x)` and of `len(x) > 0`; None where nothing is, or for the sake of another number."""
    if isinstance(node, ast.Compare):
        right = node.comparators[0]
        value = right.value if isinstance(right, ast.Constant) else None
        if len(node.ops) != 1 or isinstance(value, bool) or (type(node.ops[0]), value) not in _MORE_THAN_NONE:
            return None
        node = node.left
    return node.args[0] if isinstance(node, ast.Call) and _is_call_of(node, "len") and len(node.args) == 1 else None


def _answer(node: ast.expr, path: Sequence[str]) -> ast.expr | None:
    """The answer that an expression is, or takes `results` from."""
    answer: ast.expr | None = node
    if [step.lstrip(OPTIONAL + TOLERANT) for step in path] == [_KEY]:
        answer = None
        if isinstance(node, ast.Subscript):
            answer = node.value if isinstance(node.slice, ast.Constant) and node.slice.value == _KEY else None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            key = node.args[0] if node.args else None
            answer = node.func.value if isinstance(key, ast.Constant) and key.value == _KEY else None
    elif path:
        return None
    return answer if isinstance(answer, (ast.Name, ast.Attribute, ast.Call)) else None


def _is_tested(tree: Tree, node: ast.expr) -> bool:
    """Whether only the truth of an expression counts where it stands."""
    parent = tree.parent(node)
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.BoolOp):
        return _is_tested(tree, parent)
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    return isinstance(parent, ast.Call) and _is_call_of(parent, "bool") and node in parent.args


def _is_call_of(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == name
