"""One file as text and syntax tree, and where a node of the tree stands in the file."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from mem0_migrate.model import Position, Span, Unreadable
from mem0_migrate.project.reading import explain, read

if TYPE_CHECKING:
    from mem0_migrate.project.notebook import Cell

LARGEST = 8 << 20
"""Longest Python text that is parsed, in characters; a syntax tree takes about 30 times as many bytes."""

DEEPEST = 2_500
"""Levels of a syntax tree: no tree that `load` returns is deeper. (CPython 3.11 itself stops at 3,000.)"""

_FIRST_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?[^\r\n]*")
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOO_DEEP = "too deeply nested to be analysed"


@dataclass(frozen=True, slots=True)
class Source:
    """A file as text and syntax tree.

    `text` is what the tree was parsed from, with its own line ends (LF, CRLF, CR) and without a byte order mark: the original
    bytes are `text.encode(encoding)`. Of a notebook, `text` is its code cells, see `notebook.Code`, and `shown` the same with
    magics; elsewhere they are one. `starts` holds the offset in `text` at which each row begins, and last its length.
    """

    filename: str
    text: str
    tree: ast.Module
    encoding: str
    starts: tuple[int, ...]
    shown: str
    cells: tuple[Cell, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The rows of `shown` without their line ends."""
        return tuple(map(self.line, range(1, len(self.starts))))

    def line(self, row: int) -> str:
        """A row of `shown`, 1-based and counted through all cells of a notebook, without its line end."""
        return self.shown[self.starts[row - 1] : self.starts[row]].rstrip("\r\n")

    def offset(self, row: int, column: int) -> int:
        """The offset in `text` of what `ast` calls line `row` and column `column`, in bytes of UTF-8; never outside the text."""
        row = min(row, len(self.starts) - 1)
        start, end = self.starts[row - 1], self.starts[row]
        line = self.text[start:end]
        return start + min(column if line.isascii() else len(line.encode()[:column].decode(errors="ignore")), end - start)

    def position(self, offset: int) -> tuple[int | None, Position]:
        """Number of the cell (None outside notebooks) and position within it of an offset in `text`."""
        row = min(bisect_right(self.starts, offset), len(self.starts) - 1)
        cell, first = _cell(self.cells, row)
        return cell, Position(row - first + 1, offset - self.starts[row - 1] + 1)

    def offset_at(self, position: Position, cell: int | None = None) -> int:
        """The offset in `text` of a position, counted from the beginning of its cell in a notebook: the reverse of `position`."""
        return self.starts[self._first_row(cell) + position.row - 2] + position.column - 1

    def span(self, node: ast.AST) -> Span:
        """Where an expression, statement, pattern, argument, keyword, alias or handler stands; no other node has a place."""
        start, end = self._extent(node)
        cell, first = self.position(start)
        return Span(self.filename, first, self.position(end)[1], cell)

    def segment(self, node: ast.AST) -> str:
        """The source text of a node."""
        start, end = self._extent(node)
        return self.shown[start:end]

    def excerpt(self, span: Span) -> list[tuple[int, str]]:
        """The rows that a span of this file covers, numbered as in the span, each with its text."""
        first = self._first_row(span.cell)
        return [(row, self.line(first + row - 1)) for row in range(span.start.row, span.end.row + 1)]

    def _first_row(self, number: int | None) -> int:
        return next((cell.first_row for cell in self.cells if cell.number == number), 1)

    def _extent(self, node: ast.AST) -> tuple[int, int]:
        place: Any = node  # the classes that have a place share no base
        start = self.offset(place.lineno, place.col_offset)
        return start, max(start, self.offset(place.end_lineno, place.end_col_offset))


def load(filename: str) -> Source | Unreadable:
    """Read and parse a Python file or a notebook."""
    try:
        data = read(filename)
    except OSError as error:
        return Unreadable(filename, explain(error))
    return parse(filename, data)


def parse(filename: str, data: bytes) -> Source | Unreadable:
    """Parse the bytes of a Python file or, if the name ends in `.ipynb`, of a notebook; whatever the bytes are, it answers."""
    try:
        return _source(filename, data)
    except _UnparsableError as error:
        return Unreadable(filename, error.reason, error.row)


class _UnparsableError(Exception):
    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row


def _source(filename: str, data: bytes) -> Source:
    cells: tuple[Cell, ...] = ()
    if filename.endswith(".ipynb"):
        from mem0_migrate.project.notebook import NotebookError, code

        try:
            notebook = code(data)
        except NotebookError as error:
            raise _UnparsableError(str(error), error.row) from error
        text, shown, cells, encoding = notebook.text, notebook.shown, notebook.cells, "utf-8"
    else:
        text, encoding = _decode(data)
        shown = text
    if len(text) > LARGEST:
        raise _UnparsableError(f"more than {LARGEST >> 20} Mi characters of Python")
    starts = (0, *accumulate(map(len, _LINE.findall(text) or [""])))
    try:
        tree = _tree(text)
    except _UnparsableError as error:
        cell, first_row = _cell(cells, error.row or 1)
        if cell is None or error.row is None:
            raise
        raise _UnparsableError(f"cell {cell}: {error.reason}", error.row - first_row + 1) from error
    return Source(filename, text, tree, encoding, starts, shown, cells)


def _decode(data: bytes) -> tuple[str, str]:
    """Text and encoding of a Python file (PEP 263)."""
    first = _FIRST_LINES.match(data)
    head = first.group() if first else b""
    encoding = "utf-8"
    row = None
    if data.startswith(_BYTE_ORDER_MARK) or b"coding" in head:
        from tokenize import detect_encoding

        lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", head)
        row = 1 if b"coding" in lines[0] else 2
        try:
            encoding, _ = detect_encoding(iter(lines).__next__)
        except SyntaxError as error:
            if "invalid or missing" not in str(error):  # these lines are not UTF-8: decoding says which one
                raise _UnparsableError(f"{error}: Python cannot read it with the encoding it declares", row) from error
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        row = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        wrong = f"byte 0x{data[error.start]:02x} is not {encoding.removesuffix('-sig')}"
        advice = "save the file as UTF-8 or declare its encoding in the first line (# coding: …)"
        raise _UnparsableError(f"{wrong}: {advice}", row) from error
    except (LookupError, UnicodeError) as error:
        raise _UnparsableError(f"cannot be decoded as {encoding}", row) from error


def _tree(text: str) -> ast.Module:
    python = f"not valid Python {sys.version_info.major}.{sys.version_info.minor}"
    null = text.find("\0")
    if null >= 0:
        raise _UnparsableError(f"{python}: it holds a null byte", len(_LINE_END.findall(text, 0, null)) + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python says about the user's escapes is not our subject
            tree = ast.parse(text)
    except SyntaxError as error:
        hint = "if it is written for another version, run mem0-migrate with that one"
        message = error.msg
        if message == "invalid syntax" and (error.text or "").strip() == "\x1a":  # 3.10 does not name it
            message = "invalid non-printable character U+001A"
        raise _UnparsableError(f"{python}: {message} ({hint})", error.lineno or None) from error
    except (RecursionError, MemoryError) as error:  # the parser has a stack of its own, and calls its end a lack of memory
        raise _UnparsableError(_TOO_DEEP) from error
    except ValueError as error:  # a lone surrogate, from a notebook or an unusual codec
        raise _UnparsableError(f"{python}: it holds half a character") from error
    if _deeper(tree, DEEPEST):
        raise _UnparsableError(_TOO_DEEP)
    return tree


def _deeper(tree: ast.Module, limit: int) -> bool:
    """Tell whether a tree has more levels than `limit`; a node on one row has no more levels below it than bytes."""
    level: list[Any] = [tree]
    while level and limit > 0:
        limit -= 1
        below: list[Any] = []
        for node in level:
            child: Any
            for child in ast.iter_child_nodes(node):
                row = getattr(child, "lineno", None)
                if child._fields if row is None else row != child.end_lineno or child.end_col_offset - child.col_offset > limit:
                    below.append(child)
        level = below
    return bool(level)


def _cell(cells: tuple[Cell, ...], row: int) -> tuple[int | None, int]:
    """Number and first row of the cell that a row of the text belongs to."""
    for cell in reversed(cells):
        if cell.first_row <= row:
            return cell.number, cell.first_row
    return None, 1
