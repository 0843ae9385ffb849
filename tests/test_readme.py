"""The README tells what is so: its screen is what the command prints, its links lead somewhere, its library example runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from mem0_migrate.cli import cli

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_screens_are_what_the_commands_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screens = re.findall(r"<!-- screen: mem0-migrate (.+?) -->\n```\w+\n(.+?)\n```", README, re.DOTALL)
    assert [command.partition(" fixtures")[0] for command, _ in screens] == ["check", "fix --diff", "fix", "check"]
    shutil.copytree(ROOT / "fixtures/projects/recipe_box", tmp_path / "fixtures/projects/recipe_box")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for command, screen in screens:
        printed = CliRunner().invoke(cli, [*command.split(), "--output-format", "full", "--isolated"]).output
        for part in screen.split("\n[…]\n"):
            assert part in printed


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_the_library_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    example = next(block for block in re.findall(r"```python\n(.+?)```", README, re.DOTALL) if "mem0_migrate" in block)
    monkeypatch.chdir(ROOT / "fixtures/projects/notes_cli")
    exec(compile(example.replace('"src"', '"notes"'), "README.md", "exec"), {})  # noqa: S102 (our own documentation)
    assert "MEM101" in capsys.readouterr().out


def test_the_broken_example_breaks_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "example.py").write_text(re.findall(r"```python\n(.+?)```", README, re.DOTALL)[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    printed = CliRunner().invoke(cli, ["check", "--output-format", "full"]).stdout
    assert "mem0ai 0.x and 1.x: raises KeyError: 'id'" in printed
    assert "mem0ai 2.x: raises KeyError: 'results'" in printed
