"""Solve the facts of all joined files at once: which values reach which node.

An incremental worklist over (node, value, context). A context is the last calls through whose arguments a value entered the
functions it is in; it leaves a function only to those calls, so a helper does not mix its callers. Values of globals and
attributes have no context. The result is the least fixpoint: it does not depend on the order of files.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import calls, frameworks, loads
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.summary import NOTHING
from mem0_migrate.tracking.values import CLEAR, DIRECT, ENTER, EXIT, PLAIN, Context, Value, client, entered

if TYPE_CHECKING:
    from mem0_migrate.project.modules import Modules
    from mem0_migrate.tracking.records import JoinedFile, SiteRecord, SolvedCall

ClassKey = tuple[str, int]
_KEPT = frozenset(["client", "instance", "container"])  # values that are found again by the name they are stored under
Fact = tuple[int, Value, Context]


class Solver:
    """The state of the fixpoint; `loads` and `calls` hold its rules."""

    def __init__(self, modules: Modules) -> None:  # noqa: PLR0915 (the tables of the fixpoint)
        self.modules = modules
        self.files: dict[str, JoinedFile] = {}
        self.size = 1
        self.values: dict[int, dict[tuple[Value, Context], Fact | None]] = defaultdict(dict)
        self.edges: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.incoming: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.loads: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self.load_of: dict[int, int] = {}
        self.stores: dict[int, list[tuple[str, int]]] = defaultdict(list)
        self.stored: dict[int, list[tuple[int, str, facts.Place]]] = defaultdict(list)
        self.narrows: dict[int, list[tuple[facts.Narrow, int, tuple[int, ...]]]] = defaultdict(list)
        self.annotations: dict[int, list[tuple[int, int, bool, facts.Held]]] = defaultdict(list)
        self.weak: list[tuple[int, int, facts.Held]] = []
        self.spread_into: dict[int, list[int]] = defaultdict(list)
        self.spread_from: dict[int, list[int]] = defaultdict(list)
        self.calls: list[SolvedCall] = []
        self.call_of: dict[int, list[SolvedCall]] = defaultdict(list)
        self.by_callee: dict[int, list[SolvedCall]] = defaultdict(list)
        self.by_argument: dict[int, list[SolvedCall]] = defaultdict(list)
        self.keyword_spreads: dict[int, list[tuple[SolvedCall, str, int]]] = defaultdict(list)
        self.cells: dict[tuple[object, str], int] = {}
        self.keys: dict[object, dict[str, int]] = defaultdict(dict)
        self.whole: dict[object, int] = {}
        self.bases: dict[ClassKey, list[ClassKey]] = defaultdict(list)
        self.derived: dict[ClassKey, list[ClassKey]] = defaultdict(list)
        self.sdk_bases: dict[ClassKey, set[str]] = defaultdict(set)
        self.mode_writes: list[tuple[str, facts.ModeWrite, int]] = []
        self.open_nodes: list[int] = []
        self.owner_of: dict[int, int] = {}
        self.variadic_of: dict[int, tuple[str, int]] = {}
        self.annotated: set[int] = set()
        self.annotation_places: dict[int, tuple[str, facts.Place]] = {}
        self.dormant: set[int] = set()
        self.opaque: set[int] = set()
        self.awake: set[int] = set()
        self.carriers: set[tuple[str, str, int]] = set()
        self.base_of: dict[int, list[ClassKey]] = defaultdict(list)
        self.instance_loads: dict[ClassKey, list[tuple[str, int, Value, Context, int]]] = defaultdict(list)
        self.waiting: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.wanted: set[str] = set()
        self.sites: dict[tuple[str, int], SiteRecord] = {}
        self.site_list: list[SiteRecord] = []
        self.reads: dict[int, dict[Value, str]] = defaultdict(dict)
        self.labels: dict[int, tuple[str, str]] = {}
        self.places: dict[int, tuple[str, facts.Place]] = {}
        self.usages: dict[int, list[facts.Usage]] = defaultdict(list)
        self.texts: dict[int, list[int]] = defaultdict(list)
        self.callers: dict[tuple[str, int], set[int]] = defaultdict(set)
        self.returns: dict[int, tuple[str, int]] = {}
        self.name_loads: dict[str, list[int]] = defaultdict(list)
        self.name_stores: dict[str, list[int]] = defaultdict(list)
        self._linked: set[tuple[object, ...]] = set()
        self._work: deque[Fact] = deque()
        self._derived_anew: set[ClassKey] = set()
        self._ancestors: dict[ClassKey, list[ClassKey]] = {}
        self._families: dict[ClassKey, set[ClassKey]] = {}

    # -- building ----------------------------------------------------------------------------------------------------------------

    def fresh(self) -> int:
        """A new node."""
        self.size += 1
        return self.size - 1

    def add_call(self, call: SolvedCall) -> None:
        """Let a call take part; also one that a framework makes."""
        self.calls.append(call)
        self.call_of[call.target].append(call)
        for node, _ in call.arguments:
            if node != NOTHING:
                self.by_argument[node].append(call)
        for _, node in call.keywords:
            if node != NOTHING:
                self.by_argument[node].append(call)
        if call.callee != NOTHING:
            self.by_callee[call.callee].append(call)
            for value, context in list(self.values.get(call.callee, ())):
                calls.call(self, call, value, context)
        frameworks.deferred_call(self, call)

    def member(self, filename: str, name: str, target: int) -> None:
        """Connect the name of a module to a node, now or when that module joins."""
        joined = self.files.get(filename)
        inner = self.modules.submodule(filename, name)
        if inner is not None:
            self.seed(target, ("module", inner))
        if joined is None:
            self.waiting[filename].append((name, target))
            return
        cell = joined.summary.globals.get(name)
        if cell is not None:
            self.edge(cell + joined.base, target, CLEAR)
            return
        for module, level in joined.summary.stars:
            found = self.modules.resolve(filename, module or None, level)
            if found is not None and found != filename and ("star", found, name, target) not in self._linked:
                self._linked.add(("star", found, name, target))
                self.member(found, name, target)

    # -- solving -----------------------------------------------------------------------------------------------------------------

    def once(self, *key: object) -> bool:
        """True the first time this key is asked for."""
        if key in self._linked:
            return False
        self._linked.add(key)
        return True

    def add_load(self, base: int, key: str, target: int) -> None:
        """Let `target` get what `base` holds under a key from now on."""
        if base == NOTHING or not self.once("load", base, key, target):
            return
        self.loads[base].append((key, target))
        for value, context in list(self.values.get(base, ())):
            loads.load(self, key, target, value, context, base)

    def edge(self, source: int, target: int, kind: int = PLAIN, call: int = 0) -> None:
        """Let values flow from one node to another from now on."""
        if NOTHING in (source, target) or source == target or not self.once(source, target, kind, call):
            return
        self.edges[source].append((target, kind, call))
        self.incoming[target].append((source, kind, call))
        for value, context in list(self.values.get(source, ())):
            self._along(source, value, context, target, kind, call)

    def seed(self, node: int, value: Value) -> None:
        """A value that starts at this node."""
        self.put(node, value, (), None)

    def put(self, node: int, value: Value, context: Context, cause: Fact | None) -> None:
        """A value that reaches this node, and the fact it comes from."""
        if node == NOTHING:
            return
        known = self.values[node]
        if (value, context) not in known:
            known[value, context] = cause
            self._work.append((node, value, context))
            owner = self.owner_of.get(node)
            if owner is not None and owner in self.dormant and self.interesting(value):
                self.wake(owner)

    def container(self, node: int) -> None:
        """A display, dict() or **keywords starts at this node. It only takes part once it holds something of interest."""
        if node not in self.awake:
            self.dormant.add(node)

    def wake(self, node: int) -> None:
        """Let a container take part."""
        self.dormant.discard(node)
        self.awake.add(node)
        self.seed(node, ("container", node))

    def interesting(self, value: Value) -> bool:
        """Whether a value is a client or an answer, or leads to one."""
        kind = value[0]
        if kind in DIRECT or kind in ("container", "partial"):
            return True
        if kind in ("instance", "class"):
            return ("class", value[1], value[2]) in self.carriers
        if kind in ("function", "bound", "generator"):
            return ("function", value[1], value[2]) in self.carriers
        return False

    def wake_needed(self) -> bool:
        """Wake containers that something of interest is put into by name, or that hold what became of interest; True if any."""
        before = len(self.awake)
        for node in [node for node, held in self.values.items() if any(self.interesting(value) for value, _ in held)]:
            owner = self.owner_of.get(node)
            if owner is not None and owner in self.dormant:
                self.wake(owner)
            for base, key, _ in self.stored.get(node, ()):
                if key[0] == "[":
                    self._wake_behind(base)
            for call in self.by_argument.get(node, ()):
                if call.fact.text.rpartition(".")[2] in loads.MUTATORS and call.callee in self.load_of:
                    self._wake_behind(self.load_of[call.callee])
            for target in self.spread_into.get(node, ()):
                self._wake_behind(target)
        return len(self.awake) > before

    def _wake_behind(self, node: int) -> None:
        """Wake the containers that can reach this node."""
        for reached in self.behind(node):
            if reached in self.dormant:
                self.wake(reached)

    def behind(self, node: int) -> set[int]:
        """All nodes whose values can flow to this one, itself included."""
        reached, pending = {node}, [node]
        while pending:
            for source, _, _ in self.incoming.get(pending.pop(), ()):
                if source not in reached:
                    reached.add(source)
                    pending.append(source)
        return reached

    def cell(self, owner: object, key: str) -> int:
        """The node for what an object holds under a key."""
        node = self.cells.get((owner, key))
        if node is None:
            node = self.cells[owner, key] = self.fresh()
            self.keys[owner][key] = node
            if isinstance(owner, int):
                self.owner_of[node] = owner
            self.labels[node] = ("field", self._field_name(owner, key))
            if owner in self.whole:
                self.edge(node, self.whole[owner], CLEAR)
        return node

    def everything(self, owner: object) -> int:
        """The node for what an object holds under any key."""
        node = self.whole.get(owner)
        if node is None:
            node = self.whole[owner] = self.fresh()
            for cell in list(self.keys[owner].values()):
                self.edge(cell, node, CLEAR)
        return node

    def _field_name(self, owner: object, key: str) -> str:
        if isinstance(owner, tuple) and len(owner) == 2 and isinstance(owner[0], str) and owner[0] in self.files:  # noqa: PLR2004
            return f"{self.files[owner[0]].summary.classes[owner[1]].name}{key}"
        return key.lstrip("[.")

    def run(self) -> None:
        """Work until nothing changes."""
        work = self._work
        while work or self._derived_anew:
            if not work:
                self._load_again()
                continue
            node, value, context = work.popleft()
            for target, kind, call in list(self.edges.get(node, ())):
                self._along(node, value, context, target, kind, call)
            for key, target in list(self.loads.get(node, ())):
                loads.load(self, key, target, value, context, node)
            for key, stored in list(self.stores.get(node, ())):
                loads.store(self, value, key, stored)
            for made in list(self.by_callee.get(node, ())):
                calls.call(self, made, value, context)
            for narrow, target, classes in self.narrows.get(node, ()):
                loads.narrow(self, narrow, target, classes, node, (node, value, context))
            for target, _, weak, held in self.annotations.get(node, ()):
                if weak:
                    self.weak.append((node, target, held))
                else:
                    self.annotate(value, target, held, cause=(node, value, context))
            if value[0] == "container":
                self._spread(node, value)
            for spread_call, filename, index in list(self.keyword_spreads.get(node, ())):
                calls.spread_keywords(self, spread_call, filename, index, value, node)
            for class_key in self.base_of.get(node, ()):
                self._derive(class_key, value)

    def _spread(self, node: int, value: Value) -> None:
        for target in self.spread_into.get(node, ()):
            for into, _ in list(self.values.get(target, ())):
                loads.spread(self, value, into)
        for source in self.spread_from.get(node, ()):
            for held, _ in list(self.values.get(source, ())):
                loads.spread(self, held, value)

    def _along(self, source: int, value: Value, context: Context, target: int, kind: int, call: int) -> None:
        if kind == ENTER:
            context_after = entered(value, context, call)
        elif kind == EXIT:
            if context and context[-1] != call:
                return
            context_after = context[:-1]
        else:
            context_after = () if kind == CLEAR else context
        self.put(target, value, context_after, (source, value, context))

    def annotate(self, value: Value, target: int, how: facts.Held, *, cause: Fact | None) -> None:
        """A node is annotated with a class: it is an instance of it, or holds some."""
        if target in self.annotation_places:
            self.places.setdefault(target, self.annotation_places[target])
        if value[0] == "sdk":
            held = client(surface.KINDS[value[1]], target)
        elif value[0] == "class":
            held = ("instance", value[1], value[2])
        elif value[0] in ("client", "instance", "generator"):
            held = value  # Annotated[…, Depends(f)]
        else:
            return
        if how != "itself":
            self.container(target)
            if how == "attributes":
                self.opaque.add(target)
            self.put(self.cell(target, facts.ANY_ITEM), held, (), cause)
        else:
            self.put(target, held, (), None if value[0] == "sdk" else cause)

    def apply_weak(self) -> bool:
        """Believe the annotations of nodes that no client reached, and name-keyed attributes; True when that added anything."""
        pending = []
        for node, target, held in self.weak:
            reached = {value[0] for value, _ in self.values.get(target, ())}
            if not reached & {"client", "instance", "container", "generator", "answer"}:
                pending += [(value, target, held) for value, _ in self.values[node] if self.once("weak", value, target)]
        for value, target, held in pending:
            self.annotate(value, target, held, cause=None)
        return self._link_kept() or bool(pending)

    def _link_kept(self) -> bool:
        """Connect what is read by a name from an object that cannot be seen with what was stored by that name; True if any."""
        linked = False
        for path in sorted(self.name_loads.keys() & self.name_stores.keys()):
            sources = [
                source for source in self.name_stores[path] if any(value[0] in _KEPT for value, _ in self.values.get(source, ()))
            ]
            for target in self.name_loads[path] if sources else ():
                if any(value[0] in _KEPT for value, _ in self.values.get(target, ())) or self._in_own_container(target):
                    continue
                for source in sources:
                    if self.once("name", source, target):
                        self.labels[target] = ("name-keyed", path)
                        self.edge(source, target, CLEAR)
                        linked = True
        return linked

    def is_own_container(self, node: int) -> bool:
        """Whether a container that the code base builds reaches a node; what callers hand in is not built here."""
        known = self.behind(node) - self.opaque - self.variadic_of.keys()
        return not known.isdisjoint(self.dormant) or not known.isdisjoint(self.awake)

    def _in_own_container(self, target: int) -> bool:
        """Whether a node is read from a container that the code base builds, at any depth: it is followed as what it is."""
        pending, seen = [target], {target}
        while pending:
            node = pending.pop()
            bases = [self.load_of.get(item, NOTHING) for item in (node, *(call.callee for call in self.call_of.get(node, ())))]
            for base in bases:
                if base == NOTHING or base in seen:
                    continue
                if self.is_own_container(base):
                    return True
                seen.add(base)
                pending.append(base)
        return False

    # -- classes -----------------------------------------------------------------------------------------------------------------

    def _derive(self, key: ClassKey, value: Value) -> None:
        if value[0] == "sdk":
            if value[1] in self.sdk_bases[key]:
                return
            self.sdk_bases[key].add(value[1])
        elif value[0] == "class" and (value[1], value[2]) != key and (value[1], value[2]) not in self.bases[key]:
            self.bases[key].append((value[1], value[2]))
            self.derived[value[1], value[2]].append(key)
        else:
            return
        self._derived_anew.add(key)
        self._ancestors.clear()
        self._families.clear()

    def _load_again(self) -> None:
        """Read the attributes of instances again whose classes have got new bases: once for all bases, when they are known."""
        keys, self._derived_anew = self._derived_anew, set()
        for member in sorted(set().union(*(self.family(key) for key in keys))):
            for name, target, held, context, node in list(self.instance_loads.get(member, ())):
                loads.load(self, name, target, held, context, node)

    def ancestors(self, key: ClassKey) -> list[ClassKey]:
        """The class and its bases in the code base, nearest first."""
        known = self._ancestors.get(key)
        if known is None:
            found: dict[ClassKey, None] = {}
            pending = deque([key])
            while pending:
                current = pending.popleft()
                if current not in found:
                    found[current] = None
                    pending += self.bases.get(current, [])
            known = self._ancestors[key] = list(found)
        return known

    def family(self, key: ClassKey) -> set[ClassKey]:
        """Ancestors and descendants: every class whose attributes an instance may have."""
        known = self._families.get(key)
        if known is None:
            below, pending = {key}, [key]
            while pending:
                new = [item for item in self.derived.get(pending.pop(), ()) if item not in below]
                below.update(new)
                pending += new
            known = self._families[key] = below.union(self.ancestors(key))
        return known

    def class_node(self, filename: str, index: int) -> int:
        """The node of a class. For a client class of the code base it stands for the construction of its clients."""
        joined = self.files[filename]
        node = joined.summary.classes[index].value + joined.base
        self.places.setdefault(node, (filename, joined.summary.classes[index].place))
        return node

    def constructions(self, filename: str, index: int) -> list[SolvedCall]:
        """The calls that construct an instance of a class."""
        made = ("class", filename, index)
        return [call for call in self.calls if any(value == made for value, _ in self.values.get(call.callee, ()))]

    def sdk_base(self, key: ClassKey) -> set[str]:
        """Client classes of mem0ai among the bases."""
        return {name for item in self.ancestors(key) for name in self.sdk_bases.get(item, ())}
