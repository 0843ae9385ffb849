"""Where a module is imported from: beside the import that a name came in by, in its block, and so under the same guard."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert
from mem0_migrate.sdk import surface
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mem0_migrate.fixes.code import Tree

_Import = ast.Import | ast.ImportFrom


def importing(tree: Tree, node: ast.expr, module: str) -> list[Insert]:
    """The statements to add so that `node` can use `module` by its name; none where it can already."""
    body, beside = _beside(tree, node)
    imports = [item for item in _imports(tree, body) if _binds(item, module)]
    if imports or any(_binds(item, module) for item in _imports(tree, tree.source.tree)):
        return []
    return [_insertion(tree, statement, module) for statement in beside]


def _beside(tree: Tree, node: ast.expr) -> tuple[ast.AST, Sequence[ast.stmt]]:
    """The scope in which the first name of an expression is imported, and the statements that import it.

    Where that is at the top of the module, or it is no imported name: the first import of mem0 there, else the last import of all,
    or what the module begins with. So a file that needs the module in several places imports it once.
    """
    name, module = _first_name(node), tree.source.tree
    scopes: list[ast.AST] = [item for item in tree.around(node) if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for scope in (*scopes, module):
        found = [item for item in _imports(tree, scope) if _binds(item, name) and not _for_types(tree, item)]
        if found and not any(item in module.body for item in found):
            return scope, found
    at_top = [item for item in module.body if isinstance(item, _Import)]
    of_mem0 = [item for item in at_top if _is_of_mem0(item)]
    return module, of_mem0[:1] or at_top[-1:] or module.body[:1]


def _is_of_mem0(statement: _Import) -> bool:
    names = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else [alias.name for alias in statement.names]
    return any(name.partition(".")[0] == surface.PACKAGE for name in names)


def _first_name(node: ast.expr) -> str:
    current: ast.expr = node
    while isinstance(current, (ast.Call, ast.Attribute)):
        current = current.func if isinstance(current, ast.Call) else current.value
    return current.id if isinstance(current, ast.Name) else ""


def _imports(tree: Tree, scope: ast.AST) -> Iterator[_Import]:
    """The imports of a scope, not those of the functions in it."""
    for item in ast.walk(scope):
        if isinstance(item, _Import) and (tree.function(item) or tree.source.tree) is scope:
            yield item


def _binds(statement: _Import, name: str) -> bool:
    return any((alias.asname or alias.name.partition(".")[0]) == name for alias in statement.names)


def _for_types(tree: Tree, statement: ast.stmt) -> bool:
    """Whether a statement only runs for type checkers."""
    return any(
        isinstance(item, ast.If)
        and ast.unparse(item.test).rpartition(".")[2] == "TYPE_CHECKING"
        and not _in_else(item, statement)
        for item in tree.around(statement)
    )


def _in_else(branch: ast.If, statement: ast.stmt) -> bool:
    return any(statement in ast.walk(other) for other in branch.orelse)


def _insertion(tree: Tree, statement: ast.stmt, module: str) -> Insert:
    """Where the import goes in the block of a statement: sorted into the plain imports around it, as isort has it."""
    text = f"import {module}"
    if not isinstance(statement, _Import):
        first = tree.source.tree.body[0]
        return Insert(place_of(first), text, after=_is_docstring(first))
    block = _group(tree, statement)
    plain = [item for item in block if isinstance(item, ast.Import)]
    later = [item for item in plain if item.names[0].name > module]
    if later:
        return Insert(place_of(later[0]), text, after=False)
    if plain:
        return Insert(place_of(plain[-1]), text, after=True)
    return Insert(place_of(statement if _is_future(block[0]) else block[0]), text, after=_is_future(block[0]))


def _group(tree: Tree, statement: ast.stmt) -> list[_Import]:
    """The imports on the lines right above and below a statement, itself included, in order."""
    parent = tree.parent(statement)
    blocks = [getattr(parent, name, None) for name in ("body", "orelse", "finalbody", "handlers")]
    block = next(block for block in blocks if block and statement in block)
    here = block.index(statement)
    first = last = here
    while first > 0 and _adjoin(block[first - 1], block[first]):
        first -= 1
    while last + 1 < len(block) and _adjoin(block[last], block[last + 1]):
        last += 1
    return [item for item in block[first : last + 1] if isinstance(item, _Import)]


def _adjoin(upper: ast.stmt, lower: ast.stmt) -> bool:
    near = lower.lineno - (upper.end_lineno or upper.lineno) == 1
    return near and isinstance(upper, _Import) and isinstance(lower, _Import)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)
    )
