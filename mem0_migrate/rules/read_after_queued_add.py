"""A scope is read right after an `add` to it, before the memories can exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity, Step
from mem0_migrate.rules.phrasing import admitted, shortened, site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM102"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` after which the same flow reads what was added."""
    stale = judged.stale
    if not judged.implicit or judged.aware or stale is None or stale.sleep is not None:
        return None
    message = f"`{shortened(stale.text)}()` runs right after this add(), which only queues: the new memories cannot be there yet"
    outcome = f"{stale.method}() answers without what was just added"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="Wait for the event of this add() before you read, or read later; "
        "keep `event_id` and poll `GET /v1/event/<event_id>/` until it says SUCCEEDED.",
        marks=(Step(stale.span, "read here"),), related=stale.steps, consequence=dict.fromkeys(admitted(judged), outcome),
    )  # fmt: skip
