"""The lines of files, for excerpts: Python, notebooks, manifests."""

from __future__ import annotations

import io
import re
import tokenize
from functools import cache
from typing import TYPE_CHECKING

from mem0_migrate.project.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.output.view import Source

_END = re.compile("\r\n|\r|\n")


def lines_of(stdin: tuple[str, bytes] | None = None) -> Source:
    """A function that reads the lines of a file, or of a cell of a notebook, and none of what cannot be read.

    Args:
        stdin: Name and content of a file that is not to be read from the disk.
    """

    @cache
    def lines(filename: str, cell: int | None) -> Sequence[str]:
        try:
            content = stdin[1] if stdin and stdin[0] == filename else read(filename)
            return _END.split(_text(content)) if cell is None else _cell(content, cell)
        except (OSError, SyntaxError, ValueError, LookupError):
            return ()

    return lines


def _text(content: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    return content.decode(encoding, "replace")


def _cell(content: bytes, number: int) -> Sequence[str]:
    """The lines of a cell; none where there is no cell of that number."""
    from mem0_migrate.project.notebook import code

    notebook = code(content)
    lines = _END.split(notebook.shown)
    ends = [*(cell.first_row - 1 for cell in notebook.cells[1:]), len(lines)]
    for cell, end in zip(notebook.cells, ends, strict=True):
        if cell.number == number:
            return lines[cell.first_row - 1 : end]
    return ()
