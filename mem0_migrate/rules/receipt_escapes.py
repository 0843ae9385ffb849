"""A receipt leaves the code base where memories used to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity
from mem0_migrate.rules.phrasing import repair, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM103"
SEVERITY: Severity = "warning"
ENABLED = True


_WORDS = {
    "returned": "is returned to code that is not in this code base",
    "yielded": "is yielded to code that is not in this code base",
    "stored": "is stored",
    "passed": "is handed to code that is not in this code base",
    "serialised": "is serialised",
    "spread": "is spread into another mapping",
}


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` whose answer goes where its use cannot be seen."""
    if not judged.implicit or judged.aware or judged.never_awaited or judged.worst is None or judged.category() != "escapes":
        return None
    message = f"The answer of add() {_WORDS[judged.worst.kind]} (`{shortened(judged.worst.expression)}`): it is a receipt now, not memories"
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), marks=use_mark(judged))
