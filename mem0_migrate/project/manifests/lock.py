"""Locks in TOML: uv.lock, poetry.lock, pdm.lock and pylock.toml (PEP 751) are lists of packages that hardly differ.

Only the entries that can matter are parsed: to parse a whole lock of 5 MB takes over a second.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mem0_migrate.project.manifests.statement import (
    Member,
    Problem,
    Requirement,
    Statement,
    installed,
    is_mem0ai,
    location,
    required,
)
from mem0_migrate.project.manifests.toml import load, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRY = re.compile(r"(?m)^\[\[packages?\]\]")
_NAME = re.compile(r"""(?m)^name\s*=\s*["']mem0[-_.]*ai["']""", re.IGNORECASE)
_LOCAL = ("editable =", "virtual =", "directory", "\npath =")


def statements(text: str) -> Iterator[Statement]:
    """Yield what a lock states about mem0ai, and for which local packages it was made."""
    starts = [entry.start() for entry in _ENTRY.finditer(text)]
    for start, end in pairwise([*starts, len(text)]):
        lines = text[start:end]
        name = _NAME.search(lines) if "mem0" in lines.lower() else None
        if name is None and not any(mark in lines for mark in _LOCAL):
            continue
        document = load(lines)
        if isinstance(document, Problem):
            yield replace(document, row=text.count("\n", 0, start) + (document.row or 1))
            continue
        entry: dict[str, Any] = (document.get("package") or document["packages"])[0]
        if name is not None and is_mem0ai(str(entry.get("name"))):
            yield from _locked(entry, text.count("\n", 0, start + name.start()) + 1)
        yield from _member(entry)


def _locked(entry: dict[str, Any], row: int) -> Iterator[Requirement | Problem]:
    if "version" in entry:
        yield from installed(str(entry["version"]), row)
    else:  # it comes from a repository or a path
        where = next((where for part in (entry, *entry.values()) if (where := location(table(part)))), "an unknown place")
        yield from required(f"mem0ai @ {where}", row, ("",), locked=True)


def _member(entry: dict[str, Any]) -> Iterator[Member]:
    source = table(entry, "source")
    paths = [source.get(key) for key in ("editable", "virtual", "directory")]  # uv.lock
    paths += [source.get("url") if source.get("type") == "directory" else None]  # poetry.lock
    paths += [entry.get("path"), table(entry, "directory").get("path")]  # pdm.lock, pylock.toml
    yield from (Member(path) for path in paths if isinstance(path, str))
