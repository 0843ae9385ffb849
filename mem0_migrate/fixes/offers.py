"""The fixes that a check offers: one for each finding that a strategy can repair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import UnchangeableError
from mem0_migrate.fixes.choice import choose
from mem0_migrate.model import Fix, Unreadable

if TYPE_CHECKING:
    from mem0_migrate.configuration import Choice
    from mem0_migrate.examination import Examined
    from mem0_migrate.fixes.repair import Repair
    from mem0_migrate.model import Edit, Finding


def offered(examined: Examined, strategy: Choice, *, edits: bool) -> tuple[Finding, ...]:
    """The findings with their fixes; with `edits`, also what these replace. Without, LibCST is not imported."""
    repairs = choose(examined, strategy)
    return tuple(
        replace(finding, fix=_fix(repair, examined, edits=edits)) if repair is not None else finding
        for (finding, _), repair in zip(examined.pairs, repairs, strict=True)
    )


def _fix(repair: Repair, examined: Examined, *, edits: bool) -> Fix:
    protected = next((reason for name in repair.changes if (reason := examined.protected(name)) is not None), None)
    if protected is not None:
        return Fix("none", "display-only", f"{repair.message}. Not done: {protected}")
    if not edits:
        return Fix(repair.strategy, repair.applicability, repair.message)
    try:
        return Fix(repair.strategy, repair.applicability, repair.message, _edits(repair, examined))
    except UnchangeableError as error:
        return Fix("none", "display-only", f"{repair.message}. It cannot be edited: {error}")


def _edits(repair: Repair, examined: Examined) -> tuple[Edit, ...]:
    from mem0_migrate.fixes import rewriting

    found: list[Edit] = []
    for filename in sorted(repair.changes):
        source = examined.source(filename)
        if isinstance(source, Unreadable):
            raise UnchangeableError(f"{filename}: {source.reason}")
        found += rewriting.edits(source, repair.changes[filename])
    return tuple(found)
