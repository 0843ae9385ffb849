"""The command `why`: which place the engine is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mem0_migrate import engine
from mem0_migrate.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.settings import Settings

    from .conftest import CommandLine


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What the engine was asked to explain; its answer is two lines."""
    asked: list[tuple[object, ...]] = []

    def explain(paths: Sequence[str], settings: Settings, filename: str, row: int) -> tuple[str, ...]:
        asked.append((paths, settings.mem0ai, filename, row))
        return ("1. created here", "2. called here")

    monkeypatch.setattr(engine, "explain", explain)
    return asked


@pytest.mark.parametrize(
    ("place", "filename", "row"),
    [
        ("app/api.py:12", "app/api.py", 12),
        ("app/api.py:12:7", "app/api.py", 12),
        ("app/api.py:12:7:", "app/api.py", 12),
        ("./app//api.py:12", "app/api.py", 12),
        ("app:1/api.py:12", "app:1/api.py", 12),
    ],
)
def test_a_place_as_check_prints_it(
    command: CommandLine, asked: list[tuple[object, ...]], place: str, filename: str, row: int
) -> None:
    result = command.run("why", place, "--mem0ai", "<2")
    assert (result.stdout, result.exit_code) == ("1. created here\n2. called here\n", 0)
    assert asked == [((".", filename), "<2", filename, row)]


def test_a_place_elsewhere(command: CommandLine, asked: list[tuple[object, ...]]) -> None:
    assert command.run("why", "../other/a.py:1").exit_code == 0
    assert asked == [(("../other/a.py",), None, "../other/a.py", 1)]


@pytest.mark.parametrize("place", ["app/api.py", "app/api.py:", ":12", "app/api.py:x"])
def test_a_place_without_a_line(command: CommandLine, asked: list[tuple[object, ...]], place: str) -> None:
    result = command.run("why", place)
    assert result.stderr.endswith(f"Error: {place!r} names no line. Write a file and a line, such as app/api.py:12.\n")
    assert (result.exit_code, asked) == (2, [])


def test_a_file_that_does_not_exist(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def explain(*_: object) -> tuple[str, ...]:
        raise SettingsError("gone.py: no such file")

    monkeypatch.setattr(engine, "explain", explain)
    result = command.run("why", "gone.py:1")
    assert (result.stderr, result.exit_code) == ("Error: gone.py: no such file\n", 2)
