"""pyproject.toml: PEP 621, PEP 735 (dependency groups), Poetry, PDM and uv."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mem0_migrate.project.manifests import poetry
from mem0_migrate.project.manifests.statement import Problem, Rows, Statement, installed, is_mem0ai, requirement
from mem0_migrate.project.manifests.toml import load, strings, table

if TYPE_CHECKING:
    from collections.abc import Iterator


def statements(text: str) -> Iterator[Statement]:
    """Yield what a pyproject.toml states about mem0ai; that of mem0ai itself states its own version."""
    document = load(text)
    if isinstance(document, Problem):
        yield document
        return
    rows = Rows(text)
    for project in (table(document, "project"), table(document, "tool", "poetry")):
        name, version = project.get("name"), project.get("version")
        if isinstance(name, str) and isinstance(version, str) and is_mem0ai(name):
            yield from installed(version, rows.of_text("name"))
    for environment, line in _lines(document):
        yield from requirement(line, rows.of_text(line) if "mem0" in line.lower() else None, environment)
    tool = table(document, "tool", "poetry")
    yield from poetry.statements(table(tool, "dependencies"), rows)
    yield from poetry.statements(table(tool, "dev-dependencies"), rows, "group dev")
    for group in table(tool, "group"):
        yield from poetry.statements(table(tool, "group", group, "dependencies"), rows, f"group {group}")


def _lines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every requirement in the form of PEP 508 with the environment it belongs to."""
    uv = table(document, "tool", "uv")
    always = (table(document, "project").get("dependencies"), uv.get("constraint-dependencies"), uv.get("override-dependencies"))
    yield from (("", line) for lines in always for line in strings(lines))
    for extra, lines in table(document, "project", "optional-dependencies").items():
        yield from ((f"extra {extra}", line) for line in strings(lines))
    for group in table(document, "dependency-groups"):
        yield from ((f"group {group}", line) for line in _group(table(document, "dependency-groups"), group, frozenset()))
    yield from (("group dev", line) for line in strings(uv.get("dev-dependencies")))
    for group, lines in table(document, "tool", "pdm", "dev-dependencies").items():
        yield from ((f"group {group}", line) for line in strings(lines))


def _group(groups: dict[str, Any], name: str, seen: frozenset[str]) -> Iterator[str]:
    """Yield the requirements of a dependency group with those of the groups that it includes (PEP 735), cycles cut."""
    items = groups.get(name)
    for item in items if isinstance(items, list) and name not in seen else ():
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
            yield from _group(groups, item["include-group"], seen | {name})
