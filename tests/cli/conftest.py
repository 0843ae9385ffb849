"""A command line whose engine answers with a report of the test's choice, and remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from mem0_migrate import engine
from mem0_migrate.cli import cli
from mem0_migrate.model import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from click.testing import Result

    from mem0_migrate.settings import Settings


@dataclass
class CommandLine:
    """Runs `mem0-migrate`; `answer` is the report of the engine, or what it raises."""

    answer: Report | BaseException = field(default_factory=lambda: Report((), (), (), files=1))
    paths: Sequence[str] = ()
    settings: Settings | None = None

    def check(self, paths: Sequence[str], settings: Settings, *, edits: bool = False) -> Report:
        """Stand in for the engine."""
        del edits
        self.paths, self.settings = paths, settings
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def run(self, *arguments: str, **attributes: Any) -> Result:
        """Run a command line in this process."""
        return CliRunner().invoke(cli, arguments, prog_name="mem0-migrate", **attributes)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A command line in an empty directory, with no colours asked for."""
    command = CommandLine()
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(engine, "check", command.check)
    return command
