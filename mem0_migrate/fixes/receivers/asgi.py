"""FastAPI and Starlette: `app.mount("/mem0-webhook", mem0_shim.webhook.asgi_app())` behind `app = FastAPI(…)`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert
from mem0_migrate.fixes.receivers.mounting import MODULE, PREFIX, Application, Receiver, constructed
from mem0_migrate.fixes.registration import reaching
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.receivers.mounting import Files

WORDS = (b"FastAPI", b"Starlette")
_CLASSES = frozenset(["fastapi.FastAPI", "fastapi.applications.FastAPI", "starlette.applications.Starlette"])


def applications(filename: str, files: Files) -> Iterator[Application]:
    """The applications that a file constructs, without those that it mounts in others."""
    tree = files.tree(filename)
    if tree is None:
        return
    mounted = {
        ast.unparse(argument)
        for node in ast.walk(tree.source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "mount"
        for argument in (*node.args[1:], *(keyword.value for keyword in node.keywords))
    }
    for call, statement, name in constructed(tree, _CLASSES):
        if name in mounted:
            continue
        app = reaching(tree, call, MODULE, "asgi_app")
        imports = app.inserts
        if any(keyword.arg == "routes" for keyword in call.keywords):  # before them: one may take every path
            mount = reaching(tree, call, "starlette.routing", "Mount")
            text = f'{name}.routes.insert(0, {mount.text}("{PREFIX}", {app.text}()))'
            imports += mount.inserts
        else:
            text = f'{name}.mount("{PREFIX}", {app.text}())'
        changes = (Insert(place_of(statement), text, after=True), *imports)
        advice = f"Let POST {PREFIX}/… through to `{name}` ({filename}), past proxies, middleware and authentication"
        yield Application(filename, call.lineno, Receiver({filename: changes}, by_hand=(advice,)))
