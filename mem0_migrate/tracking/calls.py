"""What a call does, for each kind of callee: link arguments to parameters, build clients, make sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import frameworks
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.records import SiteRecord, SolvedCall
from mem0_migrate.tracking.summary import NOTHING
from mem0_migrate.tracking.values import CLEAR, ENTER, EXIT, PATH_DEPTH, PLAIN, Context, Value, answer, client

if TYPE_CHECKING:
    from mem0_migrate.tracking.solver import Solver


_PARTIAL_DEPTH = 8  # partials of partials


def call(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int = 0) -> None:
    """A value reaches the callee of a call, whose first `skip` arguments are not its own."""
    rule = _RULES.get(value[0])
    if rule is not None:
        rule(solver, made, value, context, skip)


def _function(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    del context
    if _is_own_method(solver, made, value):
        return  # the instance has it bound as well
    link(solver, made, value[1], value[2], bound=0, skip=skip)


def _is_own_method(solver: Solver, made: SolvedCall, value: Value) -> bool:
    """Whether a function is found in the class of the instances, and of nothing else, that the call reads it from."""
    function = solver.files[value[1]].summary.functions[value[2]]
    held = solver.values.get(solver.load_of.get(made.callee, NOTHING), {}) if function.owner is not None else {}
    kinds = {base[0] for base, _ in held}
    owner = (value[1], function.owner)
    return kinds == {"instance"} and function.kind == "method" and all(owner in solver.family(base[1:]) for base, _ in held)


def _bound(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    del context
    link(solver, made, value[1], value[2], bound=1, skip=skip)


def link(solver: Solver, made: SolvedCall, filename: str, index: int, *, bound: int, skip: int, constructs: bool = False) -> None:
    """Connect arguments to parameters and, unless it constructs, the return to the call."""
    if not solver.once("link", made.number, filename, index, bound, skip, constructs):
        return
    made.functions.add((filename, index))
    made.followed = True
    joined = solver.files[filename]
    function, base = joined.summary.functions[index], joined.base
    solver.callers[filename, index].add(made.number)
    parameters = function.parameters[bound:]
    position = 0
    for node, starred in made.arguments[skip:]:
        if starred:
            item = solver.fresh()
            solver.add_load(node, facts.ITERATE, item)
            for _, parameter in parameters[position:]:
                solver.edge(item, parameter + base, ENTER, made.number)
            if function.variadic is not None:
                solver.edge(item, solver.cell(function.variadic + base, facts.ANY_ITEM), CLEAR)
        elif position < len(parameters):
            solver.edge(node, parameters[position][1] + base, ENTER, made.number)
            position += 1
        elif function.variadic is not None:
            solver.edge(node, solver.cell(function.variadic + base, facts.ANY_ITEM), CLEAR)
    named = {name: parameter + base for name, parameter in function.parameters[bound:]}
    for name, node in made.keywords:
        if name is None:
            solver.keyword_spreads[node].append((made, filename, index))
            for held, _ in list(solver.values.get(node, ())):
                spread_keywords(solver, made, filename, index, held, node)
        elif name in named:
            solver.edge(node, named[name], ENTER, made.number)
        elif function.keyword_variadic is not None:
            solver.edge(node, solver.cell(function.keyword_variadic + base, f"[{name}"), CLEAR)
    if constructs:
        return
    if function.is_generator:
        solver.put(made.target, ("generator", filename, index), (), None)
    else:
        solver.edge(function.returned + base, made.target, EXIT, made.number)


def spread_keywords(solver: Solver, made: SolvedCall, filename: str, index: int, value: Value, node: int) -> None:
    """`f(**mapping)`: what the mapping at `node` holds under a parameter's name reaches it."""
    if value[0] == "answer" and solver.once("keywords", made.number, filename, index, node):
        for name, parameter in solver.files[filename].summary.functions[index].parameters:
            part = solver.fresh()
            solver.add_load(node, f"[{name}", part)
            solver.edge(part, parameter + solver.files[filename].base, ENTER, made.number)
    if value[0] != "container" or not solver.once("keywords", made.number, filename, index, value):
        return
    joined = solver.files[filename]
    function = joined.summary.functions[index]
    for name, parameter in function.parameters:
        solver.edge(solver.cell(value[1], f"[{name}"), parameter + joined.base, ENTER, made.number)
    if function.keyword_variadic is not None:
        variadic = function.keyword_variadic + joined.base
        solver.edge(solver.everything(value[1]), solver.cell(variadic, facts.ANY_ITEM), CLEAR)


def _class(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    own = (value[1], value[2])
    solver.put(made.target, ("instance", *own), context, None)  # a class that came as an argument makes an instance for that call
    made.followed = True
    constructors = []
    for filename, index in solver.ancestors(own):
        methods = solver.files[filename].summary.classes[index].methods
        constructors = [(filename, methods[name]) for name in ("__init__", "__new__") if name in methods]
        if constructors:
            break
    for filename, index in constructors:
        link(solver, made, filename, index, bound=1, skip=skip, constructs=True)
    if not constructors:  # a dataclass, a pydantic model: keywords are fields
        fields = [
            (item, name)
            for item in reversed(solver.ancestors(own))
            for name in solver.files[item[0]].summary.classes[item[1]].fields
        ]
        for (owner, name), (node, starred) in zip(fields, made.arguments[skip:], strict=False):
            if not starred:
                solver.edge(node, solver.cell(owner, f".{name}"), CLEAR)
        for keyword, node in made.keywords:
            if keyword is not None:
                solver.edge(node, solver.cell(own, f".{keyword}"), CLEAR)
            for owner, name in fields if keyword is None else ():
                part = solver.fresh()
                solver.add_load(node, f"{facts.BUILT_FIELD}{name}", part)
                solver.edge(part, solver.cell(owner, f".{name}"), CLEAR)


def _instance(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    del context
    for filename, index in solver.ancestors((value[1], value[2])):
        method = solver.files[filename].summary.classes[index].methods.get("__call__")
        if method is not None:
            link(solver, made, filename, method, bound=1, skip=skip)
            break


def _sdk(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    del context, skip
    made.followed = True
    built = client(surface.KINDS[value[1]], made.target)
    solver.places.setdefault(made.target, (made.filename, made.fact.place))
    solver.labels.setdefault(made.target, ("construct", value[1]))
    solver.put(made.target, built, (), None)


def _client(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    """Call the provider of a client, which is taken for the client."""
    del skip
    solver.put(made.target, value, context, (made.callee, value, context))


def _method(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    _, receiver, name, _reference = value
    made.followed = True
    if name == "unbound add":
        skip += 1
    elif name != surface.ADD:
        solver.reads[made.number][receiver] = name
        return
    site = _site(solver, made, value, context, skip)
    site.clients.setdefault(receiver, context)
    site.calls.setdefault(made.number, (skip, context))
    waits = 1 if receiver[1] in ("hosted-async", "oss-async") else 0
    if surface.is_hosted(receiver[1]):
        site.waits = max(site.waits, waits)
        solver.put(made.target, answer(site.number, waits), context, None)


def _deferral(made: SolvedCall) -> int:
    """A call that a framework makes later is answered one await later."""
    return 1 if made.fact.text.startswith("deferred ") else 0


def _site(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> SiteRecord:
    """The site of an `add`: the call itself, or the reference where the method was handed to other code."""
    reference = value[3]
    arrived = (
        bool(context) and (value, context) not in solver.values[reference]
    )  # as an argument, of itself and not in its client
    handed_on = arrived or bool(_deferral(made)) or skip > (1 if value[2] == "unbound add" else 0)
    filename, place = solver.places[reference] if handed_on else (made.filename, made.fact.place)
    key = ("reference", reference) if handed_on else ("call", made.number)
    receiver = solver.load_of.get(reference) or reference
    return new_site(solver, key, filename, place, reference=handed_on, receiver=receiver)


def new_site(
    solver: Solver, key: tuple[str, int], filename: str, place: facts.Place, *, reference: bool, receiver: int
) -> SiteRecord:
    """The record of a site, made when it is first met."""
    site = solver.sites.get(key)
    if site is None:
        site = SiteRecord(len(solver.site_list), filename, reference, place, receiver)
        solver.sites[key] = site
        solver.site_list.append(site)
    return site


def _operation(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    _, owner, name = value
    made.followed = True
    arguments = [node for node, _ in made.arguments[skip:]]
    constants = made.fact.constants[skip:]
    key = f"[{constants[0]}" if constants and constants[0] is not None else facts.ANY_ITEM
    if name in ("get", "pop", "setdefault", "__getitem__", "get_nowait", "popitem", "popleft"):
        if key == facts.ANY_ITEM:
            solver.edge(solver.everything(owner), made.target, CLEAR)
        else:
            solver.edge(solver.cell(owner, key), made.target, CLEAR)
            solver.edge(solver.cell(owner, facts.ANY_ITEM), made.target, CLEAR)
        for node in arguments[1:2]:
            solver.edge(node, made.target, CLEAR)
            if name == "setdefault":
                solver.edge(node, solver.cell(owner, key), CLEAR)
    elif name in ("values", "copy"):
        solver.put(made.target, ("container", owner), context, None)
    elif name == "items":
        solver.put(made.target, ("entries", owner), context, None)
    elif name in ("append", "add", "put", "put_nowait", "appendleft", "set"):
        for node in arguments[:1]:
            solver.edge(node, solver.cell(owner, facts.ANY_ITEM), CLEAR)
    elif name in ("insert", "__setitem__", "register"):
        for node in arguments[1:2]:
            solver.edge(node, solver.cell(owner, key), CLEAR)
    elif name == "extend":
        for node in arguments[:1]:
            item = solver.fresh()
            solver.add_load(node, facts.ITERATE, item)
            solver.edge(item, solver.cell(owner, facts.ANY_ITEM), CLEAR)
    elif name == "update":
        for keyword, node in made.keywords:
            if keyword is not None:
                solver.edge(node, solver.cell(owner, f"[{keyword}"), CLEAR)


def _reading(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    del skip
    _, held, name = value
    made.followed = True
    cause = (made.callee, value, context)
    if held[0] == "response":
        solver.put(made.target, answer(held[1], held[2] and 1) if name == "json" else held, context, cause)
        return
    _, site, waits, path = held
    if name == "result":
        if made.fact.constants and isinstance(made.fact.constants[0], str):
            return  # answer.get("results") of a coroutine, which a future would not be asked for
        solver.put(made.target, answer(site, max(waits - 1, 0), path), context, cause)
        return
    constant = made.fact.constants[0] if made.fact.constants else None
    if len(path) >= PATH_DEPTH:
        return
    if name in ("get", "pop", "setdefault") and constant is not None:
        step = ("?" if len(made.arguments) > 1 else "~") + str(constant) if isinstance(constant, str) else "#"
        solver.put(made.target, answer(site, waits, (*path, step)), context, cause)
        for node, _ in made.arguments[1:2]:
            solver.edge(node, made.target, PLAIN)
    elif name in ("copy", "items", "values"):
        solver.put(made.target, answer(site, waits, path if name == "copy" else (*path, "*")), context, cause)


def _partial(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    """Call what `partial` holds, with its arguments before those of this call."""
    del context, skip
    inner = solver.calls[value[1]]
    deep = inner.number in made.partials or len(made.partials) == _PARTIAL_DEPTH
    if inner.arguments and not deep and solver.once("partial", made.number, inner.number):
        frameworks.make_call(
            solver, made, inner.arguments[0][0], (*inner.arguments[1:], *made.arguments), (*inner.keywords, *made.keywords),
            made.target, deferred=False, origin=inner, partials=(*made.partials, inner.number),
        )  # fmt: skip


def _library(solver: Solver, made: SolvedCall, value: Value, context: Context, skip: int) -> None:
    del context, skip
    made.libraries.add(value[1])
    frameworks.library_call(solver, made, value[1])


_RULES = {
    "function": _function, "bound": _bound, "class": _class, "instance": _instance, "sdk": _sdk, "build": _sdk,
    "client": _client,
    "method": _method, "operation": _operation, "reading": _reading, "partial": _partial, "library": _library,
}  # fmt: skip

__all__ = ["NOTHING", "call", "link", "new_site", "spread_keywords"]
