"""Pipfile.lock: JSON, one table of packages per category."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Member, Problem, Rows, Statement, installed, is_mem0ai, location, required
from mem0_migrate.project.manifests.toml import table

if TYPE_CHECKING:
    from collections.abc import Iterator


def statements(text: str) -> Iterator[Statement]:
    """Yield what a Pipfile.lock states about mem0ai, and for which local packages it was made."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # too deeply nested, or a number too long for Python
        yield Problem(getattr(error, "lineno", None), f"not valid JSON: {error}")
        return
    rows = Rows(text)
    for category in document if isinstance(document, dict) else ():
        for name, entry in table(document, category).items() if category != "_meta" else ():
            if not isinstance(entry, dict):
                continue
            if not is_mem0ai(name):
                if isinstance(entry.get("path"), str):
                    yield Member(entry["path"])
            elif "version" in entry:
                yield from installed(str(entry["version"]).lstrip("="), rows.of_key())
            else:
                yield from required(f"mem0ai @ {location(entry)}", rows.of_key(), ("",), locked=True)
