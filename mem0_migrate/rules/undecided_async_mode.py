"""Whether `add` is queued is decided at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM105"
SEVERITY: Severity = "info"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` whose `async_mode` comes from a variable or an open mapping."""
    if judged.site.async_mode not in ("dynamic", "mapping") or not judged.hosted or judged.aware:
        return None
    source = "a value of run time" if judged.site.async_mode == "dynamic" else "a mapping whose keys are not all known here"
    message = f"Whether this add() is queued is decided by {source}"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message, advice="Make sure that code which reads the answer can tell a receipt from memories."
    )
