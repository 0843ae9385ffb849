"""The command `rule`: the page of a rule, and of all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mem0_migrate.rules.registry import all_rules

if TYPE_CHECKING:
    from .conftest import CommandLine


@pytest.mark.parametrize("name", ["MEM902", "mem902", "unused-suppression"])
def test_a_rule_by_its_code_or_name(command: CommandLine, name: str) -> None:
    result = command.run("rule", name)
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "# unused-suppression (MEM902)\n"
        "\n"
        "Severity: warning, on by default.\n"
        "\n"
        "A comment that silences nothing.\n"
        "\n"
        "## What it does\n"
    )


def test_all_rules(command: CommandLine) -> None:
    result = command.run("rule", "--all")
    headings = [line for line in result.stdout.splitlines() if line.startswith("# ") and line.endswith(")")]
    assert headings == [f"# {rule.name} ({rule.code})" for rule in all_rules()]


def test_json(command: CommandLine) -> None:
    content = json.loads(command.run("rule", "MEM902", "--output-format", "json").stdout)
    assert content.pop("page") == command.run("rule", "MEM902").stdout
    assert content == {
        "code": "MEM902",
        "name": "unused-suppression",
        "summary": "A comment that silences nothing.",
        "severity": "warning",
        "default": True,
        "url": "docs/rules/MEM902.md",
    }
    everything = json.loads(command.run("rule", "--all", "--output-format", "json").stdout)
    assert [rule["code"] for rule in everything] == [rule.code for rule in all_rules()]


def test_headings_and_code_in_colour(command: CommandLine) -> None:
    shown = command.run("rule", "MEM902", "--color", "always").stdout
    assert "\x1b[1m## Example\x1b[0m\n\x1b[36m```python\x1b[0m\n\x1b[36mfrom mem0 import MemoryClient\x1b[0m\n" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MEM909"], "Error: no rule is called 'MEM909'. Did you mean MEM902?\n"),
        (["unused-supression"], "Error: no rule is called 'unused-supression'. Did you mean unused-suppression?\n"),
        (["E501"], "Error: no rule is called 'E501'. `mem0-migrate rule --all` lists them all.\n"),
    ],
)
def test_a_rule_that_does_not_exist(command: CommandLine, arguments: list[str], message: str) -> None:
    result = command.run("rule", *arguments)
    assert (result.stdout, result.stderr, result.exit_code) == ("", message, 2)


@pytest.mark.parametrize("arguments", [[], ["--all", "MEM902"]])
def test_one_rule_or_all(command: CommandLine, arguments: list[str]) -> None:
    result = command.run("rule", *arguments)
    assert result.stderr.endswith("Error: Name one rule, or pass --all.\n")
    assert result.exit_code == 2


def test_the_environment_of_check_is_not_meant(command: CommandLine) -> None:
    assert command.run("rule", "MEM902", env={"MEM0_MIGRATE_OUTPUT_FORMAT": "full"}).exit_code == 0
