"""Pipfile: `[packages]`, `[dev-packages]` and further categories of Pipenv.

Source: https://pipenv.pypa.io/en/latest/pipfile.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Problem, Rows, Statement, is_mem0ai, location, required
from mem0_migrate.project.manifests.toml import load, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_CATEGORIES = ("source", "requires", "scripts", "pipenv", "pipfile")


def statements(text: str) -> Iterator[Statement]:
    """Yield what a Pipfile states about mem0ai."""
    document = load(text)
    if isinstance(document, Problem):
        yield document
        return
    rows = Rows(text)
    for category in document:
        for name, value in table(document, category).items() if category not in _NO_CATEGORIES else ():
            if is_mem0ai(name):
                yield from _statement(value, rows.of_key(), "" if category == "packages" else f"group {category}")


def _statement(value: object, row: int | None, environment: str) -> Iterator[Statement]:
    entry = value if isinstance(value, dict) else {"version": value}
    where, version = location(entry), str(entry.get("version", "*"))
    specifier = "" if where is not None or version == "*" else version
    words = f"mem0ai @ {where}" if where is not None else f"mem0ai{specifier}"
    yield from required(words, row, (specifier,), environment=environment, marker=str(entry.get("markers", "")))
