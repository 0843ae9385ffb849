"""Memories are added by HTTP, without the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import admitted, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM201"
SEVERITY: Severity = "error"
ENABLED = True


_SEVERITIES: dict[str, Severity] = {"memories": "error", "escapes": "warning", "truth": "warning"}


def check(judged: JudgedSite) -> Finding | None:
    """Report a POST to the platform's add endpoint; how severe depends on what is done with the answer."""
    if judged.site.form != "http" or judged.site.async_mode in ("true", "false"):
        return None
    severity = "info" if judged.aware else _SEVERITIES.get(judged.category(), "info")
    if severity == "info":
        message = "This adds memories by HTTP: the platform only queues them, and answers with a receipt"
    else:
        what = judged.worst.expression if judged.worst else ""
        message = f"This adds memories by HTTP, and `{shortened(what)}` takes the answer for memories: it is a receipt now"
    return site_finding(
        __name__, CODE, severity, judged, message,
        advice='Send `"async_mode": false` to `/v1/memories/` (deprecated), or keep `event_id` and wait for '
        "`GET /v1/event/<event_id>/`.",
        marks=use_mark(judged), consequence=judged.site.consequence if admitted(judged) else {},
    )  # fmt: skip
