"""How code gets at a function of a module: by an import that is there, or one beside the import that another name came in by.

The new import stands in the block of that one, and so under the same guard: a `try`, a condition, a function.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert
from mem0_migrate.fixes.scopes import Import, bindings_of, block_of, bound_by, free_name, imports_of, scopes_of
from mem0_migrate.sdk import surface
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.fixes.code import Tree


@dataclass(frozen=True, slots=True)
class Access:
    """How an expression names a function of a module: the text, and the imports that have to be added for it."""

    text: str
    inserts: tuple[Insert, ...]


def access(tree: Tree, node: ast.expr, module: str, function: str) -> Access:
    """How the code at `node` names `module.function`: as the file names it already, else `module.function`.

    Where the file calls something else by the name of the module, the import gives it another name.
    """
    scopes = list(scopes_of(tree, node))
    for number, scope in enumerate(scopes):
        for item in imports_of(tree, scope):
            for bound, target in bound_by(item):
                text = {module: f"{bound}.{function}", f"{module}.{function}": bound}.get(target)
                hidden = any(_rebinds(tree, inner, bound, target) for inner in scopes[: number + 1])
                if text is not None and not hidden and _runs_before(tree, item, node):
                    return Access(text, ())
    taken = any(_rebinds(tree, scope, module, module) for scope in scopes)
    name = free_name(tree, f"_{module}") if taken else module
    return Access(f"{name}.{function}", tuple(_inserts(tree, node, module, f" as {name}" if taken else "")))


def importing(tree: Tree, node: ast.expr, module: str) -> list[Insert]:
    """The statements to add so that `node` can use `module` by its dotted name; none where it can already."""
    imports = [item for scope in scopes_of(tree, node) for item in imports_of(tree, scope) if isinstance(item, ast.Import)]
    known = [item for item in imports if any(alias.name == module and not alias.asname for alias in item.names)]
    return [] if any(_runs_before(tree, item, node) for item in known) else _inserts(tree, node, module)


def _inserts(tree: Tree, node: ast.expr, module: str, suffix: str = "") -> list[Insert]:
    return [_insertion(tree, statement, module, f"import {module}{suffix}") for statement in _beside(tree, node, module)]


def _rebinds(tree: Tree, scope: ast.AST, name: str, target: str) -> bool:
    """Whether a name stands for something else than the target somewhere in a scope."""
    imported = (pair for item in imports_of(tree, scope) for pair in bound_by(item))
    return any(bound == name and other != target for bound, other in imported) or any(
        True for _ in bindings_of(tree, scope, name)
    )


def _runs_before(tree: Tree, statement: Import, node: ast.expr) -> bool:
    """Whether an import has run, whatever the conditions, when a node does."""
    if statement in tree.source.tree.body and tree.function(node) is not None:
        return True
    block = block_of(tree, statement)
    return any(item in block for item in tree.around(node)) and statement.lineno < getattr(node, "lineno", 0)


def _beside(tree: Tree, node: ast.expr, wanted: str) -> Sequence[ast.stmt]:
    """The imports of which each gets the new one beside it: those of the name that the code at `node` begins with.

    Where they are at the top of the module, or that is no imported name: the first import of mem0 there, else the last one that
    the module begins with, else what it begins with. So a file that needs the module in several places imports it once.
    """
    name, module = _first_name(node), tree.source.tree
    found: list[Import] = []
    for scope in scopes_of(tree, node):
        found = [item for item in imports_of(tree, scope) if any(bound == name for bound, _ in bound_by(item))]
        if found and not any(item in module.body for item in found):
            return found
        if found:
            break
    before = [item for item in takewhile(_is_header, module.body) if isinstance(item, Import)]
    standard = [item for item in before if _first_module(item) in sys.stdlib_module_names and not _is_future(item)]
    if wanted in sys.stdlib_module_names and standard:
        return standard[-1:]
    near = [item for item in module.body if isinstance(item, Import) and (item in found or _is_of_mem0(item))]
    return near[:1] or before[-1:] or module.body[:1]


def _is_header(statement: ast.stmt) -> bool:
    return isinstance(statement, Import) or _is_docstring(statement)


def _is_of_mem0(statement: Import) -> bool:
    names = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else [alias.name for alias in statement.names]
    return any(name.partition(".")[0] == surface.PACKAGE for name in names)


def _first_module(statement: Import) -> str:
    name = (statement.module or "") if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    return name.partition(".")[0]


def _first_name(node: ast.expr) -> str:
    current: ast.expr = node
    while isinstance(current, (ast.Call, ast.Attribute)):
        current = current.func if isinstance(current, ast.Call) else current.value
    return current.id if isinstance(current, ast.Name) else ""


def _insertion(tree: Tree, statement: ast.stmt, module: str, text: str) -> Insert:
    """Where an import goes in the block of a statement: sorted into the plain imports around it, as isort has it."""
    if not isinstance(statement, Import):
        return Insert(place_of(statement), text, after=_is_docstring(statement))
    block = _group(tree, statement)
    plain = [item for item in block if isinstance(item, ast.Import)]
    others = [item for item in plain if item.names[0].name.partition(".")[0] not in sys.stdlib_module_names]
    later = [item for item in others if item.names[0].name > module]
    if later:
        return Insert(place_of(later[0]), text, after=False)
    if plain:
        return Insert(place_of((others or plain)[-1]), text, after=True)
    futures = [item for item in block if _is_future(item)]
    return Insert(place_of(futures[-1] if futures else block[0]), text, after=bool(futures))


def _group(tree: Tree, statement: Import) -> list[Import]:
    """The imports on the lines right above and below a statement, itself included, in order."""
    block = block_of(tree, statement)
    here = block.index(statement)
    first = last = here
    while first > 0 and _adjoin(tree, block[first - 1], block[first]):
        first -= 1
    while last + 1 < len(block) and _adjoin(tree, block[last], block[last + 1]):
        last += 1
    return [item for item in block[first : last + 1] if isinstance(item, Import)]


def _adjoin(tree: Tree, upper: ast.stmt, lower: ast.stmt) -> bool:
    """Whether two imports stand on lines that follow each other, of a notebook in one cell."""
    near = lower.lineno - (upper.end_lineno or upper.lineno) == 1 and tree.source.span(upper).cell == tree.source.span(lower).cell
    return near and isinstance(upper, Import) and isinstance(lower, Import)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )
