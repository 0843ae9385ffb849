"""Flask: the dispatcher of Werkzeug, which Flask brings, hands deliveries to `mem0_shim.webhook.wsgi_app()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert
from mem0_migrate.fixes.receivers.mounting import MODULE, PREFIX, Application, Receiver, constructed
from mem0_migrate.fixes.registration import reaching
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.receivers.mounting import Files

WORDS = (b"Flask",)
_CLASSES = frozenset(["flask.Flask", "flask.app.Flask"])


def applications(filename: str, files: Files) -> Iterator[Application]:
    """The applications that a file constructs."""
    tree = files.tree(filename)
    if tree is None:
        return
    for call, statement, name in constructed(tree, _CLASSES):
        app = reaching(tree, call, MODULE, "wsgi_app")
        dispatcher = reaching(tree, call, "werkzeug.middleware.dispatcher", "DispatcherMiddleware")
        mount = f'{{"{PREFIX}": {app.text}()}}'
        text = f"{name}.wsgi_app = {dispatcher.text}(\n    {name}.wsgi_app, {mount}\n)"
        changes = (Insert(place_of(statement), text, after=True), *app.inserts, *dispatcher.inserts)
        advice = f"Let POST {PREFIX}/… through to `{name}` ({filename}), past proxies"
        yield Application(filename, call.lineno, Receiver({filename: changes}, by_hand=(advice,)))
