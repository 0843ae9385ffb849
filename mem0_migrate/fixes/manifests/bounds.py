"""Narrowing a version constraint by one more bound (PEP 440), and what it admits then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.entry import ByHandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.specifiers import Specifier, SpecifierSet
    from packaging.version import Version

_TERM = re.compile(r"(\^|~=|~|===?|!=|<=|>=|<|>|=)?(\s*)(\*|v?\d[\w.+!*-]*)")
_JOIN = re.compile(r"\s*,\s*|\s+")


def narrowed(constraint: str, ranges: Sequence[SpecifierSet], operator: str, bound: str) -> tuple[str, SpecifierSet] | None:
    """Return a constraint with one more bound, as its terms are written, and what it admits; None if it is within it.

    A looser bound in the same direction gives way to it: '>=0.1,<3' becomes '>=0.1,<2'. All else stays.

    Args:
        constraint: As it is written, in whatever notation: '', '>=0.1', '^1', '*'.
        ranges: What it admits, any one of which may hold.
        operator: '<' or '>='.
        bound: The version.

    Raises:
        ByHandError: It excludes what the bound asks for, it has alternatives, or it is written in an unknown way.
    """
    from packaging.specifiers import Specifier, SpecifierSet
    from packaging.version import Version

    limit = Version(bound)
    within, beyond = (_below, _not_before) if operator == "<" else (_from, _below)
    if all(any(within(term, limit) for term in admitted) for admitted in ranges):
        return None
    if len(ranges) != 1:
        raise ByHandError(f"'{constraint}' has alternatives: bound each of them by '{operator}{bound}' by hand")
    if any(beyond(term, limit) for term in ranges[0]):
        raise ByHandError(f"'{constraint}' admits no version that '{operator}{bound}' admits: choose another one by hand")
    if constraint in ("", "*"):
        return f"{operator}{bound}", SpecifierSet(f"{operator}{bound}")
    terms, joins = _terms(constraint)
    term = f"{operator}{terms[0][2]}{bound}"
    looser = [old for old in terms if old[1] in (("<", "<=") if operator == "<" else (">=", ">"))]
    if len(looser) == 1:
        given_way = Specifier(f"{looser[0][1]}{looser[0][3]}")
        kept = [str(old) for old in ranges[0] if old != given_way]
        text = constraint[: looser[0].start()] + term + constraint[looser[0].end() :]
    else:
        kept = [str(old) for old in ranges[0]]
        join = joins[0] if joins else ", " if terms[0][2] else ","
        text = f"{constraint}{join}{term}" if operator == "<" else f"{term}{join}{constraint}"
    return text, SpecifierSet(",".join([*kept, f"{operator}{bound}"]))


def _terms(constraint: str) -> tuple[list[re.Match[str]], list[str]]:
    """Return the terms of a constraint, and what stands between them."""
    terms: list[re.Match[str]] = []
    joins: list[str] = []
    position = 0
    while (term := _TERM.match(constraint, position)) is not None:
        terms.append(term)
        if term.end() == len(constraint):
            return terms, joins
        join = _JOIN.match(constraint, term.end())
        if join is None:
            break
        joins.append(join[0])
        position = join.end()
    raise ByHandError(f"'{constraint}' is not written in a way that can be edited: narrow it by hand")


def _below(term: Specifier, limit: Version) -> bool:
    """Tell whether no version that a term admits reaches the limit; its pre-releases count as reaching it."""
    first, behind = _extent(term)
    if term.operator == "<":
        return first <= limit
    return behind <= limit if behind is not None else term.operator in ("<=", "==", "===") and _final(first) < limit


def _from(term: Specifier, limit: Version) -> bool:
    """Tell whether every version that a term admits reaches the limit."""
    return term.operator in (">=", ">", "==", "===", "~=") and _extent(term)[0] >= limit


def _not_before(term: Specifier, limit: Version) -> bool:
    """Tell whether every version that a term admits reaches the limit or is one of its pre-releases, which '<' excludes."""
    return term.operator in (">=", ">", "==", "===", "~=") and _final(_extent(term)[0]) >= limit


def _extent(term: Specifier) -> tuple[Version, Version | None]:
    """Return the version that a term names and, of '==1.0.*' and '~=1.0', the first one behind those that it admits."""
    from packaging.version import InvalidVersion, Version

    try:
        first = Version(term.version.removesuffix(".*"))
    except InvalidVersion as error:
        raise ByHandError(f"'{term}' is no version that can be compared: narrow it by hand") from error
    parts = first.release[:-1] if term.operator == "~=" else first.release if term.version.endswith(".*") else ()
    return first, Version(".".join(map(str, (*parts[:-1], parts[-1] + 1)))) if parts else None


def _final(version: Version) -> Version:
    """Return the release that a pre-release leads to."""
    from packaging.version import Version

    return Version(version.base_version)
