"""Lists in brackets, of TOML and of Python alike: items, commas, line ends, and comments that begin with '#'."""

from __future__ import annotations

import re

from mem0_migrate.fixes.manifests.entry import SHIM, ByHandError, Entry, Lines, Splice
from mem0_migrate.fixes.manifests.pep508 import constraint_of, shim_beside

_GAP = re.compile(r"(?:\s|#[^\r\n]*)*")
_REST = re.compile(r"[^\S\r\n]*(?:#[^\r\n]*)?(?=[\r\n]|$)")
_LITERAL = re.compile(r"""[uUrR]?(\"{3}|'{3}|"|')(.*)\1""", re.DOTALL)


def entry(lines: Lines, start: int, end: int, value: str, listed_in: str, *, has_shim: bool) -> Entry:
    """Return the entry that a string in a list makes, a requirement in the form of PEP 508.

    Args:
        lines: The text.
        start: Where the literal begins.
        end: Where it ends.
        value: The string.
        listed_in: See `Entry`; empty where it does not stand in a list.
        has_shim: See `Entry`.
    """
    try:
        inside, _, quotes = inside_of_literal(lines.text, start, end, value)
    except ByHandError as error:
        return Entry(start, end, listed_in, error.reason, error.reason, has_shim)
    additions: tuple[Splice, ...] | str = f"it does not stand in a list: add {SHIM} beside it by hand"
    if listed_in:
        try:
            additions = insert_after(lines, start, end, f"{quotes}{shim_beside(value)}{quotes}")
        except ByHandError as error:
            additions = error.reason
    return Entry(start, end, listed_in, constraint_of(value, inside), additions, has_shim)


def insert_after(lines: Lines, start: int, end: int, content: str) -> tuple[Splice, ...]:
    """Return the edits that put one more item behind the item from `start` up to `end`, as its neighbours are written.

    An item with a line of its own is followed by one with a line of its own, and its comment stays on its line.

    Raises:
        ByHandError: What follows the item is neither a comma nor a closing bracket.
    """
    text = lines.text
    before, line_end = text[lines.start(start) : start], lines.end(end)
    comma = _position(text, end)
    if text[comma : comma + 1] != ",":
        comma = -1
    alone = not before.strip() and _REST.match(text, end if comma < 0 else comma + 1) is not None
    new_line = lines.line_end(end)
    if before.strip() == "," and _REST.match(text, end):  # the comma leads the line
        return (Splice(line_end, line_end, f"{new_line}{before}{content}"),)
    if 0 <= comma < line_end and _REST.match(text, comma + 1):
        indent = before if alone else _indent_of_next_item(lines, comma) if before.rstrip()[-1:] in ("[", "(", "{") else None
        if indent is not None:
            return (Splice(line_end, line_end, f"{new_line}{indent}{content},"),)
    elif comma < 0 and alone:
        return Splice(end, end, ","), Splice(line_end, line_end, f"{new_line}{before}{content}")
    elif comma < 0 and not before.strip() and lines.start(start) > 0:  # the bracket closes behind the last item
        return (Splice(end, end, f",{new_line}{before}{content}"),)
    return (Splice(end, end, f",{_space(text, start, comma)}{content}"),)


def inside_of_literal(text: str, start: int, end: int, value: str) -> tuple[int, int, str]:
    """Return where the content of a string literal begins and ends, and its quotes.

    Raises:
        ByHandError: The literal does not say its value letter by letter (escapes, several strings in a row).
    """
    literal = _LITERAL.fullmatch(text, start, end)
    if literal is None or literal[2] != value:
        raise ByHandError("the string is not written out in one plain piece: edit it by hand")
    return literal.start(2), literal.end(2), literal[1]


def _position(text: str, offset: int) -> int:
    """Return where the next comma or closing bracket is."""
    gap = _GAP.match(text, offset)
    position = gap.end() if gap is not None else offset
    if text[position : position + 1] not in (",", "]", ")", "}"):
        raise ByHandError(f"the list that holds mem0ai is not plain: add {SHIM} to it by hand")
    return position


def _indent_of_next_item(lines: Lines, offset: int) -> str | None:
    """Return the indentation of the next line if an item or comment begins it, else None."""
    following = lines.end(offset) + len(lines.line_end(offset))
    if following >= len(lines.text) or lines.line(following).strip()[:1] in ("", "]", ")", "}"):
        return None
    return lines.indent(following)


def _space(text: str, start: int, comma: int) -> str:
    """Return what stands between a comma and the next item on the same line."""
    beside = re.match(r",([^\S\r\n]*)[^\s\])}]", text[comma:]) if comma >= 0 else None
    beside = beside or re.search(r",([^\S\r\n]*)$", text[:start])
    return beside[1] if beside is not None else " "
