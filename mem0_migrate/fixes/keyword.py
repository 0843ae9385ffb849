"""The strategy `keyword`: `async_mode=False` where the `add` is called, in the dictionary that is spread into it, or handed on.

Right where every value of the receiver is a hosted client, every admitted era honours the keyword (mem0ai 0.0.9 to 0.1.118 and
1.0.0 to 1.0.11), and nothing else can pass it as well.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import SetKey, SetKeyword
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.sdk import surface
from mem0_migrate.tracking.evidence import place_of
from mem0_migrate.usage.modes import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.model import Applicability, Confidence, Declaration
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.summary import Place
    from mem0_migrate.tracking.values import Context
    from mem0_migrate.usage.judgement import JudgedSite

VALUE = "False"

# Functions that pass keywords on to the function they run, by the last part of their name (CPython 3.14, Starlette 0.49, rq 2.6).
_FORWARDING = frozenset(["to_thread", "run_in_threadpool", "submit", "add_task", "enqueue", "partial"])
_THREADS = frozenset(["Thread", "Process", "Timer"])  # they take them as a dictionary, `kwargs`

_APPLICABILITY: dict[Confidence, Applicability] = {"certain": "safe", "inferred": "unsafe"}


def propose(site: JudgedSite, code: Code) -> Repair | Unsuitable:
    """The keyword at a site, or why it is not right there."""
    reason = _unsuitable(site, code)
    if reason is not None:
        return Unsuitable(reason)
    changes: dict[str, tuple[Change, ...]] = {}
    for call, context in _adds(site, code):
        found = _change(site, code, call, context)
        if isinstance(found, Unsuitable):
            return found
        filename, change = found
        changes[filename] = tuple(dict.fromkeys((*changes.get(filename, ()), change)))
    if not changes:
        return Unsuitable("it is not seen which call passes the arguments of this add()")
    exact = not code.open_parameter(site)
    return Repair("keyword", _APPLICABILITY[site.site.confidence] if exact else "unsafe", _message(changes), changes)


def _adds(site: JudgedSite, code: Code) -> list[tuple[SolvedCall, Context]]:
    record = code.record(site)
    return [(code.solver.calls[number], record.calls[number][1]) for number in sorted(record.calls)]


def _unsuitable(site: JudgedSite, code: Code) -> str | None:
    """Why the keyword is not right for this receiver, in these eras, with these arguments."""
    if any(not surface.is_hosted(client[1]) for client in code.clients(site)):
        return "the receiver may be the open-source Memory, whose add() accepts no `async_mode`"
    if site.site.confidence == "possible":
        return "the receiver is only taken for a hosted client: it may be something else, whose add() accepts no `async_mode`"
    without = ignored(site.site.declaration)
    if without is not None:
        return without
    if site.site.async_mode in ("dynamic", "mapping"):
        return "a mapping or a variable that is not all known here may pass `async_mode` already"
    return None


def ignored(declaration: Declaration) -> str | None:
    """Why not every release that is admitted honours the keyword."""
    if "v2" in declaration.eras:
        declared = f", which `{declaration.requirement}` admits," if declaration.requirement else ", which nothing here excludes,"
        if len(declaration.eras) == 1 and declaration.requirement:
            declared = f", which `{declaration.requirement}` means,"
        return f"mem0ai 2.x{declared} ignores `async_mode`"
    if not declaration.eras:
        return f"`{declaration.requirement}` admits no release of mem0ai that honours `async_mode`"
    return None


def _change(site: JudgedSite, code: Code, call: SolvedCall, context: Context) -> tuple[str, Change] | Unsuitable:
    """Where the keyword goes: the file and the change."""
    if call.functions:
        return Unsuitable("what is called here may also be a function of this code base")
    text, _, tail = call.fact.text.partition(" ")
    handed = text in ("deferred", "handed") and not call.partials
    if handed and tail.rpartition(".")[2] in _THREADS:
        return _in_thread(code, call)
    if handed and tail.rpartition(".")[2] not in _FORWARDING:
        return Unsuitable(f"`{tail}` passes no keywords on")
    if call.partials:
        if context or "deferred " in call.fact.text:  # others call it, and not this alone
            call = code.solver.calls[call.partials[0]]
    elif not handed and site.site.form == "reference":
        outer = _outer(site, code, context)
        if outer is None or not _passes_on(code, call, outer):
            return Unsuitable("the method is handed to code that does not pass every keyword on")
        call = outer
    public = _public_keywords(code, call)
    if public is not None:
        return Unsuitable(f"callers of `{public}` that are not seen here may pass `async_mode` already")
    return call.filename, _at(site, code, call)


def _public_keywords(code: Code, call: SolvedCall) -> str | None:
    """The public function whose `**keywords` are spread into a call: others may call it, with whatever they like."""
    for node in (node for name, node in call.keywords if name is None):
        for container in code.solver.behind(node) & code.solver.variadic_of.keys():
            filename, index = code.solver.variadic_of[container]
            function = code.solver.files[filename].summary.functions[index]
            if not function.name.startswith("_") and function.outer is None:
                return function.name
    return None


def _at(site: JudgedSite, code: Code, call: SolvedCall) -> Change:
    """In the dictionary that is spread into the call, if it is for this call alone, else at the call itself."""
    replacing = site.misspelt or KEYWORD
    if not any(name == replacing for name, _ in call.keywords):
        display = spread_display(code, call)
        if display is not None:
            return SetKey(place_of(display), KEYWORD, VALUE)
    return SetKeyword(call.fact.place, KEYWORD, VALUE, replacing)


def spread_display(code: Code, call: SolvedCall) -> ast.Dict | None:
    """The one dictionary that is spread into a call, where it is written in the same function, for this call alone."""
    tree = code.tree(call.filename)
    made = tree.at(call.fact.place, ast.Call)
    spread = [keyword.value for keyword in made.keywords if keyword.arg is None] if made is not None else []
    if len(spread) != 1:
        return None
    if isinstance(spread[0], ast.Dict):
        return spread[0]
    if not isinstance(spread[0], ast.Name):
        return None
    solver = code.solver
    node = next(node for name, node in call.keywords if name is None)
    containers = solver.behind(node) & (solver.dormant | solver.awake)
    joined = solver.files[call.filename]
    places = [joined.summary.containers.get(container - joined.base) for container in containers]
    display = tree.at(places[0], ast.Dict) if len(places) == 1 and places[0] is not None else None
    if display is None or tree.function(display) is not tree.function(spread[0]):
        return None
    return display if _only_for(tree, spread[0], display) else None


def _only_for(tree: Tree, spread: ast.Name, display: ast.Dict) -> bool:
    """Whether a display is assigned to a name of its function that is only filled before it is spread."""
    assigned = tree.parent(display)
    targets = assigned.targets if isinstance(assigned, ast.Assign) else [getattr(assigned, "target", None)]
    if not isinstance(assigned, (ast.Assign, ast.AnnAssign)) or not all(isinstance(target, ast.Name) for target in targets):
        return False
    scope = tree.function(spread) or tree.source.tree
    named = [node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == spread.id and node is not spread]
    return all(isinstance(node.ctx, ast.Store) or _is_filled(tree, node) for node in named)


def _is_filled(tree: Tree, node: ast.Name) -> bool:
    """`d[key] = …`, `d.update(…)` as statements."""
    around = tree.parent(node)
    if isinstance(around, ast.Subscript):
        return isinstance(around.ctx, ast.Store)
    call = tree.parent(around) if isinstance(around, ast.Attribute) and around.attr == "update" else None
    return isinstance(call, ast.Call) and isinstance(tree.parent(call), ast.Expr)


def _outer(site: JudgedSite, code: Code, context: Context) -> SolvedCall | None:
    """The call that a reference of the method is an argument of."""
    record = code.record(site)
    for number in context:
        call = code.solver.calls[number]
        if call.filename == record.filename and _inside(record.place, call.fact.place):
            return call
    return None


def _inside(inner: Place, outer: Place) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _passes_on(code: Code, inner: SolvedCall, outer: SolvedCall) -> bool:
    """Whether a keyword of the outer call arrives at the inner one: by `**keywords` of each function that the outer calls."""
    spread = {node for name, node in inner.keywords if name is None}
    own = set().union(*(code.solver.behind(node) for node in spread)) if spread else set()
    functions = [code.solver.files[filename].summary.functions[index] for filename, index in outer.functions]
    bases = [code.solver.files[filename].base for filename, _ in outer.functions]
    return bool(functions) and all(
        function.keyword_variadic is not None
        and function.keyword_variadic + base in own
        and KEYWORD not in dict(function.parameters)
        for function, base in zip(functions, bases, strict=True)
    )


def _in_thread(code: Code, call: SolvedCall) -> tuple[str, Change] | Unsuitable:
    """`Thread(target=client.add, kwargs={…})`."""
    made = code.tree(call.filename).at(call.fact.place, ast.Call)
    given = _keyword(made.keywords if made is not None else (), "kwargs")
    if given is None:
        return call.filename, SetKeyword(call.fact.place, "kwargs", f'{{"{KEYWORD}": {VALUE}}}', "kwargs")
    if isinstance(given, ast.Dict):
        return call.filename, SetKey(place_of(given), KEYWORD, VALUE)
    return Unsuitable("the keywords of the thread are put together elsewhere")


def _keyword(keywords: Iterable[ast.keyword], name: str) -> ast.expr | None:
    return next((keyword.value for keyword in keywords if keyword.arg == name), None)


def _message(changes: dict[str, tuple[Change, ...]]) -> str:
    kinds = {type(change) for group in changes.values() for change in group}
    where = "in the dictionary that is spread into the call" if kinds == {SetKey} else "here"
    return f"Pass `{KEYWORD}={VALUE}` {where}: add() waits again, and answers with the memories"
