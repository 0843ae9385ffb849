"""setup.cfg: where `install_requires` and `extras_require` require mem0ai."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.entry import ByHandError, Entry, Lines, Splice
from mem0_migrate.fixes.manifests.pep508 import constraint_of, requires_mem0ai, requires_shim, shim_beside

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = re.compile(r"\[([^\]]+)\]")
_OPTION = re.compile(r"([^\s#;\[][^:=]*?)\s*[:=]\s*")
_COMMENT = re.compile(r"\s*[#;]")
_WORDS = re.compile(r"\s*(.*?)\s*(?:\s#.*)?$")

_Item = tuple[int, str]


def entries(text: str) -> Iterator[Entry]:
    """Yield where a setup.cfg requires mem0ai."""
    lines = Lines(text)
    lists = dict(_lists(lines))
    always = requires_shim(words for _, words in lists.get(("options", "install_requires"), ()))
    for (section, option), items in lists.items():
        if (section, option) != ("options", "install_requires") and section != "options.extras_require":
            continue
        has_shim = always or requires_shim(words for _, words in items)
        for start, words in items:
            if requires_mem0ai(words):
                additions = _additions(lines, items, start, words)
                end = start + len(words)
                yield Entry(start, end, f"{section}.{option}", constraint_of(words, start), additions, has_shim)


def _additions(lines: Lines, items: list[_Item], start: int, words: str) -> tuple[Splice, ...] | str:
    try:
        shim = shim_beside(words)
    except ByHandError as error:
        return error.reason
    own_line = not lines.text[lines.start(start) : start].strip()
    if own_line:
        return (Splice(at := lines.end(start), at, f"{lines.line_end(start)}{lines.indent(start)}{shim}"),)
    following = next((offset for offset, _ in items if lines.row(offset) != lines.row(start)), None)
    if following is None:
        return (Splice(at := start + len(words), at, f"; {shim}"),)
    return (Splice(at := lines.end(start), at, f"{lines.line_end(start)}{lines.indent(following)}{shim}"),)


def _lists(lines: Lines) -> Iterator[tuple[tuple[str, str], list[_Item]]]:
    """Yield every option by section and name, with the offsets and words of its lines, or of its parts between ';'."""
    section, key = "", ("", "")
    values: dict[tuple[str, str], list[_Item]] = {}
    for row in range(1, len(lines) + 1):
        start = lines.start_of_row(row)
        line = lines.line(start)
        header, option = _SECTION.match(line), _OPTION.match(line)
        if header is not None:
            section, key = header[1], ("", "")
        elif option is not None:
            key = (section, option[1].lower())
            values[key] = [_item(line, option.end(), start)]
        elif line[:1].isspace() and line.strip() and not _COMMENT.match(line) and key in values:
            values[key].append(_item(line, 0, start))
    for key, items in values.items():
        offset, words = items[0]
        parts = re.finditer(r"[^;]+", words) if len(items) == 1 else ()
        yield key, [item for item in [_item(part[0], 0, offset + part.start()) for part in parts] or items if item[1]]


def _item(text: str, position: int, start: int) -> _Item:
    words = _WORDS.match(text, position)
    return (start + words.start(1), words[1]) if words is not None else (start + position, "")
