"""Comments that silence a finding, and which of them silence nothing.

Three forms, in real comments only (not in strings), as in ruff:

- `# noqa` and `# noqa: MEM101, MEM102`, at the end of a line, upper or lower case;
- `# mem0-migrate: ignore[MEM101] reason`, at the end of a line or on its own line above;
- `# mem0-migrate: file-ignore[MEM101] reason`, anywhere in the file.

A comment at the end of a line holds for findings that stand on that line. At the end of the first or the last line of a
statement it holds for the whole statement (of a compound statement: its header), since that is where formatters put it.
"""

from __future__ import annotations

import difflib
import io
import re
import tokenize
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mem0_migrate.model import Finding
    from mem0_migrate.project.source import Source

_CODE = r"[A-Z]+[0-9]+\b"
_NOQA = re.compile(rf"#\s*noqa(?![\w-])\s*(?P<colon>:)?\s*(?P<codes>{_CODE}(?:[\s,]+{_CODE})*)?", re.IGNORECASE)
_OURS = re.compile(r"#\s*mem0-migrate\s*:\s*(?P<action>[\w-]+)\s*(?P<list>\[(?P<codes>[^\]]*)\])?")
_ACTIONS = ("ignore", "file-ignore")
_MARKS = ("noqa", "mem0-migrate")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One suppression comment.

    It covers findings that start on a row from `first` to `last` (1-based, within `cell` of a notebook); one that covers a
    single line of a longer statement has `only` set to that row. `codes` is None where it silences every rule.
    """

    cell: int | None
    row: int
    column: int
    end_column: int
    codes: tuple[str, ...] | None
    first: int
    last: int
    only: int | None = None
    whole_file: bool = False

    def covers(self, cell: int | None, row: int, last_row: int) -> bool:
        """Whether a finding on these rows is silenced, if its code is."""
        if self.whole_file:
            return True
        if cell != self.cell:
            return False
        return row <= self.only <= last_row if self.only is not None else self.first <= row <= self.last


@dataclass(frozen=True, slots=True)
class Useless:
    """A suppression comment, or one code in it, that does nothing: its place, 1-based and in characters, and why."""

    cell: int | None
    row: int
    column: int
    end_column: int
    message: str


class Suppressions:
    """The suppression comments of a file; remembers which of them were of use."""

    def __init__(self, comments: tuple[Suppression, ...], malformed: tuple[Useless, ...]) -> None:
        """Start with none of them used."""
        self.comments = comments
        self._malformed = malformed
        self._used: set[tuple[Suppression, str]] = set()

    def covers(self, finding: Finding, last_row: int | None = None) -> bool:
        """Whether a comment silences the finding; if so, remember that it was of use.

        Args:
            finding: A finding in the file of these comments.
            last_row: The last row of the finding's site, if that is not the row where its span ends.
        """
        span = finding.span
        covering = [
            comment
            for comment in self.comments
            if (comment.codes is None or finding.code in comment.codes)
            and comment.covers(span.cell, span.start.row, last_row or span.end.row)
        ]
        self._used.update((comment, finding.code) for comment in covering)
        return bool(covering)

    def useless(self, known: Callable[[str], bool], enabled: Callable[[str], bool]) -> list[Useless]:
        """Comments that did nothing, after every finding of the file was asked for, by place.

        Codes of other tools are left alone, and so are rules that did not run: their comments may well be needed.

        Args:
            known: Whether a rule has that code.
            enabled: Whether the rule with that code ran on this file.
        """
        found = list(self._malformed)
        for comment in self.comments:
            for code in comment.codes or ():
                if not code.startswith("MEM") or (comment, code) in self._used:
                    continue
                if not known(code):
                    message = f"no rule has the code {code}"
                elif enabled(code):
                    message = f"{code} is not found in this file" if comment.whole_file else f"{code} is not found here"
                else:
                    continue
                found.append(Useless(comment.cell, comment.row, comment.column, comment.end_column, message))
        return sorted(found, key=lambda useless: (useless.cell or 0, useless.row, useless.column, useless.message))


def find(text: str | Mapping[int, str]) -> Suppressions:
    """Find the suppression comments in the text of a file, or in those of a notebook's code cells by their 1-based number.

    Text that has a comment in it but cannot be split into tokens is searched line by line. Never raises.
    """
    comments: list[Suppression] = []
    malformed: list[Useless] = []
    for cell, source in [(None, text)] if isinstance(text, str) else text.items():
        if any(mark in source.lower() for mark in _MARKS):
            for comment in _comments(source):
                _read(cell, comment, comments, malformed)
    return Suppressions(tuple(comments), tuple(malformed))


def find_in(source: Source) -> Suppressions:
    """Find the suppression comments of a file that was parsed; those of a notebook stand in its cells. Never raises."""
    if not source.cells:
        return find(source.text)
    ends = [*(cell.first_row - 1 for cell in source.cells[1:]), len(source.starts) - 1]
    return find(
        {
            cell.number: source.text[source.starts[cell.first_row - 1] : source.starts[end]]
            for cell, end in zip(source.cells, ends, strict=True)
        }
    )


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment as it stands: 1-based row and column, and the rows of the statement that it belongs to."""

    text: str
    row: int
    column: int
    first: int
    last: int
    own_line: bool


def _comments(source: str) -> Iterator[_Comment]:
    """Every comment, with the first and last row of its statement: the one around it or, on a line of its own, the next."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    lines = source.split("\n")
    waiting: list[tokenize.TokenInfo] = []
    above: list[tokenize.TokenInfo] = []
    first = row = 0
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    try:
        for token in tokens:
            row = token.end[0]
            if token.type == tokenize.COMMENT:
                (waiting if first else above).append(token)
            elif token.type == tokenize.NEWLINE:
                for comment in above:
                    yield _comment(comment, first, token.start[0], own_line=True)
                yield from _within(waiting, first, token.start[0], lines)
                waiting, above, first = [], [], 0
            elif not first and token.type not in _BETWEEN:
                first = token.start[0]
    except (tokenize.TokenError, SyntaxError):
        rows = {comment.start[0] for comment in (*above, *waiting)}
        for number, line in enumerate(lines, 1):
            start = min((match.start() for match in (_NOQA.search(line), _OURS.search(line)) if match), default=None)
            if start is not None and (number > row or number in rows):
                own_line = not line[:start].strip()
                target = number + own_line
                yield _Comment(line[start:], number, start + 1, target, target, own_line)
    else:
        for comment in (*above, *waiting):
            yield _comment(comment, 0, 0, own_line=True)


_BETWEEN = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})


def _within(comments: list[tokenize.TokenInfo], first: int, last: int, lines: list[str]) -> Iterator[_Comment]:
    """Comments inside a statement: one on a line of its own holds for the next line of code alone."""
    for comment in comments:
        row, column = comment.start
        own_line = not lines[row - 1][:column].strip()
        while own_line and (lines[row - 1].strip() or "#").startswith("#"):
            row += 1
        yield _comment(comment, row, row, own_line=True) if own_line else _comment(comment, first, last, own_line=False)


def _comment(token: tokenize.TokenInfo, first: int, last: int, *, own_line: bool) -> _Comment:
    row, column = token.start
    return _Comment(token.string, row, column + 1, first, last, own_line)


def _read(cell: int | None, comment: _Comment, comments: list[Suppression], malformed: list[Useless]) -> None:
    """Read what a comment says, and add it to those that silence or to those that cannot be understood."""
    only = None if comment.own_line or comment.row in (comment.first, comment.last) else comment.row

    def place(match: re.Match[str]) -> tuple[int | None, int, int, int]:
        return cell, comment.row, comment.column + match.start(), comment.column + match.end()

    for match in _NOQA.finditer(comment.text):
        if comment.own_line or (match["colon"] and not match["codes"]):
            continue
        codes = tuple(re.findall(_CODE, match["codes"].upper())) if match["colon"] else None
        comments.append(Suppression(*place(match), codes, comment.first, comment.last, only))
    for match in _OURS.finditer(comment.text):
        action = match["action"]
        codes = tuple(re.findall(r"[\w-]+", (match["codes"] or "").upper()))
        if action in _ACTIONS and codes:
            whole_file = action == "file-ignore"
            comments.append(Suppression(*place(match), codes, comment.first, comment.last, only, whole_file))
        elif action in _ACTIONS:
            malformed.append(Useless(*place(match), f"{action} names no rule; write {action}[MEM101]"))
        elif match["list"] or difflib.get_close_matches(action, _ACTIONS):
            malformed.append(Useless(*place(match), f"`{action}` is none of `ignore[...]` and `file-ignore[...]`"))
