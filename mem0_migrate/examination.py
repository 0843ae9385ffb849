"""What a check leaves for the repairs: each finding with its site, and the code base that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mem0_migrate.model import Declaration, Finding, Report, Unreadable
    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.tracker import Tracked
    from mem0_migrate.usage.judgement import JudgedSite

Judged = tuple["Finding", "JudgedSite | None"]
"""A finding and the site that it is about; None where it is about something else."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A check of a code base.

    Attributes:
        pairs: What is reported.
        tracked: The code base.
        declared: What manifests and locks say about mem0ai for a file; what was assumed instead is in the sites.
        read: The content of a file; raises OSError.
        editable: The files that may be edited; None for all.
        report: What a user is told.
        files: All files of the code base.
    """

    pairs: Sequence[Judged]
    tracked: Tracked
    declared: Callable[[str], Declaration]
    read: Callable[[str], bytes]
    editable: frozenset[str] | None
    report: Report
    files: Sequence[str]

    def source(self, filename: str) -> Source | Unreadable:
        """A file as text and tree, also one that tracking had no use for."""
        from mem0_migrate.project.source import parse

        return self.tracked.sources.get(filename) or parse(filename, self.read(filename))
