"""An `add` of the asynchronous client that nobody awaits gets its `await`."""

from __future__ import annotations

import ast
import itertools
import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import Replace, Surround
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.tracking.evidence import place_of

if TYPE_CHECKING:
    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code, Tree
    from mem0_migrate.usage.judgement import JudgedSite

_THREADS = frozenset(["to_thread", "run_in_threadpool", "run_sync"])
_AFTER_FIRST = re.compile(r"(?P<blank>\s*)(?:,(?P<rest>.*)|\))", re.DOTALL)


def propose(site: JudgedSite, code: Code) -> Repair | Unsuitable:
    """Await the call; where a thread was given the method, call and await it without the thread."""
    record = code.record(site)
    tree = code.tree(record.filename)
    found = _in_thread(tree, code, site)
    if found is None and site.site.form != "reference":
        call = tree.at(record.place, ast.Call)
        found = (call, _awaited(tree, call)) if call is not None else None
    if found is None:
        return Unsuitable("use MemoryClient where the call runs in a thread")
    call, change = found
    function = tree.function(call)
    if function is None:
        return Unsuitable("nothing can be awaited here, outside of a function: use MemoryClient")
    if not isinstance(function, ast.AsyncFunctionDef):
        return Unsuitable("its function is no coroutine: make it one, or use MemoryClient")
    inside = itertools.takewhile(lambda item: item is not function, tree.around(call))
    if any(isinstance(item, (ast.GeneratorExp, ast.ClassDef)) for item in inside):
        return Unsuitable("an await here would make an asynchronous generator of it: await each add() in a loop")
    return Repair("await", "unsafe", "Await this add(): without, nothing is sent", {record.filename: (change,)})


def _awaited(tree: Tree, call: ast.Call) -> Change:
    """`client.add(m)` → `await client.add(m)`; and `await client.add(m)["results"]` → `(await client.add(m))["results"]`."""
    whole: ast.expr = call
    while isinstance(around := tree.parent(whole), (ast.Subscript, ast.Attribute, ast.Call)) and _begins(around, whole):
        whole = around
    text, inner = tree.text(whole), tree.text(call)
    if isinstance(around, ast.Await) and place_of(whole)[:2] == place_of(call)[:2]:
        return Replace(place_of(around), f"(await {inner}){text[len(inner) :]}")
    return Surround(place_of(call), "await ", "")


def _begins(around: ast.Subscript | ast.Attribute | ast.Call, node: ast.expr) -> bool:
    return (around.func if isinstance(around, ast.Call) else around.value) is node


def _in_thread(tree: Tree, code: Code, site: JudgedSite) -> tuple[ast.Call, Change] | None:
    """`await asyncio.to_thread(client.add, m, user_id=u)` → `await client.add(m, user_id=u)`."""
    for made in code.calls(site):
        call = tree.at(made.fact.place, ast.Call) if made.filename == code.record(site).filename else None
        tail = made.fact.text.rpartition(".")[2]
        if call is None or tail not in _THREADS or not call.args or not isinstance(tree.parent(call), ast.Await):
            continue
        text = _called(tree, call, call.args[0])
        if text is not None and not (tail == "run_sync" and call.keywords):  # those are for the thread
            return call, Replace(place_of(call), text)
    return None


def _called(tree: Tree, call: ast.Call, first: ast.expr) -> str | None:
    """The text of a call with its first argument as the callee of the others, these as they stand; None where it is not plain."""
    source, text = tree.source, tree.text(call)
    start = source.offset(call.lineno, call.col_offset)
    begin, end = (source.offset(first.lineno, first.col_offset), source.offset(first.end_lineno or 0, first.end_col_offset or 0))
    opening = source.offset(call.func.end_lineno or 0, call.func.end_col_offset or 0) - start
    between, behind = text[opening : begin - start], _AFTER_FIRST.match(text, end - start)
    if not isinstance(first, (ast.Name, ast.Attribute)) or between.strip() != "(" or behind is None:
        return None
    if behind["rest"] is None:
        return f"{tree.text(first)}()"
    rest = behind["rest"].lstrip(" \t")
    if "\n" in between or "\r" in between:
        rest = between.removeprefix("(") + (rest if rest.startswith("#") else rest.lstrip())
    elif rest.startswith("#"):
        rest = f"  {rest}"
    return f"{tree.text(first)}({rest}"
