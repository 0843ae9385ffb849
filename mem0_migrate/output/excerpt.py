"""A piece of source text, with the places that matter marked below their lines.

Columns are those of a terminal: a tab goes to the next multiple of four, East Asian wide characters and most emoji take two
columns, combining characters none; control characters are shown as pictures, so that no source can speak to the terminal.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mem0_migrate.output.view import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mem0_migrate.model import Span
    from mem0_migrate.output.view import Paint, View

_TAB = 4
_CONTEXT = 1
_LONGEST = 6


@dataclass(frozen=True, slots=True)
class Label:
    """A span to mark: with which character, in which colour, and what to say about it."""

    span: Span
    mark: str
    text: str
    paint: Paint


def excerpt(lines: Sequence[str], labels: Sequence[Label], view: View) -> list[str]:
    """The frame around the rows that the labels are on, all of one file; empty where the file has no such rows.

    Lines that are too wide are cut to what surrounds the first label on them.
    """
    labels = [label for label in labels if label.span.start.row <= len(lines)]
    if not labels:
        return []
    shown = _rows(labels, lines)
    gutter = len(str(max(shown)))
    bar = view.paint("|", "blue", "bold")
    width = max(view.width - gutter - 3, 30)
    out = [f"{'':{gutter}} {bar}"]
    previous = None
    for row in shown:
        if previous is not None and row > previous + 1:
            out.append(view.paint("...", "blue", "bold"))
        previous = row
        here = sorted((label for label in labels if label.span.start.row == row), key=lambda label: label.span)
        line = _Line(lines[row - 1], here[0].span.start.column if here else 1, width)
        out.append(f"{view.paint(f'{row:{gutter}}', 'blue', 'bold')} {bar} {line.text}".rstrip())
        for label in here:
            out += [f"{'':{gutter}} {bar} {text}" for text in _underlined(label, line, width, view)]
    out.append(f"{'':{gutter}} {bar}")
    return out


def _rows(labels: Iterable[Label], lines: Sequence[str]) -> list[int]:
    """The rows to show, in order: those of the labels and a little around them; a gap of one row is not worth its dots."""
    wanted: set[int] = set()
    for label in labels:
        first, last = label.span.start.row, min(label.span.end.row, len(lines))
        wanted.update(range(first - _CONTEXT, min(first + _LONGEST - 1, last) + 1))
        wanted.update(range(max(last, first), last + _CONTEXT + 1))
    wanted = {row for row in wanted if 1 <= row <= len(lines)}
    marked = {label.span.start.row for label in labels}
    while not lines[min(wanted) - 1].strip() and min(wanted) not in marked:
        wanted.remove(min(wanted))
    while not lines[max(wanted) - 1].strip() and max(wanted) not in marked:
        wanted.remove(max(wanted))
    wanted |= {row + 1 for row in wanted if row + 2 in wanted}
    return sorted(wanted)


class _Line:
    """A line as a terminal shows it, cut to a width; knows in which column of the screen a character stands."""

    def __init__(self, source: str, column: int, width: int) -> None:
        """Show the line so that the character at the 1-based column is in sight."""
        self._first = max(column - 1 - width, 0) if len(source) > 2 * width else 0
        pieces = list(_pieces(source[self._first : self._first + 3 * width]))
        self._starts = [0]
        for _, columns in pieces:
            self._starts.append(self._starts[-1] + columns)
        self.left = 0
        total = self._starts[-1]
        if total > width or self._first:
            target = self._starts[min(column - 1 - self._first, len(pieces))]
            if self._first or target > width * 2 // 3:
                self.left = max(min(target - width // 3, total - width), 0)
        self.right = self.left + width
        kept = [piece for piece, start in zip(pieces, self._starts, strict=False) if self._visible(start, piece[1])]
        if self.left or self._first:
            _cut(kept, 0)
        if total > self.right or len(source) > self._first + len(pieces):
            _cut(kept, -1)
        self.text = "".join(text for text, _ in kept)
        self._begin = next(
            (start for (_, columns), start in zip(pieces, self._starts, strict=False) if self._visible(start, columns)), 0
        )

    def _visible(self, start: int, columns: int) -> bool:
        return start >= self.left and start + columns <= self.right

    def column(self, column: int) -> int:
        """The 0-based column of the screen, behind the frame, for a 1-based column of the source."""
        start = self._starts[min(max(column - 1 - self._first, 0), len(self._starts) - 1)]
        return min(max(start, self._begin), self.right) - self._begin


def _cut(pieces: list[tuple[str, int]], end: int) -> None:
    """Show at one end that there is more, in place of the first piece there that takes columns, and as wide."""
    while pieces and pieces[end][1] == 0:
        pieces.pop(end)
    if pieces:
        pieces[end] = ("…".ljust(pieces[end][1]), pieces[end][1])


def _pieces(source: str) -> Iterator[tuple[str, int]]:
    """For each character what to show for it, and how many columns that takes."""
    at = 0
    for character in source:
        text, columns = character, 1
        if character == "\t":
            columns = _TAB - at % _TAB
            text = " " * columns
        elif character < " ":
            text = chr(0x2400 + ord(character))
        elif "\x7f" <= character < "\xa0":
            text = "\N{REPLACEMENT CHARACTER}"
        elif character > "~":
            category = unicodedata.category(character)
            if category == "Cf":
                text, columns = ("", 0) if character in _JOINERS else ("\N{REPLACEMENT CHARACTER}", 1)
            elif category in {"Mn", "Me"}:
                columns = 0
            elif unicodedata.east_asian_width(character) in "WF":
                columns = 2
        yield text, columns
        at += columns


_JOINERS = "\u200b\u200c\u200d\ufeff"


def _underlined(label: Label, line: _Line, width: int, view: View) -> list[str]:
    """The line of marks below a line of source, with the label's text behind it or, where that does not fit, below it."""
    span = label.span
    begin = line.column(span.start.column)
    end = line.column(span.end.column) if span.end.row == span.start.row else len_shown(line.text.rstrip())
    marks = label.mark * max(end - begin, 1)
    text = printable(label.text)
    painted = " " * begin + view.paint(marks, label.paint, "bold")
    if not text:
        return [painted]
    if begin + len(marks) + 1 + len(text) <= width:
        return [f"{painted} {view.paint(text, label.paint)}"]
    inset = min(begin, max(width - len(text), 0))
    return [painted, *(" " * inset + view.paint(part, label.paint) for part in textwrap.wrap(text, width - inset))]


def len_shown(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(columns for _, columns in _pieces(text))
