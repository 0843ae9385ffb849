"""Where a client is constructed, mem0 is told to deliver its events: `ensure_webhook(client, url=…)`, once for each construction.

A client that gets a name there is registered by the statement behind; one that is returned gets a name first; any other goes
through a function of a few lines. All of that works while a module is imported, in `__init__` and in getters that construct late,
for `AsyncMemoryClient` too: `ensure_webhook` blocks, as the constructors of both clients do (mem0ai 0.1.45 to 2.2.1).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert, Replace, Surround
from mem0_migrate.fixes.imports import Access, access, importing
from mem0_migrate.fixes.shim import constructions
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.values import Value
    from mem0_migrate.usage.judgement import JudgedSite

MODULE = "mem0_shim.webhook"
URL = "MEM0_WEBHOOK_URL"

_CALLS = frozenset([f"{MODULE}.ensure_webhook"])
_FUNCTION = "_with_webhook"
_NAME = "client"
_TRANSPARENT = frozenset(["wrap", "cast"])  # mem0_shim.wrap(client), typing.cast(MemoryClient, client): the client itself
_HANDED = "handed "


EXAMPLE = f'{MODULE}.ensure_webhook(client, url=os.environ["{URL}"])'
"""What a person writes where we cannot."""


class Registrations:
    """Which clients mem0 already delivers for, and how to register the others."""

    def __init__(self, code: Code) -> None:
        """Look once at every call of `ensure_webhook`."""
        self._code = code
        solver = code.solver
        told = [call for call in solver.calls if call.libraries & _CALLS]
        given = {node for call in told for node, _ in call.arguments[:1]}
        given |= {node for call in told for name, node in call.keywords if name == "client"}
        self._origins = {value[2] for node in given for value, _ in solver.values.get(node, ()) if value[0] == "client"}
        self._before = set().union(*map(solver.behind, given))

    def missing(self, site: JudgedSite) -> list[SolvedCall]:
        """The constructions of the clients of a site for which nothing is registered yet."""
        found = {made.number: made for client in self._clients(site) for made in self._unregistered(client)}
        return [found[number] for number in sorted(found)]

    def unseen(self, site: JudgedSite) -> bool:
        """Whether a client of a site is constructed where we cannot see it, and nothing registers it."""
        return any(client[2] not in self._origins and not constructions(self._code, client) for client in self._clients(site))

    def _clients(self, site: JudgedSite) -> list[Value]:
        return self._code.waiting.deciding(self._code.clients(site), self._code.record(site).filename)

    def _unregistered(self, client: Value) -> Iterator[SolvedCall]:
        for made in constructions(self._code, client):
            if made.target not in self._before and made.target not in self._origins:
                yield made

    def changes(self, made: SolvedCall) -> list[Change] | None:
        """What registers the client that a call constructs; None where there is no way to."""
        tree = self._code.tree(made.filename)
        node = tree.at(made.fact.place, ast.Call)
        if node is None or _rebound(tree):
            return None
        alike = self._code.solver.call_of.get(made.target, ())
        if any(call.fact.text.startswith(_HANDED) and not call.partials for call in alike):
            return _of_class(tree, node)
        return _named(tree, node) or _returned(tree, node) or _through_function(tree, node)


def _named(tree: Tree, node: ast.Call) -> list[Change]:
    """By the statement behind the assignment, where the client is assigned as it is."""
    value = _value(tree, node)
    statement = tree.parent(value)
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign) and statement.value is value:
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is value:
        targets = [statement.target]
    name = next((target for target in targets if _is_path(target)), None)
    if name is None or not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return []
    text, imports = _registering(tree, node, tree.text(name))
    return [Insert(place_of(statement), text, after=True), *imports]


def _returned(tree: Tree, node: ast.Call) -> list[Change]:
    """By a name that it gets before it is returned."""
    value = _value(tree, node)
    statement, function = tree.parent(value), tree.function(node)
    if not isinstance(statement, ast.Return) or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    text = _dedented(tree, value, statement.col_offset)
    if text is None:
        return []
    name = _free(function)
    registration, imports = _registering(tree, node, name)
    return [
        Insert(place_of(statement), f"{name} = {text}\n{registration}", after=False),
        Replace(place_of(value), name),
        *imports,
    ]


def _through_function(tree: Tree, node: ast.Call) -> list[Change]:
    """By a function that registers the client it is given, and gives it back."""
    return [Surround(place_of(node), f"{_FUNCTION}(", ")"), *_function(tree, node)]


def _of_class(tree: Tree, node: ast.Call) -> list[Change] | None:
    """`field(default_factory=MemoryClient)`, `Depends(MemoryClient)`: the class itself is handed on."""
    handed = [keyword.value for keyword in node.keywords if keyword.arg in ("default_factory", "factory")] or node.args[:1]
    if len(handed) != 1 or not isinstance(handed[0], (ast.Name, ast.Attribute)):
        return None
    made = f"lambda: {_FUNCTION}({tree.text(handed[0])}())"
    return [Replace(place_of(handed[0]), made), *_function(tree, handed[0])]


def _function(tree: Tree, anchor: ast.expr) -> list[Change]:
    """The function, before the statement of the module that needs it first. It imports by itself where mem0 is imported late."""
    if any(isinstance(item, ast.FunctionDef) and item.name == _FUNCTION for item in tree.source.tree.body):
        return []
    text, imports = _registering(tree, anchor, _NAME)
    at_top = {place_of(item) for item in tree.source.tree.body}
    body = f"    {text}\n    return {_NAME}"
    if any(item.place not in at_top for item in imports):
        imports = ()
        body = f"    import os\n\n    import {MODULE}\n\n    {EXAMPLE}\n    return {_NAME}"
    first = next(item for item in tree.source.tree.body if not _is_head(item))
    return [Insert(place_of(first), f"\ndef {_FUNCTION}({_NAME}):\n{body}\n\n", after=False), *imports]


def _registering(tree: Tree, node: ast.expr, client: str) -> tuple[str, tuple[Insert, ...]]:
    """The statement that registers the webhook for a client, at the place of a node, and the imports that it needs."""
    ensure, environ = reaching(tree, node, MODULE, "ensure_webhook"), reaching(tree, node, "os", "environ")
    return f'{ensure.text}({client}, url={environ.text}["{URL}"])', (*environ.inserts, *ensure.inserts)


def _is_head(statement: ast.stmt) -> bool:
    """Whether a statement is one that modules begin with: a docstring, or imports, also guarded ones."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, (ast.If, ast.Try)) and any(
        isinstance(item, (ast.Import, ast.ImportFrom)) for item in statement.body
    )


def reaching(tree: Tree, node: ast.expr, module: str, function: str) -> Access:
    """How the code at a node names a function of a module, also of one whose dotted name an import statement holds."""
    return access(tree, node, module, function) if importing(tree, node, module) else Access(f"{module}.{function}", ())


def _value(tree: Tree, node: ast.Call) -> ast.expr:
    """The outermost expression around a construction that is the client itself."""
    value: ast.expr = node
    while isinstance(parent := tree.parent(value), ast.Call) and value in parent.args:
        name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
        if name not in _TRANSPARENT:
            break
        value = parent
    return value


def _is_path(node: ast.expr) -> bool:
    """Whether an expression can be written a second time: names, attributes, and subscripts of them by names or literals."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Subscript) and not (isinstance(node.slice, ast.Constant) or _is_path(node.slice)):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _free(function: ast.AST) -> str:
    """A name for the client that a function does not use."""
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    used |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    used |= {name for node in ast.walk(function) if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    return next(name for name in (_NAME, *(f"{_NAME}_{number}" for number in range(2, len(used) + 3))) if name not in used)


def _dedented(tree: Tree, node: ast.expr, indent: int) -> str | None:
    """The text of an expression as it would stand in a block that is not indented; None where strings go over lines."""
    strings = (item for item in ast.walk(node) if isinstance(item, (ast.Constant, ast.JoinedStr)))
    if any(item.lineno != item.end_lineno for item in strings):
        return None
    first, *rest = tree.text(node).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join([first, *(line[min(indent, len(line) - len(line.lstrip())) :] for line in rest)])


def _rebound(tree: Tree) -> bool:
    """Whether a file means something else by the name of the package that registering needs."""
    package = MODULE.partition(".")[0]
    return any(
        (isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load) and item.id == package)
        or (isinstance(item, ast.arg) and item.arg == package)
        for item in ast.walk(tree.source.tree)
    )
