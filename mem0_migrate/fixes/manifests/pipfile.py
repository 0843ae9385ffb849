"""Pipfile: where Pipenv's categories require mem0ai."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests import tables
from mem0_migrate.fixes.manifests.toml import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.fixes.manifests.entry import Entry

_NO_CATEGORIES = ("source", "requires", "scripts", "pipenv", "pipfile")


def entries(text: str) -> Iterator[Entry]:
    """Yield where a Pipfile requires mem0ai."""
    document = Document(text)
    for category in document.table():
        if category not in _NO_CATEGORIES:
            yield from tables.entries(document, (category,), _specifiers)


def _specifiers(constraint: str) -> tuple[str]:
    return ("" if constraint == "*" else constraint,)
