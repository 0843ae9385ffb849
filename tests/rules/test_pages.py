"""The page of every rule is complete, and `docs/rules/` says the same."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mem0_migrate.rules.registry import all_rules

if TYPE_CHECKING:
    from mem0_migrate.rules.registry import Rule

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = ["What it does", "Why is this bad?", "Example", "Use instead", "Fix safety", "Options", "References"]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_the_sections_of_a_page(rule: Rule) -> None:
    assert re.findall(r"^## (.+)$", rule.page, re.MULTILINE) == SECTIONS
    assert rule.summary.endswith(".")
    assert not rule.page.partition("\n")[2].partition("\n")[0], "the first line stands alone"


def test_the_documentation_is_what_the_rules_say() -> None:
    specification = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    generate: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generate)
    assert generate.stale() == [], "run: python docs/generate.py"


def links() -> list[tuple[Path, str]]:
    pages = [*DOCS.glob("*.md"), *DOCS.glob("rules/*.md")]
    return [
        (page, target)
        for page in sorted(pages)
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in target
    ]


@pytest.mark.parametrize(("page", "target"), links(), ids=lambda value: value.name if isinstance(value, Path) else value)
def test_a_link_between_pages_leads_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).exists()
