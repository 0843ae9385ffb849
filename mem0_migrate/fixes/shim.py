"""The strategy `shim`: `MemoryClient(…)` becomes `mem0_shim.wrap(MemoryClient(…), policy="wait")` where it is constructed.

Right in every era and for every receiver, since the wrapped client is the same object, and only hosted clients are wrapped.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Replace, Surround
from mem0_migrate.fixes.imports import importing
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code
    from mem0_migrate.model import Declaration
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.values import Value
    from mem0_migrate.usage.judgement import JudgedSite

MODULE = "mem0_shim"
BEFORE, AFTER = f"{MODULE}.wrap(", ', policy="wait")'
_HANDED = "handed "


def propose(site: JudgedSite, code: Code, declared: Callable[[str], Declaration], why: str) -> Repair | Unsuitable:
    """Wrap every hosted client that can receive the `add` of a site; `why` says why nothing simpler would do."""
    changes: dict[str, list[Change]] = {}
    clients = code.unwaiting(site)
    for client in clients:
        calls = _constructions(code, client)
        if not calls:
            return Unsuitable(_not_constructed(code, client))
        for call in calls:
            change = _wrapping(code, call)
            if change is None:
                return Unsuitable(f"the client is made in a way that cannot be wrapped there ({_where(call)})")
            changes.setdefault(call.filename, []).append(change)
            node = code.tree(call.filename).at(call.fact.place, ast.Call)
            if node is not None:
                changes[call.filename] += importing(code.tree(call.filename), node, MODULE)
    if not changes:
        return Unsuitable("no construction of the client is seen")
    places = sorted({_where(call) for client in clients for call in _constructions(code, client)})
    message = f"Wrap the client where it is constructed ({', '.join(places)}): its add() waits for the memories again{why}"
    return Repair(
        "shim",
        "unsafe" if site.site.confidence == "possible" else "safe",
        message,
        {filename: tuple(dict.fromkeys(group)) for filename, group in changes.items()},
        shims={filename: declared(filename) for filename in changes},
    )


def _constructions(code: Code, client: Value) -> list[SolvedCall]:
    """The calls that construct a client; of a subclass of the code base, all that do."""
    solver = code.solver
    made = [call for call in solver.call_of.get(client[2], ()) if solver.labels.get(client[2], ("",))[0] == "construct"]
    if made:
        return made[:1]
    for filename, joined in solver.files.items():
        for index, defined in enumerate(joined.summary.classes):
            if defined.value + joined.base == client[2]:
                return [call for call in solver.constructions(filename, index) if call.filename in code.tracked.sources]
    return []


def _wrapping(code: Code, call: SolvedCall) -> Change | None:
    """How the client that a call makes is wrapped."""
    if not call.fact.text.startswith(_HANDED) or call.partials:
        return Surround(call.fact.place, BEFORE, AFTER)
    # the class itself is handed to the call: Depends(MemoryClient), field(default_factory=MemoryClient)
    tree = code.tree(call.filename)
    node = tree.at(call.fact.place, ast.Call)
    if node is None:
        return None
    handed = [keyword.value for keyword in node.keywords if keyword.arg in ("default_factory", "factory")] or node.args[:1]
    if len(handed) != 1 or not isinstance(handed[0], (ast.Name, ast.Attribute)):
        return None
    return Replace(place_of(handed[0]), f"lambda: {BEFORE}{tree.text(handed[0])}(){AFTER}")


def _not_constructed(code: Code, client: Value) -> str:
    place = code.solver.places.get(client[2])
    where = f" (it is declared at {place[0]}:{place[1][0]})" if place else ""
    return f"the client is constructed outside this code base{where}: wrap it there"


def _where(call: SolvedCall) -> str:
    return f"{call.filename}:{call.fact.place[0]}"
