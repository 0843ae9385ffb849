"""An `add` of the asynchronous client that nobody awaits gets its `await`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Replace, Surround
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.usage.judgement import JudgedSite

_THREADS = frozenset(["to_thread", "run_in_threadpool", "run_sync"])


def propose(site: JudgedSite, code: Code) -> Repair | Unsuitable:
    """Await the call; where a thread was given the method, call and await it without the thread."""
    record = code.record(site)
    tree = code.tree(record.filename)
    if site.site.form == "reference":
        found = _in_thread(tree, code, site)
    else:
        call = tree.at(record.place, ast.Call)
        found = (call, Surround(record.place, "await ", "")) if call is not None else None
    if found is None:
        return Unsuitable("use MemoryClient where the call runs in a thread")
    call, change = found
    if not isinstance(tree.function(call), ast.AsyncFunctionDef):
        return Unsuitable("its function is no coroutine: make it one, or use MemoryClient")
    return Repair("await", "unsafe", "Await this add(): without, nothing is sent", {record.filename: (change,)})


def _in_thread(tree: Tree, code: Code, site: JudgedSite) -> tuple[ast.Call, Change] | None:
    """`await asyncio.to_thread(client.add, m, user_id=u)` → `await client.add(m, user_id=u)`."""
    for made in code.calls(site):
        call = tree.at(made.fact.place, ast.Call) if made.filename == code.record(site).filename else None
        tail = made.fact.text.rpartition(".")[2]
        if call is None or tail not in _THREADS or not call.args or not isinstance(tree.parent(call), ast.Await):
            continue
        text, first = tree.text(call), call.args[0]
        source = tree.source
        start = source.offset(call.lineno, call.col_offset)
        rest = source.offset((first.end_lineno or 0), (first.end_col_offset or 0)) - start
        arguments = text[rest:].lstrip().removeprefix(",").lstrip()
        return call, Replace(place_of(call), f"{tree.text(first)}({arguments}")
    return None
