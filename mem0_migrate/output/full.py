"""The format for a terminal: each finding with its source, what will happen, how we know, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS
from mem0_migrate.output import closing
from mem0_migrate.output.excerpt import Label, excerpt
from mem0_migrate.output.view import SEVERITY_PAINT, View, eras, place, printable, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mem0_migrate.model import Applicability, Declaration, Era, Finding, Report, Step


_FIX: Mapping[Applicability, str] = {"safe": "fix", "unsafe": "unsafe fix", "display-only": "by hand"}


def render(report: Report, view: View) -> Iterator[str]:
    """Yield the lines for a report, worst findings first."""
    told, remarks = closing.split(worst_first(report.findings), view)
    declarations = {site.span: site.declaration for site in report.sites}
    for finding in told:
        yield from _finding(finding, declarations.get(finding.span), view)
        yield ""
    yield from closing.render(report, remarks, view)


def _finding(finding: Finding, declaration: Declaration | None, view: View) -> Iterator[str]:
    paint = SEVERITY_PAINT[finding.severity]
    severity = f"[{view.paint(finding.severity, paint)}]"
    yield f"{view.paint(finding.code, paint, 'bold')} {severity} {view.mark(finding)}{view.paint(finding.name, 'bold')}"
    yield from view.wrapped("", finding.message, "bold")
    labels = [Label(finding.span, "^", "", paint)]
    labels += [Label(mark.span, "-", mark.text, "blue") for mark in finding.marks]
    files = dict.fromkeys((label.span.filename, label.span.cell) for label in labels)
    for filename, cell in files:
        here = [label for label in labels if (label.span.filename, label.span.cell) == (filename, cell)]
        yield f"  {view.paint('-->', 'blue', 'bold')} {place(here[0].span)}"
        yield from excerpt(view.source(filename, cell), here, view)
    for names, text in _consequences(finding.consequence):
        yield from view.wrapped(f"with {names}: ", text, "bold")
    if declaration and declaration.source and finding.consequence:
        where = declaration.source if declaration.row is None else f"{declaration.source}:{declaration.row}"
        yield from view.wrapped("declared: ", f"{declaration.requirement} in {where}", "bold")
    yield from _steps("evidence:", finding.evidence, view)
    for step in finding.related:
        yield from view.wrapped("see also: ", f"{place(step.span)} {step.text}", "bold")
    if finding.advice:
        yield from view.wrapped("help: ", finding.advice, "cyan", "bold")
    if finding.fix is not None:
        yield from view.wrapped(f"{_FIX[finding.fix.applicability]}: ", finding.fix.message, "cyan", "bold")


def _consequences(consequence: Mapping[Era, str]) -> Iterator[tuple[str, str]]:
    """Eras in words and what happens under them; eras under which the same happens are told together."""
    told = dict.fromkeys(consequence[era] for era in ERAS if era in consequence)
    for text in told:
        yield eras(era for era in consequence if consequence[era] == text), text


def _steps(title: str, steps: Sequence[Step], view: View) -> Iterator[str]:
    if not steps:
        return
    yield view.paint(title, "bold")
    places = [place(step.span) for step in steps]
    column = min(max(map(len, places)), view.width // 2)
    for number, (where, step) in enumerate(zip(places, steps, strict=True), 1):
        prefix = f"  {number:{len(str(len(steps)))}}. "
        first, *rest = view.wrapped(" " * (len(prefix) + column + 2), printable(step.text))
        yield prefix + view.paint(f"{where:{column}}", "cyan") + first[len(prefix) + column :]
        yield from rest
