"""METADATA of an unpacked distribution (`*.dist-info/`): `Requires-Dist` (core metadata specification, PEP 566 and later)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Statement, installed, is_mem0ai, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator


def statements(text: str) -> Iterator[Statement]:
    """Yield what the metadata states about mem0ai; that of mem0ai itself states its own version."""
    name = ""
    for row, line in enumerate(text.split("\n"), 1):
        if not line:  # the description follows
            return
        header, _, value = line.partition(":")
        if header.lower() == "name":
            name = value.strip()
        elif header.lower() == "version" and is_mem0ai(name):
            yield from installed(value.strip(), row)
        elif header.lower() == "requires-dist":
            yield from requirement(value, row)
