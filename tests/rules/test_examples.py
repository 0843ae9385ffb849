"""The examples on the page of every rule: the bad one is flagged with the rule's code, the good one is not.

An example is one file, `example.py`. A line `# file: app/deps.py` starts another one, and the next block of code may hold
a manifest: `# file: pyproject.toml`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mem0_migrate.engine import check
from mem0_migrate.rules.registry import all_rules
from mem0_migrate.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from mem0_migrate.rules.registry import Rule

_SECTION = r"^## {}\n(?P<text>.*?)(?=^## |\Z)"
_BLOCK = re.compile(r"^```(?:python|toml|text)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# file: (?P<name>\S+)\n", re.MULTILINE)


def files(rule: Rule, section: str) -> dict[str, str]:
    """The files of the example in a section, by their path."""
    match = re.search(_SECTION.format(re.escape(section)), rule.page, re.MULTILINE | re.DOTALL)
    assert match is not None, f"no section {section!r}"
    found: dict[str, str] = {}
    for block in _BLOCK.finditer(match["text"]):
        first, *others = _FILE.split(block["code"])
        if first.strip():
            found["example.py"] = first
        found |= dict(zip(others[::2], others[1::2], strict=True))
    assert found, f"no code in section {section!r}"
    return found


def codes(example: dict[str, str], directory: Path) -> set[str]:
    """The codes that a check of the example finds."""
    for name, text in example.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    report = check(["."], Settings(select=("",)))
    return {finding.code for finding in report.findings} | ({"MEM901"} if report.incomplete else set())


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_the_bad_example_is_flagged(rule: Rule, directory: Path) -> None:
    assert rule.code in codes(files(rule, "Example"), directory)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_the_good_example_is_not(rule: Rule, directory: Path) -> None:
    assert rule.code not in codes(files(rule, "Use instead"), directory)
