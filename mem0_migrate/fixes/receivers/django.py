"""Django: a view in a file of its own beside the root URLconf, and a line in that."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert
from mem0_migrate.fixes.receivers.mounting import PREFIX, TOKEN, Application, Receiver
from mem0_migrate.fixes.registration import reaching
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.code import Tree
    from mem0_migrate.fixes.receivers.mounting import Files

WORDS = (b"ROOT_URLCONF",)
_NAME = "mem0_webhook"
_PATTERNS = "urlpatterns"

_VIEW = f'''"""Lets mem0's deliveries in: the token, {TOKEN} of the environment, is the last segment of the path."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from mem0_shim.webhook import Receiver

receiver = Receiver()


@csrf_exempt
def deliver(request: HttpRequest, token: str) -> HttpResponse:
    """Take what mem0 delivers; it wakes whoever waits for an add in this process."""
    status = receiver.admit(request.method, request.path, request.headers.get("Content-Length"))
    headers = {{name.lower(): value for name, value in request.headers.items()}}
    return HttpResponse(status=status or receiver.receive(request.body, headers))


route = path("{PREFIX.lstrip("/")}/<str:token>", deliver)
'''


def applications(filename: str, files: Files) -> Iterator[Application]:
    """The application that a file of settings names the root URLconf of."""
    settings = files.tree(filename)
    root = _root(settings) if settings is not None else None
    if root is None:
        return
    path = f"{root.replace('.', '/')}.py"
    named = [name for name in files.names if name == path or name.endswith(f"/{path}")]
    tree = files.tree(named[0]) if len(named) == 1 else None
    last = _last(tree) if tree is not None else None
    if tree is None or last is None:
        return
    folder = named[0].rpartition("/")[0]
    module = f"{root.rpartition('.')[0]}.{_NAME}".lstrip(".")
    route = reaching(tree, last.value, module, "route")
    changes = (Insert(place_of(last), f"{_PATTERNS}.insert(0, {route.text})", after=True), *route.inserts)
    advice = f"Let POST {PREFIX}/… through to Django ({named[0]}), past proxies and middleware that asks for a login"
    creates = {f"{folder}/{_NAME}.py".lstrip("/"): _VIEW}
    yield Application(named[0], last.lineno, Receiver({named[0]: changes}, creates, (advice,)))


def _root(tree: Tree) -> str | None:
    """The module that `ROOT_URLCONF` names."""
    for item in tree.source.tree.body:
        if isinstance(item, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "ROOT_URLCONF" for target in item.targets
        ):
            return item.value.value if isinstance(item.value, ast.Constant) and isinstance(item.value.value, str) else None
    return None


def _last(tree: Tree) -> ast.Assign | ast.AugAssign | None:
    """The last statement that makes the list of patterns, or adds to it; None where it is no list at first."""
    found: list[ast.Assign | ast.AugAssign] = []
    for item in tree.source.tree.body:
        if isinstance(item, (ast.Assign, ast.AugAssign)):
            targets = item.targets if isinstance(item, ast.Assign) else [item.target]
            if any(isinstance(target, ast.Name) and target.id == _PATTERNS for target in targets):
                found.append(item)
    return found[-1] if found and isinstance(found[0], ast.Assign) and isinstance(found[0].value, ast.List) else None
