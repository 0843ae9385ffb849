"""The coroutine of `AsyncMemoryClient.add` is never awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import admitted, site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM110"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` of the asynchronous client that is never awaited."""
    if not judged.never_awaited:
        return None
    message = "add() of AsyncMemoryClient is never awaited: nothing is sent"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message, advice="Await it, or use MemoryClient where the call runs in a thread.",
        consequence=dict.fromkeys(admitted(judged), "nothing is sent; Python warns that the coroutine was never awaited"),
    )  # fmt: skip
