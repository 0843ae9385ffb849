"""The README tells what is so: its screen is what the command prints, its links lead somewhere, its library example runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from mem0_migrate.cli import cli

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_screen_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"<!-- screen: mem0-migrate (.+?) -->\n```text\n(.+?)\n```", README, re.DOTALL)
    assert found is not None
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    printed = CliRunner().invoke(cli, [*found[1].split(), "--output-format", "full", "--isolated"]).stdout
    for part in found[2].split("\n\n"):
        assert part in printed or part == "[… two more findings …]"
    assert printed.count("\nhelp: ") == 3


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
