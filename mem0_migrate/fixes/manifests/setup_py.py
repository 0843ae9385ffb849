"""setup.py: where lists of plain strings that reach setup() require mem0ai; anything else is to be edited by hand."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.brackets import entry
from mem0_migrate.fixes.manifests.entry import Lines
from mem0_migrate.fixes.manifests.pep508 import requires_mem0ai, requires_shim
from mem0_migrate.project.manifests import setup_py
from mem0_migrate.project.manifests.statement import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.manifests.entry import Entry


def entries(text: str) -> Iterator[Entry]:
    """Yield where a setup.py requires mem0ai."""
    lines = Lines(text)
    rows = {item.row for item in setup_py.statements(text) if isinstance(item, Requirement)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the user's strings
        tree = ast.parse(text)
    for holder in ast.walk(tree):
        listed = isinstance(holder, (ast.List, ast.Tuple, ast.Set))
        strings = [item for item in ast.iter_child_nodes(holder) if isinstance(item, ast.Constant)]
        has_shim = listed and requires_shim(item.value for item in strings if isinstance(item.value, str))
        for item in strings:
            if item.lineno in rows and isinstance(item.value, str) and requires_mem0ai(item.value):
                start = _offset(lines, item.lineno, item.col_offset)
                end = _offset(lines, item.end_lineno or item.lineno, item.end_col_offset or 0)
                listed_in = f"list {holder.lineno}:{holder.col_offset}" if isinstance(holder, ast.expr) and listed else ""
                yield entry(lines, start, end, item.value, listed_in, has_shim=has_shim)


def _offset(lines: Lines, row: int, column: int) -> int:
    """Return the offset of what `ast` calls a line and a column, in bytes of UTF-8."""
    start = lines.start_of_row(row)
    return start + len(lines.line(start).encode()[:column].decode())
