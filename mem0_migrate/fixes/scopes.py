"""The blocks and scopes of a file, and the names that are bound in them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mem0_migrate.fixes.code import Tree

Import = ast.Import | ast.ImportFrom
_BLOCKS = ("body", "orelse", "finalbody")
_Named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def block_of(tree: Tree, statement: ast.stmt) -> Sequence[ast.stmt]:
    """The block that a statement stands in."""
    parent = tree.parent(statement)
    blocks: Iterator[Any] = (getattr(parent, name, None) for name in _BLOCKS)
    return next(block for block in blocks if isinstance(block, list) and statement in block)


def scopes_of(tree: Tree, node: ast.AST) -> Iterator[ast.AST]:
    """The scopes in which a name at a node is looked up, from the inside out: functions, then the module."""
    function = tree.function(node)
    while function is not None:
        yield function
        function = tree.function(function)
    yield tree.source.tree


def imports_of(tree: Tree, scope: ast.AST) -> Iterator[Import]:
    """The imports of a scope in order, not those of the functions in it, and not those for type checkers."""
    found = (item for item in tree.binding(scope) if isinstance(item, Import))
    yield from sorted((item for item in found if not _for_types(tree, item)), key=lambda item: (item.lineno, item.col_offset))


def bound_by(statement: Import) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with what it stands for: `("np", "numpy")`, `("wrap", "mem0_shim.wrap")`."""
    for alias in statement.names:
        if isinstance(statement, ast.ImportFrom):
            yield alias.asname or alias.name, f"{'.' * statement.level}{statement.module or ''}.{alias.name}"
        else:
            yield alias.asname or alias.name.partition(".")[0], alias.name if alias.asname else alias.name.partition(".")[0]


def bindings_of(tree: Tree, scope: ast.AST, name: str) -> Iterator[ast.AST]:
    """Everything but imports that binds a name in a scope: parameters, assignments, functions, classes, `except … as`."""
    arguments = getattr(scope, "args", None)
    for item in ast.walk(arguments) if isinstance(arguments, ast.arguments) else ():
        if isinstance(item, ast.arg) and item.arg == name:
            yield item
    yield from (item for item in tree.binding(scope) if _binds(item, name))


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.MatchStar | ast.MatchAs | ast.MatchMapping):
        return name == (node.rest if isinstance(node, ast.MatchMapping) else node.name)
    return isinstance(node, (*_Named, ast.ExceptHandler)) and node.name == name


def names_in(tree: Tree) -> set[str]:
    """Every name that a file uses or binds anywhere, attributes and keywords aside."""
    found: set[str] = set()
    for node in ast.walk(tree.source.tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, Import):
            found.update(name for name, _ in bound_by(node))
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(node.names)
        elif isinstance(node, (*_Named, ast.ExceptHandler)) and node.name:
            found.add(node.name)
    return found


def free_name(tree: Tree, wanted: str) -> str:
    """A name that a file does not use yet: the wanted one, or with a number."""
    used = names_in(tree)
    candidates = (wanted, *(f"{wanted}_{number}" for number in range(2, len(used) + 3)))
    return next(name for name in candidates if name not in used)


def _for_types(tree: Tree, statement: ast.stmt) -> bool:
    """Whether a statement only runs for type checkers."""
    inner: ast.AST = statement
    for item in tree.around(statement):
        checked = isinstance(item, ast.If) and ast.unparse(item.test).rpartition(".")[2] == "TYPE_CHECKING"
        if checked and isinstance(item, ast.If) and inner in item.body:
            return True
        inner = item
    return False
