"""The strategy `shim`: `MemoryClient(…)` becomes `mem0_shim.wrap(MemoryClient(…), policy="wait")` where it is constructed.

Right in every era and for every receiver, since the wrapped client is the same object, and only hosted clients are wrapped.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Insert, Replace, SetKeyword, Surround
from mem0_migrate.fixes.imports import access
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.fixes.scopes import block_of
from mem0_migrate.tracking.evidence import place_of
from mem0_migrate.tracking.frameworks import SHIM_WRAP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.model import Declaration
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.values import Value
    from mem0_migrate.usage.judgement import JudgedSite

MODULE = "mem0_shim"
_POLICY = '"wait"'
_HANDED, _DEFERRED = "handed ", "deferred "
_FACTORIES = frozenset(["default_factory", "factory"])
_ARGUMENTLESS = frozenset(["Depends", "Security", "Provide", "Inject", "Provider", "defaultdict"])


def propose(site: JudgedSite, code: Code, declared: Callable[[str], Declaration], why: str) -> Repair | Unsuitable:
    """Wrap every hosted client that can receive the `add` of a site; `why` says why nothing simpler would do."""
    changes: dict[str, dict[Change, None]] = {}
    told: set[str] = set()
    by_hand: dict[str, None] = {}
    exact = site.site.confidence != "possible"
    for client in code.unwaiting(site):
        calls = code.once(("constructions", client), lambda client=client: constructions(code, client))  # type: ignore[misc]
        if not calls:
            return Unsuitable(_not_constructed(code, client))
        wrappers = code.once(("wrappers", client), lambda client=client: _wrappers(code, client))  # type: ignore[misc]
        outside = next(
            (call.filename for call in (*wrappers, *calls) if code.solver.modules.resolve(call.filename, MODULE, 0)), None
        )
        if outside is not None:
            return Unsuitable(f"in {outside}, `import {MODULE}` would import a module of this code base")
        for call in (*wrappers, *(call for call in calls if not any(_is_around(code, outer, call) for outer in wrappers))):
            make = _waiting if call in wrappers else _wrapping
            found = code.once((make, call.number), lambda call=call, make=make: make(code.tree(call.filename), call))  # type: ignore[misc]
            if isinstance(found, Unsuitable):
                return found
            exact = exact and (call in wrappers or not any(isinstance(change, Replace) for change in found))
            changes.setdefault(call.filename, {}).update(dict.fromkeys(found))
            by_hand.update(dict.fromkeys(_hidden(code, call.filename, found)))
            told.add(code.line(call.filename, call.fact.place))
    if not changes:
        return Unsuitable("no construction of the client is seen")
    message = f"Wrap the client where it is constructed ({', '.join(sorted(told))}): its add() waits for the memories again{why}"
    return Repair(
        "shim",
        "safe" if exact else "unsafe",
        message,
        {filename: tuple(group) for filename, group in changes.items()},
        shims={filename: declared(filename) for filename in changes},
        by_hand=tuple(by_hand),
    )


def _hidden(code: Code, filename: str, changes: Sequence[Change]) -> Iterator[str]:
    """What to watch where the new import stands in a `try` that goes on without mem0."""
    tree = code.tree(filename)
    for change in changes:
        beside = tree.at(change.place, ast.stmt) if isinstance(change, Insert) else None
        for around in tree.around(beside) if beside is not None else ():
            if isinstance(around, ast.Try) and beside in around.body and around.handlers:
                where = code.line(filename, place_of(around.handlers[0]))
                yield f"Have mem0-shim installed wherever this runs: {where} would take its absence for that of mem0ai"


def constructions(code: Code, client: Value) -> list[SolvedCall]:
    """The calls that construct a client; of a subclass of the code base, all that do."""
    solver = code.solver
    made = [call for call in solver.call_of.get(client[2], ()) if solver.labels.get(client[2], ("",))[0] == "construct"]
    if made:  # of field(default_factory=MemoryClient), the call that it makes comes before itself
        return sorted(made, key=lambda call: not call.fact.text.startswith((_HANDED, _DEFERRED)))[:1]
    for filename, joined in solver.files.items():
        for index, defined in enumerate(joined.summary.classes):
            if defined.value + joined.base == client[2]:
                return [call for call in solver.constructions(filename, index) if call.filename in code.tracked.sources]
    return []


def _wrapping(tree: Tree, call: SolvedCall) -> Sequence[Change] | Unsuitable:
    """How the client that a call makes is wrapped."""
    node = tree.at(call.fact.place, ast.Call)
    if node is None:
        return _unsuitable(call)
    if any(isinstance(item, ast.JoinedStr) for item in tree.around(node)):
        return Unsuitable("before Python 3.12, the f-string in which the client is made cannot hold the quotes of a policy")
    handed = None if call.partials else _handed(node, call)
    if handed is not None and call.fact.text.startswith(_HANDED):
        return _factory(tree, node, handed, call)
    made: ast.expr = node
    if handed is not None:  # to_thread(MemoryClient): what is awaited is the client
        around = tree.parent(node)
        if not isinstance(around, ast.Await):
            return _unsuitable(call)
        made = around
    wrap = access(tree, handed or node, MODULE, "wrap")
    return [Surround(place_of(made), f"{wrap.text}(", f", policy={_POLICY})"), *wrap.inserts]


def _handed(node: ast.Call, call: SolvedCall) -> ast.expr | None:
    """The class, where it is not called but handed to a call that constructs it."""
    if not call.fact.text.startswith((_HANDED, _DEFERRED)):
        return None
    named = [keyword.value for keyword in node.keywords if keyword.arg in _FACTORIES]
    return (named or node.args[:1] or [node])[0]


def _factory(tree: Tree, node: ast.Call, handed: ast.expr, call: SolvedCall) -> Sequence[Change] | Unsuitable:
    """`field(default_factory=MemoryClient)` → `field(default_factory=lambda: mem0_shim.wrap(MemoryClient(), policy="wait"))`."""
    named = any(keyword.value is handed for keyword in node.keywords)
    alone = named or (call.fact.text.removeprefix(_HANDED).rpartition(".")[2] in _ARGUMENTLESS and len(node.args) == 1)
    if not alone or not isinstance(handed, (ast.Name, ast.Attribute)):
        return _unsuitable(call)
    wrap = access(tree, handed, MODULE, "wrap")
    text = f"lambda: {wrap.text}({tree.text(handed)}(), policy={_POLICY})"
    return [Replace(place_of(handed), text), *wrap.inserts]


def _wrappers(code: Code, client: Value) -> list[SolvedCall]:
    """The calls of `mem0_shim.wrap` that get a client, and ask for something else than to wait."""
    solver = code.solver
    found = []
    for call in solver.calls:
        if call.libraries & SHIM_WRAP and call.arguments and call.filename in code.tracked.sources:
            held = [value for value, _ in solver.values.get(call.arguments[0][0], ())]
            nodes = [solver.class_node(*value[1:]) if value[0] == "instance" else value[-1] for value in held]
            if client[2] in nodes:
                found.append(call)
    return found


def _is_around(code: Code, wrapper: SolvedCall, call: SolvedCall) -> bool:
    """Whether a wrapper always gets what a call constructs: it is around it, or comes after it in the same block."""
    tree = code.tree(call.filename)
    outer, inner = tree.at(wrapper.fact.place, ast.Call), tree.at(call.fact.place, ast.Call)
    if outer is None or inner is None or wrapper.filename != call.filename:
        return False
    first, second = tree.statement(inner), tree.statement(outer)
    alone = isinstance(second, (ast.Expr, ast.Assign, ast.AnnAssign)) and second.value is outer
    return outer in tree.around(inner) or (alone and second in block_of(tree, first) and first.lineno < second.lineno)


def _waiting(tree: Tree, wrapper: SolvedCall) -> Sequence[Change] | Unsuitable:
    """How a wrapper is told to wait."""
    node = tree.at(wrapper.fact.place, ast.Call)
    if node is None or any(keyword.arg is None for keyword in node.keywords) or any(map(_is_starred, node.args)):
        return _unsuitable(wrapper)
    policy = node.args[1] if len(node.args) > 1 else next((item.value for item in node.keywords if item.arg == "policy"), None)
    if policy is not None and not isinstance(policy, ast.Constant):
        return Unsuitable(f"its wrapper is told what to do elsewhere ({wrapper.filename}:{wrapper.fact.place[0]})")
    if len(node.args) > 1:
        return [Replace(place_of(node.args[1]), _POLICY)]
    return [SetKeyword(place_of(node), "policy", _POLICY, "policy")]


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def _unsuitable(call: SolvedCall) -> Unsuitable:
    return Unsuitable(f"the client is made in a way that cannot be wrapped there ({call.filename}:{call.fact.place[0]})")


def _not_constructed(code: Code, client: Value) -> str:
    place = code.solver.places.get(client[2])
    where = f" (it is declared at {place[0]}:{place[1][0]})" if place else ""
    return f"where the client is constructed is not seen{where}: wrap it there"
