"""The Python of a Jupyter notebook: its code cells as one module, in which every row and column stays where it was."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# cell magics whose cell is Python of this kernel (the list is ruff's); the cells of all others are not
_PYTHON_CELLS = frozenset({"capture", "debug", "ipytest", "prun", "pypy", "python", "python3", "time", "timeit"})

_INDENT = re.compile(r"[ \t\f]*")
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\r\n]*")
_MAYBE_ESCAPED = re.compile(r"^[ \t]*[%!?/,;]|\?[ \t;]*$|=[ \t]*[%!]", re.MULTILINE)

# what a line may be, from its first character on: a magic that runs the statement after it, another escape, an assignment of one
_TIMED = re.compile(r"%(?:time|timeit|prun|memit)(?:[ \t]+-\w+(?:[ \t]+\d+)?)*[ \t]+(?=[^\s#])")
_ESCAPED = re.compile(r"[%!?/,;](?:\\(?:\r\n|\r|\n)|[^\r\n])*|[\w.*\[\]'\"]+\?{1,2}[ \t;]*$", re.MULTILINE)
_ASSIGNED = re.compile(r"([\w., \t*\[\]'\"]+=[ \t]*)([%!](?:\\(?:\r\n|\r|\n)|[^\r\n])*)")

_STRING = (
    r"""(?P<quote>\"{3}|'{3})(?s:\\.|(?!(?P=quote)).)*(?:(?P=quote))?|"(?:\\[\s\S]|[^"\\\r\n])*"?|'(?:\\[\s\S]|[^'\\\r\n])*'?"""
)
_TOKEN = re.compile(
    rf"(?P<line>\r\n|\r|\n)|(?P<open>[(\[{{])|(?P<close>[)\]}}])|{_STRING}|\#[^\r\n]*|\\(?:\r\n|\r|\n)?|[^\"'\#()\[\]{{}}\\\r\n]+"
)


class NotebookError(ValueError):
    """The file is not a notebook; `row` is the 1-based row of the file where that shows, if it does."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        """Say why."""
        super().__init__(reason)
        self.row = row


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: its 1-based number among all cells, Markdown too, as ruff counts, and the row of `Code.text` it begins at."""

    number: int
    first_row: int


@dataclass(frozen=True, slots=True)
class Code:
    """The code cells of a notebook, joined by line feeds.

    `text` is valid Python where the cells are: what only IPython understands is blanked. `shown` is the code as the user wrote
    it. Elsewhere both have the same characters at the same places.
    """

    text: str
    shown: str
    cells: tuple[Cell, ...]


def code(data: bytes) -> Code:
    """The Python code of a notebook (nbformat 3 or 4); of one in another language, none.

    Raises:
        NotebookError: it is not JSON, or not a notebook.
    """
    cells: list[Cell] = []
    texts: list[str] = []
    shown: list[str] = []
    row = 1
    for number, source in _sources(_load(data)):
        whole = source if source.endswith(("\n", "\r")) else source + "\n"
        cells.append(Cell(number, row))
        texts.append(_masked(whole))
        shown.append(whole)
        row += len(re.findall(r"\r\n|\r|\n", whole))
    return Code("".join(texts), "".join(shown), tuple(cells))


def _load(data: bytes) -> dict[str, Any]:
    try:
        notebook = json.loads(data)
    except json.JSONDecodeError as error:
        raise NotebookError(f"not a notebook: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise NotebookError("not a notebook: too deeply nested") from error
    except ValueError as error:  # not UTF-8, or a number of thousands of digits
        raise NotebookError(f"not a notebook: {error}") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise NotebookError("not a notebook: it has no cells")
    return notebook


def _sources(notebook: dict[str, Any]) -> list[tuple[int, str]]:
    """Number and source of each code cell in Python."""
    metadata = _mapping(notebook.get("metadata"))
    language = _mapping(metadata.get("language_info")).get("name") or _mapping(metadata.get("kernelspec")).get("language")
    if language not in (None, "python", "ipython"):
        return []
    sheets = map(_mapping, [notebook, *_listing(notebook.get("worksheets"))])  # nbformat 3 has sheets of cells
    cells = [_mapping(cell) for sheet in sheets for cell in _listing(sheet.get("cells"))]
    sources = []
    for number, cell in enumerate(cells, start=1):
        language = cell.get("language") or _mapping(_mapping(cell.get("metadata")).get("vscode")).get("languageId")
        if cell.get("cell_type") != "code" or language not in (None, "python"):
            continue
        source = cell.get("source", cell.get("input", ""))
        text = "".join(line for line in source if isinstance(line, str)) if isinstance(source, list) else source
        if isinstance(text, str):
            sources.append((number, text))
    return sources


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listing(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _masked(source: str) -> str:
    """A cell without what only IPython understands; the rest stays at its row and column."""
    magic = _CELL_MAGIC.match(source)
    if magic:
        if magic.group(1) not in _PYTHON_CELLS:
            return _blank(source)
        source = _blank(magic.group()) + source[magic.end() :]
    if not _MAYBE_ESCAPED.search(source):
        return source
    pieces: list[str] = []
    place = depth = 0
    begins = True  # a statement begins at this line
    while place < len(source):
        if begins:
            begins = False
            indent = _INDENT.match(source, place)
            if indent:
                pieces.append(indent.group())
                place = indent.end()
            for pattern, mask in _ESCAPES:
                match = pattern.match(source, place)
                if match:
                    pieces.append(mask(match))
                    place = match.end()
                    break
        match = _TOKEN.match(source, place)
        if not match:
            break
        if match.lastgroup == "line":
            begins = depth == 0
        elif match.lastgroup in ("open", "close"):
            depth = max(0, depth + (1 if match.lastgroup == "open" else -1))
        pieces.append(match.group())
        place = match.end()
    return "".join(pieces)


def _conditional(match: re.Match[str]) -> str:
    """The statement after `%time ` runs: `if 1: ` has the same length."""
    return "if 1:".ljust(len(match.group()))


def _expression(match: re.Match[str]) -> str:
    """IPython's name for a value that nobody knows, so that an indented block keeps a statement."""
    return "_" + _blank(match.group()[1:])


def _assignment(match: re.Match[str]) -> str:
    return f"{match.group(1)}_{_blank(match.group(2)[1:])}"


_ESCAPES = ((_TIMED, _conditional), (_ESCAPED, _expression), (_ASSIGNED, _assignment))


def _blank(text: str) -> str:
    return re.sub(r"[^\r\n]", " ", text)
