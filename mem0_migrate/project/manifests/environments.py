"""What the requirements of one project admit together.

A lock names what is installed, so it decides over every range; several locked versions (several locks, or a lock with
branches) may each be installed, so their eras are united. Without a lock, the eras of all environments that a user can
install are united: the project alone, and the project with one extra, one group or one further requirements file, on an
interpreter or platform where a marker holds. Within one environment all requirements hold, so their ranges are
intersected. An extra can thus only narrow what the project itself requires, and two extras with different ranges admit
both. Requirements that exclude each other cannot be meant for one environment: they are united.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS, Declaration
from mem0_migrate.sdk.eras import eras_admitted, eras_admitted_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.model import Era
    from mem0_migrate.project.manifests.statement import Requirement


@dataclass(frozen=True, slots=True)
class Stated:
    """A requirement, and the manifest or lock in which it stands, as it is shown to the user."""

    source: str
    requirement: Requirement


def declare(stated: Sequence[Stated]) -> Declaration:
    """Return what a project declares by its requirements, of which there is at least one.

    Requirements that no version of any era fits (an empty range, '==0.0.8') leave every era open.
    """
    locks = [item for item in stated if item.requirement.locked]
    decisive = locks or sorted(stated, key=lambda item: any(_place(item)))
    eras = _admitted_by_any(decisive) if locks else _admitted(decisive)
    first = next((item for item in decisive if _admitted_by_any([item]) == eras), None)
    words = first.requirement.text if first is not None else " | ".join(dict.fromkeys(item.requirement.text for item in decisive))
    first = first or decisive[0]
    return Declaration(eras or frozenset(ERAS), words, first.source, first.requirement.row, first.requirement.locked)


def _admitted(stated: Sequence[Stated]) -> frozenset[Era]:
    """Return the eras of all environments that the requirements make up."""
    eras: frozenset[Era] = frozenset()
    for environment, marker in {_place(item) for item in stated}:
        around = {(environment, marker), (environment, ""), ("", marker), ("", "")}
        together = [item for item in stated if _place(item) in around]
        eras |= eras_admitted_together([item.requirement.ranges for item in together]) or _admitted_by_any(together)
    return eras


def _admitted_by_any(stated: Sequence[Stated]) -> frozenset[Era]:
    return frozenset(era for item in stated for specifier in item.requirement.ranges for era in eras_admitted(specifier))


def _place(item: Stated) -> tuple[str, str]:
    return item.requirement.environment, item.requirement.marker
