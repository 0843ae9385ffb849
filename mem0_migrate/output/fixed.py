"""What a run of `fix` did, and what is left: for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mem0_migrate.output import closing
from mem0_migrate.output.view import SEVERITY_PAINT, count, place, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import FixReport
    from mem0_migrate.output.view import View


_PROVEN = "Proven of each: nothing but this changed, it compiles, and a second pass changes nothing."


def render(report: FixReport, view: View, *, wrote: bool) -> Iterator[str]:
    """Yield the summary: what was changed, what was not and why, and what has to be done by hand, in order."""
    for name in report.completed:
        yield from view.wrapped("", f"{printable(name)}: brought to an end what a killed run had left behind.")
    if report.rewrites:
        done = "Fixed" if wrote else "Would fix"
        yield f"{done} {count(len(report.fixed), 'finding')} in {count(len(report.rewrites), 'file')}:"
        for message in dict.fromkeys(message for rewrite in report.rewrites for message in rewrite.messages):
            yield from view.wrapped("  - ", message)
            files = [rewrite.filename for rewrite in report.rewrites if message in rewrite.messages]
            if any(filename not in message for filename in files):
                yield from view.wrapped("    ", f"in {', '.join(map(printable, files))}")
    else:
        yield "Nothing was fixed." if wrote else "Nothing would be fixed."
    yield from left(report, view)
    if report.by_hand:
        yield "To do by hand:"
        for number, task in enumerate(report.by_hand, 1):
            yield from view.wrapped(f"  {number}. ", task)
    if wrote and report.rewrites:
        yield from view.wrapped("", _PROVEN)
    yield from closing.totals(report.after, view, found_nothing="Nothing is left to fix.")


def left(report: FixReport, view: View) -> Iterator[str]:
    """Yield the lines about what was not fixed, not written or not looked at; none if there is nothing."""
    for file in report.failed:
        yield from view.wrapped(f"{printable(file.filename)}: ", f"left as it was: {file.reason}", "red", "bold")
    for file in report.after.incomplete:
        yield from view.wrapped(
            f"{printable(file.filename)}:{file.row or 1}:1: ", f"not checked: {printable(file.reason)}", "bold"
        )
    if not report.left:
        return
    yield f"Not fixed: {count(len(report.left), 'finding')}"
    for item in report.left:
        finding = item.finding
        code = view.paint(finding.code, SEVERITY_PAINT[finding.severity], "bold")
        yield f"  {view.paint(place(finding.span), 'bold')}: {code} {printable(finding.message)}"
        if item.reason != finding.message:
            yield from view.wrapped("    ", item.reason)
    unsafe = Counter(item.unsafe for item in report.left)[True]
    if unsafe:
        yield f"{unsafe}{' more' if report.rewrites else ''} can be fixed with --unsafe-fixes."
