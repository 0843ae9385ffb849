"""Where a manifest requires mem0ai, and what an edit there would be: what the editors of all formats hand on.

Offsets count characters in the text of the file, its own line ends included, without a byte order mark.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet

SHIM = "mem0-shim"
"""The distribution that is added (PyPI)."""

_LINE_END = re.compile(r"\r\n|\n|\r")


class ByHandError(Exception):
    """An edit is not made: `reason` says why and what to do by hand, `row` is the 1-based line it is about."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row


@dataclass(frozen=True, slots=True)
class Splice:
    """Put `content` in the place of the characters from `start` up to `end`."""

    start: int
    end: int
    content: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """The version constraint of a requirement as it is written, empty where every version will do.

    `ranges` is what it admits, any one of which may hold.
    """

    start: int
    end: int
    ranges: tuple[SpecifierSet, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place where a manifest requires mem0ai.

    Attributes:
        start: Where the entry begins.
        end: Where it ends.
        listed_in: Names the list or table it stands in, unique in the file.
        constraint: Its version constraint, or why that cannot be edited.
        additions: The edits that require mem0-shim beside it under the same conditions, or why they cannot be made.
        has_shim: mem0-shim is already required wherever this list is installed.
        requires: Whether the entry makes mem0ai be installed; else it only says more about a requirement elsewhere.
    """

    start: int
    end: int
    listed_in: str
    constraint: Constraint | str
    additions: tuple[Splice, ...] | str
    has_shim: bool = False
    requires: bool = True


class Lines:
    """The lines of a text, whatever ends them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ends = [(match.start(), match.end()) for match in _LINE_END.finditer(text)]
        self._starts = [0, *(end for _, end in self._ends)]

    def row(self, offset: int) -> int:
        """Return the 1-based line on which an offset lies."""
        return bisect_right(self._starts, offset)

    def start(self, offset: int) -> int:
        """Return where the line around an offset begins."""
        return self._starts[self.row(offset) - 1]

    def start_of_row(self, row: int) -> int:
        """Return where a 1-based line begins."""
        return self._starts[row - 1]

    def end(self, offset: int) -> int:
        """Return where the line around an offset ends, before its line end."""
        row = self.row(offset)
        return self._ends[row - 1][0] if row <= len(self._ends) else len(self.text)

    def indent(self, offset: int) -> str:
        """Return the white space with which the line around an offset begins."""
        return self.text[(start := self.start(offset)) : start + len(self.line(offset)) - len(self.line(offset).lstrip())]

    def line(self, offset: int) -> str:
        """Return the line around an offset, without its line end."""
        return self.text[self.start(offset) : self.end(offset)]

    def line_end(self, offset: int) -> str:
        """Return what ends the line around an offset; of a last line without a line end, what ends the one before."""
        if not self._ends:
            return "\n"
        start, end = self._ends[min(self.row(offset), len(self._ends)) - 1]
        return self.text[start:end]

    def __len__(self) -> int:
        return len(self._starts)


def apply(text: str, splices: Iterable[Splice]) -> str:
    """Return the text with all splices made; those at one place in their order.

    Raises:
        ByHandError: Two of them overlap.
    """
    parts, position = [], 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.end)):
        if splice.start < position:
            raise ByHandError("two edits would overlap: make them by hand")
        parts += [text[position : splice.start], splice.content]
        position = splice.end
    return "".join([*parts, text[position:]])
