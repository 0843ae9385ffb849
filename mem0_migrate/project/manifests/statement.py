"""What a manifest or a lock states about mem0ai, and how one requirement is read (PEP 508)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.specifiers import SpecifierSet


@dataclass(frozen=True, slots=True)
class Requirement:
    """mem0ai is required.

    `text` is the words of the file on one line, `row` their 1-based line; any one of `ranges` may hold. `environment` names
    the extra, group or file that has to be asked for, empty for what is always installed; `marker` is the condition on the
    interpreter or platform. `locked`: the file names the one version that is installed.
    """

    text: str
    row: int | None
    ranges: tuple[SpecifierSet, ...]
    environment: str = ""
    marker: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """Another requirements file belongs to this one; `path` is relative to the directory of this one."""

    path: str
    row: int
    constraint: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A lock was made for the local package in this directory too; `path` is relative to the directory of the lock."""

    path: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of the file cannot be understood: the 1-based line, and why, in words for the person who wrote it."""

    row: int | None
    reason: str


Statement = Requirement | Include | Member | Problem


class Rows:
    """Finds the lines of requirements in a text whose parser does not tell them.

    Every line is given out once, top to bottom, so that equal requirements in different sections get different lines.
    """

    def __init__(self, text: str) -> None:
        mentions = re.compile(r"mem0[-_.]*ai", re.IGNORECASE)
        lines = enumerate(text.split("\n"), 1)
        self._lines = [(row, line) for row, line in lines if mentions.search(line) and not line.lstrip().startswith("#")]
        self._given: set[int] = set()

    def of_text(self, text: str) -> int | None:
        """Return the line that holds this text as a word of its own, else the next line that names mem0ai, else None."""
        return self._next(re.compile(rf"(?<![\w.-]){re.escape(text)}(?![\w.-])").search) or self._next(lambda _: True)

    def of_key(self) -> int | None:
        """Return the next line on which mem0ai is a key (`mem0ai = ...` in TOML, `"mem0ai": ...` in JSON)."""
        return self._next(re.compile(r"""\s*["']?mem0[-_.]*ai["']?\s*[=:]""", re.IGNORECASE).match) or self._next(lambda _: True)

    def _next(self, fits: Callable[[str], object]) -> int | None:
        rows = [row for row, line in self._lines if fits(line)]
        row = next((row for row in rows if row not in self._given), rows[0] if rows else None)
        if row is not None:
            self._given.add(row)
        return row


def is_mem0ai(name: str) -> bool:
    """Tell whether a package name means mem0ai, however it is capitalised or separated (mem0AI, mem0_ai)."""
    return re.sub(r"[-_.]", "", name).lower() == "mem0ai"


def required(
    words: str, row: int | None, specifiers: Iterable[str], *, environment: str = "", marker: str = "", locked: bool = False
) -> Iterator[Requirement | Problem]:
    """Yield a requirement; where its version cannot be read it restricts nothing, and a problem follows.

    Args:
        words: The words of the file.
        row: The 1-based line.
        specifiers: Version specifiers (PEP 440), any one of which may hold; iterating over them may raise ValueError.
        environment: See `Requirement`.
        marker: See `Requirement`.
        locked: See `Requirement`.
    """
    from packaging.specifiers import SpecifierSet

    words = " ".join(words.split())
    try:
        if re.search(r"\d{1000}", words):  # Python refuses to convert such numbers
            raise ValueError(words)  # noqa: TRY301
        ranges = tuple(SpecifierSet(specifier) for specifier in specifiers)
    except ValueError:
        yield Requirement(words, row, (SpecifierSet(),), environment, marker, locked)
        yield Problem(row, f"the version in {words[:200]!r} cannot be read")
    else:
        yield Requirement(words, row, ranges, environment, marker, locked)


def requirement(text: str, row: int | None, environment: str = "") -> Iterator[Requirement | Problem]:
    """Yield the requirement that a line in the form of PEP 508 states, nothing if it is about another package."""
    name = re.match(r"\s*([A-Za-z0-9][\w.-]*)", text)
    if name is None or not is_mem0ai(name[1]):
        return
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    try:
        parsed = Parsed(text.strip())
    except InvalidRequirement:
        filled_in = re.search(r"\$\{\w+\}", text)  # pip replaces it by an environment variable
        yield from required(text, row, ("" if filled_in is not None else "?",), environment=environment)
    else:
        yield from required(text, row, (str(parsed.specifier),), environment=environment, marker=str(parsed.marker or ""))


def installed(version: str, row: int | None) -> Iterator[Requirement | Problem]:
    """Yield the requirement that a lock, or mem0ai's own metadata, states by naming the one version that is there."""
    return required(f"mem0ai=={version}", row, (f"=={version}",), locked=True)


def location(entry: Mapping[str, Any]) -> str | None:
    """Return where a package comes from if a table says so instead of a version: a repository, an address or a path."""
    return next((str(entry[key]) for key in ("git", "hg", "svn", "url", "file", "path") if key in entry), None)
