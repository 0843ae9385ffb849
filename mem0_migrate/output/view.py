"""How a report is to be shown, and the colours and words that formats for people share."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mem0_migrate.model import ERAS, SEVERITIES, Era, Finding, Severity, Span

Paint = Literal["bold", "red", "green", "yellow", "blue", "cyan"]
Source = Callable[[str, "int | None"], Sequence[str]]

_ANSI: dict[Paint, str] = {"bold": "1", "red": "91", "green": "32", "yellow": "33", "blue": "94", "cyan": "36"}
SEVERITY_PAINT: dict[Severity, Paint] = {"error": "red", "warning": "yellow", "info": "cyan"}
_ERA_NAMES: dict[Era, str] = {"v0": "0.x", "v1": "1.x", "v2": "2.x"}


_CODE = re.compile("`[^`]{1,40}`")
_HELD = "\x00"  # a space at which no line is to end


def no_source(filename: str, cell: int | None) -> Sequence[str]:
    """Show no excerpt of any file."""
    del filename, cell
    return ()


def no_fix(finding: Finding) -> Literal["never"]:
    """Make no fix."""
    del finding
    return "never"


@dataclass(frozen=True, slots=True)
class View:
    """How to show a report.

    Attributes:
        source: The lines of a file, or of a cell of a notebook, without their ends; none where they cannot be had.
        width: Columns of the terminal.
        color: Whether to use ANSI colours.
        fold_info: Whether remarks (severity info) are shown as one line per file.
        quiet: Whether to show findings and unreadable files alone.
        fixing: Whether `fix` would make the fix of a finding: `now`, with --unsafe-fixes (`unsafe`), or `never`.
    """

    source: Source = no_source
    width: int = 100
    color: bool = False
    fold_info: bool = True
    quiet: bool = False
    fixing: Callable[[Finding], Literal["now", "unsafe", "never"]] = no_fix

    def mark(self, finding: Finding) -> str:
        """`[*] ` where `fix` would repair a finding."""
        return f"[{self.paint('*', 'cyan')}] " if self.fixing(finding) == "now" else ""

    def paint(self, text: str, *paints: Paint) -> str:
        """The text in these colours, or as it is where colours are off."""
        return f"\x1b[{';'.join(_ANSI[paint] for paint in paints)}m{text}\x1b[0m" if self.color and text and paints else text

    def wrapped(self, prefix: str, text: str, *paints: Paint) -> list[str]:
        """The text in lines of at most `width` columns behind a painted prefix, further lines indented as deep."""
        indent = " " * len(prefix)
        width = max(self.width, len(prefix) + 30)
        lines = textwrap.wrap(
            _CODE.sub(lambda code: code[0].replace(" ", _HELD), printable(text)),
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [indent]
        lines = [line.replace(_HELD, " ") for line in lines]
        return [self.paint(prefix, *paints) + lines[0][len(prefix) :], *lines[1:]]


def printable(text: str) -> str:
    """The text on one line, without characters that a terminal obeys instead of showing them."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def place(span: Span) -> str:
    """A place as editors understand it: `path:row:column`, `notebook:cell 2:row:column`."""
    return f"{printable(span.line)}:{span.start.column}"


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by severity, then by place."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), place_key(finding.span), finding.code))


def place_key(span: Span) -> tuple[str, int, int, int]:
    """What to sort places by."""
    return span.filename, span.cell or 0, span.start.row, span.start.column


def eras(names: Iterable[Era]) -> str:
    """Eras in words: `mem0ai 1.x and 2.x`."""
    admitted = set(names)
    return f"mem0ai {joined([_ERA_NAMES[era] for era in ERAS if era in admitted])}"


def joined(words: Sequence[str]) -> str:
    """Words as a person would list them: `a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `2 files`, `1,200 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
