"""A fixed sleep after an `add` becomes a wait for its event: `mem0_shim.pending(answer, client).result()`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes import shim
from mem0_migrate.fixes.changes import Assign, Replace
from mem0_migrate.fixes.imports import access
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.fixes.scopes import block_of, free_name
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.model import Declaration
    from mem0_migrate.usage.judgement import JudgedSite

_NAME = "receipt"


def propose(site: JudgedSite, code: Code, declared: Callable[[str], Declaration]) -> Repair | Unsuitable:
    """Wait for the event of the `add` where the code sleeps now, if it always sleeps for this `add`, and for no other."""
    record = code.record(site)
    tree = code.tree(record.filename)
    added, slept = tree.at(record.place, ast.Call), _sleep(site, tree)
    if "v0" in site.site.declaration.eras:
        return Unsuitable("under mem0ai 0.x, the platform may also answer with memories, for which there is nothing to wait")
    if added is None or slept is None or tree.function(slept) is not tree.function(added):
        return Unsuitable("the sleep is not in the function of the add()")
    if not _always_follows(tree, added, slept):
        return Unsuitable("the add() does not run exactly once before each sleep: wait for the event of each add()")
    between = list(_between(tree, added, slept))
    if any(other is not added for other in _adds(code, site, tree, added, slept)):
        return Unsuitable("the sleep is for several add() calls: wait for the event of each")
    if any(keyword.arg in (None, "infer") for keyword in added.keywords):
        return Unsuitable("with `infer=False`, which this add() may pass, the answer may hold memories already")
    if not isinstance(added.func, ast.Attribute) or not _is_path(added.func.value):
        return Unsuitable("the client has no name by which it could be asked")
    name, pending = _answer(tree, added), access(tree, added, shim.MODULE, "pending")
    if name is None:
        return Unsuitable("the answer is not kept under a name")
    roots = {name, tree.text(added.func.value).partition(".")[0]}
    if any(isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in roots for node in between):
        return Unsuitable("between the add() and the sleep, the client or the answer gives way to another")
    statement = tree.statement(added)
    changes: list[Change] = [Assign(place_of(statement), name)] if isinstance(statement, ast.Expr) else []
    handle = f"{pending.text}({name}, {tree.text(added.func.value)})"
    awaited = isinstance(tree.parent(slept), ast.Await)
    changes.append(Replace(place_of(slept), handle if awaited else f"{handle}.result()"))
    changes += pending.inserts
    return Repair(
        "shim",
        "unsafe",
        "Wait for the event of this add() instead of a fixed time",
        {record.filename: tuple(changes)},
        shims={record.filename: declared(record.filename)},
    )


def _sleep(site: JudgedSite, tree: Tree) -> ast.Call | None:
    """The call that sleeps, where it is in the file of the site."""
    span = site.stale.sleep if site.stale is not None else None
    if span is None or span.filename != tree.source.filename:
        return None
    calls = (node for node in ast.walk(tree.source.tree) if isinstance(node, ast.Call))
    return next((call for call in calls if tree.source.span(call) == span), None)


def _always_follows(tree: Tree, added: ast.Call, slept: ast.Call) -> bool:
    """Whether the sleep is a statement of its own, later in the block in which the `add` is one, or the value of one."""
    first, second = tree.statement(added), tree.statement(slept)
    value = second.value if isinstance(second, ast.Expr) else None
    block = block_of(tree, second)
    alone = value is slept or (isinstance(value, ast.Await) and value.value is slept)
    return alone and first in block[: block.index(second)]


def _between(tree: Tree, added: ast.Call, slept: ast.Call) -> Iterator[ast.AST]:
    """The nodes of the statements after that of the `add`, up to the sleep."""
    block = block_of(tree, tree.statement(slept))
    for statement in block[block.index(tree.statement(added)) + 1 : block.index(tree.statement(slept))]:
        yield from ast.walk(statement)


def _adds(code: Code, site: JudgedSite, tree: Tree, added: ast.Call, slept: ast.Call) -> Iterator[ast.AST]:
    """The calls of `add` in the function of a site that can be what its sleep is for: those after the sleep before it."""
    function = tree.function(added)
    inside = [node for node in ast.walk(function or tree.source.tree) if isinstance(node, ast.Call) and node is not slept]
    sleeps = [node for node in inside if _is_sleep(node) and node.lineno < added.lineno]
    begin = max((place_of(node) for node in sleeps), default=(0, 0, 0, 0))
    for record in code.solver.site_list:
        node = tree.at(record.place, ast.Call) if record.filename == code.record(site).filename else None
        if node is not None and node in inside and begin < record.place < place_of(slept):
            yield node


def _is_sleep(call: ast.Call) -> bool:
    return (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) == "sleep"


def _is_path(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _answer(tree: Tree, added: ast.Call) -> str | None:
    """The name that holds the answer; where it is thrown away, one that the file does not use."""
    statement = tree.statement(added)
    value = added if not isinstance(parent := tree.parent(added), ast.Await) else parent
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is value and len(targets) == 1:
        return targets[0].id if isinstance(targets[0], ast.Name) else None
    if isinstance(statement, ast.Expr) and statement.value is value:
        return free_name(tree, _NAME)
    return None
