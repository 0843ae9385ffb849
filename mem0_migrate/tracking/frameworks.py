"""What well-known functions of the standard library and of frameworks do with a client, a function or an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.records import SolvedCall
from mem0_migrate.tracking.summary import NOTHING
from mem0_migrate.tracking.values import CLEAR, PLAIN

if TYPE_CHECKING:
    from mem0_migrate.tracking.solver import Solver


# Calls that run a function later, by the last part of their name: which argument is the function, and whether the answer of the
# function is to be had from the answer of the call (by await or .result()).
DEFERRALS: dict[str, tuple[int, bool]] = {
    "to_thread": (0, True), "run_in_executor": (1, True), "run_in_threadpool": (0, True), "run_sync": (0, True),
    "submit": (0, True), "apply_async": (0, True), "add_task": (0, False), "call_soon": (0, False),
    "call_soon_threadsafe": (0, False), "call_later": (1, False), "start_soon": (0, False),
    "run_in_thread": (0, True), "start_new_thread": (0, False), "enqueue": (0, False),
}  # fmt: skip

# Where a server keeps what its `lifespan` yields: Starlette's request, the context of an MCP tool.
_LIFESPAN_KEPT = (
    "request.state", "websocket.state", "request_context.lifespan_context", "ctx.lifespan_context", "context.lifespan_context",
)  # fmt: skip
_RESOLVERS = frozenset(["resolve", "aresolve", "get", "aget", "inject"])  # of containers that are asked for a class
_AWAITING = frozenset(["start_soon", "add_task", "enqueue"])  # they await the coroutine of a function that gives one
_IDENTITY_TAILS = frozenset(
    [
        "create_task",
        "ensure_future",
        "run_coroutine_threadsafe",
        "shield",
        "wait_for",
        "enter_context",
        "enter_async_context",
        "nullcontext",
        "closing",
        "aclosing",
    ]
)
_RUNNERS = frozenset(["run_until_complete", "async_to_sync", "run"])
SHIM_WRAP = frozenset(["mem0_shim.wrap", "mem0_shim.client.wrap"])  # gives back its argument
SHIM_INSTALL = frozenset(["mem0_shim.install", "mem0_shim.client.install"])
_FIRST = SHIM_WRAP | {"copy.copy", "copy.deepcopy", "builtins.iter", "builtins.dict", "contextvars.copy_context"}
_SEQUENCES = frozenset(
    ["builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted", "builtins.reversed"]
)
_DEPENDENCIES = frozenset(["Depends", "Security", "Provide", "Inject", "Provider"])
_FIELDS = frozenset(["field", "Field", "PrivateAttr", "attrib", "Factory", "SkipValidation", "Singleton"])
# Classes of libraries whose objects hold what is put into them, by the last part of their name.
_HOLDERS = frozenset(
    ["AttrDict", "Box", "ChainMap", "ContextVar", "DotDict", "EasyDict", "JoinableQueue", "LFUCache", "LRUCache", "LifoQueue",
     "Munch", "OrderedDict", "PriorityQueue", "Queue", "SimpleNamespace", "SimpleQueue", "TTLCache", "WeakValueDictionary",
     "defaultdict", "deque"]
)  # fmt: skip


def make_call(
    solver: Solver,
    made: SolvedCall,
    callee: int,
    arguments: tuple[tuple[int, bool], ...],
    keywords: tuple[tuple[str | None, int], ...],
    target: int,
    *,
    deferred: bool,
    awaited: bool = False,
    origin: SolvedCall | None = None,
    partials: tuple[int, ...] = (),
) -> None:
    """Add a call that the code does not spell, such as the one `to_thread(f, x)` makes of `f`."""
    if callee == NOTHING:
        return
    constants = {**(origin.fact.keyword_constants if origin else {}), **made.fact.keyword_constants}
    text = ("deferred " if deferred else "handed ") + made.fact.text
    scope = made.fact.scope if awaited else -1  # in the flow of the scope that awaits it, or in none
    fact = replace(made.fact, text=text, constants=(None,) * len(arguments), keyword_constants=constants, scope=scope)
    solver.add_call(SolvedCall(len(solver.calls), made.filename, fact, callee, arguments, keywords, target, partials=partials))


def deferred_call(solver: Solver, made: SolvedCall) -> None:
    """Link a call that hands a function on to be run elsewhere; whoever the callee is."""
    if made.fact.text.startswith(("deferred ", "handed ")):
        return
    tail = made.fact.text.rpartition(".")[2]
    for name, node in made.keywords:
        if name == "lifespan":
            _lifespan(solver, made, node)
    if tail in DEFERRALS:
        position, answered = DEFERRALS[tail]
        if len(made.arguments) > position:
            result = solver.fresh()
            arguments = made.arguments[position + 1 :]
            callee = made.arguments[position][0]
            make_call(solver, made, callee, arguments, made.keywords, result, deferred=True, awaited=answered)
            if answered:
                solver.add_load(result, facts.DEFER, made.target)
            elif tail in _AWAITING:
                solver.add_load(result, facts.AWAIT, solver.fresh())
    elif tail == "add_done_callback" and made.arguments:
        future = solver.load_of.get(made.callee, NOTHING)
        make_call(solver, made, made.arguments[0][0], ((future, False),), (), solver.fresh(), deferred=True)
    elif tail in ("Thread", "Process", "Timer"):
        _thread(solver, made, tail)
    elif tail in _IDENTITY_TAILS and made.arguments:
        solver.edge(made.arguments[0][0], made.target, PLAIN)
    elif made.fact.text in ("anyio.run", "trio.run") and made.arguments:
        result = solver.fresh()
        made.followed = True
        make_call(solver, made, made.arguments[0][0], made.arguments[1:], (), result, deferred=True, awaited=True)
        solver.add_load(result, facts.AWAIT, made.target)
    elif tail in _RUNNERS and made.arguments:
        solver.add_load(made.arguments[0][0], facts.AWAIT, made.target)
    elif tail in ("gather", "as_completed"):
        _gather(solver, made)
    elif tail in _DEPENDENCIES and made.arguments:
        provided = solver.fresh()
        make_call(solver, made, made.arguments[0][0], (), (), provided, deferred=False)
        solver.add_load(provided, facts.AWAIT, made.target)  # what a dependency returns, or yields
    elif tail in _FIELDS:
        _field(solver, made)
    elif tail in _RESOLVERS and len(made.arguments) == 1 and not made.arguments[0][1]:
        solver.annotations[made.arguments[0][0]].append((made.target, made.arguments[0][0], True, "itself"))
    elif tail in ("map", "imap", "imap_unordered", "starmap") and len(made.arguments) > 1:
        result, item = solver.fresh(), solver.fresh()
        solver.add_load(made.arguments[1][0], facts.ITERATE, item)
        make_call(solver, made, made.arguments[0][0], ((item, False),), (), result, deferred=False)
        _fill(solver, made.target, result)


def _lifespan(solver: Solver, made: SolvedCall, function: int) -> None:
    started, yielded = solver.fresh(), solver.fresh()
    make_call(solver, made, function, (), (), started, deferred=False)
    solver.add_load(started, facts.ENTER, yielded)
    for path in _LIFESPAN_KEPT:
        solver.name_stores[path].append(yielded)


def _thread(solver: Solver, made: SolvedCall, tail: str) -> None:
    named = dict(made.keywords)
    target = named.get("target", named.get("function", NOTHING))
    if target == NOTHING and tail == "Timer" and len(made.arguments) > 1:
        target = made.arguments[1][0]
    arguments: tuple[tuple[int, bool], ...] = ()
    if named.get("args", NOTHING) != NOTHING:
        arguments = ((named["args"], True),)
    keywords: tuple[tuple[str | None, int], ...] = ()
    if named.get("kwargs", NOTHING) != NOTHING:
        keywords = ((None, named["kwargs"]),)
    make_call(solver, made, target, arguments, keywords, solver.fresh(), deferred=True)


def _fill(solver: Solver, container: int, element: int) -> None:
    """The target is a new container of these elements."""
    solver.container(container)
    solver.edge(element, solver.cell(container, facts.ANY_ITEM), CLEAR)


def _gather(solver: Solver, made: SolvedCall) -> None:
    solver.container(made.target)
    for number, (node, starred) in enumerate(made.arguments):
        done = solver.fresh()
        if starred or made.fact.text.endswith("as_completed"):
            item = solver.fresh()
            solver.add_load(node, facts.ITERATE, item)
            if starred:
                solver.add_load(item, facts.AWAIT, done)
            else:  # as_completed gives what is still to be awaited, or asked for its result()
                solver.edge(item, done, PLAIN)
            solver.edge(done, solver.cell(made.target, facts.ANY_ITEM), CLEAR)
        else:
            solver.add_load(node, facts.AWAIT, done)
            solver.edge(done, solver.cell(made.target, f"[{number}"), CLEAR)


def _field(solver: Solver, made: SolvedCall) -> None:
    for name, node in made.keywords:
        if name in ("default_factory", "factory"):
            make_call(solver, made, node, (), (), made.target, deferred=False)
        elif name == "default":
            solver.edge(node, made.target, PLAIN)
    if made.arguments and made.fact.text.rpartition(".")[2] in ("Factory", "Singleton"):
        make_call(solver, made, made.arguments[0][0], made.arguments[1:], made.keywords, made.target, deferred=False)
    elif made.arguments:
        solver.edge(made.arguments[0][0], made.target, PLAIN)


def _holder(solver: Solver, made: SolvedCall, tail: str) -> None:
    """An object that is put something into later, or holds its keywords, what another holds, or what a factory makes."""
    solver.container(made.target)
    for keyword, node in made.keywords:
        if keyword is None:
            solver.spread_into[node].append(made.target)
            solver.spread_from[made.target].append(node)
        else:
            key = facts.ANY_ITEM if keyword == "default" else f"[{keyword}"
            solver.edge(node, solver.cell(made.target, key), CLEAR)
    for node, _ in made.arguments:
        item = solver.fresh()
        if tail == "defaultdict" and node == made.arguments[0][0]:
            make_call(solver, made, node, (), (), item, deferred=False)
        else:
            solver.add_load(node, facts.ITERATE, item)
        solver.edge(item, solver.cell(made.target, facts.ANY_ITEM), CLEAR)


def library_call(solver: Solver, made: SolvedCall, dotted: str) -> None:
    """Model a call of a library function by its full name."""
    arguments = [node for node, _ in made.arguments]
    tail = dotted.rpartition(".")[2]
    if dotted in ("functools.partial", "functools.partialmethod"):
        if arguments:
            solver.put(made.target, ("partial", made.number), (), None)
    elif dotted in ("importlib.import_module", "builtins.__import__"):
        _import_module(solver, made)
    elif dotted == "builtins.getattr":
        _getattr(solver, made, arguments)
    elif dotted == "builtins.setattr":
        name = made.fact.constants[1] if len(made.fact.constants) > 2 else None  # noqa: PLR2004 (object, name, value)
        if isinstance(name, str):
            from mem0_migrate.tracking import loads

            solver.stores[arguments[0]].append((f".{name}", arguments[2]))
            for value, _ in list(solver.values.get(arguments[0], ())):
                loads.store(solver, value, f".{name}", arguments[2])
    elif dotted in ("typing.cast", "typing_extensions.cast"):
        if len(arguments) > 1:
            solver.edge(arguments[1], made.target, PLAIN)
            solver.places.setdefault(made.target, (made.filename, made.fact.place))
            solver.annotations[arguments[0]].append((made.target, arguments[0], False, "itself"))
            for value, context in list(solver.values.get(arguments[0], ())):
                solver.annotate(value, made.target, "itself", cause=(arguments[0], value, context))
    elif dotted in _FIRST or tail in _IDENTITY_TAILS:
        for node in arguments[:1]:
            solver.edge(node, made.target, PLAIN)
    elif tail in _HOLDERS:
        _holder(solver, made, tail)
    elif dotted in _SEQUENCES:
        if arguments:
            item = solver.fresh()
            solver.add_load(arguments[0], facts.ITERATE, item)
            _fill(solver, made.target, item)
    elif dotted.endswith(("json.loads", "json.load")):  # also of orjson, ujson, simplejson
        for node in arguments[:1]:
            solver.add_load(node, facts.PARSE, made.target)
    elif dotted == "urllib.request.urlopen":
        for node in arguments[:1]:  # a Request that was built before
            solver.edge(node, made.target, PLAIN)
    elif dotted == "builtins.next":
        for node in arguments[:1]:
            solver.add_load(node, facts.ITERATE, made.target)
        for node in arguments[1:2]:
            solver.edge(node, made.target, PLAIN)
    elif dotted in ("builtins.enumerate", "builtins.zip"):
        _pairs(solver, made, arguments, numbered=dotted.endswith("enumerate"))
    elif dotted == "builtins.filter" and len(arguments) > 1:
        item = solver.fresh()
        solver.add_load(arguments[1], facts.ITERATE, item)
        _fill(solver, made.target, item)
    elif not dotted.startswith("builtins.") and made.fact.scope != -1 and tail not in DEFERRALS:
        _wraps_callable(solver, made, arguments)


def _pairs(solver: Solver, made: SolvedCall, arguments: list[int], *, numbered: bool) -> None:
    pair = solver.fresh()
    solver.container(pair)
    for number, node in enumerate(arguments[:1] if numbered else arguments):
        item = solver.fresh()
        solver.add_load(node, facts.ITERATE, item)
        solver.edge(item, solver.cell(pair, f"[{1 if numbered else number}"), CLEAR)
    _fill(solver, made.target, pair)


def _wraps_callable(solver: Solver, made: SolvedCall, arguments: list[int]) -> None:
    """A library's decorator called by hand: `retry(client.add)` is taken for `client.add`."""
    if len(arguments) == 1 and not made.keywords:
        held = {value[0] for value, _ in solver.values.get(arguments[0], ())}
        if held & {"method", "bound", "function"}:
            solver.edge(arguments[0], made.target, PLAIN)


def _import_module(solver: Solver, made: SolvedCall) -> None:
    from mem0_migrate.tracking import loads

    name = made.fact.constants[0] if made.fact.constants else None
    if isinstance(name, str):
        found = (
            None
            if name.partition(".")[0] == "mem0"
            else solver.modules.resolve(made.filename, name.lstrip(".") or None, len(name) - len(name.lstrip(".")))
        )
        solver.put(made.target, ("module", found) if found else loads.library(name), (), None)


def _getattr(solver: Solver, made: SolvedCall, arguments: list[int]) -> None:
    name = made.fact.constants[1] if len(made.fact.constants) > 1 else None
    if isinstance(name, str):
        solver.places.setdefault(made.target, (made.filename, made.fact.place))
        solver.load_of.setdefault(made.target, arguments[0])
        solver.add_load(arguments[0], f".{name}", made.target)
    for node in arguments[2:3]:
        solver.edge(node, made.target, PLAIN)


def link_fixtures(solver: Solver) -> None:
    """Connect pytest fixtures to the parameters of their name, in the same file or below the folder of their conftest."""
    fixtures: dict[str, list[tuple[str, int]]] = {}
    for filename, joined in solver.files.items():
        for index, function in enumerate(joined.summary.functions):
            if any(name.rpartition(".")[2] in ("fixture", "async_fixture") for name in function.decorators):
                fixtures.setdefault(function.name, []).append((filename, index))
    if not fixtures:
        return
    for filename, joined in solver.files.items():
        for function in joined.summary.functions:
            for name, parameter in function.parameters:
                for source, index in fixtures.get(name, ()):
                    folder, _, stem = source.rpartition("/")
                    if source == filename or (stem == "conftest.py" and filename.startswith(folder + "/" if folder else "")):
                        made = solver.files[source]
                        fixture = made.summary.functions[index]
                        node = fixture.yielded if fixture.is_generator else fixture.returned
                        solver.edge(node + made.base, parameter + joined.base, CLEAR)


_LOOKED_AT = frozenset(
    ["wraps", "signature", "unwrap", "getdoc", "getsource", "iscoroutinefunction", "callable", "hasattr", "object", "patch",
     "create_autospec", "MagicMock", "Mock", "update_wrapper", "print", "repr", "str", "id", "isinstance", "type",
     "get_type_hints", "debug", "info", "warning", "error", "exception", "critical", "log"]
)  # fmt: skip


def is_looked_at(call: SolvedCall) -> bool:
    """Whether a call looks at its arguments only, such as `isinstance` or a logger."""
    return call.fact.text.rpartition(".")[2] in _LOOKED_AT or any(
        name.startswith(("builtins.", "inspect.")) for name in call.libraries
    )


def link_handed_on(solver: Solver) -> None:
    """Make sites of `client.add` where it is handed to code that cannot be seen, alone or in a list of tools."""
    from mem0_migrate.tracking import calls

    handed = []
    holders: dict[int, list[int]] = {}
    for node, held in solver.values.items():
        for value, context in held:
            if value[0] == "method" and value[2] == "add":
                handed.append((node, value, context))
            elif value[0] == "container":
                holders.setdefault(value[1], []).append(node)
    for node, value, context in handed:
        for holder in (node, *holders.get(solver.owner_of.get(node, -1), ())):
            for call in solver.by_argument.get(holder, ()):
                tail = call.fact.text.rpartition(".")[2]
                taken = call.followed or tail in DEFERRALS or tail in ("Thread", "Process", "Timer", "map", "partial")
                if taken or call.fact.scope == -1 or is_looked_at(call):
                    continue
                filename, place = solver.places[value[3]]
                receiver = solver.load_of.get(value[3]) or value[3]
                site = calls.new_site(solver, ("reference", value[3]), filename, place, reference=True, receiver=receiver)
                site.clients.setdefault(value[1], context)
                site.calls.setdefault(call.number, (0, context))
                if call.number not in site.handed_to:
                    site.handed_to.append(call.number)
