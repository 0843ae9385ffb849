"""`add` is queued, and nothing visible depends on when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM104"
SEVERITY: Severity = "info"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` without `async_mode` on which nothing visible depends."""
    depends = judged.category() not in ("neutral", "logged") or judged.stale is not None or judged.never_awaited
    if not judged.implicit or judged.site.async_mode != "absent" or judged.aware or depends:
        return None
    kept = "only logged" if judged.category() == "logged" else "not used"
    message = f"add() is queued and its answer is {kept}: nothing here depends on it"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="Nothing to do, unless other code expects the memories at once. A failure shows up on the event only, never here.",
    )  # fmt: skip
