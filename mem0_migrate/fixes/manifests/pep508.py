"""One requirement in the form of PEP 508: where its version constraint stands, and the conditions to repeat beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.entry import SHIM, ByHandError, Constraint
from mem0_migrate.project.manifests.statement import Requirement, is_mem0ai, requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTS = re.compile(r"(\s*[A-Za-z0-9](?:[\w.-]*\w)?(?:\s*\[[^\]]*\])?)([^;@]*?)(?:\s*;.*)?\s*", re.DOTALL)
_MARKER = re.compile(r"(\s*;[^;]*?)\s*$")
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)")


def requires_mem0ai(text: str) -> bool:
    """Tell whether a requirement is about mem0ai."""
    name = _NAME.match(text)
    return name is not None and is_mem0ai(name[1])


def requires_shim(texts: Iterable[str]) -> bool:
    """Tell whether one of these requirements is about mem0-shim, however it is spelled."""
    return any(name is not None and is_shim(name[1]) for name in map(_NAME.match, texts))


def is_shim(name: str) -> bool:
    """Tell whether a package name means mem0-shim, however it is capitalised or separated."""
    return re.sub(r"[-_.]+", "-", name).lower() == SHIM


def constraint_of(text: str, start: int) -> Constraint | str:
    """Return where a requirement that begins at offset `start` constrains the version, or why that cannot be edited."""
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return "it is taken from an address: choose the version there, by hand"
    read = list(requirement(text, None))
    if len(read) != 1 or not isinstance(read[0], Requirement) or _unread(text):
        return "its version cannot be read: narrow it by hand"
    body, begin = parts[2].strip(), parts.end(1)
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1].strip()
    if body:
        begin = text.index(body, begin)
    return Constraint(start + begin, start + begin + len(body), read[0].ranges)


def shim_beside(text: str) -> str:
    """Return the requirement for mem0-shim under the conditions of this one.

    Raises:
        ByHandError: They cannot be told.
    """
    if ";" in text and _unread(text):
        raise ByHandError(f"its conditions cannot be read: add {SHIM} under the same ones by hand")
    marked = any(item.marker for item in requirement(text, None) if isinstance(item, Requirement))
    marker = _MARKER.search(text) if marked else None
    return SHIM + (marker[1] if marker is not None else "")


def _unread(text: str) -> bool:
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    try:
        Parsed(text.strip())
    except InvalidRequirement:
        return True
    return False
