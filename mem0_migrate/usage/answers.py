"""Collect what becomes of each answer: every use of every node that the answer of a site reaches."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mem0_migrate.sdk import answers as shapes
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.loads import MUTATORS
from mem0_migrate.tracking.summary import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.values import Value

_ITERATING = frozenset(
    [
        "list",
        "tuple",
        "set",
        "frozenset",
        "sorted",
        "enumerate",
        "zip",
        "map",
        "filter",
        "any",
        "all",
        "sum",
        "max",
        "min",
        "iter",
        "next",
        "reversed",
    ]
)
_NEUTRAL_LIBRARIES = frozenset(
    ["builtins.dict", "typing.cast", "copy.copy", "copy.deepcopy", "builtins.super", "builtins.setattr"]
)
_QUEUEING = frozenset(["put", "put_nowait"])  # someone takes it out, seen or not
_TYPE_TESTS = frozenset(["isinstance", "type", "id", "callable", "hasattr", "issubclass"])
_PRINTERS = frozenset(["print", "pprint", "pp", "echo", "secho", "print_json", "rule"])
_LOG_METHODS = frozenset(
    ["debug", "info", "warning", "warn", "error", "exception", "critical", "log", "success", "trace", "notice"]
)
_SERIALISERS = frozenset(["dumps", "dump", "safe_dump", "jsonify", "JSONResponse", "to_json", "pformat"])
_WAITING = re.compile(r"(?:^|_)(?:wait|await|poll)(?:_|$)|^_?is_(?:pending|receipt|queued)")
_LOGGER = re.compile(
    r"(?:^|[._])(?:logs?|logger|logging|_log|_logger)(?:\(|\)|$|\.(?:bind|opt|patch|contextualize|getChild)\b)", re.IGNORECASE
)
_FOLLOWED_METHODS = frozenset(["get", "pop", "items", "values", "keys", "copy", "setdefault", "json"]) | frozenset(
    ["result", "exception", "done", "cancel", "cancelled", "running", "add_done_callback"]  # of a future
)
_TRANSPARENT_TAILS = frozenset(
    ["create_task", "ensure_future", "shield", "wait_for", "gather", "run", "run_until_complete", "run_coroutine_threadsafe",
     "as_completed", "enter_async_context", "enter_context"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnswerUse:
    """One use: its kind, where (file and ast position), the path of keys below the answer, and whether an await is missing."""

    kind: str
    filename: str
    place: facts.Place
    path: tuple[str, ...]
    waits: int = 0


def collect(solver: Solver) -> dict[int, list[AnswerUse]]:
    """The uses of each site's answer, by site number, in order of place."""
    reached: dict[int, list[tuple[int, Value]]] = defaultdict(list)
    containers: dict[int, list[int]] = defaultdict(list)
    for node, held in solver.values.items():
        for value, _ in held:
            if value[0] == "answer":
                reached[value[1]].append((node, value))
            elif value[0] == "reading" and value[1][0] == "answer":
                reached[value[1][1]].append((node, value))
            elif value[0] == "response":
                reached[value[1]].append((node, value))
            elif value[0] == "container":
                containers[value[1]].append(node)
    reader = _Reader(solver, containers)
    found = {}
    for site in range(len(solver.site_list)):
        uses = {use for node, value in reached.get(site, ()) for use in reader.uses(node, value)}
        handed = (solver.calls[number] for number in solver.site_list[site].handed_to)
        uses.update(AnswerUse("passed", call.filename, call.fact.place, ()) for call in handed)
        found[site] = sorted(uses, key=lambda use: (use.filename, use.place, use.kind, use.path))
    return found


class _Reader:
    def __init__(self, solver: Solver, containers: dict[int, list[int]]) -> None:
        self.solver = solver
        self.containers = containers
        joined = sorted((item.base, name) for name, item in solver.files.items())
        self._bases, self._names = [base for base, _ in joined], [name for _, name in joined]

    def uses(self, node: int, value: Value) -> Iterator[AnswerUse]:
        """What is done with the value at this node."""
        if value[0] == "reading":
            yield from self._method(node, value)
            return
        if value[0] == "response":  # what is done with it undecoded says nothing, but that it leaves
            if node in self.solver.returns:
                yield from self._returned(node, (), value[2])
            return
        _, _, waits, path = value
        for key, target in self.solver.loads.get(node, ()):
            yield from self._load(key, target, path, waits)
        for usage in self.solver.usages.get(node, ()):
            use = self._usage(node, usage, path, waits)
            if use is not None:
                yield use
        for call in self.solver.by_argument.get(node, ()):
            yield from self._argument(call, node, path, waits)
        for base, key, place in self.solver.stored.get(node, ()):
            yield from self._store(base, key, place, node, path, waits)
        if node in self.solver.returns:
            yield from self._returned(node, path, waits)
        owner = self.solver.owner_of.get(node)
        if owner is not None:
            yield from self._inside(owner, path, waits, depth=0)

    def _load(self, key: str, target: int, path: tuple[str, ...], waits: int) -> Iterator[AnswerUse]:
        where = self.solver.places.get(target)
        if where is None or waits or key in (facts.AWAIT, facts.ENTER, facts.DEFER):
            return
        filename, place = where
        if key == facts.ITERATE:
            yield AnswerUse("iterated", filename, place, path)
        elif key == facts.MATCHED_ELEMENT:
            yield AnswerUse("get", filename, place, (*path, shapes.MATCHED + shapes.ELEMENT))
        elif key[0] == "[":
            inner = key[1:]
            step = shapes.INDEX if inner == "*" or inner.lstrip("-").isdigit() else inner
            bare = inner.lstrip(shapes.MATCHED + shapes.FIELD)
            kind = "receipt-key" if bare in shapes.RECEIPT_KEYS else "get" if bare != inner else "subscript"
            yield AnswerUse(kind, filename, place, (*path, step))
        elif key[1:] in shapes.RECEIPT_KEYS:
            yield AnswerUse("receipt-key", filename, place, path)
        elif key[1:] not in _FOLLOWED_METHODS:
            if key[1:] in ("append", "extend", "update", "insert", "clear", "remove", "sort"):
                yield AnswerUse("iterated", filename, place, path)
            else:
                yield AnswerUse("attribute", filename, place, (*path, shapes.FIELD + key[1:]))

    def _method(self, node: int, value: Value) -> Iterator[AnswerUse]:
        _, held, name = value
        _, _, waits, path = held
        for call in self.solver.by_callee.get(node, ()):
            constant = call.fact.constants[0] if call.fact.constants else None
            if name in ("get", "pop", "setdefault") and not waits:
                if constant in shapes.RECEIPT_KEYS:
                    yield AnswerUse("receipt-key", call.filename, call.fact.place, path)
                else:
                    step = (
                        ("?" if len(call.arguments) > 1 else "~") + str(constant) if isinstance(constant, str) else shapes.INDEX
                    )
                    yield AnswerUse("get", call.filename, call.fact.place, (*path, step))
            elif name in ("items", "values", "keys") and not waits:
                yield AnswerUse("iterated", call.filename, call.fact.place, path)

    def _usage(self, node: int, usage: facts.Usage, path: tuple[str, ...], waits: int) -> AnswerUse | None:
        filename = self._file_of(node)
        kind = usage.kind
        if waits and kind != "discarded":
            return None
        if kind == "truth":
            kind = "member-truth" if path else "truth"
        elif kind == "formatted":
            texts = self.solver.texts.get(node, ())
            kind = "serialised" if any(self._text_goes(text) == "serialised" for text in texts) else kind
        elif kind == "contains":
            kind = "receipt-key" if usage.detail in shapes.RECEIPT_KEYS else "contains"
            path = (*path, shapes.OPTIONAL + usage.detail) if usage.detail else path
        elif kind == "compared" and usage.detail.upper() in shapes.STATUSES:
            kind = "status-compared"
        return AnswerUse(kind, filename, usage.place, path, waits)

    def _file_of(self, node: int) -> str:
        return self._names[bisect_right(self._bases, node) - 1]

    def _argument(self, call: SolvedCall, node: int, path: tuple[str, ...], waits: int) -> Iterator[AnswerUse]:
        if call.fact.scope == -1 or call.fact.text.startswith(("deferred ", "handed ")):
            return
        if self._receipt_model(call):
            yield AnswerUse("receipt-helper", call.filename, call.fact.place, path, waits)
            return
        if call.followed:
            if not call.functions and (None, node) in call.keywords:  # Model(**answer)
                yield AnswerUse("spread", call.filename, call.fact.place, path, waits)
            elif self._unread_field(call, node) or self._queued_for_others(call):
                yield AnswerUse("stored", call.filename, call.fact.place, path, waits)
            return
        if waits:  # a coroutine or a future is handed to somebody to wait for
            yield AnswerUse("scheduled", call.filename, call.fact.place, path, waits)
            return
        kind = self._handed_to(call)
        if kind is None:
            return
        if kind == "truth" and path:
            kind = "member-truth"
        if kind == "type-tested" and "builtins.hasattr" in call.libraries and len(call.fact.constants) > 1:
            path = (*path, f"{shapes.FIELD}{call.fact.constants[1]}")
        place = call.fact.place
        yield AnswerUse(kind, call.filename, place, path, waits)

    def _receipt_model(self, call: SolvedCall) -> bool:
        """Whether a call puts the answer into a class of the code base that has fields for a receipt."""
        nodes = (call.callee, self.solver.load_of.get(call.callee, call.callee))
        classes = {(value[1], value[2]) for node in nodes for value, _ in self.solver.values.get(node, ()) if value[0] == "class"}
        return any(
            shapes.RECEIPT_KEYS.intersection(self.solver.files[item[0]].summary.classes[item[1]].fields)
            for own in classes
            for item in self.solver.ancestors(own)
        )

    def _unread_field(self, call: SolvedCall, node: int) -> bool:
        """Whether a call builds a dataclass or a model that keeps the value in a field which nobody reads."""
        names = [name for name, given in call.keywords if given == node and name]
        built = [(value[1], value[2]) for value, _ in self.solver.values.get(call.callee, ()) if value[0] == "class"]
        cells = [self.solver.cells.get((own, f".{name}")) for own in built for name in names]
        return not call.functions and bool(cells) and not any(cell is not None and self.solver.edges.get(cell) for cell in cells)

    def _queued_for_others(self, call: SolvedCall) -> bool:
        """Whether a call puts the value into a queue that nobody in the code base takes it from."""
        queues = [
            value[1] for value, _ in self.solver.values.get(call.callee, ()) if value[0] == "operation" and value[2] in _QUEUEING
        ]
        cells = [
            cell
            for owner in queues
            for cell in (*self.solver.keys.get(owner, {}).values(), self.solver.whole.get(owner, NOTHING))
        ]
        return bool(queues) and not any(self.solver.edges.get(cell) for cell in cells)

    def _handed_to(self, call: SolvedCall) -> str | None:
        """The kind of use of an answer as an argument of a call that is not followed."""
        text = call.fact.text
        base, _, tail = text.rpartition(".")
        library = min(call.libraries) if call.libraries else ""
        builtin = library.removeprefix("builtins.") if library.startswith("builtins.") else ""
        if library in _NEUTRAL_LIBRARIES or tail in _TRANSPARENT_TAILS:
            return None
        if builtin == "len":
            return "counted"
        if builtin == "bool":
            return "truth"
        if builtin in _ITERATING:
            return "iterated"
        if builtin in _TYPE_TESTS:
            second = call.fact.constants[1] if len(call.fact.constants) > 1 else None
            return "receipt-key" if builtin == "hasattr" and second in shapes.RECEIPT_KEYS else "type-tested"
        if builtin == "getattr":
            return "receipt-key" if len(call.fact.constants) > 1 and call.fact.constants[1] in shapes.RECEIPT_KEYS else None
        if builtin in ("str", "repr", "format", "ascii") or (tail == "format" and base == "(…)"):
            looks = self.solver.usages.get(call.target, ())
            if any(usage.detail.upper() in shapes.STATUSES for usage in looks):
                return "status-compared"
            if any(usage.kind in ("contains", "compared") for usage in looks):
                return "contains"
            goes = self._text_goes(call.target)
            return "serialised" if goes == "serialised" else "formatted"
        on_screen = tail == "write" and base.rpartition(".")[2] in ("st", "stdout", "stderr")
        if builtin == "print" or tail in _PRINTERS or on_screen:
            return "printed"
        if tail in _LOG_METHODS and (_LOGGER.search(base) or library.startswith(("logging.", "loguru.", "structlog."))):
            return "logged"
        if _WAITING.search(tail) or library.startswith("mem0_shim."):
            return "receipt-helper"
        if tail in ("dumps", "pformat", "to_json"):
            return self._text_goes(call.target)
        if tail in _SERIALISERS:
            return "serialised"
        if tail == "extend" and base:
            return "iterated"
        if tail in MUTATORS and base:
            holds = self.solver.load_of.get(call.callee)
            known = holds is not None and any(value[0] == "container" for value, _ in self.solver.values.get(holds, ()))
            return None if known else "stored"
        return "passed"

    def _text_goes(self, text: int) -> str:
        """Where the text of an answer goes: to people only, out of sight, or nowhere."""
        reached, pending = {text}, [text]
        readers: list[str | None] = []
        while pending:
            node = pending.pop()
            readers += [self._handed_to(other) for other in self.solver.by_argument.get(node, ())]
            if self.solver.stored.get(node) or (node in self.solver.returns and self._exposed(node)):
                return "serialised"
            onward = [edge[0] for edge in self.solver.edges.get(node, ())] + self.solver.texts.get(node, [])
            following = [item for item in onward if item not in reached]
            reached.update(following)
            pending += following
        return "printed" if set(readers) <= {"printed", "logged", "formatted"} else "serialised"

    def _exposed(self, node: int) -> bool:
        """Whether what a function returns goes to code that is not part of the code base."""
        filename, index = self.solver.returns[node]
        function = self.solver.files[filename].summary.functions[index]
        if self._is_wrapper(filename, function.outer):
            return False
        return not self.solver.callers.get((filename, index)) or any(not _harmless(name) for name in function.decorators)

    def _store(
        self, base: int, key: str, place: facts.Place, node: int, path: tuple[str, ...], waits: int
    ) -> Iterator[AnswerUse]:
        """Stored into an attribute that nobody reads, or into something unknown."""
        held = self.solver.values.get(base, ())
        if key.startswith("."):
            cells = [self.solver.cells.get(((value[1], value[2]), key)) for value, _ in held if value[0] in ("instance", "class")]
            if any(cell is not None and self.solver.edges.get(cell) for cell in cells):
                return
        elif base in self.solver.awake or any(value[0] == "container" for value, _ in held):
            return
        yield AnswerUse("stored", self._file_of(node), place, path, waits)

    def _is_wrapper(self, filename: str, outer: int | None) -> bool:
        """Whether a function is what a decorator of the code base returns: the decorated function is followed instead."""
        while outer is not None:
            callers = self.solver.callers.get((filename, outer), ())
            if callers and all(self.solver.calls[number].fact.scope == -1 for number in callers):
                return True
            outer = self.solver.files[filename].summary.functions[outer].outer
        return False

    def _returned(self, node: int, path: tuple[str, ...], waits: int) -> Iterator[AnswerUse]:
        filename, index = self.solver.returns[node]
        function = self.solver.files[filename].summary.functions[index]
        if not self._exposed(node):
            return
        kind = "yielded" if self.solver.labels.get(node, ("", ""))[0] == "yield" else "returned"
        yield AnswerUse(kind, filename, self._return_place(node, function.place), path, waits)

    def _return_place(self, node: int, default: facts.Place) -> facts.Place:
        for source, _, _ in self.solver.incoming.get(node, ()):
            where = self.solver.places.get(source)
            if where is not None and any(
                value[0] in ("answer", "container", "response") for value, _ in self.solver.values.get(source, ())
            ):
                return where[1]
        return (default[0], default[1], default[0], default[1] + 1)

    def _inside(self, owner: int, path: tuple[str, ...], waits: int, depth: int) -> Iterator[AnswerUse]:
        """An answer inside a display escapes where the display does."""
        for node in self.containers.get(owner, ()):
            if node in self.solver.returns:
                yield from self._returned(node, path, waits)
            for call in self.solver.by_argument.get(node, ()):
                if call.followed or call.fact.scope == -1 or call.fact.text.startswith(("deferred ", "handed ")):
                    continue
                kind = "scheduled" if waits else self._handed_to(call)
                if kind in ("passed", "serialised", "printed", "logged", "stored"):
                    yield AnswerUse(kind, call.filename, call.fact.place, path, waits)
            holder = self.solver.owner_of.get(node)
            if holder is not None and holder != owner and depth < 2:  # noqa: PLR2004 (displays in displays)
                yield from self._inside(holder, path, waits, depth + 1)


def _harmless(decorator: str) -> bool:
    """Whether a decorator leaves calls of the function to the code base."""
    tail = decorator.rpartition(".")[2]
    return tail in {
        "property", "cached_property", "staticmethod", "classmethod", "lru_cache", "cache", "wraps", "contextmanager",
        "asynccontextmanager", "abstractmethod", "override", "overload", "fixture", "retry", "setter", "getter",
    }  # fmt: skip
