"""pyproject.toml: where PEP 621, PEP 735, Poetry, PDM and uv require mem0ai."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests import tables
from mem0_migrate.fixes.manifests.brackets import entry, insert_after, inside_of_literal
from mem0_migrate.fixes.manifests.entry import SHIM, Entry, Lines, Splice
from mem0_migrate.fixes.manifests.pep508 import is_shim, requires_mem0ai, requires_shim
from mem0_migrate.fixes.manifests.toml import Document
from mem0_migrate.project.manifests.poetry import specifiers
from mem0_migrate.project.manifests.statement import is_mem0ai, location

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAIN = ("project", "dependencies")
_ONLY_NARROWING = (("tool", "uv", "constraint-dependencies"), ("tool", "uv", "override-dependencies"))
_POETRY = ("tool", "poetry", "dependencies")


def entries(text: str) -> Iterator[Entry]:
    """Yield where a pyproject.toml requires mem0ai."""
    document = Document(text)
    lines = Lines(text)
    main = requires_shim(_names(document, *_MAIN))
    yield from _listed(document, lines, _MAIN, has_shim=False)
    for extra in document.table("project", "optional-dependencies"):
        yield from _listed(document, lines, ("project", "optional-dependencies", extra), has_shim=main)
    for group in document.table("dependency-groups"):
        included = main or requires_shim(_included(document, group, frozenset()))
        yield from _listed(document, lines, ("dependency-groups", group), has_shim=included)
    yield from _listed(document, lines, ("tool", "uv", "dev-dependencies"), has_shim=main)
    for group in document.table("tool", "pdm", "dev-dependencies"):
        yield from _listed(document, lines, ("tool", "pdm", "dev-dependencies", group), has_shim=main)
    for path in _ONLY_NARROWING:
        yield from (replace(found, requires=False) for found in _listed(document, lines, path, has_shim=main))
    yield from _poetry(document, lines, has_shim=main)


def _poetry(document: Document, lines: Lines, *, has_shim: bool) -> Iterator[Entry]:
    # Poetry 2: where [project] lists the requirement, its own table only says more about it (a source, a group)
    project = any(map(requires_mem0ai, _names(document, *_MAIN)))
    extras: tuple[Splice, ...] = ()
    for extra in document.table("tool", "poetry", "extras"):
        extras += _in_extra(document, lines, ("tool", "poetry", "extras", extra))
    for found in tables.entries(document, _POETRY, specifiers, has_shim=has_shim):
        additions = found.additions if isinstance(found.additions, str) else (*found.additions, *extras)
        yield replace(found, additions=additions, requires=not project)
    main = has_shim or any(map(is_shim, document.table(*_POETRY)))
    yield from tables.entries(document, ("tool", "poetry", "dev-dependencies"), specifiers, has_shim=main)
    for group in document.table("tool", "poetry", "group"):
        yield from tables.entries(document, ("tool", "poetry", "group", group, "dependencies"), specifiers, has_shim=main)


def _in_extra(document: Document, lines: Lines, path: tuple[str, ...]) -> tuple[Splice, ...]:
    """Return the edits that name mem0-shim beside mem0ai in an extra of Poetry's, which lists names of dependencies."""
    splices: tuple[Splice, ...] = ()
    for number, name in enumerate(document.array(*path)):
        if isinstance(name, str) and is_mem0ai(name):
            start, end = document.span((*path, number))
            quotes = inside_of_literal(document.text, start, end, name)[2]
            splices += insert_after(lines, start, end, f"{quotes}{SHIM}{quotes}")
    return splices


def _listed(document: Document, lines: Lines, path: tuple[str, ...], *, has_shim: bool) -> Iterator[Entry]:
    """Yield where a list of requirements in the form of PEP 508 requires mem0ai."""
    has_shim = has_shim or requires_shim(_names(document, *path))
    for number, value in enumerate(document.array(*path)):
        if not isinstance(value, str) or not requires_mem0ai(value):
            continue
        found = entry(lines, *document.span((*path, number)), value, ".".join(path), has_shim=has_shim)
        if location(_source(document)) is not None:
            found = replace(found, constraint="[tool.uv.sources] takes it from elsewhere: choose the version there, by hand")
        yield found


def _source(document: Document) -> dict[str, object]:
    """Return where [tool.uv.sources] takes mem0ai from."""
    sources = document.table("tool", "uv", "sources")
    return next((value for name, value in sources.items() if is_mem0ai(name) and isinstance(value, dict)), {})


def _names(document: Document, *path: str) -> list[str]:
    return [item for item in document.array(*path) if isinstance(item, str)]


def _included(document: Document, group: str, seen: frozenset[str]) -> Iterator[str]:
    """Yield the requirements of a dependency group and of those that it includes."""
    for item in document.array("dependency-groups", group) if group not in seen else ():
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
            yield from _included(document, item["include-group"], seen | {group})
