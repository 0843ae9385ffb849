"""The format for pipes and editors: one line per finding."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from mem0_migrate.output import closing
from mem0_migrate.output.view import SEVERITY_PAINT, place, printable, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import Report
    from mem0_migrate.output.view import View


def render(report: Report, view: View) -> Iterator[str]:
    """Yield the lines for a report, `path:row:column: CODE message`, worst findings first."""
    told, remarks = closing.split(worst_first(report.findings), view)
    for finding in told:
        code = view.paint(finding.code, SEVERITY_PAINT[finding.severity], "bold")
        yield f"{view.paint(place(finding.span), 'bold')}: {code} {view.mark(finding)}{printable(finding.message)}"
    yield from closing.render(report, remarks, replace(view, width=sys.maxsize))
