"""An `add` by HTTP gets `"async_mode": False` in the JSON that it sends, where the endpoint honours it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import SetKey
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.tracking.http import SPELLINGS
from mem0_migrate.usage.modes import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Collection

    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.model import Applicability
    from mem0_migrate.usage.judgement import JudgedSite

_TEXT = frozenset(["dumps", "dump"])  # what makes text of a body
_ADDING = re.compile(r"/memories/?$")


def propose(site: JudgedSite, code: Code) -> Repair | Unsuitable:
    """The key in the dictionary that is sent, or why it is not right."""
    record = code.record(site)
    tree = code.tree(record.filename)
    if "/v3/" in record.url:
        return Unsuitable("`/v3/memories/add/` has no `async_mode`: keep `event_id`, and wait for `GET /v1/event/<event_id>/`")
    if site.site.async_mode not in ("absent", "none"):
        return Unsuitable("what is sent is not all known here: it may hold `async_mode` already")
    summary = code.solver.files[record.filename].summary
    body = next((added.body for added in summary.http_adds if summary.calls[added.call].place == record.place), None)
    display = tree.at(body, ast.Dict) if body is not None else None
    if body is None or display is None:
        return Unsuitable('the body is put together elsewhere: send `"async_mode": false` in it')
    sending = {summary.calls[added.call].place for added in summary.http_adds}
    calls = [call for place in sending if (call := tree.at(place, ast.Call)) is not None]
    if _is_shared(tree, display, calls):
        return Unsuitable('the body is used for something else too: send `"async_mode": false` in a copy of it')
    applicability: Applicability = "safe" if site.site.confidence == "certain" else "unsafe"
    message = 'Send `"async_mode": False`: the answer holds the memories again'
    return Repair("body", applicability, message, {record.filename: (SetKey(body, KEYWORD, "False"),)})


def _is_shared(tree: Tree, display: ast.Dict, sending: Collection[ast.Call]) -> bool:
    """Whether the dictionary has a name under which something else than a request gets it."""
    statement = tree.statement(display)
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is not display:
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if len(targets) > 1 or not isinstance(targets[0], ast.Name):
        return True
    name, scope = targets[0].id, tree.function(display) or tree.source.tree
    loads = [
        node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    ]
    return not all(_is_filled(tree, node) or _is_sent(tree, node, sending) for node in loads)


def _is_filled(tree: Tree, node: ast.Name) -> bool:
    """Whether a dictionary only gets another item: `body["user_id"] = user`."""
    parent = tree.parent(node)
    return isinstance(parent, ast.Subscript) and parent.value is node and isinstance(parent.ctx, ast.Store)


def _is_sent(tree: Tree, node: ast.Name, sending: Collection[ast.Call]) -> bool:
    around = [item for item in tree.around(node) if isinstance(item, ast.Call)]
    names = [getattr(call.func, "attr", getattr(call.func, "id", "")) for call in around]
    return any(call in sending or _adds(call) for call in around) or not _TEXT.isdisjoint(names)


def _adds(call: ast.Call) -> bool:
    """Whether a call is the request that a function makes for those who call it: a POST to where memories are added."""
    sends = getattr(call.func, "attr", getattr(call.func, "id", "")).lstrip("_") in SPELLINGS
    addresses = [item.value for item in ast.walk(call) if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return sends and any(map(_ADDING.search, addresses))
