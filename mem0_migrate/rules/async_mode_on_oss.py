"""`async_mode` reaches the open-source `Memory`, whose `add` has no such parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import admitted, site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM107"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `async_mode` on a receiver that may be OSS memory."""
    if not judged.may_be_oss or judged.site.async_mode not in ("false", "true", "none", "dynamic"):
        return None
    certainly = judged.site.receiver == "oss"
    receiver = "The receiver is" if certainly else "The receiver may be"
    message = f"{receiver} the open-source Memory, whose add() accepts no `async_mode`"
    outcome = "raises TypeError: add() got an unexpected keyword argument 'async_mode'"
    told = dict.fromkeys(admitted(judged), outcome if certainly else f"{outcome}, where the receiver is the open-source Memory")
    advice = "Pass it on the hosted branch only." if not certainly else "Remove it: the open-source add() always waits."
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=advice, consequence=told)
