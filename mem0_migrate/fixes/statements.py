"""Statements put in and taken out: on lines of their own, joined by semicolons, or on the line of what they stand in."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mem0_migrate.fixes.changes import UnchangeableError
from mem0_migrate.fixes.splices import Splice, line_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.project.source import Source

_LINE_END = re.compile(r"\r\n|[\r\n]")
_CONTINUATION = re.compile(r"\\(?:\r\n|[\r\n])")
_REST = re.compile(r"(?:[ \t\f]|\\(?:\r\n|[\r\n]))*(?:;(?:[ \t\f]|\\(?:\r\n|[\r\n]))*)?(?:#[^\r\n]*)?")
_COMMENT_LINE = re.compile(r"(?:\r\n|[\r\n])([ \t\f]*)(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_INDENTATION = re.compile(r"[ \t\f]*")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, the block it stands in, what the block belongs to, and how many levels it is below the root of the tree."""

    node: ast.stmt
    block: Sequence[ast.stmt]
    parent: ast.AST
    depth: int


@dataclass(frozen=True, slots=True)
class _Line:
    """The statements of one block that semicolons join. `own`: they begin a line; `indent`: that of the block, if on lines."""

    statements: Sequence[ast.stmt]
    own: bool
    indent: str


class Blocks:
    """The statements of one file. `level` says what one level of indentation is."""

    def __init__(self, source: Source, level: Callable[[], str]) -> None:
        """Look at a file."""
        self._source = source
        self._text = source.text
        self._level = level
        self._lines: dict[ast.stmt, _Line] = {}

    def inserted(self, statement: Statement, text: str, *, after: bool) -> Iterator[Splice]:
        """The splices that put other statements before or after a statement.

        Raises:
            UnchangeableError: they need lines of their own behind a magic of a notebook, or the statement is an `elif`.
        """
        line = self._line(statement)
        node, depth = statement.node, statement.depth
        start, end = self._start(node), self._end(node)
        at = line.statements.index(node)
        short = _on_one_line(text)
        lines = self._indented(text, line.indent)
        if not after and at == 0 and line.own:
            row = self._row(start)
            yield self._splice(row, row, f"{lines}\n", depth, opens=True)
        elif after and node is line.statements[-1] and (line.own or short is None):
            yield from self._unfolded(statement, line)
            edge = self._last_comment(node, self._rest(end))
            yield self._splice(edge, edge, f"\n{lines}", depth)
        elif short is not None:
            at_end = self._splice(end, end, f"; {short}", depth)
            yield at_end if after else self._splice(start, start, f"{short}; ", depth, opens=True)
        elif after:
            yield from self._unfolded(statement, line)
            yield self._splice(end, end, f"\n{lines}", depth)
            yield self._splice(end, self._start(line.statements[at + 1]), f"\n{line.indent}", depth)
        else:
            yield from self._unfolded(statement, line)
            if at > 0:
                yield self._splice(self._end(line.statements[at - 1]), start, f"\n{line.indent}", depth)
            yield self._splice(start, start, f"{lines.lstrip()}\n{line.indent}", depth, opens=True)

    def replaced(self, statement: Statement, text: str) -> Splice:
        """The splice that puts other statements in the place of a statement.

        Raises:
            UnchangeableError: they need lines of their own, and it shares its line with others.
        """
        line = self._line(statement)
        content = self._indented(text, line.indent).lstrip() if line.own and len(line.statements) == 1 else _on_one_line(text)
        if content is None:
            raise UnchangeableError("the statement shares its line with others")
        return self._splice(self._start(statement.node), self._end(statement.node), content, statement.depth)

    def removed(self, statements: Sequence[Statement]) -> Iterator[Splice]:
        """The splices that take statements out, with the comments behind them; the last one of a block gives way to `pass`.

        Raises:
            UnchangeableError: one is an `elif`.
        """
        rows: list[tuple[int, int]] = []
        blocks: dict[int, list[Statement]] = defaultdict(list)
        for statement in statements:
            blocks[id(statement.block)].append(statement)
        for gone in blocks.values():
            nodes = {statement.node for statement in gone}
            lines = {id(line.statements[0]): line for line in map(self._line, gone)}
            kept = len(nodes) < len(gone[0].block)
            for line in lines.values():
                first, last = line.statements[0], line.statements[-1]
                start, end = self._start(first), self._end(last)
                if not nodes.issuperset(line.statements):
                    yield from self._thinned(line, nodes)
                elif kept:
                    rows.append((self._row(start), self._next_row(self._rest(end))))
                else:
                    kept = True
                    yield Splice(start, self._rest(end) if line.own else end, "pass", 0)
        for start, end in self._whole(rows):
            yield Splice(start, end, "", 0)

    def _thinned(self, line: _Line, gone: set[ast.stmt]) -> Iterator[Splice]:
        """Some of several statements on a line taken out."""
        nodes = line.statements
        last = max(at for at, node in enumerate(nodes) if node not in gone)
        for node, following in pairwise(nodes[: last + 1]):
            if node in gone:
                yield Splice(self._start(node), self._start(following), "", 0)
        if last + 1 < len(nodes):
            yield Splice(self._end(nodes[last]), self._end(nodes[-1]), "", 0)

    def _whole(self, rows: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Rows to take out, joined where they adjoin: with the line end before them, so that what is put behind them can stay."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(rows):
            if joined and joined[-1][1] >= start and self._cell(joined[-1][0]) == self._cell(start):
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        for start, end in joined:
            cell = self._cell(start)
            before, behind = (re.search(r"(?:\r\n|[\r\n])?\Z", self._text[max(0, at - 2) : at]) for at in (start, end))
            lead, tail = before.group() if before else "", behind.group() if behind else ""
            if start > 0 and self._cell(start - 1) == cell and tail in (lead, ""):
                yield start - len(lead), end - len(tail)
            elif cell is not None and (end == len(self._text) or self._cell(end) != cell):
                yield start, end - len(tail)
            else:
                yield start, end

    def _line(self, statement: Statement) -> _Line:
        block = statement.block
        if isinstance(statement.node, ast.If) and self._text.startswith("elif", self._start(statement.node)):
            raise UnchangeableError("an elif is no statement of its own")
        if statement.node in self._lines:
            return self._lines[statement.node]
        first = last = bisect_left(block, _begin(statement.node), key=_begin)
        while first > 0 and self._joined(block[first - 1], block[first]):
            first -= 1
        while last + 1 < len(block) and self._joined(block[last], block[last + 1]):
            last += 1
        start = self._start(block[first])
        row = self._row(start)
        own = not self._text[row:start].strip(" \t\f") and not self._continues(row)
        indent = self._text[row:start].rpartition("\f")[2] if own else self._indent_of(statement.parent) + self._level()
        line = _Line(block[first : last + 1], own, indent)
        self._lines.update(dict.fromkeys(line.statements, line))
        return line

    def _joined(self, one: ast.stmt, other: ast.stmt) -> bool:
        between = self._text[self._end(one) : self._start(other)]
        return "#" not in between and not _LINE_END.search(_CONTINUATION.sub("", between))

    def _continues(self, row: int) -> bool:
        """Whether a backslash ends the row before; one with a number sign is a comment, so near the start of a statement."""
        before = self._text[self._row(row - 1) : row].rstrip("\r\n") if row else ""
        return before.endswith("\\") and "#" not in before

    def _indent_of(self, parent: ast.AST) -> str:
        head: Any = parent.pattern if isinstance(parent, ast.match_case) else parent
        if isinstance(head, ast.Module):
            return ""
        match = _INDENTATION.match(self._text, self._source.offset(head.lineno, 0))
        return match.group().rpartition("\f")[2] if match else ""

    def _unfolded(self, statement: Statement, line: _Line) -> Iterator[Splice]:
        """The statements of a block that begins on the line of its head, on a line of their own."""
        if line.own:
            return
        start = edge = self._start(line.statements[0])
        row = self._row(start)
        while True:
            edge = row + len(self._text[row:edge].rstrip(" \t\f"))
            if edge > row or not self._continues(row):
                break
            edge = len(self._text[:row].rstrip("\r\n")) - 1
            row = self._row(edge)
        if self._text[edge - 1 : edge] != ":" or self._text[row:start] != self._source.shown[row:start]:
            raise UnchangeableError("the statement shares its line with something that is no statement")
        yield self._splice(edge, start, f"\n{line.indent}", statement.depth - 1, opens=True)

    def _start(self, node: ast.stmt) -> int:
        """Where a statement begins, its decorators included."""
        start = self._source.offset(node.lineno, node.col_offset)
        decorators = getattr(node, "decorator_list", ())
        if decorators:
            start = self._source.offset(decorators[0].lineno, decorators[0].col_offset)
            while True:
                start = self._text.rindex("@", 0, start)
                if not self._text[self._row(start) : start].strip(" \t\f"):
                    break
        return start

    def _end(self, node: ast.stmt) -> int:
        return self._source.offset(node.end_lineno or 0, node.end_col_offset or 0)

    def _row(self, offset: int) -> int:
        """Where the row of an offset begins."""
        return self._source.starts[max(0, bisect_right(self._source.starts, offset, hi=len(self._source.starts) - 1) - 1)]

    def _cell(self, offset: int) -> int | None:
        return self._source.position(offset)[0]

    def _rest(self, end: int) -> int:
        """Where the line of a statement ends that no other follows: behind a semicolon and a comment."""
        match = _REST.match(self._text, end)
        return match.end() if match else end

    def _next_row(self, offset: int) -> int:
        match = _LINE_END.match(self._text, offset)
        return match.end() if match else offset

    def _last_comment(self, node: ast.stmt, edge: int) -> int:
        """The end of a block, behind the comments that end it: those indented deeper than its head."""
        if not isinstance(getattr(node, "body", getattr(node, "cases", None)), list):
            return edge
        head = self._text[self._row(self._start(node)) : self._start(node)].expandtabs()
        cell = self._cell(edge)
        at = edge
        while True:
            match = _COMMENT_LINE.match(self._text, at)
            if match is None or match.end() == at or self._cell(match.end(1)) != cell:
                return edge
            at = match.end()
            if at > match.end(1):
                if len(match[1].expandtabs()) <= len(head):
                    return edge
                edge = at

    def _indented(self, text: str, indent: str) -> str:
        """Statements at an indentation, the levels in them as elsewhere in the file."""
        strings: set[int] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                strings.update(range(node.lineno + 1, (node.end_lineno or 0) + 1))
        lines = []
        for row, line in enumerate(text.split("\n"), 1):
            code = line.lstrip(" ")
            levels, blanks = divmod(len(line) - len(code), 4)
            deeper = self._level() * levels if levels else ""
            lines.append(line if row in strings or not code else indent + deeper + " " * blanks + code)
        return "\n".join(lines)

    def _splice(self, start: int, end: int, content: str, depth: int, *, opens: bool = False) -> Splice:
        return Splice(start, end, content.replace("\n", line_end(self._source, start)), depth, opens)


def _begin(node: ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


@lru_cache(maxsize=64)
def _on_one_line(text: str) -> str | None:
    """Statements joined by semicolons; None if they need lines of their own."""
    text = text.strip("\n")
    body = ast.parse(text).body
    simple = all(node.lineno == node.end_lineno and not hasattr(node, "body") and not hasattr(node, "cases") for node in body)
    return "; ".join(ast.get_source_segment(text, node) or "" for node in body) if simple and "#" not in text else None
