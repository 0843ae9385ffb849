"""What a strategy proposes for a finding: which nodes change, how safe that is, and why it is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.model import Applicability, Declaration, Strategy


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair of one finding.

    Attributes:
        strategy: Which one proposes it.
        applicability: `display-only` where there is nothing to apply, or where that might be wrong.
        message: What it does and why, one or two sentences for the user.
        changes: The nodes that change, by file.
        creates: Files that come new, each with its text; a file that is there already is not touched.
        shims: The declarations of the files that import mem0_shim from now on, by file: their manifests need the distribution.
        narrows: A requirement to narrow to the releases of mem0ai below this version.
        by_hand: What is left for the user to do, in order.
    """

    strategy: Strategy
    applicability: Applicability
    message: str
    changes: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    creates: Mapping[str, str] = field(default_factory=dict)
    shims: Mapping[str, Declaration] = field(default_factory=dict)
    narrows: tuple[Declaration, str] | None = None
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unsuitable:
    """Why a strategy is not right for a site: a clause that can follow "because" or a colon."""

    reason: str
