"""Let a file take part: number its nodes over all files, and hand its facts to the solver."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import calls, loads
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.records import JoinedFile, SolvedCall
from mem0_migrate.tracking.summary import NOTHING
from mem0_migrate.tracking.values import CLEAR, PLAIN, answer

if TYPE_CHECKING:
    from mem0_migrate.tracking.solver import Solver

_SETTINGS = frozenset(["settings", "config"])  # modules whose constants frameworks hand out by name
_BUILTINS = frozenset(dir(builtins))


def join(solver: Solver, summary: facts.Summary) -> None:
    """Let a file take part."""
    base = solver.size  # node 0 of the file, NOTHING, becomes a node that never holds anything
    solver.size += summary.nodes
    name = summary.filename
    solver.files[name] = JoinedFile(summary, base)
    for node, label in summary.labels.items():
        solver.labels[node + base] = label
        if label[0] == "path":
            solver.name_loads[label[1]].append(node + base)
        elif label[0] == "store":
            solver.name_stores[label[1]].append(node + base)
    for node, place in summary.places.items():
        solver.places[node + base] = (name, place)
    cleared = {node + base for node in summary.globals.values()}
    for source, target in sorted(summary.flows):
        solver.edge(source + base, target + base, CLEAR if target + base in cleared else PLAIN)
    for source, target in sorted(summary.captures):
        solver.edge(source + base, target + base, CLEAR)
    for narrow in summary.narrows:
        classes = tuple(node + base for node in narrow.classes)
        solver.narrows[narrow.source + base].append((narrow, narrow.target + base, classes))
        solver.places.setdefault(narrow.target + base, (name, narrow.place))
        for node in classes:
            solver.narrows[node].append((narrow, narrow.target + base, classes))
    for annotation in summary.annotations:
        target = annotation.target + base
        solver.annotated.add(target)
        solver.annotation_places.setdefault(target, (name, annotation.place))
        solver.annotations[annotation.cls + base].append((target, annotation.cls + base, annotation.weak, annotation.held))
    for value, text in summary.texts:
        solver.texts[value + base].append(text + base)
    for usage in summary.usages:
        solver.usages[usage.node + base].append(usage)
    for store in summary.stores:
        solver.stored[store.value + base].append((store.base + base, store.key, store.place))
        if store.base in summary.containers:
            solver.edge(store.value + base, solver.cell(store.base + base, store.key), CLEAR)
        solver.stores[store.base + base].append((store.key, store.value + base))
    for load in summary.loads:
        solver.load_of.setdefault(load.target + base, load.base + base)
        solver.places.setdefault(load.target + base, (name, load.place))
        solver.loads[load.base + base].append((load.key, load.target + base))
    solver.mode_writes += [(name, write, write.base + base) for write in summary.mode_writes if write.base != NOTHING]
    for target, spread in summary.spreads:
        if spread == NOTHING:
            solver.open_nodes.append(target + base)
        else:
            solver.spread_into[spread + base].append(target + base)
            solver.spread_from[target + base].append(spread + base)
    for call in summary.calls:
        _join_call(solver, name, call, base)
    for added in summary.http_adds:
        _join_http_add(solver, summary.calls[added.call].target + base, added)
    _join_declarations(solver, name, summary, base)


def _join_call(solver: Solver, filename: str, call: facts.Call, base: int) -> None:
    def shift(node: int) -> int:
        return node + base if node != NOTHING else NOTHING

    solved = SolvedCall(
        len(solver.calls),
        filename,
        call,
        shift(call.callee),
        tuple((shift(node), starred) for node, starred in call.arguments),
        tuple((name, shift(node)) for name, node in call.keywords),
        call.target + base,
    )
    solver.add_call(solved)


def _join_http_add(solver: Solver, target: int, added: facts.HttpAdd) -> None:
    made = solver.call_of[target][0]
    site = calls.new_site(solver, ("http", made.number), made.filename, made.fact.place, reference=False, receiver=NOTHING)
    site.url, site.waits = added.url, added.waits
    site.calls[made.number] = (0, ())
    solver.put(target, answer(site.number, added.waits) if added.parsed else ("response", site.number, added.waits), (), None)


def _join_declarations(solver: Solver, name: str, summary: facts.Summary, base: int) -> None:
    for index, function in enumerate(summary.functions):
        solver.seed(function.value + base, ("function", name, index))
        solver.returns[function.returned + base] = (name, index)
        solver.returns[function.yielded + base] = (name, index)
        for variadic in (function.variadic, function.keyword_variadic):
            if variadic is not None:
                solver.container(variadic + base)
                solver.variadic_of[variadic + base] = (name, index)
        if function.owner is not None and function.parameters and function.kind != "static":
            kind = "class" if function.kind == "class" else "instance"
            solver.seed(function.parameters[0][1] + base, (kind, name, function.owner))
    for index, declared in enumerate(summary.classes):
        solver.seed(declared.value + base, ("class", name, index))
        qualified = f"{solver.modules.name_of(name)}.{declared.name}"
        if qualified in surface.CLASSES:
            solver.seed(declared.value + base, ("sdk", surface.CLASSES[qualified][0]))
        for node in declared.bases:
            if node != NOTHING:
                solver.base_of[node + base].append((name, index))
    for node, place in summary.containers.items():
        solver.places.setdefault(node + base, (name, place))
        solver.container(node + base)
    for target, owner in summary.supers:
        solver.seed(target + base, ("super", name, owner))
    for part in set(solver.modules.name_of(name).split(".")) & _SETTINGS:
        for global_name, cell in summary.globals.items():
            if global_name.isupper():  # Django's `settings.CLIENT`, Flask's `config["CLIENT"]`
                solver.name_stores[f"{part}.{global_name}"].append(cell + base)
    for imported in summary.imports:
        _import(solver, name, imported, base)
    for unresolved, node in summary.unresolved.items():
        _unresolved(solver, name, summary, unresolved, node + base)
    for waiting_name, target in solver.waiting.pop(name, ()):
        solver.member(name, waiting_name, target)


def _import(solver: Solver, filename: str, imported: facts.Import, base: int) -> None:
    node = imported.node + base
    solver.places.setdefault(node, (filename, imported.place))
    if imported.name is not None:
        solver.labels.setdefault(node, ("import", f"{'.' * imported.level}{imported.module}"))
    if imported.level == 0 and imported.module.partition(".")[0] == surface.PACKAGE:
        dotted = imported.module if imported.name is None else f"{imported.module}.{imported.name}"
        solver.seed(node, loads.library(dotted))
        return
    found = solver.modules.resolve(filename, imported.module or None, imported.level)
    if imported.name is None:
        solver.seed(node, ("module", found) if found else ("library", imported.module))
    elif found is not None:
        solver.member(found, imported.name, node)
    else:
        inner = solver.modules.resolve(filename, f"{imported.module}.{imported.name}".lstrip("."), imported.level)
        solver.seed(node, ("module", inner) if inner else ("library", f"{imported.module}.{imported.name}"))


def _unresolved(solver: Solver, filename: str, summary: facts.Summary, name: str, node: int) -> None:
    for module, level in summary.stars:
        if level == 0 and module.partition(".")[0] == surface.PACKAGE:
            if f"{module}.{name}" in surface.CLASSES:
                solver.seed(node, loads.library(f"{module}.{name}"))
            continue
        found = solver.modules.resolve(filename, module or None, level)
        if found is not None and found != filename:
            solver.member(found, name, node)
    if name in _BUILTINS:
        solver.seed(node, ("library", f"builtins.{name}"))
