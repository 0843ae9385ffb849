"""A script that lists its own dependencies in a comment at its top (inline script metadata, PEP 723)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Problem, Statement, requirement
from mem0_migrate.project.manifests.toml import load, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = re.compile(r"(?m)^# /// script[ \t]*\n(?P<lines>(?:#(?:| .*)\n)+?)# ///[ \t]*$")


def statements(text: str) -> Iterator[Statement]:
    """Yield what the metadata of a script state about mem0ai."""
    block = _BLOCK.search(text)
    if block is None:
        return
    first = text.count("\n", 0, block.start("lines")) + 1
    lines = [line[2:] for line in block["lines"].splitlines()]
    document = load("\n".join(lines))
    if isinstance(document, Problem):
        yield Problem(first + (document.row or 1) - 1, document.reason)
        return
    for line in strings(document.get("dependencies")):
        row = next((row for row, written in enumerate(lines, first) if line in written), None)
        yield from requirement(line, row)
