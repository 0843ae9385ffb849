"""What tests put in place of mem0: a client whose class or `add` is a mock sends nothing, and is no client."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking.recorder import dotted

if TYPE_CHECKING:
    from mem0_migrate.tracking.solver import Solver

_MOCKS = frozenset(["MagicMock", "Mock", "AsyncMock", "NonCallableMock", "NonCallableMagicMock", "create_autospec"])
_PATCHES = frozenset(["patch", "object", "setattr"])  # patch(…), patch.object(…), monkeypatch.setattr(…)
_PATCHERS = frozenset(["patch", "mocker", "monkeypatch", "mock"])


def is_mock(node: ast.expr) -> bool:
    """Whether an expression makes a mock: `MagicMock(return_value=…)`."""
    return isinstance(node, ast.Call) and (dotted(node.func) or "").rpartition(".")[2] in _MOCKS


def replaced(node: ast.expr) -> tuple[str, ast.expr | None] | None:
    """What a call of `patch`, `mocker.patch.object`, `monkeypatch.setattr` … replaces: the name, and the object that has it.

    The object is None where the call names it in a string (`patch("mem0.MemoryClient")`). None for any other expression.
    """
    if not isinstance(node, ast.Call) or not node.args:
        return None
    path = (dotted(node.func) or "").split(".")
    if path[-1] not in _PATCHES or not _PATCHERS.intersection(path):
        return None
    first, *others = node.args
    if isinstance(first, ast.Constant):
        return (first.value.rpartition(".")[2], None) if isinstance(first.value, str) else None
    if others and isinstance(others[0], ast.Constant) and isinstance(others[0].value, str):
        return others[0].value, first
    return None


def replaces_class(node: ast.expr) -> bool:
    """Whether a call replaces a client class of mem0ai."""
    found = replaced(node)
    return found is not None and found[0] in surface.KINDS


def leave_out(solver: Solver) -> None:
    """Take from the sites the clients that are constructed in the file that makes them mocks; `mocked` where none is left."""
    origins = set()
    for filename, joined in solver.files.items():
        for node in joined.summary.mocks:
            held = {value[2] for value, _ in solver.values.get(node + joined.base, ()) if value[0] == "client"}
            origins |= {origin for origin in held if solver.places.get(origin, ("",))[0] == filename}
    for site in solver.site_list if origins else ():
        real = {client: context for client, context in site.clients.items() if client[2] not in origins}
        site.mocked = bool(site.clients) and not real
        site.clients = real or site.clients
