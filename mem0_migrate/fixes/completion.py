"""A fixed sleep after an `add` becomes a wait for its event: `mem0_shim.pending(answer, client).result()`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes import shim
from mem0_migrate.fixes.changes import Assign, Replace
from mem0_migrate.fixes.imports import importing
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.model import Declaration
    from mem0_migrate.usage.judgement import JudgedSite

_NAME = "receipt"


def propose(site: JudgedSite, code: Code, declared: Callable[[str], Declaration]) -> Repair | Unsuitable:
    """Wait for the event of the `add` where the code sleeps now; in the same function, and where the receiver is a name."""
    stale, record = site.stale, code.record(site)
    tree = code.tree(record.filename)
    added = tree.at(record.place, ast.Call)
    if stale is None or stale.sleep is None or added is None or "v0" in site.site.declaration.eras:
        return Unsuitable("under mem0ai 0.x, the platform may also answer with memories, for which there is nothing to wait")
    slept = None
    if stale.sleep.filename == record.filename:
        slept = next(
            (node for node in ast.walk(tree.source.tree) if isinstance(node, ast.Call) and tree.source.span(node) == stale.sleep),
            None,
        )
    if slept is None or tree.function(slept) is not tree.function(added):
        return Unsuitable("the sleep is not in the function of the add()")
    if not isinstance(added.func, ast.Attribute) or not _is_path(added.func.value):
        return Unsuitable("the client has no name by which it could be asked")
    changes: list[Change] = []
    name = _answer(tree, added)
    if name is None:
        return Unsuitable("the answer is not kept under a name")
    statement = tree.statement(added)
    if isinstance(statement, ast.Expr):
        changes.append(Assign(place_of(statement), name))
    handle = f"{shim.MODULE}.pending({name}, {tree.text(added.func.value)})"
    awaited = isinstance(tree.parent(slept), ast.Await)
    changes.append(Replace(place_of(slept), handle if awaited else f"{handle}.result()"))
    changes += importing(tree, added, shim.MODULE)
    return Repair(
        "shim",
        "unsafe",
        "Wait for the event of this add() instead of a fixed time",
        {record.filename: tuple(changes)},
        shims={record.filename: declared(record.filename)},
    )


def _is_path(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _answer(tree: Tree, added: ast.Call) -> str | None:
    """The name that holds the answer; where it is thrown away, one that the function does not use."""
    statement = tree.statement(added)
    value = added if not isinstance(parent := tree.parent(added), ast.Await) else parent
    if isinstance(statement, ast.Assign) and statement.value is value and len(statement.targets) == 1:
        target = statement.targets[0]
        return target.id if isinstance(target, ast.Name) else None
    if isinstance(statement, ast.Expr) and statement.value is value:
        used = {node.id for node in ast.walk(tree.source.tree) if isinstance(node, ast.Name)}
        return next(name for name in (_NAME, *(f"{_NAME}_{number}" for number in range(2, len(used) + 3))) if name not in used)
    return None
