"""The answer of `add` is read as memories, but it is a receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import admitted, repair, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM101"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` whose answer is read, iterated, counted or tested as memories."""
    if not judged.implicit or judged.aware or judged.never_awaited or judged.worst is None or judged.category() != "memories":
        return None
    told = judged.site.consequence
    eras = admitted(judged)
    raising = [era for era in eras if told.get(era, "").startswith("raises")]
    outcome = told.get((raising or eras)[0], "finds no memories")
    message = f"`{shortened(judged.worst.expression)}` {outcome}: add() now answers with a receipt"
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), marks=use_mark(judged))
