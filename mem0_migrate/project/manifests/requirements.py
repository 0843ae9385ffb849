"""requirements.txt: the format of `pip install -r` (and of pip-tools' .in files).

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Include, Statement, is_mem0ai, required, requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMMENT = re.compile(r"(^|\s+)#.*$")
_INCLUDE = re.compile(r"(-r|-c|--requirement|--constraint)(?:\s*=\s*|\s*)(\S.*)$")
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_OPTION = re.compile(r"\s--?[a-z]")


def statements(text: str) -> Iterator[Statement]:
    """Yield what a requirements file states about mem0ai, and which other files belong to it."""
    return lines_state(enumerate(text.split("\n"), 1))


def lines_state(lines: Iterable[tuple[int, str]]) -> Iterator[Statement]:
    """Yield what numbered lines of a requirements file state."""
    for row, line in _logical(lines):
        include = _INCLUDE.match(line)
        egg = _EGG.search(line)
        if include is not None:
            yield Include(include[2].strip().strip("\"'"), row, constraint=include[1] in ("-c", "--constraint"))
        elif egg is not None and is_mem0ai(egg[1]):
            words = re.sub(r"^(-e|--editable)[\s=]*", "", line)
            yield from required(words, row, ("",))
        else:
            yield from requirement(_OPTION.split(line, maxsplit=1)[0], row)


def _logical(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield lines without comments, continued ones joined; each with the row on which it begins."""
    begun: tuple[int, str] | None = None
    for row, line in lines:
        start, so_far = begun or (row, "")
        begun = None
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun = (start, so_far + line[:-1])
        elif words := _COMMENT.sub("", so_far + line).strip():
            yield start, words
    if begun is not None and (words := _COMMENT.sub("", begun[1]).strip()):
        yield begun[0], words
