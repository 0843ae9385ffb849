"""What reads a scope after something was added to it, in the same flow: before the memories can exist."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface

if TYPE_CHECKING:
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.summary import Arm
    from mem0_migrate.tracking.values import Value

_DEPTH = 3  # calls between the common scope and the `add`, and the read, in all: what a reader can see through
_QUESTIONS = frozenset(["input", "getpass", "prompt", "confirm", "chat_input", "text_input", "button"])
_NEAR_READS = frozenset(["get", "history"])


@dataclass(frozen=True, slots=True)
class StaleRead:
    """A read that can run right after a site: the call that reads, by number, its method, and the calls of the flow it lies in.

    `through` holds the two calls of the common scope when the `add` or the read lies in a function that the scope calls.
    """

    site: int
    read: int
    method: str
    through: tuple[int, int]
    distance: int
    sleep: int | None


@dataclass(frozen=True, slots=True)
class _Effect:
    kind: str  # add or read
    number: int  # site or call
    clients: frozenset[Value]
    entities: tuple[tuple[str, object], ...]
    depth: int
    method: str = ""
    sleep: int | None = None


def stale_reads(solver: Solver) -> dict[int, StaleRead]:
    """The nearest stale read of each site, by site number."""
    return _Flow(solver).run()


class _Flow:
    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self.scopes: dict[tuple[str, int], list[SolvedCall]] = defaultdict(list)
        for call in solver.calls:
            if call.fact.scope >= 0:
                self.scopes[call.filename, call.fact.scope].append(call)
        self.scope_of: dict[tuple[str, int], int] = {
            (filename, index): scope
            for filename, joined in solver.files.items()
            for scope, index in joined.summary.scope_functions.items()
        }
        self.direct: dict[int, list[_Effect]] = defaultdict(list)
        for site in solver.site_list:
            hosted = frozenset(item for item in site.clients if surface.is_hosted(item[1]))
            for number in site.calls if hosted else ():
                self.direct[number].append(_Effect("add", site.number, hosted, _entities(solver.calls[number]), 0))
        for number, clients in solver.reads.items():
            hosted = frozenset(item for item in clients if surface.is_hosted(item[1]))
            method = next(iter(clients.values()))
            if hosted and method in surface.SCOPE_READS | _NEAR_READS:
                self.direct[number].append(_Effect("read", number, hosted, _entities(solver.calls[number]), 0, method))
        self._known: dict[tuple[str, int], tuple[_Effect, ...]] = {}

    def run(self) -> dict[int, StaleRead]:
        """Look at every scope for an `add` before a read."""
        found: dict[int, StaleRead] = {}
        for (filename, _), calls in sorted(self.scopes.items()):
            leaving = self.solver.files[filename].summary.leaving
            effects = [
                (call, effect)
                for call in sorted(calls, key=lambda call: call.fact.order)
                for effect in self._effects(call, _DEPTH)
            ]
            adds = [(call, effect) for call, effect in effects if effect.kind == "add"]
            reads = [(call, effect) for call, effect in effects if effect.kind == "read"]
            for first, add in adds:
                for second, read in reads:
                    stale = self._pair(calls, first, add, second, read, leaving)
                    if stale is not None:
                        known = found.get(add.number)
                        if known is None or stale.distance < known.distance:
                            found[add.number] = stale
        return found

    def _pair(
        self, calls: list[SolvedCall], first: SolvedCall, add: _Effect, second: SolvedCall, read: _Effect, leaving: set[Arm]
    ) -> StaleRead | None:
        if first.fact.order >= second.fact.order or not add.clients & read.clients or _differ(add.entities, read.entities):
            return None
        if add.depth + read.depth > (0 if read.method in _NEAR_READS else _DEPTH):
            return None
        if not _can_follow(first.fact.arms, second.fact.arms, leaving):
            return None
        if self._polls(calls, first, second):
            return None
        between = [call for call in calls if first.fact.order < call.fact.order < second.fact.order]
        if any(self._asks(call, _DEPTH) for call in between):
            return None
        sleeps = [call.number for call in between if call.fact.text.rpartition(".")[2] == "sleep"]
        distance = (add.depth + read.depth) * 1000 + second.fact.order - first.fact.order
        sleep = sleeps[0] if sleeps else add.sleep
        return StaleRead(add.number, read.number, read.method, (first.number, second.number), distance, sleep)

    def _asks(self, call: SolvedCall, depth: int) -> bool:
        """Whether a call waits for a person."""
        if call.fact.text.rpartition(".")[2] in _QUESTIONS:
            return True
        scopes = [(function[0], self.scope_of.get(function, -1)) for function in call.functions] if depth else []
        return any(self._asks(inner, depth - 1) for scope in scopes for inner in self.scopes.get(scope, ()))

    def _polls(self, calls: list[SolvedCall], first: SolvedCall, second: SolvedCall) -> bool:
        """Whether the read is repeated in a loop with a sleep: code that waits until the memories are there."""
        loops = self.solver.files[second.filename].summary.loops
        around = {branch for branch, _ in second.fact.arms if branch in loops} - {branch for branch, _ in first.fact.arms}
        return any(
            call.fact.text.rpartition(".")[2] == "sleep" and around & {branch for branch, _ in call.fact.arms} for call in calls
        )

    def _effects(self, call: SolvedCall, depth: int) -> list[_Effect]:
        found = list(self.direct.get(call.number, ()))
        if depth:
            for function in sorted(call.functions):
                found += [replace(effect, depth=effect.depth + 1) for effect in self._function(function, depth - 1)]
        return found

    def _function(self, function: tuple[str, int], depth: int) -> tuple[_Effect, ...]:
        scope = self.scope_of.get(function)
        if scope is None:
            return ()
        key = (function[0], scope * 10 + depth)
        known = self._known.get(key)
        if known is None:
            self._known[key] = ()
            best: dict[tuple[str, int], _Effect] = {}
            calls = self.scopes.get((function[0], scope), [])
            sleeps = [call for call in calls if call.fact.text.rpartition(".")[2] == "sleep"]
            for call in calls:
                after = next((other.number for other in sleeps if other.fact.order > call.fact.order), None)
                for inner in self._effects(call, depth):
                    effect = replace(inner, sleep=inner.sleep or after) if inner.kind == "add" else inner
                    place = (effect.kind, effect.number)
                    if place not in best or effect.depth < best[place].depth:
                        best[place] = effect
            known = self._known[key] = tuple(best.values())
        return known


def _entities(call: SolvedCall) -> tuple[tuple[str, object], ...]:
    """The scope that the call names by literals."""
    constants = call.fact.keyword_constants
    return tuple((name, constants[name]) for name in surface.ENTITIES if name in constants)


def _differ(first: tuple[tuple[str, object], ...], second: tuple[tuple[str, object], ...]) -> bool:
    known = dict(first)
    return any(name in known and known[name] != value for name, value in second)


def _can_follow(first: tuple[Arm, ...], second: tuple[Arm, ...], leaving: set[Arm]) -> bool:
    """Whether what lies in the arms `second` can run after what lies in the arms `first`."""
    arms = dict(second)
    for branch, number in first:
        if branch in arms:
            if arms[branch] != number:
                return False
        elif (branch, number) in leaving:
            return False
    return True
