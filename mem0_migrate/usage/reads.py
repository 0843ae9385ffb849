"""What reads a scope after something was added to it, in the same flow: before the memories can exist."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface

if TYPE_CHECKING:
    from collections.abc import Sequence

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
            method = min(clients.values())
            if hosted and method in surface.SCOPE_READS | _NEAR_READS:
                self.direct[number].append(_Effect("read", number, hosted, _entities(solver.calls[number]), 0, method))
        self._known: dict[tuple[str, int], tuple[_Effect, ...]] = {}
        self._asking: dict[tuple[tuple[str, int], int], bool] = {}

    def run(self) -> dict[int, StaleRead]:
        """Look at every scope for an `add` before a read."""
        found: dict[int, StaleRead] = {}
        for (filename, _), calls in sorted(self.scopes.items()):
            calls.sort(key=lambda call: call.fact.order)
            effects = [(call, effect) for call in calls for effect in self._effects(call, _DEPTH)]
            adds = [(call, effect) for call, effect in effects if effect.kind == "add"]
            reads = [(call, effect) for call, effect in effects if effect.kind == "read"]
            if adds and reads:
                between = _Between(
                    leaving=self.solver.files[filename].summary.leaving,
                    loops=self.solver.files[filename].summary.loops,
                    sleeps=[call for call in calls if _tail(call) == "sleep"],
                    questions=[call.fact.order for call in calls if self._asks(call, _DEPTH)],
                )
                orders = [call.fact.order for call, _ in reads]
                for first, add in adds:
                    later = reads[bisect_right(orders, first.fact.order) :]
                    stale = between.nearest(first, add, later, found.get(add.number))
                    if stale is not None:
                        found[add.number] = stale
        return found

    def _asks(self, call: SolvedCall, depth: int) -> bool:
        """Whether a call waits for a person."""
        if _tail(call) in _QUESTIONS:
            return True
        scopes = [(function[0], self.scope_of.get(function, -1)) for function in call.functions] if depth else []
        return any(self._scope_asks(scope, depth - 1) for scope in scopes)

    def _scope_asks(self, scope: tuple[str, int], depth: int) -> bool:
        known = self._asking.get((scope, depth))
        if known is None:
            known = self._asking[scope, depth] = any(self._asks(inner, depth) for inner in self.scopes.get(scope, ()))
        return known

    def _effects(self, call: SolvedCall, depth: int) -> list[_Effect]:
        found = list(self.direct.get(call.number, ()))
        if depth:
            for function in sorted(call.functions):
                step = 0 if self._is_inside(function, call) else 1
                found += [replace(effect, depth=effect.depth + step) for effect in self._function(function, depth - step)]
        return found

    def _is_inside(self, function: tuple[str, int], call: SolvedCall) -> bool:
        """Whether a function is written in the one that calls it, as a lambda given to an executor: one sees both at once."""
        summary = self.solver.files[function[0]].summary
        outer = summary.functions[function[1]].outer
        return outer is not None and call.filename == function[0] and summary.scope_functions.get(call.fact.scope) == outer

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
            sleeps = [call for call in calls if _tail(call) == "sleep"]
            for call in calls:
                after = next((other.number for other in sleeps if other.fact.order > call.fact.order), None)
                for inner in self._effects(call, depth):
                    effect = replace(inner, sleep=inner.sleep or after) if inner.kind == "add" else inner
                    place = (effect.kind, effect.number)
                    if place not in best or effect.depth < best[place].depth:
                        best[place] = effect
            known = self._known[key] = tuple(best.values())
        return known


class _Between:
    """What lies between the calls of one scope, to tell which read comes next after an `add`."""

    def __init__(self, *, leaving: set[Arm], loops: set[int], sleeps: list[SolvedCall], questions: list[int]) -> None:
        self.leaving = leaving
        self.sleeps = sleeps
        self.asleep = [call.fact.order for call in sleeps]
        self.questions = questions
        self.polling = {branch for call in sleeps for branch, _ in call.fact.arms if branch in loops}

    def nearest(
        self, first: SolvedCall, add: _Effect, reads: Sequence[tuple[SolvedCall, _Effect]], best: StaleRead | None
    ) -> StaleRead | None:
        """The nearest of the reads behind `first` (in order) that can see too little, if it is nearer than `best`."""
        begin = first.fact.order
        asked = bisect_right(self.questions, begin)
        end = self.questions[asked] if asked < len(self.questions) else None
        slept = bisect_right(self.asleep, begin)
        waited: list[tuple[Arm, ...]] = []
        for second, read in reads:
            order = second.fact.order
            if (end is not None and order > end) or (best is not None and order - begin >= best.distance):
                break
            if self._waits(first, add, second, read):
                waited.append(second.fact.arms)
            if any(_can_follow(arms, second.fact.arms, self.leaving) for arms in waited):
                continue  # it finds the memories, as the read did that waited for them
            distance = (add.depth + read.depth) * 1000 + order - begin
            if (best is None or distance < best.distance) and self._sees_too_little(first, add, second, read):
                between = (call for call in self.sleeps[slept:] if call.fact.order < order)
                on_the_way = (call.number for call in between if _can_follow(call.fact.arms, second.fact.arms, self.leaving))
                sleep = next(on_the_way, add.sleep)
                best = StaleRead(add.number, read.number, read.method, (first.number, second.number), distance, sleep)
        return best

    def _waits(self, first: SolvedCall, add: _Effect, second: SolvedCall, read: _Effect) -> bool:
        """Whether a read is repeated in a loop with a sleep, until the memories are there."""
        repeated = {branch for branch, _ in second.fact.arms} & self.polling - {branch for branch, _ in first.fact.arms}
        same = bool(add.clients & read.clients) and not _differ(add.entities, read.entities)
        return bool(repeated) and same and _can_follow(first.fact.arms, second.fact.arms, self.leaving)

    def _sees_too_little(self, first: SolvedCall, add: _Effect, second: SolvedCall, read: _Effect) -> bool:
        if not add.clients & read.clients or _differ(add.entities, read.entities):
            return False
        if add.depth + read.depth > (0 if read.method in _NEAR_READS else _DEPTH):
            return False
        return _can_follow(first.fact.arms, second.fact.arms, self.leaving)


def _tail(call: SolvedCall) -> str:
    return call.fact.text.rpartition(".")[2]


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
