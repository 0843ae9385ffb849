"""Record facts: number the nodes of a file, know what its names hold, and write down loads, stores and uses."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.scope import EMPTY, Nodes, Scope
from mem0_migrate.tracking.summary import NOTHING, Guard, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.http import Requests

_REBINDING = re.compile(r"\b(?:global|nonlocal)[ \t]+([\w, \t]+)")


MODES = {False: "false", True: "true", None: "none"}


def place(node: ast.expr | ast.stmt | ast.ExceptHandler | ast.arg | ast.keyword | ast.pattern) -> Place:
    """Where the node stands, as ast counts (columns in UTF-8 bytes)."""
    return (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


KEEPING = frozenset(["get", "pop", "set", "setdefault"])
"""Methods that read or write what an object keeps under a name."""


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` of names and attributes, or None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    return ".".join(reversed(parts))


def kept_as(node: ast.expr) -> str | None:
    """`holder.key` for what frameworks keep by name: `….holder.key`, `holder["key"]`, `holder[KEY]`, `holder.get("key")`.

    One name for all of them, since `app.state.key` and `session_state["key"]` are read in any of these ways. None for members of
    `self` and `cls`, which belong to a class, and for what has no name.
    """
    if isinstance(node, ast.Attribute):
        holder, key = node.value, node.attr
    elif isinstance(node, ast.Subscript):
        holder, key = node.value, _key_name(node.slice)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in KEEPING and node.args:
        holder, key = node.func.value, _key_name(node.args[0])
    else:
        return None
    if isinstance(holder, ast.Attribute):
        name = holder.attr
    elif isinstance(holder, ast.Name):
        name = "" if holder.id in ("self", "cls") else holder.id
    else:
        name = _key_name(holder.slice) if isinstance(holder, ast.Subscript) else ""
    return f"{name}.{key}" if name and key else None


def _key_name(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return node.id if isinstance(node, ast.Name) else ""


def item_key(value: str | int) -> str:
    """The key of a constant subscript. All integers too long to be printed are one."""
    return f"[{value}" if isinstance(value, str) or abs(value) < 1 << 63 else facts.ANY_ITEM


def mode_of(value: ast.expr) -> str:
    """The `async_mode` that an expression means."""
    if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool)):
        return MODES[value.value]
    if isinstance(value, ast.IfExp) and mode_of(value.body) == mode_of(value.orelse):
        return mode_of(value.body)
    return "dynamic"


class Recorder:
    """The summary of one file while it is made, and the scope that is being read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.summary = facts.Summary(source.filename)
        self.scope = Scope("module", "", 0)
        self.scopes = 1
        self.branches = 0
        self._nodes: dict[object, int] = {}
        self._seen_calls: set[int] = set()
        rebinds = "global " in source.text or "nonlocal " in source.text
        names = _REBINDING.findall(source.text) if rebinds else []
        self._rebound = {name for line in names for name in re.findall(r"\w+", line)}
        self._conditions: dict[str, tuple[Guard, ...]] = {}
        self._handlers: dict[type, Callable[[ast.expr], int]] = {}
        self._requests: Requests | None = None
        if "memories" in source.text:  # few files do
            from mem0_migrate.tracking.http import requests_of

            self._requests = requests_of(source)

    def fresh(self) -> int:
        """A new node."""
        node = self.summary.nodes
        self.summary.nodes = node + 1
        return node

    def node_for(self, key: object) -> int:
        """The node of this key: the same at every pass over a loop."""
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self.fresh()
        return node

    def flow(self, sources: Iterable[int], target: int) -> None:
        """Values of the sources reach the target."""
        flows = self.summary.flows
        for source in sources:
            if source not in (NOTHING, target):
                flows.add((source, target))

    def join_nodes(self, nodes: Iterable[int]) -> int:
        """One node for the values of all of them."""
        kept = frozenset(nodes) - EMPTY
        if not kept:
            return NOTHING
        if len(kept) == 1:
            return next(iter(kept))
        target = self.node_for(kept)
        self.flow(kept, target)
        return target

    def module_scope(self) -> Scope:
        """The scope of the module that is read."""
        scope = self.scope
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def cell(self, scope: Scope, name: str) -> int:
        """The node that stands for all that a name of the scope ever holds."""
        node = scope.cells.get(name)
        if node is None:
            node = scope.cells[name] = self.fresh()
            if scope.kind == "module":
                self.summary.globals[name] = node
                self.summary.labels[node] = ("global", name)
        return node

    def assign(self, name: str, node: int) -> None:
        """Bind a name of the scope that is read."""
        scope = self.scope
        if name in scope.globals:
            self.flow((node,), self.cell(self.module_scope(), name))
        elif name in scope.nonlocals and scope.parent is not None:
            outer = scope.parent
            while outer.parent is not None and (outer.kind == "class" or name not in outer.cells):
                outer = outer.parent
            self.flow((node,), self.cell(outer, name))
        else:
            self.flow((node,), self.cell(scope, name))
        if scope.kind == "class" and scope.owner is not None:
            value = self.summary.classes[scope.owner].value
            self.summary.stores.append(facts.Store(value, "." + name, node, (1, 0, 1, 0)))
        scope.now[name] = frozenset({node})
        scope.literals.pop(name, None)
        for holder in (scope, self.module_scope()) if name in scope.globals else (scope,):
            holder.constants.pop(name, None)
            holder.defaults.pop(name, None)
        scope.forget(name)

    def lookup(self, name: str) -> Nodes:
        """The nodes that a name can hold here."""
        scope: Scope | None = self.scope
        current = self.scope
        if name in current.now and name not in current.globals:
            known = current.now[name]
            return known | {current.cells[name]} if name in self._rebound and name in current.cells else known
        if name in current.globals and name in current.now:
            return current.now[name] | {self.cell(self.module_scope(), name)}
        while scope is not None:
            if (scope is current or scope.kind != "class") and name in scope.cells:
                return frozenset({scope.cells[name]})
            scope = scope.parent
        unresolved = self.summary.unresolved.get(name)
        if unresolved is None:
            unresolved = self.summary.unresolved[name] = self.fresh()
        return frozenset({unresolved})

    def _load(self, base: int, key: str, target: int, node: ast.expr | ast.pattern) -> None:
        if base != NOTHING and (base, key, target) not in self._nodes:
            self._nodes[base, key, target] = target
            self.summary.loads.append(facts.Load(base, key, target, place(node)))

    def _store(self, base: int, key: str, value: int, node: ast.expr) -> None:
        if NOTHING not in (base, value) and (base, key, value, "=") not in self._nodes:
            self._nodes[base, key, value, "="] = value
            self.summary.stores.append(facts.Store(base, key, value, place(node)))

    def _may_be_kept(self, node: ast.expr, target: int) -> None:
        """`target` may hold what was stored elsewhere under the same name."""
        kept = kept_as(node)
        if kept is not None:
            self.summary.labels.setdefault(target, ("path", kept))

    def _keep(self, node: ast.expr, target: ast.expr, value: int) -> None:
        """`node` stores a value under a name, for whoever reads that name."""
        kept = kept_as(target)
        if kept is not None and value != NOTHING:
            stored = self.node_for((node, "path"))
            self.summary.labels.setdefault(stored, ("store", kept))
            self.flow((value,), stored)

    def new_branch(self) -> int:
        """The number of a new branch of the flow."""
        self.branches += 1
        return self.branches

    def container(self, node: ast.expr) -> int:
        """The node of a display; what is put into it is kept by key."""
        target = self.node_for(node)
        self.summary.containers.setdefault(target, place(node))
        return target

    def mode_write(self, base: int, mode: str, *, display: bool) -> None:
        """Write down that `async_mode` is put into a mapping."""
        scope = self.scope
        scope.order += 1
        write = facts.ModeWrite(base, mode, display, scope.number, scope.order, scope.arms, scope.guards)
        if write not in self.summary.mode_writes:
            self.summary.mode_writes.append(write)

    def use(self, expression: ast.expr, node: int, kind: str, detail: str = "", whole: ast.expr | None = None) -> None:
        """Record something done with the value of an expression; `not x` and comparisons have no value of their own."""
        if node != NOTHING and (node, kind, expression) not in self._nodes:
            self._nodes[node, kind, expression] = node
            self.summary.usages.append(facts.Usage(node, kind, place(whole or expression), detail))
