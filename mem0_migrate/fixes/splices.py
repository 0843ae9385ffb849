"""Pieces of new text and where they go: put in order, merged where they meet, cut to what really differs."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import UnchangeableError
from mem0_migrate.model import Edit, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mem0_migrate.project.source import Source


@dataclass(frozen=True, slots=True)
class Splice:
    """The text from offset `start` to `end` becomes `content`.

    Of what is inserted at one offset, that which belongs to the node before it comes first, the inmost node's first; then that
    which opens (`opens`) a node behind it, the outmost node's first. `depth` is that node's, from the root of the tree.
    """

    start: int
    end: int
    content: str
    depth: int
    opens: bool = False


def merged(source: Source, splices: Iterable[Splice]) -> tuple[Edit, ...]:
    """The edits that make all the splices, in order and apart from each other.

    Raises:
        UnchangeableError: two of them change the same text.
    """
    pending: list[Splice] = []
    for splice in sorted(dict.fromkeys(splices), key=_order):
        last = pending[-1] if pending else None
        if last is None or splice.start > last.end:
            pending.append(splice)
        elif splice.start == last.end:
            pending[-1] = replace(last, end=splice.end, content=last.content + splice.content)
        else:
            raise UnchangeableError("two repairs change the same text in different ways")
    edits = []
    for splice in pending:
        cut = _cut(source, splice)
        if cut.start < cut.end or cut.content:
            cell, first = source.position(cut.start)
            edits.append(Edit(Span(source.filename, first, source.position(cut.end)[1], cell), cut.content))
    return tuple(edits)


def line_end(source: Source, offset: int) -> str:
    """The line end in use around an offset: of its row, else of the row before, else a line feed."""
    row = bisect_right(source.starts, offset, hi=len(source.starts) - 1)
    for near in (row, row - 1):
        if near >= 1:
            line = source.text[source.starts[near - 1] : source.starts[near]]
            end = line[len(line.rstrip("\r\n")) :]
            if end:
                return end
    return "\n"


def _order(splice: Splice) -> tuple[int, int, int]:
    if splice.start < splice.end:
        return splice.start, 2, 0
    return splice.start, int(splice.opens), splice.depth if splice.opens else -splice.depth


def _cut(source: Source, splice: Splice) -> Splice:
    """The splice without what stays the same at its start and end."""
    old, new = source.text[splice.start : splice.end], splice.content
    before = _shared(old, new)
    old, new = old[before:], new[before:]
    behind = _shared(old[::-1], new[::-1])
    return replace(splice, start=splice.start + before, end=splice.end - behind, content=new[: len(new) - behind])


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
