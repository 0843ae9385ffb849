"""Where an `async_mode` is passed to an `add`, and what takes it away: at the call, in a mapping that is spread, in a body."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Remove, RemoveKey, RemoveKeyword
from mem0_migrate.tracking.evidence import place_of
from mem0_migrate.tracking.summary import NOTHING, ParameterDefault
from mem0_migrate.tracking.values import ENTER
from mem0_migrate.usage.modes import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.summary import ModeWrite, Place
    from mem0_migrate.tracking.values import Context
    from mem0_migrate.usage.judgement import JudgedSite

_COPIES = frozenset(["copy", "deepcopy", "dict", "OrderedDict"])
_NESTED = 20  # mappings spread into one another


@dataclass(slots=True)
class Removal:
    """What takes a keyword away from an `add`.

    Attributes:
        changes: The nodes that change, by file; none where it is not seen what passes the keyword.
        private: Whether everything that changes is for this `add` alone, and says the keyword literally.
        elsewhere: Where the keyword is passed in a way that cannot be edited, as `file:row`.
    """

    changes: dict[str, tuple[Change, ...]] = field(default_factory=dict)
    private: bool = True
    elsewhere: list[str] = field(default_factory=list)


def removal(site: JudgedSite, code: Code, name: str = KEYWORD) -> Removal:
    """What takes the keyword `name` away from the `add` of a site."""
    finder = _Finder(code, name)
    record = code.record(site)
    if record.url:
        finder.body(record.filename, record.place)
        return finder.found
    for number, (_, context) in sorted(record.calls.items()):
        finder.call(code.solver.calls[number], context, frozenset())
    for made in site.options:
        finder.take(made.filename, RemoveKeyword(made.place, KEYWORD))
    return finder.found


class _Finder:
    def __init__(self, code: Code, name: str) -> None:
        self.found = Removal()
        self._code = code
        self._solver = code.solver
        self._name = name
        self._before: dict[int, set[int]] = {}
        self._writes: dict[tuple[str, int], Mapping[int, ast.Assign | ast.Expr]] = {}

    def call(self, call: SolvedCall, context: Context, seen: frozenset[int]) -> None:
        """The keyword of a call, or in what is spread into it."""
        for name, node in call.keywords:
            if name == self._name:
                self._keyword(call)
            elif name is None and self._name == KEYWORD:
                self._mapping(node, call, context, seen)

    def body(self, filename: str, place: Place) -> None:
        """The key in the JSON that a request sends."""
        summary = self._solver.files[filename].summary
        for added in summary.http_adds:
            if summary.calls[added.call].place == place:
                display = self._code.tree(filename).at(added.body, ast.Dict) if added.body is not None else None
                if display is not None and _has(display, KEYWORD):
                    self.take(filename, RemoveKey(place_of(display), KEYWORD))
                    return
        self.found.elsewhere.append(f"{filename}:{place[0]}")

    def _keyword(self, call: SolvedCall) -> None:
        """At the call itself, or at the `partial(…)` that it is made of."""
        if isinstance(call.fact.keyword_constants.get(self._name), ParameterDefault):
            self.found.private = False  # the parameter stays, and is used no more
        for made in (call, *(self._solver.calls[number] for number in call.partials)):
            node = self._code.tree(made.filename).at(made.fact.place, ast.Call)
            if node is not None and any(keyword.arg == self._name for keyword in node.keywords):
                self.take(made.filename, RemoveKeyword(made.fact.place, self._name))
                return
        self.found.elsewhere.append(f"{call.filename}:{call.fact.place[0]}")

    def take(self, filename: str, change: Change) -> None:
        """Note a change that takes the keyword away."""
        self.found.changes[filename] = tuple(dict.fromkeys((*self.found.changes.get(filename, ()), change)))

    # -- mappings ----------------------------------------------------------------------------------------------------------------

    def _mapping(self, node: int, call: SolvedCall, context: Context, seen: frozenset[int]) -> None:
        """In all the displays, parameters and results that a mapping can be."""
        reached, pending = {node}, [node]
        while pending and len(seen) < _NESTED:
            current = pending.pop()
            if current in seen or current == NOTHING:
                continue
            if current in self._solver.dormant or current in self._solver.awake:
                self._container(current, call, context, seen | {current})
                continue
            incoming = self._solver.incoming.get(current, ())
            sources = [source for source, kind, number in incoming if kind != ENTER or not context or number in context]
            for made in self._solver.call_of.get(current, ())[:1] if not sources else ():
                sources += self._copied(made)
            pending += [source for source in sources if source not in reached]
            reached.update(sources)

    def _copied(self, made: SolvedCall) -> list[int]:
        """What `d.copy()`, `dict(d)` and `copy(d)` copy."""
        if made.fact.text.rpartition(".")[2] not in _COPIES:
            return []
        return [node for node, _ in made.arguments[:1]] or [self._solver.load_of.get(made.callee, NOTHING)]

    def _container(self, container: int, call: SolvedCall, context: Context, seen: frozenset[int]) -> None:
        if container in self._solver.variadic_of:
            self._passed(container, context, seen)
        else:
            self._display(container, call)
        spread = list(self._solver.spread_from.get(container, ()))
        for base, sources in self._solver.spread_from.items():
            if base != container and container in self._behind(base):
                spread += sources
        for source in spread:
            self._mapping(source, call, context, seen)
        for filename, write, base in self._solver.mode_writes:
            if _is_statement(write) and (base == container or container in self._behind(base)):
                self._write(filename, write)

    def _passed(self, container: int, context: Context, seen: frozenset[int]) -> None:
        """`**options` of a function: what its callers pass beyond its parameters."""
        filename, index = self._solver.variadic_of[container]
        named = {name for name, _ in self._solver.files[filename].summary.functions[index].parameters}
        numbers = sorted(self._solver.callers.get((filename, index), ()))
        if KEYWORD not in named:
            for number in [number for number in numbers if number in context] or numbers:
                self.call(self._solver.calls[number], (), seen)

    def _display(self, container: int, call: SolvedCall) -> None:
        """The key of a display, or the keyword of `dict(…)`."""
        where = self._solver.places.get(container)
        node = self._code.tree(where[0]).at(where[1], ast.expr) if where is not None else None
        if where is None or node is None:
            return
        if isinstance(node, ast.Dict) and _has(node, KEYWORD):
            self.take(where[0], RemoveKey(place_of(node), KEYWORD))
        elif isinstance(node, ast.Call) and any(keyword.arg == KEYWORD for keyword in node.keywords):
            self.take(where[0], RemoveKeyword(place_of(node), KEYWORD))
        else:
            return
        self.found.private &= self._users(container) <= {call.number}

    def _behind(self, node: int) -> set[int]:
        known = self._before.get(node)
        if known is None:
            known = self._before[node] = self._solver.behind(node)
        return known

    def _users(self, container: int) -> set[int]:
        """The numbers of the calls that can be given what a container is, or that read from it."""
        reached, pending = {container}, [container]
        while pending:
            for target, _, _ in self._solver.edges.get(pending.pop(), ()):
                if target not in reached:
                    reached.add(target)
                    pending.append(target)
        return {call.number for node in reached for call in self._solver.by_argument.get(node, ())}

    def _write(self, filename: str, write: ModeWrite) -> None:
        """`params["async_mode"] = False`, `params.update(async_mode=False)`, `params.setdefault("async_mode", False)`."""
        self.found.private = False
        statement = self._statements(filename, write.scope).get(write.order)
        if statement is None:
            self.found.elsewhere.append(filename)
            return
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and len(call.keywords) + len(call.args) > 1 and call.keywords:
            self.take(filename, RemoveKeyword(place_of(call), KEYWORD))  # update() with more than that
        else:
            self.take(filename, Remove(place_of(statement)))

    def _statements(self, filename: str, scope: int) -> Mapping[int, ast.Assign | ast.Expr]:
        """The statements of a scope that put the keyword into a mapping, by the order of what they write; none where unclear."""
        known = self._writes.get((filename, scope))
        if known is None:
            joined = self._solver.files[filename]
            writes = [item for item in joined.summary.mode_writes if item.scope == scope and _is_statement(item)]
            index = joined.summary.scope_functions.get(scope)
            place = joined.summary.functions[index].place if index is not None else None
            tree = self._code.tree(filename)
            found = [
                node
                for node in ast.walk(tree.source.tree)
                if isinstance(node, (ast.Assign, ast.Expr)) and _writes(node) and _function_place(tree, node) == place
            ]
            found.sort(key=place_of)
            orders = sorted(item.order for item in writes)
            known = dict(zip(orders, found, strict=True)) if len(orders) == len(found) else {}
            self._writes[filename, scope] = known
        return known


def _is_statement(write: ModeWrite) -> bool:
    """Whether it is a statement of its own that puts the keyword into a mapping."""
    return not write.display and write.mode != "deleted"


def _function_place(tree: Tree, node: ast.stmt) -> Place | None:
    function = tree.function(node)
    return place_of(function) if function is not None else None


def _has(display: ast.Dict, key: str) -> bool:
    return any(isinstance(item, ast.Constant) and item.value == key for item in display.keys)


def _writes(node: ast.Assign | ast.Expr) -> bool:
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        is_key = isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and target.slice.value == KEYWORD
        return is_key and len(node.targets) == 1
    return isinstance(node.value, ast.Call) and _sets(node.value)


def _sets(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr == "setdefault":
        return len(call.args) > 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == KEYWORD
    return call.func.attr == "update" and any(keyword.arg == KEYWORD for keyword in call.keywords)
