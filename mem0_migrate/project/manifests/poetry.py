"""Poetry's own way of writing dependencies: `mem0ai = "^1.0"`, or a table, or a list of tables.

Source: https://python-poetry.org/docs/dependency-specification/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mem0_migrate.project.manifests.statement import Problem, Requirement, Rows, is_mem0ai, location, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.version import Version

_TERM = re.compile(r"(\^|~=|~|===?|!=|<=|>=|<|>|=)?\s*(\*|v?\d[\w.+!*-]*)[\s,]*")


def statements(dependencies: dict[str, Any], rows: Rows, environment: str = "") -> Iterator[Requirement | Problem]:
    """Yield what a table of dependencies states about mem0ai."""
    for name, value in dependencies.items():
        for entry in (value if isinstance(value, list) else [value]) if is_mem0ai(name) else ():
            yield from _statement(entry if isinstance(entry, dict) else {"version": entry}, rows.of_key(), environment)


def _statement(entry: dict[str, Any], row: int | None, environment: str) -> Iterator[Requirement | Problem]:
    conditions = ((key, entry[key]) for key in ("python", "platform", "markers") if key in entry)
    marker = " and ".join(str(value) if key == "markers" else f"{key} {value}" for key, value in conditions)
    where, constraint = location(entry), str(entry.get("version", "*"))
    words = f"mem0ai @ {where}" if where is not None else f"mem0ai{'' if constraint == '*' else constraint}"
    yield from required(words, row, specifiers("*" if where is not None else constraint), environment=environment, marker=marker)


def specifiers(constraint: str) -> Iterator[str]:
    """Yield a constraint as version specifiers: '^1.0' as '>=1.0,<2'; several where it has alternatives ('<1 || >=2').

    Raises:
        ValueError: It is no constraint.
    """
    return (",".join(_terms(part.strip())) for part in re.split(r"\|\|?", constraint))


def _terms(text: str) -> Iterator[str]:
    from packaging.version import Version

    position = 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            raise ValueError(text)
        position = term.end()
        operator, version = term[1] or "==", re.sub(r"(\.[*xX])+$", ".*", term[2])
        if operator in ("^", "~"):
            yield f">={version},<{_next(Version(version), caret=operator == '^')}"
        elif version != "*":
            yield f"{'==' if operator == '=' else operator}{version}"
    if not text:
        raise ValueError(text)


def _next(version: Version, *, caret: bool) -> str:
    """Return the first version that '^' (caret) or '~' excludes."""
    parts = version.release
    last = next((i for i, part in enumerate(parts) if part), len(parts) - 1) if caret else min(1, len(parts) - 1)
    return ".".join(map(str, (*parts[:last], parts[last] + 1)))
