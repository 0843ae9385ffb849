"""The format for programs: one JSON object, complete and sorted by place, held to `schema.json` of this package.

Keys are ruff's where ruff has one. Rows and columns are 1-based, columns count characters.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import mem0_migrate
from mem0_migrate.output.view import place_key
from mem0_migrate.rules.registry import DOCUMENTATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import Edit, Finding, Fix, FixReport, Position, Report, Site, Span, Step, Use
    from mem0_migrate.output.view import View

SCHEMA = 1


def render(report: Report, view: View) -> Iterator[str]:
    """Yield the object, indented. It is pure ASCII, so that every terminal, pipe and file can take it."""
    del view
    findings = sorted(report.findings, key=lambda finding: (place_key(finding.span), finding.code))
    sites = sorted(report.sites, key=lambda site: place_key(site.span))
    yield dumped(
        {"findings": [_finding(finding) for finding in findings], "sites": [_site(site) for site in sites], **ending(report)}
    )


def render_fixes(report: FixReport) -> Iterator[str]:
    """Yield the object for a run of `fix`: what was rewritten and proven, what is left and why, and the check after it."""
    yield dumped(
        {
            "findings": [_finding(finding) for finding in report.after.findings],
            "sites": [_site(site) for site in report.after.sites],
            "fixes": {
                "files": [
                    {
                        "filename": rewrite.filename,
                        "edits": [_edit(edit) for edit in rewrite.edits],
                        "messages": list(rewrite.messages),
                        "proof": list(rewrite.proof),
                    }
                    for rewrite in report.rewrites
                ],
                "fixed": [_finding(finding) for finding in report.fixed],
                "left": [
                    {"reason": item.reason, "unsafe": item.unsafe, "finding": _finding(item.finding)} for item in report.left
                ],
                "failed": [{"filename": file.filename, "row": file.row, "reason": file.reason} for file in report.failed],
                "by_hand": list(report.by_hand),
            },
            **ending(report.after),
        }
    )


def dumped(content: dict[str, Any]) -> str:
    """The text of a document of this tool: its version, then the content."""
    head = {"schema": SCHEMA, "tool": {"name": "mem0-migrate", "version": mem0_migrate.__version__}}
    return json.dumps({**head, **content}, indent=2)


def ending(report: Report) -> dict[str, Any]:
    """What was not looked at, and the counts of everything."""
    return {
        "incomplete": [{"filename": file.filename, "row": file.row, "reason": file.reason} for file in report.incomplete],
        "unfollowed": [_span(span) for span in report.unfollowed],
        "summary": {
            "files": report.files,
            "analysed": report.analysed,
            "unreadable": len(report.incomplete),
            "findings": _counted(finding.severity for finding in report.findings),
            "suppressed": report.suppressed,
            "sites": _counted(site.verdict for site in report.sites),
        },
    }


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        **_span(finding.span),
        "receiver": finding.receiver,
        "confidence": finding.confidence,
        "async_mode": finding.async_mode,
        "usage": finding.usage,
        "consequence": dict(finding.consequence),
        "evidence": [_step(step) for step in finding.evidence],
        "marks": [_step(step) for step in finding.marks],
        "related": [_step(step) for step in finding.related],
        "advice": finding.advice,
        "fix": finding.fix and _fix(finding.fix),
        "url": f"{DOCUMENTATION}/{finding.code}.md",
    }


def _site(site: Site) -> dict[str, Any]:
    return {
        **_span(site.span),
        "form": site.form,
        "receiver": site.receiver,
        "confidence": site.confidence,
        "async_mode": site.async_mode,
        "eras": sorted(site.declaration.eras),
        "declaration": {
            "requirement": site.declaration.requirement,
            "filename": site.declaration.source,
            "row": site.declaration.row,
            "locked": site.declaration.locked,
        },
        "usage": site.usage,
        "uses": [_use(use) for use in site.uses],
        "verdict": site.verdict,
        "consequence": dict(site.consequence),
        "evidence": [_step(step) for step in site.evidence],
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "filename": span.filename,
        "cell": span.cell,
        "location": _position(span.start),
        "end_location": _position(span.end),
    }


def _position(position: Position) -> dict[str, int]:
    return {"row": position.row, "column": position.column}


def _step(step: Step) -> dict[str, Any]:
    return {
        "filename": step.span.filename,
        "cell": step.span.cell,
        "row": step.span.start.row,
        "column": step.span.start.column,
        "text": step.text,
    }


def _use(use: Use) -> dict[str, Any]:
    return {"kind": use.kind, **_span(use.span), "expression": use.expression}


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "strategy": fix.strategy,
        "applicability": fix.applicability,
        "message": fix.message,
        "edits": [_edit(edit) for edit in fix.edits],
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {"content": edit.content, **_span(edit.span)}
