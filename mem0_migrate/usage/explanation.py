"""Explain one line: why an `add` there is a site, or where tracking stopped and which annotation would take it further."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import evidence
from mem0_migrate.usage.kinds import PHRASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.model import Span
    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.tracker import Tracked
    from mem0_migrate.usage.judgement import JudgedSite

_RECEIVERS = {
    "hosted": "a hosted client (MemoryClient)",
    "hosted-async": "a hosted client (AsyncMemoryClient)",
    "either": "a hosted client or the open-source Memory, decided at run time",
    "oss": "the open-source Memory, which always answers with memories",
}
_VERDICTS = {
    "breaks": "code that uses the answer breaks",
    "may-break": "the answer goes where it cannot be followed, and may break code there",
    "no-visible-effect": "nothing visible depends on the answer",
    "explicit": "async_mode is explicit",
    "receipt-aware": "the code knows about receipts",
    "undecided": "async_mode is decided at run time",
    "oss": "not affected",
}


def explained(tracked: Tracked, sites: Sequence[JudgedSite], filename: str, row: int, files: Sequence[str]) -> tuple[str, ...]:
    """The explanation of a line (1-based), one sentence or step a line. `files` are those of the code base."""
    if filename not in files:
        return (f"{filename} is not part of the code base that was looked at.",)
    source = tracked.sources.get(filename)
    if source is None:
        reasons = [problem.reason for problem in tracked.problems if problem.filename == filename]
        return (f"{filename} could not be analysed: {reasons[0] if reasons else 'it was not reached'}.",)
    lines: list[str] = []
    for judged in sites:
        span = judged.site.span
        if span.filename == filename and span.start.row <= row <= span.end.row:
            lines += _site(judged)
    if lines:
        return tuple(lines)
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == surface.ADD
            and node.lineno <= row <= (node.end_lineno or node.lineno)
        ):
            lines += _stopped(tracked.solver, tracked.sources, source, node)
    return tuple(lines) or (f"There is no add() on line {row} of {filename}.",)


def _site(judged: JudgedSite) -> list[str]:
    site = judged.site
    lines = [f"{_place(site.span)}: the receiver of this add() is {_RECEIVERS[site.receiver]} ({site.confidence})."]
    lines += [f"  {number}. {_place(step.span)}  {step.text}" for number, step in enumerate(site.evidence, 1)]
    mode = {
        "absent": "is not passed",
        "mapping": "may be in a mapping that is spread into the call",
        "dynamic": "is decided at run time",
    }
    lines.append(f"async_mode {mode.get(site.async_mode, f'is {site.async_mode.capitalize()}')}.")
    declared = site.declaration.requirement or "nothing, so every release is taken to be possible"
    where = (
        f" ({site.declaration.source}{f':{site.declaration.row}' if site.declaration.row else ''})"
        if site.declaration.source
        else ""
    )
    lines.append(f"The project declares {declared}{where}.")
    lines += [f"The answer is {PHRASES[use.kind]} at {_place(use.span)}: {use.expression}" for use in site.uses]
    if not site.uses and site.receiver != "oss":
        lines.append("The answer is not used.")
    lines.append(f"Verdict: {_VERDICTS[site.verdict]}.")
    return lines


def _place(span: Span) -> str:
    cell = f"cell {span.cell}:" if span.cell is not None else ""
    return f"{span.filename}:{cell}{span.start.row}:{span.start.column}"


def _stopped(solver: Solver, sources: dict[str, Source], source: Source, node: ast.Attribute) -> list[str]:
    """Where the receiver of an `add` that is no site comes from, as far as it is known."""
    where = (source.filename, evidence.place_of(node))
    receiver = next(
        (solver.load_of[target] for target, place in solver.places.items() if place == where and target in solver.load_of), None
    )
    text = " ".join(source.segment(node.value).split())
    lines = [f"{_place(source.span(node))}: nothing says that `{text}` is a mem0 client."]
    if receiver is None:
        return [*lines, "  It is a value that tracking does not follow."]
    for value, _ in solver.values.get(receiver, ()):
        if value[0] == "instance":
            declared = solver.files[value[1]].summary.classes[value[2]]
            lines.append(f"  It is an instance of `{declared.name}` ({value[1]}:{declared.place[0]}).")
    ends = _ends(solver, sources, receiver, text, set())
    return [*lines, *(ends or ["  It is a value that tracking does not follow."])]


def _ends(solver: Solver, sources: dict[str, Source], node: int, text: str, seen: set[int]) -> list[str]:
    """The places beyond which a node's values are not known, and what to write there."""
    lines = []
    for reached in sorted(solver.behind(node)):
        if reached in seen or solver.incoming.get(reached):
            continue
        seen.add(reached)
        label = solver.labels.get(reached, ("", ""))
        where = solver.places.get(reached)
        place = _place(evidence.span_at(sources, *where)) if where and where[0] in sources else ""
        calls = solver.call_of.get(reached, ())
        if label[0] == "parameter":
            name, _, function = label[1].partition(" of ")
            lines.append(
                f"  {place}: it is the parameter `{name}` of `{function}`, and no call in this code base passes a client. "
                f"Annotate it: `{name}: MemoryClient`."
            )
        elif calls and calls[0].libraries:
            lines.append(f"  {place}: it is what `{calls[0].fact.text}(…)` returns, and that is no mem0 client.")
        elif calls:
            lines.append(
                f"  {place}: it is what `{calls[0].fact.text}(…)` returns, which is not known here. "
                f"Annotate the result: `{text if text.isidentifier() else 'client'}: MemoryClient = {calls[0].fact.text}(…)`."
            )
        elif reached in solver.load_of:
            inner = _ends(solver, sources, solver.load_of[reached], text, seen)
            lines += inner or [
                f"  {place}: nothing in this code base stores a client there. Annotate the attribute in its class."
            ]
        elif label[0] == "import":
            lines.append(f"  {place}: it is imported from `{label[1]}`, which is not part of this code base.")
    return lines
