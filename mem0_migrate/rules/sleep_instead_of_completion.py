"""A fixed sleep after `add` stands in for waiting until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity, Step
from mem0_migrate.rules.phrasing import admitted, shortened, site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM109"
SEVERITY: Severity = "warning"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` that is followed by a sleep and then by a read of the same scope."""
    stale = judged.stale
    if not judged.implicit or judged.aware or stale is None or stale.sleep is None:
        return None
    message = f"A fixed sleep stands between this add() and `{shortened(stale.text)}()`: how long the platform takes is not fixed"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="Wait for the event itself: poll `GET /v1/event/<event_id>/` until it says SUCCEEDED or FAILED.",
        marks=(Step(stale.sleep, "sleeps here"), Step(stale.span, "read here")), related=stale.steps,
        consequence=dict.fromkeys(admitted(judged), "works when the platform is quick, and misses the memories when it is not"),
    )  # fmt: skip
