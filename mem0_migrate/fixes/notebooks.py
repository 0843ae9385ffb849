"""The file of a notebook after edits in its cells: no byte changes but in the sources of those cells.

Libraries for notebooks write the file anew, in their own layout. Those that tell where the values of a JSON text stand go through
the whole document in Python, embedded images too; the decoder of `json` passes over what is not asked for much faster.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mem0_migrate.fixes.changes import UnchangeableError
from mem0_migrate.fixes.rewriting import spliced
from mem0_migrate.project.notebook import NotebookError, code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mem0_migrate.model import Edit
    from mem0_migrate.project.source import Source

    _Extent = tuple[int, int]  # where a value begins and ends in the text of the file

_DECODER = json.JSONDecoder()
_BYTE_ORDER_MARK = "\ufeff"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_CHARACTER = re.compile(  # of a JSON string (RFC 8259, section 7), two surrogates being one
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]"
)
_NEW = -1


def patched(data: bytes, source: Source, edits: Sequence[Edit]) -> bytes:
    """The content of a notebook after edits of its code.

    A line put into a source that is a list of lines is an item of its own, laid out as those beside it; that of a line taken out
    goes. Characters are escaped as they are elsewhere in the cell.

    Args:
        data: The file, nbformat 3 or 4.
        source: What `parse` made of it.
        edits: In order and apart from each other.

    Raises:
        UnchangeableError: the edits would change a magic, or reach beyond a cell; or what comes of them could not be proven.
    """
    if json.detect_encoding(data) not in ("utf-8", "utf-8-sig"):
        raise UnchangeableError("a notebook has to be UTF-8")
    if _code(data) != (source.text, source.shown):
        raise UnchangeableError("it is not what was analysed")
    text = data.decode("utf-8", "surrogatepass")
    sources = _sources(text)
    pieces = []
    done = 0
    for number, group in _by_cell(source, edits).items():
        place = sources[number - 1]
        if place is None:
            raise UnchangeableError(f"cell {number} has no source")
        pieces += [text[done : place[0]], _rewritten(text, place, group)]
        done = place[1]
    result = "".join([*pieces, text[done:]]).encode("utf-8", "surrogatepass")
    found, shown = _code(result)
    if shown != spliced(replace(source, text=source.shown), edits):
        raise UnchangeableError("its cells would not hold what was declared")
    if found != spliced(source, edits):
        raise UnchangeableError("it would change what only IPython understands")
    if _without_code(data) != _without_code(result):
        raise UnchangeableError("something outside the code of the notebook would change")
    return result


# -- the edits -------------------------------------------------------------------------------------------------------------------


def _by_cell(source: Source, edits: Sequence[Edit]) -> dict[int, list[tuple[int, int, str]]]:
    """The edits of each cell, in order of the cells: offsets in its source, and the new text."""
    starts = {cell.number: source.starts[cell.first_row - 1] for cell in source.cells}
    groups: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for edit in edits:
        start, end = (source.offset_at(position, edit.span.cell) for position in (edit.span.start, edit.span.end))
        if _is_magic(source, start, end):
            raise UnchangeableError("it would change what only IPython understands")
        number = edit.span.cell or 0
        groups[number].append((start - starts[number], end - starts[number], edit.content))
    return groups


def _is_magic(source: Source, start: int, end: int) -> bool:
    """Whether something in a stretch of the code, or around the place of an insertion, is masked in `text`."""
    if start < end:
        return source.text[start:end] != source.shown[start:end]
    return all(source.text[at : at + 1] != source.shown[at : at + 1] for at in (start - 1, start))


# -- where the sources stand -----------------------------------------------------------------------------------------------------


def _sources(text: str) -> list[_Extent | None]:
    """Where the source of each cell stands, in the order in which `notebook.code` counts the cells."""
    begin = _past_blanks(text, len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0)
    notebook = _members(text, (begin, len(text)))
    sheets = [notebook, *(_members(text, sheet) for sheet in _items(text, notebook.get("worksheets")))]
    cells = [_members(text, cell) for sheet in sheets for cell in _items(text, sheet.get("cells"))]
    return [cell.get("source", cell.get("input")) for cell in cells]


def _members(text: str, place: _Extent) -> dict[str, _Extent]:
    """The values of an object by their keys, the last one of each as `json` takes it; none of anything else."""
    return {key: (start, end) for key, start, end in _values(text, place[0])} if text[place[0]] == "{" else {}


def _items(text: str, place: _Extent | None) -> list[_Extent]:
    """The values of an array; none of anything else."""
    return [(start, end) for _, start, end in _values(text, place[0])] if place and text[place[0]] == "[" else []


def _values(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """The key (empty in an array), start and end of each value of the object or array that begins at an offset."""
    keyed = text[at] == "{"
    at = _past_blanks(text, at + 1)
    while text[at] not in "]}":
        key = ""
        if keyed:
            key, at = _DECODER.raw_decode(text, at)
            at = _past_blanks(text, _past_blanks(text, at) + len(":"))
        end = _DECODER.raw_decode(text, at)[1]
        yield key, at, end
        at = _past_blanks(text, end)
        if text[at] == ",":
            at = _past_blanks(text, at + 1)


def _past_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


# -- one source ------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Character:
    """A character as it is written, and the items that begin before it: their numbers, or `_NEW`."""

    written: str
    begins: tuple[int, ...] = ()


def _rewritten(text: str, place: _Extent, edits: Sequence[tuple[int, int, str]]) -> str:
    """The JSON of a source, a string or a list of strings, after edits."""
    in_list = text[place[0]] == "["
    strings = _items(text, place) if in_list else [place]
    if not strings or any(text[start] != '"' for start, _ in strings):
        raise UnchangeableError("the source of a cell is not a string, nor a list of strings")
    by_line = in_list and all(len(_LINE.findall(_DECODER.raw_decode(text, start)[0])) <= 1 for start, _ in strings)
    ascii_only = text.removeprefix(_BYTE_ORDER_MARK).isascii()
    characters = _edited(_characters(text, strings), edits, ascii_only=ascii_only, by_line=by_line)
    if in_list:
        return _listed(text, place, strings, characters)
    return '"' + "".join(character.written for character in characters) + '"'


def _characters(text: str, strings: Sequence[_Extent]) -> list[_Character]:
    """The characters of some strings, and one of no length at the end."""
    characters = []
    begins: tuple[int, ...] = ()
    for number, (start, end) in enumerate(strings):
        begins = (*begins, number)
        for written in _CHARACTER.findall(text, start + 1, end - 1):
            characters.append(_Character(written, begins))
            begins = ()
    return [*characters, _Character("", begins)]


def _edited(old: list[_Character], edits: Sequence[tuple[int, int, str]], *, ascii_only: bool, by_line: bool) -> list[_Character]:
    """The characters after the edits; with `by_line`, an item begins at each line that comes in."""
    spelling = {_read(written): written for written in dict.fromkeys(character.written for character in old)}
    foreign = [written.isascii() for character, written in spelling.items() if not character.isascii()]
    ascii_only = all(foreign) if foreign else ascii_only
    new: list[_Character] = []
    done = 0
    for start, end, content in edits:
        if not done <= start <= end < len(old):
            raise UnchangeableError("an edit reaches beyond its cell")
        new += old[done:start]
        begins = old[start].begins
        for line in _LINE.findall(content):
            for character in line:
                written = spelling.get(character) or json.dumps(character, ensure_ascii=ascii_only)[1:-1]
                new.append(_Character(written, begins))
                begins = ()
            begins = (_NEW,) if by_line and _ends_line(new[-1]) else ()
        joined = start < end and _ends_line(old[end - 1]) and new and not _ends_line(new[-1])
        if start < end and not joined:
            begins += old[end].begins
        old[end] = replace(old[end], begins=begins)
        done = end
    return [*new, *old[done:]]


def _listed(text: str, place: _Extent, strings: Sequence[_Extent], characters: Sequence[_Character]) -> str:
    """The list of the items that characters make, with the blanks that it has between its items; none is empty that was not."""
    items: list[tuple[int, list[str]]] = []
    for character in characters:
        items += [(number, []) for number in character.begins]
        items[-1][1].append(character.written)
    full = [(number, "".join(item)) for number, item in items if any(item) or (number != _NEW and _is_empty(strings[number]))]
    if not full:
        return "[]"
    first = text[place[0] + 1 : strings[0][0]]
    separators = [text[one[1] : other[0]] for one, other in pairwise(strings)]
    separator = separators[0] if separators else "," + (first or text[place[0] - 1].strip(":"))
    pieces = ["[", first, f'"{full[0][1]}"']
    for number, item in full[1:]:
        separator = separators[number - 1] if number > 0 else separator
        pieces += [separator, f'"{item}"']
    return "".join([*pieces, text[strings[-1][1] : place[1]]])


def _is_empty(string: _Extent) -> bool:
    return string[1] - string[0] == len('""')


def _ends_line(character: _Character) -> bool:
    return _read(character.written) in ("\r", "\n")


def _read(written: str) -> str:
    return str(json.loads(f'"{written}"'))


# -- the proof -------------------------------------------------------------------------------------------------------------------


def _code(data: bytes) -> tuple[str, str]:
    """The code of a notebook, and the same as its user sees it."""
    try:
        found = code(data)
    except NotebookError as error:
        raise UnchangeableError(str(error)) from error
    return found.text, found.shown


def _without_code(data: bytes) -> Any:
    """A notebook without the sources of its code cells, its numbers as they are written."""
    return json.loads(data, object_hook=_without_source, parse_float=str, parse_int=str, parse_constant=str)


def _without_source(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("cell_type") != "code":
        return value
    return {key: None if key in ("source", "input") else item for key, item in value.items()}
