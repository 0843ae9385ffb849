"""Every release of mem0ai, from `releases.txt`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from packaging.version import Version


@dataclass(frozen=True, slots=True)
class Release:
    """One release of mem0ai; `day` is when it came out, None where that is not known."""

    version: Version
    day: date | None


@cache
def releases() -> tuple[Release, ...]:
    """Return every known release of mem0ai, pre-releases included, oldest version first."""
    from datetime import date

    from packaging.version import Version

    found = []
    for line in Path(__file__).with_name("releases.txt").read_text("utf-8").splitlines():
        version, _, day = line.partition("#")[0].strip().partition(" ")
        if version:
            found.append(Release(Version(version), date.fromisoformat(day) if day else None))
    return tuple(found)
