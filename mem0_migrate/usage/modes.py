"""Which `async_mode` an `add` is called with: by keyword, or inside a mapping that is spread into the call."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking.summary import NOTHING, Guard, ParameterDefault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.model import AsyncMode
    from mem0_migrate.tracking.records import SiteRecord, SolvedCall
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.summary import ModeWrite
    from mem0_migrate.tracking.values import Value

KEYWORD = "async_mode"
_LITERALS: dict[object, AsyncMode] = {False: "false", True: "true", None: "none"}
_NESTED = 60  # mappings spread into one another; beyond that nothing is decided
_STEPS = 1_000  # mappings looked at for one site: `{**a, **a}` doubles them at each step
_FIELD_DUMPS = frozenset(["model_dump", "dict", "asdict", "to_dict"])
_COPIES = frozenset(["copy", "deepcopy", "dict", "OrderedDict"])
_ADD_KEYWORDS = frozenset(
    [
        "messages",
        "data",
        "user_id",
        "agent_id",
        "app_id",
        "run_id",
        "metadata",
        "filters",
        "prompt",
        "infer",
        "options",
        "timestamp",
        "output_format",
        "version",
        "includes",
        "excludes",
        "immutable",
        "enable_graph",
        "expiration_date",
        "session_id",
    ]
)


class ModeReader:
    """Reads the mode of sites; keeps what it learnt about containers."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self._containers = solver.dormant | solver.awake
        self._behind: dict[int, frozenset[int]] = {}
        self._open: set[int] | None = None
        self._guards: list[set[Guard]] = []
        self._conditional = False
        self._steps = _STEPS

    def of(self, site: SiteRecord, clients: Sequence[Value]) -> tuple[AsyncMode, bool]:
        """The `async_mode` of a site, and whether it is only there for the hosted ones of these clients.

        "mapping" where an open mapping decides.
        """
        hosted = [client for client in clients if surface.is_hosted(client[1])]
        self._guards = [self._origin_guards(client) for client in hosted]
        self._conditional = False
        self._steps = _STEPS
        mode = self._site(site)
        return mode, self._conditional

    def _origin_guards(self, client: Value) -> set[Guard]:
        """What is known to hold where a client is constructed, and what its class is."""
        return {guard for call in self.solver.call_of.get(client[2], ()) for guard in call.fact.guards} | {
            Guard("class", name, holds=True) for name, kind in surface.KINDS.items() if kind == client[1]
        }

    def _site(self, site: SiteRecord) -> AsyncMode:
        modes: set[AsyncMode] = {self._call(self.solver.calls[number], context) for number, (_, context) in site.calls.items()}
        if len(modes) == 1:
            return modes.pop()
        return "mapping" if modes else "absent"

    def misspelt(self, site: SiteRecord) -> str | None:
        """A keyword that looks like a misspelt `async_mode`."""
        for number in site.calls:
            for name, _ in self.solver.calls[number].keywords:
                if (
                    name
                    and name != KEYWORD
                    and name not in _ADD_KEYWORDS
                    and (
                        difflib.SequenceMatcher(None, name.lower().replace("_", ""), "asyncmode").ratio() > 0.8  # noqa: PLR2004 (one or two letters off)
                    )
                ):
                    return name
        return None

    def options(self, site: SiteRecord) -> tuple[SolvedCall, ...]:
        """The calls that put `async_mode` into `AddMemoryOptions`, which has no such field (mem0ai 2.0.0 to 2.2.1)."""
        found: dict[int, SolvedCall] = {}
        for number, (skip, _) in site.calls.items():
            call = self.solver.calls[number]
            given = [node for name, node in call.keywords if name == "options"]
            given += [node for node, _ in call.arguments[skip + 1 : skip + 2]]
            for node in given:
                for made in (made for reached in self.solver.behind(node) for made in self.solver.call_of.get(reached, ())):
                    built = any(name.rpartition(".")[2] == "AddMemoryOptions" for name in made.libraries)
                    if built and any(name == KEYWORD for name, _ in made.keywords):
                        found[made.number] = made
        return tuple(found.values())

    def _call(self, call: SolvedCall, context: tuple[int, ...]) -> AsyncMode:
        modes: list[AsyncMode] = []
        for name, node in call.keywords:
            if name == KEYWORD:
                return self._keyword(call)
            if name is None:
                modes.append(self._mapping(node, call, context, frozenset()))
        present = [mode for mode in modes if mode != "absent"]
        return present[0] if present else "absent"

    def _keyword(self, call: SolvedCall) -> AsyncMode:
        """The mode that a call passes by keyword: a literal, or a parameter that is one literal for every caller."""
        value = call.fact.keyword_constants.get(KEYWORD, ...)
        if not isinstance(value, ParameterDefault):
            return _literal(value)
        scope = self.solver.files[call.filename].summary.scope_functions.get(call.fact.scope)
        if scope is None:
            return "dynamic"
        passed = {_literal(value.default)}
        for number in self.solver.callers.get((call.filename, scope), ()):
            caller = self.solver.calls[number]
            if any(name is None for name, _ in caller.keywords) or any(starred for _, starred in caller.arguments):
                return "dynamic"
            if any(name == value.name for name, _ in caller.keywords):
                passed.add(_literal(caller.fact.keyword_constants.get(value.name, ...)))
            elif len(caller.arguments) > value.position:
                return "dynamic"
        return passed.pop() if len(passed) == 1 else "dynamic"

    def _mapping(self, node: int, call: SolvedCall, context: tuple[int, ...], seen: frozenset[int]) -> AsyncMode:
        """The mode inside a mapping, from all the displays, parameters and results that it can be."""
        self._steps -= 1
        if node == NOTHING or self._steps < 0 or len(seen) > _NESTED:
            return "mapping"
        found: set[AsyncMode] = set()
        reached, pending = {node}, [node]
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            if current in self._containers:
                found.add(self._container(current, call, context, seen | {current}))
                continue
            sources = [
                source for source, kind, number in self.solver.incoming.get(current, ()) if self._followed(kind, number, context)
            ]
            made = self.solver.call_of.get(current, ())
            if made and not sources:
                found.add(self._result(made[0], call, context, seen | {current}))
            elif not sources and current not in self.solver.annotated:
                found.add("mapping")
            for source in sources:
                if source not in reached:
                    reached.add(source)
                    pending.append(source)
        return found.pop() if len(found) == 1 else "mapping"

    @staticmethod
    def _followed(kind: int, number: int, context: tuple[int, ...]) -> bool:
        """An argument counts only where it came in by the same call as the method."""
        return kind != 1 or not context or number in context

    def _result(self, made: SolvedCall, call: SolvedCall, context: tuple[int, ...], seen: frozenset[int]) -> AsyncMode:
        """A call that gives a mapping: `model.model_dump()`, `d.copy()`, `dict(d)`; anything else is open."""
        tail = made.fact.text.rpartition(".")[2]
        base = self.solver.load_of.get(made.callee, NOTHING)
        if tail in _COPIES and not made.arguments and base != NOTHING:
            copied = self._mapping(base, call, context, seen)
            if copied != "mapping" or tail not in _FIELD_DUMPS:
                return copied
        if tail in _COPIES and len(made.arguments) == 1 and made.arguments[0][0] != NOTHING:
            return self._mapping(made.arguments[0][0], call, context, seen)
        if tail in _FIELD_DUMPS:
            subject = made.arguments[0][0] if made.arguments else base
            classes = {(value[1], value[2]) for value, _ in self.solver.values.get(subject, ()) if value[0] == "instance"}
            fields = {
                name
                for own in classes
                for item in self.solver.ancestors(own)
                for name in self.solver.files[item[0]].summary.classes[item[1]].fields
            }
            if classes and fields:
                return "dynamic" if KEYWORD in fields else "absent"
        return "mapping"

    def _container(self, container: int, call: SolvedCall, context: tuple[int, ...], seen: frozenset[int]) -> AsyncMode:
        if container in self._opened():
            return "mapping"
        found: AsyncMode = self._variadic(container, context, seen) or "absent"
        for source in self.solver.spread_from.get(container, ()):
            inner = self._mapping(source, call, context, seen)
            found = inner if inner != "absent" else found
        for base, sources in self.solver.spread_from.items():
            if base != container and base not in self._containers and container in self._containers_behind(base):
                for source in sources:
                    inner = self._mapping(source, call, context, seen | {container})
                    found = inner if inner != "absent" else found
        return self._written(container, call, found)

    def _variadic(self, container: int, context: tuple[int, ...], seen: frozenset[int]) -> AsyncMode | None:
        """`**kwargs` of a function: what its callers pass beyond its parameters; open where it has no caller."""
        if container not in self.solver.variadic_of:
            return None
        filename, index = self.solver.variadic_of[container]
        function = self.solver.files[filename].summary.functions[index]
        named = {name for name, _ in function.parameters}
        numbers = sorted(self.solver.callers.get((filename, index), ()))
        modes: set[AsyncMode] = set()
        for number in [number for number in numbers if number in context] or numbers:
            caller = self.solver.calls[number]
            inner = [
                self._keyword(caller) if name == KEYWORD else self._mapping(node, caller, (), seen)
                for name, node in caller.keywords
                if name is None or (name == KEYWORD and name not in named)
            ]
            modes.update([mode for mode in inner if mode != "absent"] or ["absent"])
        return modes.pop() if len(modes) == 1 else "mapping"

    def _written(self, container: int, call: SolvedCall, found: AsyncMode) -> AsyncMode:
        """Apply the writes and deletions of the key, in order."""
        for filename, write, base in self.solver.mode_writes:
            if base != container and container not in self._containers_behind(base):
                continue
            if write.mode == "deleted" and found == "absent":
                continue
            certain = write.display or (filename == call.filename and _before(write, call))
            if not certain and write.scope == call.fact.scope and filename == call.filename and self._holds_when_hosted(write):
                certain = self._conditional = True
            if not certain:
                return "mapping"
            found = "absent" if write.mode == "deleted" else _as_mode(write.mode)
        return found

    def _holds_when_hosted(self, write: ModeWrite) -> bool:
        """Whether the conditions of the write hold wherever the receiver is a hosted client."""
        return bool(write.guards and self._guards) and all(
            any(_implies(known, guard) for known in origin) for origin in self._guards for guard in write.guards
        )

    def _opened(self) -> set[int]:
        """Containers that get keys which cannot be told."""
        if self._open is None:
            self._open = {item for node in self.solver.open_nodes for item in self._containers_behind(node)}
        return self._open

    def _containers_behind(self, node: int) -> frozenset[int]:
        known = self._behind.get(node)
        if known is None:
            known = self._behind[node] = frozenset(self.solver.behind(node) & self._containers)
        return known


def _implies(known: Guard, guard: Guard) -> bool:
    if guard.subject.startswith("class of ") and known.subject == "class":
        return (known.literal in (guard.literal or "").split("|")) == guard.holds
    return known == guard


def _literal(value: object) -> AsyncMode:
    return _LITERALS.get(value, "dynamic") if value is None or isinstance(value, bool) else "dynamic"


def _as_mode(mode: str) -> AsyncMode:
    for known in ("false", "true", "none"):
        if mode == known:
            return known
    return "dynamic"


def _before(write: ModeWrite, call: SolvedCall) -> bool:
    """Whether the write runs before the call whenever the call runs."""
    fact = call.fact
    return write.scope == fact.scope and write.order < fact.order and fact.arms[: len(write.arms)] == write.arms
