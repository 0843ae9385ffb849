"""`async_mode=False` is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM108"
SEVERITY: Severity = "info"
ENABLED = False


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` that asks for the old answer."""
    if judged.site.async_mode != "false" or not judged.hosted:
        return None
    message = "This add() still asks for the old, waiting behaviour"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="To adopt asynchronous writes, remove it and let the code work with `event_id`.", consequence={},
    )  # fmt: skip
