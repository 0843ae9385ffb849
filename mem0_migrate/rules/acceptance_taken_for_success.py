"""Only the truth of the answer is used, and a receipt is always true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import repair, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM111"
SEVERITY: Severity = "warning"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` of whose answer only the truth is used."""
    if not judged.implicit or judged.aware or judged.never_awaited or judged.worst is None or judged.category() != "truth":
        return None
    message = f"`{shortened(judged.worst.expression)}` is always true: the receipt says that the write was queued, not that it succeeded"
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), marks=use_mark(judged))
