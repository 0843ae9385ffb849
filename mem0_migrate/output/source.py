"""The lines of source files, for excerpts."""

from __future__ import annotations

import io
import json
import re
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.output.view import Source

_END = re.compile("\r\n|\r|\n")


def lines_of(stdin: tuple[str, bytes] | None = None) -> Source:
    """A function that reads the lines of a file, or of a cell of a notebook, and none of a file that cannot be read.

    Args:
        stdin: Name and content of a file that is not to be read from the disk.
    """

    @cache
    def lines(filename: str, cell: int | None) -> Sequence[str]:
        try:
            content = stdin[1] if stdin and stdin[0] == filename else Path(filename).read_bytes()
            if cell is not None:
                source = json.loads(content)["cells"][cell - 1]["source"]
                text = source if isinstance(source, str) else "".join(source)
            else:
                encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
                text = content.decode(encoding, "replace")
        except (OSError, SyntaxError, ValueError, LookupError, TypeError):
            return ()
        return _END.split(text)

    return lines
