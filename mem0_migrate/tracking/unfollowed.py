"""Clients that get lost: given to code or to an object that cannot be seen, and nothing is seen to be called on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking.frameworks import is_looked_at

if TYPE_CHECKING:
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.summary import Place

_SEEN = frozenset(["instance", "class", "container", "module", "function"])  # what keeps things where they are found again


def unfollowed(solver: Solver) -> list[tuple[str, Place]]:
    """Where hosted clients are constructed that are lost: file and place, in order."""
    used, lost = set(), set()
    for node, held in list(solver.values.items()):
        origins = {value[2] for value, _ in held if value[0] == "client" and surface.is_hosted(value[1])}
        if not origins:
            continue
        if any(key[0] == "." for key, _ in solver.loads.get(node, ())) or _given_to_add(solver, node):
            used |= origins
        elif _leaves(solver, node):
            lost |= origins
    made = {node for node, label in solver.labels.items() if label[0] == "construct"}
    return sorted(solver.places[node] for node in made & lost - used)


def _given_to_add(solver: Solver, node: int) -> bool:
    """Whether it is the first argument of `MemoryClient.add`."""
    return any(
        value[0] == "method" for call in solver.by_argument.get(node, ()) for value, _ in solver.values.get(call.callee, ())
    )


def _leaves(solver: Solver, node: int) -> bool:
    handed = any(
        not call.followed and call.fact.scope != -1 and not is_looked_at(call) for call in solver.by_argument.get(node, ())
    )
    return handed or any(
        not any(value[0] in _SEEN for value, _ in solver.values.get(base, ())) and base not in solver.dormant
        for base, _, _ in solver.stored.get(node, ())
    )
