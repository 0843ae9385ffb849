"""Keywords of calls and keys of dictionary displays, on LibCST nodes: what is added takes the layout of its neighbours.

Importing this module imports LibCST (0.15 s): import it where a repair is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import libcst as cst

from mem0_migrate.fixes.changes import UnchangeableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Item = cst.Arg | cst.BaseDictElement

Space = cst.BaseParenthesizableWhitespace

_NONE = cst.SimpleWhitespace("")
_LINE_END = cst.TrailingWhitespace()


def set_keyword(call: cst.Call, name: str, value: str, replacing: str, indentation: str) -> cst.Call:
    """The call with `name=value`, in the place of `name` or `replacing` if it has one of them, else after its last argument.

    `indentation` is one level of it, for parentheses that hold nothing but line ends.
    """
    call = call.with_changes(args=list(map(_parenthesized, call.args)))
    at = _position(call.args, name)
    old = _position(call.args, replacing) if replacing != name else None
    target = old if at is None else at
    if target is None:
        arg = cst.Arg(_expression(value), cst.Name(name), equal=_equal(call.args))
        return _with_arguments(call, _appended(_arguments(call), arg, indentation))
    arg = call.args[target]
    changed = arg.with_changes(keyword=cst.Name(name), value=_in_parentheses_of(arg.value, value))
    call = call.with_changes(args=[*call.args[:target], changed, *call.args[target + 1 :]])
    return call if at is None or old is None else _with_arguments(call, _removed(_arguments(call), old))


def remove_keyword(call: cst.Call, name: str) -> cst.Call:
    """The call without the keyword `name`, if it has it."""
    at = _position(call.args, name)
    return call if at is None else _with_arguments(call, _removed(_arguments(call), at))


def set_key(display: cst.Dict, key: str, value: str, indentation: str) -> cst.Dict:
    """The display with `key: value`, in the place of that key if it has it, else after its last item.

    Raises:
        UnchangeableError: it has the key more than once.
    """
    found = _positions(display.elements, key)
    if len(found) > 1:
        raise UnchangeableError(f"the dictionary has the key {key!r} {len(found)} times")
    for at in found:
        element = display.elements[at]
        changed = element.with_changes(value=_in_parentheses_of(element.value, value))
        return display.with_changes(elements=[*display.elements[:at], changed, *display.elements[at + 1 :]])
    quote, before, after = _key_style(display.elements)
    literal = cst.SimpleString(quote + key.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote)
    item = cst.DictElement(literal, _expression(value), whitespace_before_colon=before, whitespace_after_colon=after)
    return _with_elements(display, _appended(_elements(display), item, indentation))


def remove_key(display: cst.Dict, key: str) -> cst.Dict:
    """The display without the key, however often it has it."""
    for at in reversed(_positions(display.elements, key)):
        display = _with_elements(display, _removed(_elements(display), at))
    return display


@dataclass(frozen=True, slots=True)
class _Place:
    """An item between brackets. `before` stands between it and its comma or, if it has none, the closing bracket."""

    item: Item
    before: Space
    comma: bool
    after: Space


@dataclass(frozen=True, slots=True)
class _Listing:
    """What stands between brackets; `lead` is what precedes the first item, or all there is."""

    lead: Space
    places: Sequence[_Place]

    def leads(self) -> list[Space]:
        """What precedes each item, from the opening bracket or the comma on."""
        return [self.lead, *(place.after for place in self.places[:-1])]


def _appended(listing: _Listing, item: Item, indentation: str) -> _Listing:
    if not listing.places:
        lead, tail = _opened(listing.lead, indentation)
        return _Listing(lead, [_Place(item, tail, False, _NONE)])
    last = listing.places[-1]
    leads = listing.leads()
    line = leads[-1]
    tail = last.after if last.comma else last.before
    after: Space
    if isinstance(line, cst.ParenthesizedWhitespace) and all(map(_broken, leads[1:])):  # one item per line
        after = line.with_changes(first_line=_LINE_END, empty_lines=[])
        if isinstance(tail, cst.ParenthesizedWhitespace):  # a comment behind the last item stays behind it
            after = after.with_changes(first_line=tail.first_line)
            tail = tail.with_changes(first_line=_LINE_END)
    else:
        tight = len(leads) > 1 and all(lead.empty for lead in leads[1:])
        after = cst.SimpleWhitespace("" if tight else " ")
    places = (
        [replace(last, after=after), _Place(item, _NONE, True, tail)]
        if last.comma
        else [_Place(last.item, _NONE, True, after), _Place(item, tail, False, _NONE)]
    )
    return _Listing(listing.lead, [*listing.places[:-1], *places])


def _opened(space: Space, indentation: str) -> tuple[Space, Space]:
    """What stands between empty brackets as what precedes the first item and what follows it."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space, _NONE if "\\" in getattr(space, "value", "") else space
    comments = [line for line in space.empty_lines if line.comment]
    lead = (
        space.with_changes(indent=comments[-1].indent, last_line=comments[-1].whitespace)
        if comments
        else space.with_changes(last_line=cst.SimpleWhitespace(space.last_line.value + indentation))
    )
    return lead, space.with_changes(first_line=_LINE_END, empty_lines=[])


def _removed(listing: _Listing, at: int) -> _Listing:
    place = listing.places[at]
    earlier, later = listing.places[:at], listing.places[at + 1 :]
    rest = _left(listing.leads()[at], _joined(place.before, place.after) if place.comma else place.before, at == 0, not later)
    if not earlier:
        return _Listing(rest if later or _commented(rest) else _NONE, later)
    last = earlier[-1]
    keeps_comma = later or place.comma
    last = replace(last, after=rest) if keeps_comma else _Place(last.item, _joined(last.before, rest), False, _NONE)
    return _Listing(listing.lead, [*earlier[:-1], last, *later])


def _left(lead: Space, tail: Space, first: bool, last: bool) -> Space:
    """What stays of the space before and behind an item that goes: the comments of other lines, and one of two line ends."""
    if isinstance(lead, cst.ParenthesizedWhitespace) and isinstance(tail, cst.ParenthesizedWhitespace):  # a line of its own
        lines = [*lead.empty_lines, *tail.empty_lines]
        return lead.with_changes(empty_lines=lines, indent=tail.indent, last_line=tail.last_line)
    if _broken(lead):
        return tail if last and not _commented(lead) else lead
    if _broken(tail):
        return lead if first and not last and not _commented(tail) else tail
    return tail if last else lead


def _joined(one: Space, other: Space) -> Space:
    """Two spaces without the comma between them: the second, with the comments of the first."""
    if not isinstance(one, cst.ParenthesizedWhitespace) or not _commented(one):
        return other
    if not isinstance(other, cst.ParenthesizedWhitespace):
        return one
    first = other.first_line
    line = [cst.EmptyLine(indent=False, whitespace=first.whitespace, comment=first.comment)] if first.comment else []
    return other.with_changes(first_line=one.first_line, empty_lines=[*one.empty_lines, *line, *other.empty_lines])


def _broken(space: Space) -> bool:
    return isinstance(space, cst.ParenthesizedWhitespace)


def _commented(space: Space) -> bool:
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return False
    return space.first_line.comment is not None or any(line.comment for line in space.empty_lines)


def _arguments(call: cst.Call) -> _Listing:
    tails = [arg.whitespace_after_arg for arg in call.args]
    args = [arg.with_changes(whitespace_after_arg=_NONE) for arg in call.args]
    places = [_place(arg, tail, arg is args[-1]) for arg, tail in zip(args, tails, strict=True)]
    return _Listing(call.whitespace_before_args, places)


def _with_arguments(call: cst.Call, listing: _Listing) -> cst.Call:
    args = [
        place.item.with_changes(comma=cst.Comma(place.before, place.after))
        if place.comma
        else place.item.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=place.before)
        for place in listing.places
    ]
    return call.with_changes(args=args, whitespace_before_args=listing.lead)


def _elements(display: cst.Dict) -> _Listing:
    tail = display.rbrace.whitespace_before
    lead = display.lbrace.whitespace_after
    if not display.elements:
        return _Listing(tail if lead.empty else lead, [])
    places = [_place(element, tail, element is display.elements[-1]) for element in display.elements]
    last = places[-1]
    return _Listing(lead, [*places[:-1], replace(last, after=tail) if last.comma else last])


def _with_elements(display: cst.Dict, listing: _Listing) -> cst.Dict:
    elements = []
    tail: Space = _NONE
    for place in listing.places:
        tail = place.after if place.comma else place.before
        after = _NONE if place is listing.places[-1] else place.after
        comma = cst.Comma(place.before, after) if place.comma else cst.MaybeSentinel.DEFAULT
        elements.append(place.item.with_changes(comma=comma))
    braces = {"lbrace": cst.LeftCurlyBrace(listing.lead), "rbrace": cst.RightCurlyBrace(tail)}
    return display.with_changes(elements=elements, **braces)


def _place(item: Item, tail: Space, last: bool) -> _Place:
    if isinstance(item.comma, cst.Comma):
        return _Place(item, item.comma.whitespace_before, True, item.comma.whitespace_after)
    return _Place(item, tail, False, _NONE) if last else _Place(item, _NONE, True, cst.SimpleWhitespace(" "))


def _parenthesized(arg: cst.Arg) -> cst.Arg:
    """An argument that may have neighbours: a generator has to be in parentheses then."""
    if not isinstance(arg.value, cst.GeneratorExp) or arg.value.lpar:
        return arg
    return arg.with_changes(value=arg.value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]))


def _in_parentheses_of(node: cst.BaseExpression, value: str) -> cst.BaseExpression:
    new = _expression(value)
    return new.with_changes(lpar=node.lpar, rpar=node.rpar) if node.lpar else new


@lru_cache(maxsize=64)
def _expression(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


def _position(args: Sequence[cst.Arg], name: str) -> int | None:
    return next((at for at, arg in enumerate(args) if arg.keyword and arg.keyword.value == name), None)


def _positions(elements: Sequence[cst.BaseDictElement], key: str) -> list[int]:
    found = []
    for at, element in enumerate(elements):
        literal = element.key if isinstance(element, cst.DictElement) else None
        if isinstance(literal, cst.SimpleString | cst.ConcatenatedString) and literal.evaluated_value == key:
            found.append(at)
    return found


def _equal(args: Sequence[cst.Arg]) -> cst.AssignEqual:
    """The equals sign as the last keyword of the call has it, without line ends."""
    for arg in reversed(args):
        if isinstance(arg.equal, cst.AssignEqual):
            spaces = arg.equal.whitespace_before, arg.equal.whitespace_after
            return cst.AssignEqual(*(cst.SimpleWhitespace(_width(space)) for space in spaces))
    return cst.AssignEqual(_NONE, _NONE)


def _key_style(elements: Sequence[cst.BaseDictElement]) -> tuple[str, Space, Space]:
    """The quotes of the nearest key that is a string, and the space before and behind the colon of the last item."""
    keyed = [element for element in elements if isinstance(element, cst.DictElement)]
    quotes = [element.key.quote[0] for element in keyed if isinstance(element.key, cst.SimpleString)]
    spaces = ("", " ") if not keyed else tuple(map(_width, (keyed[-1].whitespace_before_colon, keyed[-1].whitespace_after_colon)))
    return quotes[-1] if quotes else '"', cst.SimpleWhitespace(spaces[0]), cst.SimpleWhitespace(spaces[1])


def _width(space: Space) -> str:
    """A blank where there is space, however much."""
    return "" if space.empty else " "
