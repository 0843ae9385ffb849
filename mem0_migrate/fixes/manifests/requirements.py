"""requirements.txt: where a requirements file requires mem0ai; also the lines under `pip:` in an environment.yml."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.entry import SHIM, ByHandError, Entry, Lines, Splice
from mem0_migrate.fixes.manifests.pep508 import constraint_of, is_shim, requires_mem0ai, requires_shim, shim_beside
from mem0_migrate.project.manifests.statement import is_mem0ai

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTINUED = re.compile(r"\\(?:\r\n|\n|\r)")
_COMMENT = re.compile(r"(?:^|\s+)#.*$", re.DOTALL)
_OPTION = re.compile(r"\s--?[a-z]")
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_HASHES = re.compile(r"--(?:hash|require-hashes)\b")


def entries(text: str) -> Iterator[Entry]:
    """Yield where a requirements file requires mem0ai."""
    lines = Lines(text)
    logical = list(_logical(lines))
    has_shim = any(_is_shim(words) for _, _, words in logical)
    hashes = any(_HASHES.search(words) for _, _, words in logical)
    for start, end, words in logical:
        entry = line_requires(words, start, end)
        if entry is None:
            continue
        shim = entry.additions
        if hashes:
            reason = (
                f"pip checks hashes here, so that {SHIM} needs its own: add it with --hash, or by the tool that made the file"
            )
            entry = replace(entry, additions=reason)
        elif not isinstance(shim, str):
            content = shim[0].content if lines.row(start) == lines.row(end) else " ".join(shim[0].content.split())
            addition = Splice(end, end, f"{lines.line_end(end)}{lines.indent(start)}{content}")
            entry = replace(entry, additions=(addition,))
        yield replace(entry, has_shim=has_shim)


def line_requires(words: str, start: int, end: int) -> Entry | None:
    """Return the entry that a line makes, None if it does not require mem0ai.

    `words` are the line without its comment, of which the first stands at `start`. `additions` is one splice that inserts the
    words for mem0-shim at `end`.
    """
    egg = _EGG.search(words)
    if egg is not None and is_mem0ai(egg[1]):
        reason = "it is taken from an address: choose the version there, by hand"
        conditions = f"its conditions cannot be read: add {SHIM} under the same ones by hand"
        return Entry(start, end, "", reason, conditions if ";" in words else (Splice(end, end, SHIM),))
    words = _OPTION.split(words, maxsplit=1)[0]
    if not requires_mem0ai(words):
        return None
    try:
        additions: tuple[Splice, ...] | str = (Splice(end, end, shim_beside(words)),)
    except ByHandError as error:
        additions = error.reason
    return Entry(start, end, "", constraint_of(words, start), additions)


def _is_shim(words: str) -> bool:
    egg = _EGG.search(words)
    return is_shim(egg[1]) if egg is not None else requires_shim([words])


def _logical(lines: Lines) -> Iterator[tuple[int, int, str]]:
    """Yield lines, continued ones as one: the offset of the first word, that of the end, and the words without the comment."""
    row = 1
    while row <= len(lines):
        start = end = lines.start_of_row(row)
        while True:
            line = lines.line(lines.start_of_row(row))
            end = lines.end(lines.start_of_row(row))
            row += 1
            if not line.endswith("\\") or line.lstrip().startswith("#") or row > len(lines):
                break
        joined = _CONTINUED.sub(lambda continued: " " * len(continued[0]), lines.text[start:end])
        words = _COMMENT.sub("", joined)
        if words.strip():
            indent = len(words) - len(words.lstrip())
            yield start + indent, end, words[indent:]
