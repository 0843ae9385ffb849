"""What a strategy may ask of the code: the tracked facts, the syntax tree at a place, and what surrounds a node."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar, cast

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import evidence
from mem0_migrate.tracking.evidence import place_of
from mem0_migrate.tracking.values import PLAIN
from mem0_migrate.usage.waiting import WaitingClients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.records import SiteRecord, SolvedCall
    from mem0_migrate.tracking.summary import Function, Place
    from mem0_migrate.tracking.tracker import Tracked
    from mem0_migrate.tracking.values import Value
    from mem0_migrate.usage.judgement import JudgedSite

_Node = TypeVar("_Node", bound=ast.AST)
_Result = TypeVar("_Result")
_BINDING = (
    ast.Import, ast.ImportFrom, ast.Name, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchStar,
    ast.MatchAs, ast.MatchMapping,
)  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Code:
    """The tracked code base, as the strategies see it."""

    def __init__(self, tracked: Tracked) -> None:
        self.tracked = tracked
        self.solver = tracked.solver
        self.waiting = WaitingClients(tracked.solver)
        self._trees: dict[str, Tree] = {}
        self._known: dict[object, object] = {}
        self._parameters: set[int] | None = None

    def once(self, key: object, make: Callable[[], _Result]) -> _Result:
        """What `make` gives, asked for once: a thousand sites may share one construction."""
        if key not in self._known:
            self._known[key] = make()
        return cast("_Result", self._known[key])

    def source(self, filename: str) -> Source:
        """A file as it was analysed."""
        return self.tracked.sources[filename]

    def tree(self, filename: str) -> Tree:
        """The syntax tree of a file."""
        if filename not in self._trees:
            self._trees[filename] = Tree(self.source(filename))
        return self._trees[filename]

    def line(self, filename: str, place: Place) -> str:
        """A place for a sentence: `path:row`, `notebook:cell 2:row`."""
        return evidence.span_at(self.tracked.sources, filename, place).line

    def record(self, site: JudgedSite) -> SiteRecord:
        """What the solver knows of a site."""
        return self.solver.site_list[site.number]

    def calls(self, site: JudgedSite) -> list[SolvedCall]:
        """The calls that make the `add` of a site."""
        return [self.solver.calls[number] for number in sorted(self.record(site).calls)]

    def clients(self, site: JudgedSite) -> list[Value]:
        """The clients that can receive a site, hosted ones first."""
        return evidence.consistent_clients(self.solver, self.record(site))

    def unwaiting(self, site: JudgedSite) -> list[Value]:
        """The hosted clients of a site that nothing makes wait yet."""
        clients = self.waiting.deciding(self.clients(site), self.record(site).filename)
        return [client for client in clients if client not in self.waiting]

    def injected(self, site: JudgedSite) -> Iterator[tuple[str, str, int]]:
        """Parameters by which others may pass a hosted client of their own: name, file and 1-based row.

        `def __init__(self, client: MemoryClient | None = None): self.client = client or MemoryClient()`: annotated, and nothing
        but the function itself is seen to construct one.
        """
        for client in self.clients(site):
            node = client[2]
            found = self.once(("parameter", node), lambda node=node: self._parameter(node))  # type: ignore[misc]
            if not surface.is_hosted(client[1]):
                continue
            if found is not None and all(self._within(found, value) for value, _ in self.solver.values.get(client[2], ())):
                filename, function, name = found
                place = self.solver.places.get(client[2], (filename, function.place))[1]
                yield name, filename, place[0]

    def open_parameter(self, site: JudgedSite) -> bool:
        """Whether the receiver can also come in by a parameter of which nothing is known: no annotation, and nobody passes it."""
        if self._parameters is None:
            self._parameters = {
                parameter + joined.base
                for joined in self.solver.files.values()
                for function in joined.summary.functions
                for _, parameter in function.parameters
            }
        behind = self.solver.behind(self.record(site).receiver) & self._parameters
        return any(not self._passed(node) for node in behind)

    def _passed(self, node: int) -> bool:
        """Whether a parameter is annotated as a client, or gets what some call passes, or is `self`."""
        if node in self.solver.annotated or any(
            value[0] in ("instance", "class", "module") for value, _ in self.solver.values.get(node, ())
        ):
            return True
        return any(kind != PLAIN for _, kind, _ in self.solver.incoming.get(node, ()))

    def _parameter(self, node: int) -> tuple[str, Function, str] | None:
        for filename, joined in self.solver.files.items():
            for function in joined.summary.functions:
                for name, parameter in function.parameters:
                    if parameter + joined.base == node:
                        return filename, function, name
        return None

    def _within(self, found: tuple[str, Function, str], value: Value) -> bool:
        """Whether a value is no client that is constructed outside a function."""
        filename, function, _ = found
        made = self.solver.call_of.get(value[2], ()) if value[0] == "client" else ()
        return all(call.filename == filename and function.place[0] <= call.fact.place[0] <= function.place[2] for call in made)


class Tree:
    """The syntax tree of one file, by place and upwards."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._by_place: dict[Place, list[ast.AST]] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._binding: dict[ast.AST, list[ast.AST]] | None = None
        for node in ast.walk(source.tree):
            if isinstance(node, (ast.expr, ast.stmt)):
                self._by_place.setdefault(place_of(node), []).append(node)
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node

    def at(self, place: Place, kind: type[_Node]) -> _Node | None:
        """The outermost node of a kind at a place, None where there is none."""
        return next((node for node in self._by_place.get(place, ()) if isinstance(node, kind)), None)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around a node."""
        return self._parents.get(node)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, from the inside out, itself not included."""
        parent = self._parents.get(node)
        while parent is not None:
            yield parent
            parent = self._parents.get(parent)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is or lies in."""
        for item in (node, *self.around(node)):
            if isinstance(item, ast.stmt):
                return item
        raise LookupError("a module lies in no statement")

    def function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """The innermost function whose body a node lies in."""
        inner = node
        for item in self.around(node):
            if isinstance(item, _FUNCTIONS) and inner not in getattr(item, "decorator_list", ()) and inner is not item.args:
                return item
            inner = item
        return None

    def binding(self, scope: ast.AST) -> Sequence[ast.AST]:
        """The nodes that can bind a name in a scope (the module or a function), not those of the functions in it."""
        if self._binding is None:
            self._binding = {}
            for node in ast.walk(self.source.tree):
                if isinstance(node, _BINDING) and not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)):
                    self._binding.setdefault(self.function(node) or self.source.tree, []).append(node)
        return self._binding.get(scope, ())

    def text(self, node: ast.AST) -> str:
        """The source text of a node, as it stands."""
        return self.source.segment(node)
