"""What a person sees, to the letter: each file in `screens/` is what one view of the report in `conftest.py` looks like."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mem0_migrate.output import concise, full, statistics
from mem0_migrate.output.view import View

if TYPE_CHECKING:
    from types import ModuleType

    from mem0_migrate.model import Report
    from mem0_migrate.output.view import Source

SCREENS = Path(__file__).parent / "screens"
SUMMARIES = {
    "MEM104": "`add` without `async_mode`; nothing visible depends on it.",
    "MEM108": "`async_mode=False` is still there.",
}


@pytest.fixture
def view(source: Source) -> View:
    return View(source=source, width=100)


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mem0_migrate.rules.registry.rule", lambda code: SimpleNamespace(summary=SUMMARIES[code]))


def shown(form: ModuleType, report: Report, view: View) -> str:
    return "\n".join(form.render(report, view)) + "\n"


@pytest.mark.parametrize(
    ("screen", "form", "changes"),
    [
        ("full.txt", full, {}),
        ("full-narrow.txt", full, {"width": 60}),
        ("full-all.txt", full, {"fold_info": False}),
        ("full-color.txt", full, {"color": True}),
        ("full-quiet.txt", full, {"quiet": True}),
        ("concise.txt", concise, {}),
        ("concise-all.txt", concise, {"fold_info": False}),
        ("concise-quiet.txt", concise, {"quiet": True}),
        ("statistics.txt", statistics, {}),
    ],
)
def test_screen(screen: str, form: ModuleType, changes: dict[str, Any], report: Report, view: View) -> None:
    assert shown(form, report, replace(view, **changes)) == (SCREENS / screen).read_text(encoding="utf-8")


def test_colours_change_nothing_but_colours(report: Report, view: View) -> None:
    colored = shown(full, report, replace(view, color=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == shown(full, report, view)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int, report: Report, view: View) -> None:
    """But for unreadable files, which are one line each for the sake of editors."""
    lines = shown(full, report, replace(view, width=width)).splitlines()
    assert [line for line in lines if len(line) > width and "MEM901" not in line] == []


def test_nothing_found(clean: Report, view: View) -> None:
    assert shown(concise, clean, view) == "Nothing found.\nNo call of mem0's add() in 1,340 files.\n"


def test_nothing_found_and_quiet(clean: Report, view: View) -> None:
    assert list(full.render(clean, replace(view, quiet=True))) == []


def test_a_file_that_has_gone_has_no_excerpt(report: Report) -> None:
    assert "  --> app/api.py:11:14\nwith mem0ai 0.x: " in shown(full, report, View())


def test_a_name_or_message_cannot_speak_to_the_terminal(report: Report, clean: Report) -> None:
    finding = report.findings[2]
    evil = replace(finding, message="a\x1b[31mb\nc", span=replace(finding.span, filename="x\x1b]0;y\x07.py"))
    evil_report = replace(clean, findings=(evil,))
    for form in (full, concise):
        assert not re.search("[\x00-\x09\x0b-\x1f]", shown(form, evil_report, View()))
    assert shown(concise, evil_report, View()).startswith("x\ufffd]0;y\ufffd.py:30:12: MEM103 a\ufffd[31mb c\n")
