"""A requirement that admits several eras is narrowed to those before mem0ai 2: the releases that honour `async_mode`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.fixes.repair import Repair
from mem0_migrate.model import ERAS, Declaration

if TYPE_CHECKING:
    from mem0_migrate.model import Finding

BELOW = "2"


def propose(finding: Finding) -> Repair:
    """Narrow the requirement that a finding is about."""
    declaration = Declaration(frozenset(ERAS), source=finding.span.filename, row=finding.span.start.row)
    message = f"Admit only mem0ai below {BELOW}, whose add() can be told to wait"
    return Repair("pin", "unsafe", message, narrows=(declaration, BELOW))
