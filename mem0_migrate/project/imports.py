"""Import statements found in bytes, without a parser: names that may be imported, and exact statements of one file.

Both may take text in strings and comments for code: they answer "which files could import this", and a parser looks at those.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_KEPT = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_WORDS = bytes(byte if byte in _KEPT or byte > 127 else 32 for byte in range(256))  # noqa: PLR2004 - not ASCII
_BACKSLASH, _RETURN = b"\\\r"
_BLOCK = 100  # imports that are closer than this, in bytes, are looked at together

_SPACE = rb"[ \t\f\\\r\n]"
_DOTTED = rb"(?:\.[. \t]*)?[.\w\x80-\xff]*"
_STRING = rb"\s*[bBrRuU]{0,2}[\"']([.\w\x80-\xff]+)[\"']"
_LIST = rb"\((?:[^)#]+|#[^\r\n]*)*"  # up to its end or the end of the file; a parenthesis in a comment does not count
_NAMES = rb"(" + _LIST + rb"|(?:[^\\\r\n#;(]+|\\\r?\n|\\\r)*)"
_STATEMENT = re.compile(
    rb"(?<!\w)(?:from" + _SPACE + rb"*(" + _DOTTED + rb")" + _SPACE + rb"*import(?!\w)" + _SPACE + rb"*" + _NAMES + rb"|import"
    rb"(?!\w)" + _SPACE + rb"*" + _NAMES + rb"|(?:import_module|__import__)\s*\("
    rb"(?:" + _STRING + rb")(?:\s*,\s*(?:package\s*=\s*)?" + _STRING + rb")?)"
)
_LIST_START = re.compile(_LIST + rb"\)?")
_COMMENT = re.compile(rb"#[^\r\n]*")
_DOTS_ALONE = re.compile(rb"\." + _SPACE + rb"*import")

ITSELF = b"."
"""Stands for a package that is imported by dots alone: `from . import x`."""


@dataclass(frozen=True, slots=True)
class Import:
    """An import of one module: `level` leading dots, the dotted `module` (empty for `from . import`), and what is taken from it.

    `names` is None where the module itself is imported (`import a.b`, `import_module("a.b")`); `*` is a name.
    """

    level: int
    module: str
    names: tuple[str, ...] | None


def candidates(data: bytes, known: frozenset[bytes]) -> set[bytes]:
    """Those of the `known` components of module names that an import in these bytes may name; `ITSELF` for dots alone."""
    text = _blocks(data)
    found = set(known.intersection(text.translate(_WORDS).split()))
    if _DOTS_ALONE.search(text):
        found.add(ITSELF)
    return found


def statements(data: bytes) -> tuple[Import, ...]:
    """The imports in these bytes, in their order."""
    found: list[Import] = []
    for source, names, modules, called, anchor in _STATEMENT.findall(_blocks(data)):
        if source:
            found.append(_import(source, tuple(map(_text, _listed(names)))))
        elif called:
            found.append(_import(anchor + called if called.startswith(b".") else called, None))
        else:
            found.extend(_import(module, None) for module in _listed(modules))
    return tuple(found)


def _blocks(data: bytes) -> bytes:
    """The lines that hold the word `import`, what lies between them where they are close, and all of the last statement."""
    find = data.find
    place = find(b"import")
    pieces: list[bytes] = []
    while place >= 0:
        start = data.rfind(b"\n", 0, place) + 1
        if start > 1 and data[start - 2] in (_BACKSLASH, _RETURN):
            start = _joined_above(data, start)
        end = 0
        following = find(b"import", place + 6)
        while 0 <= following - place < _BLOCK:
            if place >= end and find(b"(", place, following) >= 0:
                end = _statement_end(data, place)  # the word may stand in a comment of this list
            place, following = following, find(b"import", following + 6)
        pieces.append(data[start : max(end, _statement_end(data, place))])
        place = following
    return b"\n".join(pieces)


def _import(source: bytes, names: tuple[str, ...] | None) -> Import:
    dotted = b"".join(source.split())
    module = dotted.lstrip(b".")
    return Import(len(dotted) - len(module), _text(module), names)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _listed(text: bytes) -> list[bytes]:
    """The names of `(a, b as c)`, without what they are bound to."""
    bare = _COMMENT.sub(b"", text).replace(b"\\", b" ").strip(b"( \t\f\r\n")
    return [words[0] for words in map(bytes.split, bare.split(b",")) if words]


def _joined_above(data: bytes, start: int) -> int:
    """Where the line begins that backslashes join to the line at `start`."""
    while start > 1 and _joins(data, start - 1):
        start = data.rfind(b"\n", 0, start - 1) + 1
    return start


def _statement_end(data: bytes, place: int) -> int:
    """Where the line at `place` ends, with lists in parentheses that begin in it and lines that backslashes join to it."""
    end = data.find(b"\n", place)
    while end >= 0:
        opening = data.find(b"(", place, end)
        if opening >= 0:
            match = _LIST_START.match(data, opening)
            place = match.end() if match else end
            if place > end:
                return place
        elif _joins(data, end):
            place, end = end, data.find(b"\n", end + 1)
        else:
            return end
    return len(data)


def _joins(data: bytes, end: int) -> bool:
    """Tell whether the line feed at `end` is escaped by a backslash."""
    return data[end - 1] == _BACKSLASH or (data[end - 1] == _RETURN and data[end - 2] == _BACKSLASH)
