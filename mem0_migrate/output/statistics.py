"""How many findings there are of each rule, instead of the findings themselves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mem0_migrate.model import SEVERITIES
from mem0_migrate.output import closing
from mem0_migrate.output.view import SEVERITY_PAINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import Report, Severity
    from mem0_migrate.output.view import View


def counted(report: Report) -> list[tuple[int, str, Severity, str]]:
    """Number, code, severity and name for each rule and severity that occurs, the worst and most frequent first."""
    numbers = Counter((finding.code, finding.severity, finding.name) for finding in report.findings)
    rows = [(number, *rule) for rule, number in numbers.items()]
    return sorted(rows, key=lambda row: (SEVERITIES.index(row[2]), -row[0], row[1]))


def render(report: Report, view: View) -> Iterator[str]:
    """Yield one line per rule, `number<tab>code<tab>severity<tab>name`, and the closing lines."""
    for number, code, severity, name in counted(report):
        paint = SEVERITY_PAINT[severity]
        yield f"{number}\t{view.paint(code, paint, 'bold')}\t{view.paint(severity, paint)}\t{name}"
    if report.findings:
        yield ""
    yield from closing.render(report, (), view)


def render_json(report: Report) -> Iterator[str]:
    """Yield the same as a JSON object."""
    from mem0_migrate.output.json import dumped, ending

    rows = [
        {"code": code, "name": name, "severity": severity, "count": number} for number, code, severity, name in counted(report)
    ]
    yield dumped({"statistics": rows, **ending(report)})
