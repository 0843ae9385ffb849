"""environment.yml of conda: its own dependencies and those under `pip:`.

Read line by line, without a YAML parser: PyYAML would be a dependency for this one file, it does not tell on which line a
value stands, and every tool that writes these files puts one requirement on a line (`- mem0ai>=1.0`). The other spellings
of YAML (lists in brackets, aliases) are not guessed at: where such a list could hold mem0ai, that is a problem.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.requirements import lines_state
from mem0_migrate.project.manifests.statement import Problem, Requirement, Statement, is_mem0ai, required

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY = re.compile(r"""["']?([\w-]+)["']?\s*:""")
_ITEM = re.compile(r"(\s*)-\s+(.*)$")
_CONDA = re.compile(r"(?:[\w./-]+::)?([A-Za-z0-9][\w.-]*)\s*(.*)$")
_UNREAD = re.compile(r"\s*(?:-\s+)?['\"]?(?:dependencies|pip)['\"]?\s*:\s*[\[{*&!|>]")


def statements(text: str) -> Iterator[Statement]:
    """Yield what an environment.yml states about mem0ai, and which requirements files belong to it."""
    section = ""
    under_pip: int | None = None
    for row, line in enumerate(text.split("\n"), 1):
        key = _KEY.match(line)
        section = key[1] if key is not None else section
        if _UNREAD.match(line) and "mem0" in text.lower():
            yield Problem(row, "this spelling of a list is not understood: write one requirement on a line, after '- '")
        item = _ITEM.match(line)
        if item is None or section != "dependencies":
            under_pip = under_pip if key is None else None
            continue
        indent, value = len(item[1]), _scalar(item[2])
        if under_pip is not None and indent <= under_pip:
            under_pip = None
        if under_pip is not None:
            yield from lines_state([(row, value)])
        elif re.fullmatch(r"""["']?pip["']?\s*:""", value):
            under_pip = indent
        else:
            yield from _conda(value, row)


def _scalar(text: str) -> str:
    """Return the value of a YAML scalar on one line: without its quotes, or without the comment behind it."""
    quoted = re.match(r"""(["'])(.*?)\1\s*(?:#.*)?$""", text)
    return quoted[2] if quoted is not None else re.sub(r"(^|\s+)#.*$", "", text).strip()


def _conda(value: str, row: int) -> Iterator[Requirement | Problem]:
    """Yield the requirement that a match specification of conda states: 'mem0ai=1.0' is any 1.0.x."""
    match = _CONDA.match(value)
    if match is None or not is_mem0ai(match[1]):
        return
    version = re.split(r"(?<=[\w.*])=", match[2].replace(" ", ""), maxsplit=1)[0]  # what follows is the build
    yield from required(value, row, map(_specifier, version.split("|")))


def _specifier(version: str) -> str:
    prefix = re.fullmatch(r"=?(\d[\w.]*?)(?:\.?\*)?", version)
    return f"=={prefix[1]}.*" if prefix is not None else version.removesuffix("*")
