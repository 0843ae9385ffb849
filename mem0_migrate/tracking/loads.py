"""What reading an attribute, an element or an awaited value gives, for each kind of value; and what narrowing leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.sdk import answers as shapes
from mem0_migrate.sdk import surface
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.values import CLEAR, PATH_DEPTH, Context, Value, answer

if TYPE_CHECKING:
    from mem0_migrate.tracking.solver import Fact, Solver

_CONTAINER_METHODS = frozenset(
    [
        "get",
        "pop",
        "setdefault",
        "values",
        "items",
        "append",
        "add",
        "extend",
        "insert",
        "put",
        "put_nowait",
        "appendleft",
        "copy",
        "update",
        "popitem",
        "popleft",
        "set",
        "get_nowait",
        "register",
        "__getitem__",
        "__setitem__",
    ]
)
MUTATORS = frozenset(
    [
        "append",
        "add",
        "put",
        "set",
        "put_nowait",
        "appendleft",
        "insert",
        "__setitem__",
        "register",
        "extend",
        "update",
        "setdefault",
    ]
)
_ANSWER_METHODS = frozenset(["get", "pop", "items", "values", "keys", "copy", "setdefault", "json"])
_RESPONSE_TEXTS = frozenset([".read", ".text", ".content", ".decode", ".data", ".prepare"])
_IDENTITY = frozenset([facts.AWAIT, facts.ENTER])
_LIBRARY_DEPTH = 6  # names below the first; `node = node.next` in a loop would have no end
_MOST_WAITS = 4  # `answer = submit(f, answer)` in a loop neither


def library(dotted: str) -> Value:
    """The value of a name outside the code base: a client class where mem0ai defines one there."""
    known = surface.CLASSES.get(dotted)
    return ("sdk", known[0]) if known else ("library", dotted)


def load(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    """`target` gets what `value` holds under `key`."""
    rule = _RULES.get(value[0])
    if key == facts.MATCHED_ELEMENT and value[0] not in ("answer", "response"):
        key = facts.ITERATE
    if key == facts.DEFER:
        later = answer(value[1], min(value[2] + 1, _MOST_WAITS), value[3]) if value[0] == "answer" else value
        solver.put(target, later, context, (node, value, context))
    elif rule is not None:
        rule(solver, key, target, value, context, node)


def _library(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    if key in _IDENTITY:
        solver.put(target, value, context, (node, value, context))
    elif key[0] == "." and value[1].count(".") < _LIBRARY_DEPTH:
        dotted = value[1] + key
        found = None
        if not dotted.startswith(surface.PACKAGE + "."):
            where = solver.places.get(target) or solver.places.get(node)
            found = solver.modules.resolve(where[0], dotted, 0) if where else None
        solver.put(target, ("module", found) if found else library(dotted), context, (node, value, context))


def _module(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    del context, node
    if key[0] == ".":
        solver.member(value[1], key[1:], target)


def _sdk(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    if key[1:] in surface.FACTORIES:
        solver.put(target, ("build", value[1]), context, (node, value, context))
    elif key == "." + surface.ADD:
        unbound = ("client", surface.KINDS[value[1]], target)
        solver.put(target, ("method", unbound, "unbound add", target), context, (node, value, context))


def _client(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    name = key[1:]
    if key in _IDENTITY:
        solver.put(target, value, context, (node, value, context))
    elif key[0] == "." and (name == surface.ADD or name in surface.READS):
        solver.put(target, ("method", value, name, target), context, (node, value, context))


def _instance(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    own = (value[1], value[2])
    if key == facts.AWAIT:
        solver.put(target, value, context, (node, value, context))
        return
    if key == facts.ENTER:
        entered = [item for name in (".__enter__", ".__aenter__") for item in _methods(solver, own, name[1:])]
        for filename, index in entered:
            solver.edge(_returned(solver, filename, index), target, CLEAR)
        if not entered:
            solver.put(target, value, context, (node, value, context))
        return
    if key[0] == "[":
        for filename, index in _methods(solver, own, "__getitem__"):
            solver.edge(_returned(solver, filename, index), target, CLEAR)
        return
    if key[0] != ".":
        return
    if solver.once("instance load", own, key, target):
        solver.instance_loads[own].append((key, target, value, context, node))
    overriding = key[1:] in solver.files[own[0]].summary.classes[own[1]].assigned
    hidden = solver.ancestors(own)[1:] if overriding else []  # the class assigns it anew
    for member in sorted(solver.family(own).difference(hidden)):
        solver.edge(solver.cell(member, key), target, CLEAR)
    _method(solver, own, key[1:], target, context, node, value)
    for filename, index in solver.ancestors(own):
        delegate = solver.files[filename].summary.classes[index].delegate
        if delegate is not None and delegate != key[1:] and not _methods(solver, own, key[1:]):
            held = solver.cell((filename, index), "." + delegate)
            solver.add_load(held, key, target)


def _method(solver: Solver, own: tuple[str, int], name: str, target: int, context: Context, node: int, value: Value) -> None:
    found = _methods(solver, own, name)
    for filename, index in found:
        function = solver.files[filename].summary.functions[index]
        if function.kind == "property":
            kind = solver.files[filename]
            solver.edge(function.returned + kind.base, target, CLEAR)
        elif function.kind == "static":
            solver.put(target, ("function", filename, index), context, (node, value, context))
        else:
            solver.put(target, ("bound", filename, index), context, (node, value, context))
    if not found or name == surface.ADD:
        overridden = any(
            name in solver.files[item[0]].summary.classes[item[1]].methods
            for item in solver.ancestors(own)
            if item[0] in solver.files
        )
        for sdk_class in sorted(solver.sdk_base(own)):
            if not overridden and (name == surface.ADD or name in surface.READS):
                inherited = ("client", surface.KINDS[sdk_class], solver.class_node(*own))
                solver.put(target, ("method", inherited, name, target), context, (node, value, context))


def _methods(solver: Solver, own: tuple[str, int], name: str) -> list[tuple[str, int]]:
    """Definitions of a method that an instance may have: the nearest of its bases, and overrides below."""
    found = []
    for filename, index in solver.ancestors(own):
        if filename in solver.files and name in solver.files[filename].summary.classes[index].methods:
            found.append((filename, solver.files[filename].summary.classes[index].methods[name]))
            break
    below = sorted(solver.family(own).difference(solver.ancestors(own)))
    found += [
        (filename, solver.files[filename].summary.classes[index].methods[name])
        for filename, index in below
        if name in solver.files[filename].summary.classes[index].methods
    ]
    return found


def _returned(solver: Solver, filename: str, index: int) -> int:
    joined = solver.files[filename]
    function = joined.summary.functions[index]
    return (function.yielded if function.is_generator else function.returned) + joined.base


def _class(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    own = (value[1], value[2])
    if key[0] != ".":
        return
    if solver.once("class load", own, key, target):
        solver.instance_loads[own].append((key, target, value, context, node))
    for member in solver.ancestors(own):
        solver.edge(solver.cell(member, key), target, CLEAR)
    found = _methods(solver, own, key[1:])
    for filename, index in found[:1]:
        function = solver.files[filename].summary.functions[index]
        kind = "bound" if function.kind == "class" else "function"
        if function.kind != "property":
            solver.put(target, (kind, filename, index), context, (node, value, context))
    if not found and key[1:] in surface.FACTORIES:
        for sdk_class in sorted(solver.sdk_base(own)):
            solver.put(target, ("build", sdk_class), context, (node, value, context))


def _super(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    own = (value[1], value[2])
    if solver.once("super load", own, key, target):
        solver.instance_loads[own].append((key, target, value, context, node))
    if key == ".__new__":
        solver.put(target, ("class", *own), context, (node, value, context))
    for base in solver.ancestors(own)[1:]:
        for filename, index in _methods(solver, base, key[1:])[:1]:
            solver.put(target, ("bound", filename, index), context, (node, value, context))
    for sdk_class in sorted(solver.sdk_base(own)):
        if key[1:] == surface.ADD or key[1:] in surface.READS:
            inherited = ("client", surface.KINDS[sdk_class], solver.class_node(*own))
            solver.put(target, ("method", inherited, key[1:], target), context, (node, value, context))


def _container(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    owner = value[1]
    if key in _IDENTITY:
        solver.put(target, value, context, (node, value, context))
    elif key in (facts.ITERATE, facts.ANY_ITEM):
        solver.edge(solver.everything(owner), target, CLEAR)
    elif key[0] == "[":
        _held(solver, owner, key, target)
    elif key[1:] in _CONTAINER_METHODS:
        solver.put(target, ("operation", owner, key[1:]), context, (node, value, context))
    elif key[0] == ".":  # a namespace: its keys are its attributes
        _held(solver, owner, facts.BUILT_FIELD + key[1:], target)
        if owner in solver.opaque:  # context.request_context.lifespan_context
            solver.put(target, value, context, (node, value, context))


def _held(solver: Solver, owner: int, key: str, target: int) -> None:
    """`target` gets what a container holds under a key, also from an answer that was spread into it."""
    bare = "[" + key[2:] if key.startswith((facts.MATCHED_KEY, facts.BUILT_FIELD)) else key
    solver.edge(solver.cell(owner, bare), target, CLEAR)
    solver.edge(solver.cell(owner, facts.ANY_ITEM), target, CLEAR)
    for source in solver.spread_from.get(owner, ()):
        if any(value[0] == "answer" for value, _ in solver.values.get(source, ())):
            solver.add_load(source, key, target)


def _entries(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    if key == facts.ITERATE:
        solver.put(target, ("entry", value[1]), context, (node, value, context))


def _entry(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    del context, node
    if key == "[1":
        solver.edge(solver.everything(value[1]), target, CLEAR)


def _generator(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    del context, node
    if key in (facts.ITERATE, facts.ENTER, facts.AWAIT):
        joined = solver.files[value[1]]
        solver.edge(joined.summary.functions[value[2]].yielded + joined.base, target, CLEAR)


def _function(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    del context, node
    if key[0] == ".":
        solver.edge(solver.cell(value, key), target, CLEAR)


def _answer(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    _, site, waits, path = value
    if key == facts.AWAIT:
        solver.put(target, answer(site, max(waits - 1, 0), path), context, (node, value, context))
    elif waits and key in (".result", ".get", ".exception"):
        solver.put(target, ("reading", value, "result"), context, (node, value, context))
    elif waits:
        return  # a coroutine has nothing to read
    elif key == facts.ITERATE:
        solver.put(target, answer(site, waits, (*path, "*")[:PATH_DEPTH]), context, (node, value, context))
    elif key == facts.MATCHED_ELEMENT:
        solver.put(target, answer(site, waits, (*path, shapes.MATCHED + "*")[:PATH_DEPTH]), context, (node, value, context))
    elif key[0] == "[" and len(path) < PATH_DEPTH:
        inner = key[1:]
        step = "#" if inner == "*" or inner.lstrip("-").isdigit() else inner
        solver.put(target, answer(site, waits, (*path, step)), context, (node, value, context))
    elif key[0] == "." and key[1:] in _ANSWER_METHODS:
        solver.put(target, ("reading", value, key[1:]), context, (node, value, context))


def _response(solver: Solver, key: str, target: int, value: Value, context: Context, node: int) -> None:
    _, site, waits = value
    if key == facts.AWAIT:
        solver.put(target, ("response", site, max(waits - 1, 0)), context, (node, value, context))
    elif key == facts.ENTER:
        solver.put(target, ("response", site, 0), context, (node, value, context))
    elif key == facts.PARSE:
        solver.put(target, answer(site, waits), context, (node, value, context))
    elif key in _RESPONSE_TEXTS:  # an attribute here, a method there
        solver.put(target, value, context, (node, value, context))
        solver.put(target, ("reading", value, key[1:]), context, (node, value, context))
    elif key == ".json":
        solver.put(target, ("reading", value, "json"), context, (node, value, context))
    else:  # what a function around the request returns may be the decoded answer itself
        _answer(solver, key, target, answer(site, waits), context, node)


_RULES = {
    "library": _library, "module": _module, "sdk": _sdk, "client": _client, "instance": _instance, "class": _class,
    "super": _super, "container": _container, "entries": _entries, "entry": _entry, "generator": _generator,
    "function": _function, "answer": _answer, "response": _response,
}  # fmt: skip


def store(solver: Solver, value: Value, key: str, stored: int) -> None:
    """An object gets a value under a key: connect the stored node to the object's cell."""
    if value[0] in ("instance", "class"):
        owner: object = (value[1], value[2])
    elif value[0] == "container":
        owner = value[1]
    elif value[0] == "function":
        owner = value
    elif value[0] == "module":
        joined = solver.files.get(value[1])
        if joined is not None and key[1:] in joined.summary.globals:
            solver.edge(stored, joined.summary.globals[key[1:]] + joined.base, CLEAR)
        return
    else:
        return
    solver.edge(stored, solver.cell(owner, key), CLEAR)


def spread(solver: Solver, held: Value, into: Value) -> None:
    """One dictionary is merged into another (`{**a}`, `a.update(b)`): what the one holds, the other may hold."""
    if held[0] == into[0] == "container" and held != into and solver.once("spread", held[1], into[1]):
        solver.edge(solver.everything(held[1]), solver.cell(into[1], facts.ANY_ITEM), CLEAR)


def narrow(solver: Solver, fact: facts.Narrow, target: int, classes: tuple[int, ...], node: int, arrived: Fact) -> None:
    """Pass on what an instance check leaves. A value that the check lets through unseen becomes an instance of the class."""
    joined = {value for item in classes for value, _ in solver.values.get(item, ())}
    if classes and not joined:
        return
    source = fact.source + solver.files[solver.places[target][0]].base
    named = {value[1] for value in joined if value[0] == "sdk"} | set(fact.names)
    user = {(value[1], value[2]) for value in joined if value[0] == "class"}
    known = [arrived[1:]] if node == source else list(solver.values.get(source, ()))
    for value, context in known:
        if value[0] == "client":
            matches = any(surface.KINDS.get(name) == value[1] for name in named)
        elif value[0] == "instance":
            own = (value[1], value[2])
            name = solver.files[value[1]].summary.classes[value[2]].name
            matches = bool(set(solver.ancestors(own)) & user) or name in fact.names or bool(solver.sdk_base(own) & named)
        else:
            matches = fact.positive
        if matches == fact.positive:
            solver.put(target, value, context, (source, value, context))
    if fact.positive:
        for value in sorted(joined):
            solver.annotate(value, target, "itself", cause=None)
