"""What formats for people say after the findings: remarks in one line per file, what was not read, and the count of it all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mem0_migrate.output.view import count, joined, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mem0_migrate.model import Finding, Report, Severity, Verdict
    from mem0_migrate.output.view import View

_MOST_PLACES = 3

_VERDICTS: dict[Verdict, str] = {
    "breaks": "{} break{}",
    "may-break": "{} may break",
    "undecided": "{} undecided (a value that we cannot see decides)",
    "no-visible-effect": "{} not affected (nothing depends on the answer)",
    "explicit": "{} already explicit (async_mode is given, or the client waits)",
    "receipt-aware": "{} ready (handles the queued answer)",
    "oss": "{} on the open-source Memory (not affected)",
}


def split(findings: Sequence[Finding], view: View) -> tuple[list[Finding], list[Finding]]:
    """Findings to show one by one, and remarks to fold into one line per file."""
    told: list[Finding] = []
    remarks: list[Finding] = []
    for finding in findings:
        (remarks if view.fold_info and finding.severity == "info" else told).append(finding)
    return told, remarks


def render(report: Report, remarks: Sequence[Finding], view: View) -> Iterator[str]:
    """Yield the lines after the findings."""
    yield from _unreadable(report, view)
    yield from _remarks(remarks, view)
    if not view.quiet:
        if report.incomplete or remarks:
            yield ""
        yield from totals(report, view)
        yield from _fixable(report, view)


def _fixable(report: Report, view: View) -> Iterator[str]:
    fixes = Counter(view.fixing(finding) for finding in report.findings)
    if fixes["now"]:
        more = f" {fixes['unsafe']} more with --unsafe-fixes." if fixes["unsafe"] else ""
        text = f"[*] {fixes['now']} can be fixed: `mem0-migrate fix --diff` shows how, `mem0-migrate fix` does it.{more}"
        yield from view.wrapped("", text)
    elif fixes["unsafe"]:
        yield from view.wrapped("", f"{fixes['unsafe']} can be fixed: `mem0-migrate fix --unsafe-fixes --diff` shows how.")


def _unreadable(report: Report, view: View) -> Iterator[str]:
    for file in report.incomplete:
        where = f"{printable(file.filename)}:{file.row or 1}:1"
        yield f"{view.paint(where, 'bold')}: {view.paint('MEM901', 'red', 'bold')} not checked: {printable(file.reason)}"


def _remarks(remarks: Sequence[Finding], view: View) -> Iterator[str]:
    by_file: dict[str, Counter[str]] = {}
    for remark in remarks:
        by_file.setdefault(remark.span.filename, Counter())[remark.code] += 1
    for filename in sorted(by_file):
        codes = by_file[filename]
        listed = ", ".join(
            code if number == 1 else f"{code} \N{MULTIPLICATION SIGN}{number}" for code, number in sorted(codes.items())
        )
        yield f"{view.paint(printable(filename), 'bold')}: {count(codes.total(), 'remark')} ({listed})"
    if remarks and not view.quiet:
        yield from _legend(sorted({remark.code for remark in remarks}), view)


def _legend(codes: Sequence[str], view: View) -> Iterator[str]:
    from mem0_migrate.rules.registry import rule

    for code in codes:
        yield from view.wrapped(f"  {code}: ", rule(code).summary, "cyan")
    yield "  Show each with --show-info."


def totals(report: Report, view: View, *, found_nothing: str = "Nothing found.") -> Iterator[str]:
    """Yield the closing lines: how many calls there are, what becomes of them, and how much was looked at."""
    severities = Counter(finding.severity for finding in report.findings)
    nouns: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "remark"}
    found = [count(severities[severity], noun) for severity, noun in nouns.items() if severities[severity]]
    silenced = f" {count(report.suppressed, 'finding')} silenced by comments." if report.suppressed else ""
    yield from view.wrapped("", f"Found {joined(found)}.{silenced}" if report.findings else f"{found_nothing}{silenced}")
    verdicts = Counter(site.verdict for site in report.sites)
    files = count(report.files, "file")
    if report.sites:
        numbers = ((text, verdicts[verdict]) for verdict, text in _VERDICTS.items() if verdicts[verdict] or "break" in verdict)
        parts = [text.format(number, "s" if number == 1 else "") for text, number in numbers]
        text = f"{count(len(report.sites), 'call')} of mem0's add() in {files}: {', '.join(parts)}."
    else:
        text = f"No call of mem0's add() in {files}."
    yield from view.wrapped("", text)
    undeclared = sum(site.declaration.source is None and not site.declaration.requirement for site in report.sites)
    if undeclared:
        which = (
            "they run" if undeclared == len(report.sites) else f"{count(undeclared, 'call')} run{'s' if undeclared == 1 else ''}"
        )
        text = f"Nothing says which mem0ai {which} with, so every release was considered."
        yield from view.wrapped("", f"{text} Say which with --mem0ai, for example --mem0ai 1.0.3.")
    yield from _unfollowed(report, view)
    if report.incomplete:
        unread = count(len(report.incomplete), "file")
        yield from view.wrapped(
            "", f"{unread} could not be checked, so this is not the whole picture (--allow-incomplete accepts that)."
        )


def _unfollowed(report: Report, view: View) -> Iterator[str]:
    if report.unfollowed:
        places = [printable(span.line) for span in report.unfollowed]
        named = joined(places if len(places) <= _MOST_PLACES else [*places[:_MOST_PLACES], f"{len(places) - _MOST_PLACES} more"])
        them = "it" if len(places) == 1 else "them"
        lost = f"{count(len(places), 'client')} could not be followed to any call: {named}."
        advice = "An annotation (`client: MemoryClient`) where it arrives helps."
        yield from view.wrapped("", f"{lost} What is called on {them} was not checked. {advice}")
