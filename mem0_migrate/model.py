"""The nouns that travel through the pipeline: frozen, slotted, and free of behaviour that needs the file system.

Rows and columns are 1-based; columns count characters (code points), not bytes. `filename` is as given to the
pipeline: relative to the working directory where the file lies below it, with `/` between its parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Severity = Literal["error", "warning", "info"]
Receiver = Literal["hosted", "hosted-async", "either", "oss"]
Confidence = Literal["certain", "inferred", "possible"]
AsyncMode = Literal["absent", "false", "true", "none", "dynamic", "mapping"]
Era = Literal["v0", "v1", "v2"]
Form = Literal["call", "reference", "http"]
Strategy = Literal["keyword", "body", "shim", "async", "await", "pin", "none"]
Applicability = Literal["safe", "unsafe", "display-only"]
Verdict = Literal["breaks", "may-break", "no-visible-effect", "explicit", "receipt-aware", "undecided", "oss"]

ERAS: tuple[Era, ...] = ("v0", "v1", "v2")
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: 1-based row, 1-based column in characters."""

    row: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text; `end` is the position after its last character.

    In a notebook `cell` is the 1-based number of the cell and rows count within the cell; elsewhere `cell` is None.
    """

    filename: str
    start: Position
    end: Position
    cell: int | None = None

    @property
    def line(self) -> str:
        """Where it begins, for a sentence: `path:row`, `notebook:cell 2:row`."""
        cell = "" if self.cell is None else f"cell {self.cell}:"
        return f"{self.filename}:{cell}{self.start.row}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the evidence, from the origin of a client to the site: where, and what happens there, in words."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """One thing the code does with an answer, or to what was just added.

    `kind` names it (see `usage/kinds.py`); `expression` is the source text of the use, on one line.
    """

    kind: str
    span: Span
    expression: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a project says about the mem0ai it runs with.

    `requirement` is the words of the manifest ("mem0ai>=0.1.94; extra == 'mem0'") or of a lock ("mem0ai==1.0.3"), empty where
    nothing is declared; `source` is the manifest or lock, `row` its 1-based line. `locked` tells a lock from a range.
    """

    eras: frozenset[Era]
    requirement: str = ""
    source: str | None = None
    row: int | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A place where a client's `add` is called or handed on, and what was found out about it."""

    span: Span
    form: Form
    receiver: Receiver
    confidence: Confidence
    async_mode: AsyncMode
    uses: tuple[Use, ...]
    usage: str
    evidence: tuple[Step, ...]
    declaration: Declaration
    verdict: Verdict
    consequence: Mapping[Era, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `span` by `content`."""

    span: Span
    content: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A proposed repair: which strategy, how safe, in words, and its edits.

    Beside the strategies that can be asked for: `body` puts the key into the JSON of a request, `await` awaits, `pin` narrows a
    requirement, and `none` only says what to write.
    """

    strategy: Strategy
    applicability: Applicability
    message: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What is reported: a rule that applies at a place, why, and what to do.

    `message` is one sentence for one line; `marks` are further spans to show beside `span` (the line where the answer is
    misused); `related` are steps in other places; `advice` says what to do.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    receiver: Receiver | None = None
    confidence: Confidence = "certain"
    async_mode: AsyncMode | None = None
    usage: str | None = None
    consequence: Mapping[Era, str] = field(default_factory=dict)
    evidence: tuple[Step, ...] = ()
    marks: tuple[Step, ...] = ()
    related: tuple[Step, ...] = ()
    advice: str = ""
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be looked at, and why: the run is incomplete."""

    filename: str
    reason: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a check: findings and sites sorted by place, and what could not be looked at.

    `files` counts the files of the code base that were searched, `analysed` those that were parsed. `unfollowed` are the
    places where a hosted client is constructed on which nothing is seen to be called.
    """

    findings: tuple[Finding, ...]
    sites: tuple[Site, ...]
    incomplete: tuple[Unreadable, ...]
    files: int = 0
    analysed: int = 0
    suppressed: int = 0
    unfollowed: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file with its repairs: `edits` turn `before` into `after`; `messages` say what they do; `proof` what was proven of it."""

    filename: str
    before: bytes
    after: bytes
    edits: tuple[Edit, ...]
    messages: tuple[str, ...]
    proof: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfixed:
    """A finding that is still there, and why. `unsafe`: a repair is known, and waits for `--unsafe-fixes`."""

    finding: Finding
    reason: str
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class FixReport:
    """The result of fixing: what was rewritten, what was repaired by it, what is left, and what a person has to do, in order.

    `failed` are files that stay as they were although a repair was known. `after` is the check of the rewritten code base.
    `completed` are files that a killed run left half written, and leftovers of it, which this run has brought to an end.
    """

    rewrites: tuple[Rewrite, ...]
    fixed: tuple[Finding, ...]
    left: tuple[Unfixed, ...]
    failed: tuple[Unreadable, ...]
    by_hand: tuple[str, ...]
    after: Report
    completed: tuple[str, ...] = ()
