"""What a strategy may ask of the code: the tracked facts, the syntax tree at a place, and what surrounds a node."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar

from mem0_migrate.tracking import evidence
from mem0_migrate.tracking.evidence import place_of
from mem0_migrate.usage.waiting import WaitingClients

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.records import SiteRecord, SolvedCall
    from mem0_migrate.tracking.summary import Place
    from mem0_migrate.tracking.tracker import Tracked
    from mem0_migrate.tracking.values import Value
    from mem0_migrate.usage.judgement import JudgedSite

_Node = TypeVar("_Node", bound=ast.AST)
Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Code:
    """The tracked code base, as the strategies see it."""

    def __init__(self, tracked: Tracked) -> None:
        self.tracked = tracked
        self.solver = tracked.solver
        self.waiting = WaitingClients(tracked.solver)
        self._trees: dict[str, Tree] = {}

    def source(self, filename: str) -> Source:
        """A file as it was analysed."""
        return self.tracked.sources[filename]

    def tree(self, filename: str) -> Tree:
        """The syntax tree of a file."""
        if filename not in self._trees:
            self._trees[filename] = Tree(self.source(filename))
        return self._trees[filename]

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


class Tree:
    """The syntax tree of one file, by place and upwards."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._by_place: dict[Place, list[ast.AST]] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
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
            if isinstance(item, Function) and inner not in getattr(item, "decorator_list", ()) and inner is not item.args:
                return item
            inner = item
        return None

    def text(self, node: ast.AST) -> str:
        """The source text of a node, as it stands."""
        return self.source.segment(node)
