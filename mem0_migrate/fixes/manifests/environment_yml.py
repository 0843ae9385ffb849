"""environment.yml of conda: where its dependencies, and those under `pip:`, require mem0ai."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.entry import SHIM, Constraint, Entry, Lines, Splice
from mem0_migrate.fixes.manifests.pep508 import requires_shim
from mem0_migrate.fixes.manifests.requirements import line_requires
from mem0_migrate.project.manifests import environment_yml
from mem0_migrate.project.manifests.statement import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

_ITEM = re.compile(r"""(\s*)(-\s+)(["']?)(.*?)\3\s*(?:\s#.*)?$""")
_CONDA = re.compile(r"((?:[\w./-]+::)?[A-Za-z0-9][\w.-]*\s*)(.*)$")
_PIP = re.compile(r"""\s*-\s+["']?pip["']?\s*:""")


def entries(text: str) -> Iterator[Entry]:
    """Yield where an environment.yml requires mem0ai."""
    lines = Lines(text)
    rows = [lines.line(lines.start_of_row(row)) for row in range(1, len(lines) + 1)]
    items = [item for item in map(_ITEM.match, rows) if item is not None]
    has_shim = requires_shim(item[4] for item in items)
    for statement in environment_yml.statements("\n".join(rows)):
        if not isinstance(statement, Requirement) or statement.row is None:
            continue
        item = _ITEM.match(rows[statement.row - 1])
        if item is None:
            continue
        start = lines.start_of_row(statement.row)
        value, end = start + item.start(4), lines.end(start)
        if not _is_under_pip(rows, statement.row, len(item[1])):
            constraint = _conda(item[4], value, statement)
            reason = f"conda has no package {SHIM}: add it under 'pip:' in the dependencies by hand"
            yield Entry(start, end, "conda", constraint, reason, has_shim)
        elif (entry := line_requires(item[4], value, end)) is not None:
            additions = entry.additions
            if not isinstance(additions, str):
                line = f"{item[1]}{item[2]}{item[3]}{additions[0].content}{item[3]}"
                additions = (Splice(end, end, f"{lines.line_end(end)}{line}"),)
            yield Entry(start, end, "pip", entry.constraint, additions, has_shim)


def _is_under_pip(rows: list[str], row: int, indent: int) -> bool:
    """Tell whether the list item on a 1-based row belongs to `pip:`."""
    above = (line for line in reversed(rows[: row - 1]) if line.strip() and not line.lstrip().startswith("#"))
    parent = next((line for line in above if len(line) - len(line.lstrip()) < indent), "")
    return _PIP.match(parent) is not None


def _conda(value: str, start: int, statement: Requirement) -> Constraint | str:
    parts = _CONDA.match(value)
    if parts is None:
        return "its version cannot be read: narrow it by hand"
    begin = len(parts[1]) if parts[2] else len(parts[1].rstrip())
    return Constraint(start + begin, start + begin + len(parts[2].rstrip()), statement.ranges)
