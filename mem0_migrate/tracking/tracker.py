"""Follow clients through a code base: join files only when a fact reaches them, until nothing new can be learnt."""

from __future__ import annotations

import re
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mem0_migrate.model import Unreadable
from mem0_migrate.tracking import frameworks, mocks
from mem0_migrate.tracking.joining import join
from mem0_migrate.tracking.solver import Solver
from mem0_migrate.tracking.statements import summarise
from mem0_migrate.tracking.values import DIRECT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from mem0_migrate.project.modules import Modules
    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.summary import Summary
    from mem0_migrate.tracking.values import Value

# A file takes part from the start when it imports what leads to a client class, or talks to the platform's host.
_SEED = re.compile(
    rb"\b(?:from|import)\b[^\n]*\bmem0\b(?!\.(?!(?:client|memory)\.main\b|(?:client|memory)[ \t]+import))"
    rb"|\bmem0_shim\b|import_module\(|__import__\(|mem0\.ai|/v[123]/memories"
)
_LEVELS = 2
_LEADING = {"instance": "class", "bound": "function", "function": "function"}
_DEEP_STACK = 256 << 20  # bytes; of which only what is used is ever taken
_DEEP_LIMIT = 30_000  # frames, for the deepest tree that `project.source` lets through
_DEEP_READING = threading.Lock()  # both limits are the interpreter's: one check at a time may change them


class ImporterIndex(Protocol):
    """Who imports a module: see `project.search.Importers`."""

    def of(self, filename: str, names: Collection[str]) -> list[str]:
        """Files that import the module and name one of `names`."""

    def reading(self, kept: Collection[str]) -> list[str]:
        """Files that read one of these `holder.key`, as an attribute or as an element."""


@dataclass(slots=True)
class Tracked:
    """What tracking found: the solved facts, the sources that were read, and what could not be."""

    solver: Solver
    sources: dict[str, Source] = field(default_factory=dict)
    problems: list[Unreadable] = field(default_factory=list)


def is_seed(data: bytes) -> bool:
    """Whether a file that mentions mem0 takes part from the start."""
    return _SEED.search(data) is not None


def track(
    seeds: Sequence[str],
    modules: Modules,
    importers: ImporterIndex,
    load: Callable[[str], Source | Unreadable],
    conftests: Callable[[str], Iterable[str]],
) -> Tracked:
    """Solve the seeds and all that their facts reach. `conftests` gives the test files below the folder of a conftest."""
    tracked = Tracked(Solver(modules))
    return _Tracking(tracked, importers, load, conftests).run(seeds)


def _summary(source: Source) -> Summary | None:
    """The summary of a file; one that is nested deeply is read on a stack of its own. None where that is not enough."""
    try:
        return summarise(source)
    except RecursionError:
        pass
    found: list[Summary] = []

    def read() -> None:
        with suppress(RecursionError):
            found.append(summarise(source))

    with _DEEP_READING:
        limit, size = sys.getrecursionlimit(), threading.stack_size(_DEEP_STACK)
        sys.setrecursionlimit(_DEEP_LIMIT)
        try:
            reader = threading.Thread(target=read)
            reader.start()
            reader.join()
        finally:
            sys.setrecursionlimit(limit)
            threading.stack_size(size)
    return found[0] if found else None


def _is_direct(value: Value) -> bool:
    return value[0] in ("client", "method", "answer")


class _Tracking:
    def __init__(
        self,
        tracked: Tracked,
        importers: ImporterIndex,
        load: Callable[[str], Source | Unreadable],
        conftests: Callable[[str], Iterable[str]],
    ) -> None:
        self.tracked = tracked
        self.solver = tracked.solver
        self.importers = importers
        self.load = load
        self.conftests = conftests
        self._asked: set[tuple[str, str]] = set()
        self._seen: set[str] = set()
        self._carrying: dict[tuple[str, str, int], int] = {}
        self._beyond: set[str] = set()  # joined for an object that leads to a client: what they hand on of such is not followed

    def run(self, seeds: Sequence[str]) -> Tracked:
        """Join, solve, look who else is concerned; repeat."""
        pending: set[str] = set(seeds)
        while pending:
            for filename in sorted(pending):
                self._join(filename)
            self.solver.run()
            frameworks.link_fixtures(self.solver)
            self.solver.run()
            pending = self._concerned() - self._seen
            while not pending and (self.solver.wake_needed() or self.solver.apply_weak()):
                self.solver.run()
                pending = self._concerned() - self._seen
        frameworks.link_handed_on(self.solver)
        mocks.leave_out(self.solver)
        return self.tracked

    def _join(self, filename: str) -> None:
        self._seen.add(filename)
        source = self.load(filename)
        if isinstance(source, Unreadable):
            self.tracked.problems.append(source)
            return
        summary = _summary(source)
        if summary is None:
            self.tracked.problems.append(Unreadable(filename, "nested too deeply to be analysed"))
            return
        if summary.http_exhausted:
            reason = "makes too many requests to follow them all: some adds over HTTP may be missing; split the file"
            self.tracked.problems.append(Unreadable(filename, reason))
        self.tracked.sources[filename] = source
        join(self.solver, summary)

    # -- who else is concerned ---------------------------------------------------------------------------------------------------

    def _concerned(self) -> set[str]:
        self._carrying = levels = self._carriers()
        found = self._wanted_callees()
        carriers = self._exported(levels)
        for filename in sorted(carriers):
            names = {name for name in carriers[filename] if (filename, name) not in self._asked}
            if names:
                self._asked.update((filename, name) for name in names)
                found.update(self.importers.of(filename, sorted(names)))
                if filename.rpartition("/")[2] == "conftest.py":
                    found.update(self.conftests(filename))
        kept = [
            path
            for path, nodes in self.solver.name_stores.items()
            if ("", path) not in self._asked
            and any(self._level(levels, node) is not None and not self._kept_in_own(node) for node in nodes)
        ]
        if kept:
            self._asked.update(("", path) for path in kept)
            found.update(self.importers.reading(kept))
        return found

    def _kept_in_own(self, node: int) -> bool:
        """Whether what is stored at a node goes into an object of the code base, which leads its readers here by itself."""
        solver = self.solver
        sources = [source for source, _, _ in solver.incoming.get(node, ())]
        bases = [base for source in sources for base, _, _ in solver.stored.get(source, ())]
        return bool(bases) and all(
            any(value[0] in ("instance", "class") for value, _ in solver.values.get(base, ())) or solver.is_own_container(base)
            for base in bases
        )

    def _exported(self, levels: dict[tuple[str, str, int], int]) -> dict[str, set[str]]:
        """The names of each file through which a carrier can be had elsewhere."""
        exported: dict[str, set[str]] = {}
        for filename, joined in self.solver.files.items():
            for name, cell in joined.summary.globals.items():
                if self._level(levels, cell + joined.base) is not None:
                    exported.setdefault(filename, set()).add(name)
        return exported

    def _carriers(self) -> dict[tuple[str, str, int], int]:
        """The functions and classes through which a client, an answer or the making of a site can be had, and how far away."""
        solver = self.solver
        levels: dict[tuple[str, str, int], int] = {}
        for site in solver.site_list:
            for number in site.calls:
                self._lift(levels, solver.calls[number].filename, solver.calls[number].fact.scope)
        for _ in range(_LEVELS):
            if not self._grow(levels):
                break
        solver.carriers = set(levels)
        return levels

    def _lift(self, levels: dict[tuple[str, str, int], int], filename: str, scope: int) -> None:
        summary = self.solver.files[filename].summary
        index = summary.scope_functions.get(scope)
        while index is not None:
            function = summary.functions[index]
            levels.setdefault(("function", filename, index), 0)
            if function.owner is not None:
                levels.setdefault(("class", filename, function.owner), 0)
            index = function.outer

    def _level(
        self, levels: dict[tuple[str, str, int], int], node: int, held_by: frozenset[int] = frozenset(), *, given: bool = True
    ) -> int | None:
        """How far a node is from a client: 0 holds one, 1 an object that holds one …. `given`: also what a caller handed in."""
        best: int | None = None
        for value, context in self.solver.values.get(node, ()):
            if context and not given:
                continue
            level: int | None = None
            kind = value[0]
            if kind in DIRECT:
                return 0
            if kind == "client":
                return 0
            if kind in ("function", "bound", "generator"):
                level = levels.get(("function", value[1], value[2]))
            elif kind in ("class", "instance"):
                level = levels.get(("class", value[1], value[2]))
            elif kind == "container":
                whole = self.solver.keys.get(value[1])
                if whole and any(held[0] in DIRECT for cell in whole.values() for held, _ in self.solver.values.get(cell, ())):
                    level = 0
            elif kind == "partial":
                call = self.solver.calls[value[1]]
                inner = call.arguments[0][0] if call.arguments else node
                if inner not in (node, *held_by):  # `p = partial(p)` in a loop holds itself
                    level = self._level(levels, inner, held_by | {node})
            if level is not None and (best is None or level < best):
                best = level
        return best

    def _grow(self, levels: dict[tuple[str, str, int], int]) -> bool:
        """One more step: functions that return a carrier, classes that hold one or derive from one."""
        solver = self.solver
        grown = False
        for filename, joined in solver.files.items():
            for index, function in enumerate(joined.summary.functions):
                key = ("function", filename, index)
                if key in levels:
                    continue
                nodes = (function.returned + joined.base, function.yielded + joined.base)
                reached = [self._level(levels, node, given=False) for node in nodes]
                known = [level for level in reached if level is not None]
                if known and min(known) < _LEVELS:
                    levels[key] = min(known)
                    grown = True
                    if function.owner is not None:
                        levels.setdefault(("class", filename, function.owner), min(known))
            for index in range(len(joined.summary.classes)):
                key = ("class", filename, index)
                if key in levels:
                    grown = self._lift_bases(levels, filename, index) or grown
                    continue
                if solver.sdk_base((filename, index)):
                    levels[key] = 0
                    grown = True
                    continue
                held = [self._level(levels, cell) for cell in solver.keys.get((filename, index), {}).values()]
                held += [levels.get(("class", *base)) for base in solver.bases.get((filename, index), ())]
                known = [level for level in held if level is not None]
                if known and min(known) + 1 < _LEVELS:
                    levels[key] = min(known) + 1
                    grown = True
        return grown

    def _lift_bases(self, levels: dict[tuple[str, str, int], int], filename: str, index: int) -> bool:
        """A base whose method makes a site in a class below: callers may know no more than the base. True if any is new."""
        solver = self.solver
        methods = solver.files[filename].summary.classes[index].methods
        making = {name for name, function in methods.items() if levels.get(("function", filename, function)) == 0}
        grown = False
        for base, number in solver.ancestors((filename, index))[1:] if making else ():
            known = solver.files[base].summary.classes[number].methods
            if ("class", base, number) not in levels and making.intersection(known):
                levels["class", base, number] = 0
                grown = True
        return grown

    def _wanted_callees(self) -> set[str]:
        """Modules not joined that define a function which is given a client or an answer, or a base, or build a mapping."""
        solver = self.solver
        mappings = self._mapping_sources()
        found = set()
        for filename, members in solver.waiting.items():
            if filename in self._seen:
                continue
            for _, target in members:
                if self._matters(target, mappings, holders=False):
                    found.add(filename)
                    self._beyond.discard(filename)
                    break
                if self._matters(target, mappings, holders=True):
                    found.add(filename)
                    self._beyond.add(filename)
        return found

    def _matters(self, target: int, mappings: set[int], *, holders: bool) -> bool:
        """Whether what a module not joined defines is given a client or an answer; `holders`: or what leads to one."""
        solver = self.solver
        counts = self._leads if holders else _is_direct
        reached, pending = {target}, [target]
        while pending:
            node = pending.pop()
            for call in solver.by_callee.get(node, ()):
                if call.target in mappings:
                    return True
                given = [item for item, _ in call.arguments] + [item for _, item in call.keywords]
                if holders and (call.fact.scope == -1 or call.filename in self._beyond):
                    continue  # a decorator is given every function there is
                if any(counts(value) for item in given for value, _ in solver.values.get(item, ())):
                    return True
            for filename, index in solver.base_of.get(node, ()):
                if self._class_matters(filename, index):
                    return True
            following = [edge[0] for edge in solver.edges.get(node, ())] + [item for _, item in solver.loads.get(node, ())]
            for item in following:
                if item not in reached:
                    reached.add(item)
                    pending.append(item)
        return False

    def _class_matters(self, filename: str, index: int) -> bool:
        solver = self.solver
        cells = solver.keys.get((filename, index), {})
        return any(_is_direct(value) for cell in cells.values() for value, _ in solver.values.get(cell, ()))

    def _leads(self, value: Value) -> bool:
        """Whether a value is a client or an answer, or an object of the code base that holds one or makes a site itself."""
        if _is_direct(value):
            return True
        kind = _LEADING.get(value[0])
        return kind is not None and self._carrying.get((kind, value[1], value[2]), _LEVELS) < _LEVELS

    def _mapping_sources(self) -> set[int]:
        """Nodes whose value may be a mapping that a site spreads, or the object that a method of made it."""
        solver = self.solver
        pending = [
            node
            for site in solver.site_list
            for number in site.calls
            for name, node in solver.calls[number].keywords
            if name is None
        ]
        reached = set(pending)
        while pending:
            node = pending.pop()
            before = [item[0] for item in solver.incoming.get(node, ())]
            before += [
                item
                for number in solver.callers.get(solver.variadic_of.get(node, ("", 0)), ())
                for name, item in solver.calls[number].keywords
                if name is None
            ]
            for call in solver.call_of.get(node, ()):
                before.append(solver.load_of.get(call.callee, call.callee))
            for item in before:
                if item not in reached:
                    reached.add(item)
                    pending.append(item)
        return reached
