"""What is found does not depend on the order in which files join, nor on how many processes read them."""

from __future__ import annotations

import json
import os
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from mem0_migrate.cli import cli
from mem0_migrate.engine import check
from mem0_migrate.model import ERAS, Declaration
from mem0_migrate.project import workers
from mem0_migrate.project.modules import Modules
from mem0_migrate.project.source import Source, load
from mem0_migrate.settings import Settings
from mem0_migrate.tracking import frameworks
from mem0_migrate.tracking.joining import join
from mem0_migrate.tracking.solver import Solver
from mem0_migrate.tracking.statements import summarise
from mem0_migrate.tracking.tracker import Tracked
from mem0_migrate.usage.judgement import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

FIXTURES = Path(__file__).parents[2] / "fixtures"
PACKAGES = sorted(path for name in ("flows", "projects") for path in (FIXTURES / name).iterdir() if path.is_dir())
ORDERS = int(os.environ.get("MEM0_MIGRATE_TEST_ORDERS", "3"))


@cache
def sources(package: Path) -> dict[str, Source]:
    """The files of a package, by their path in it."""
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))
    found = {name: load(name) for name in names}
    assert all(isinstance(source, Source) for source in found.values())
    return {name: source for name, source in found.items() if isinstance(source, Source)}


def judged(package: Path, order: Sequence[str], *, together: bool) -> list[tuple[Any, ...]]:
    """All that is said of the sites of a package whose files join in this order, at once or one after the other."""
    files = sources(package)
    tracked = Tracked(Solver(Modules(sorted(files))), sources=dict(files))
    for name in order:
        join(tracked.solver, summarise(files[name]))
        if not together:
            tracked.solver.run()
    tracked.solver.run()
    frameworks.link_fixtures(tracked.solver)
    tracked.solver.run()
    while tracked.solver.wake_needed() or tracked.solver.apply_weak():
        tracked.solver.run()
    frameworks.link_handed_on(tracked.solver)
    sites = judge(tracked, lambda _name: Declaration(frozenset(ERAS))).sites
    return [
        (
            item.site.span,
            item.site.form,
            item.site.receiver,
            item.site.confidence,
            item.site.async_mode,
            item.site.usage,
            item.site.uses,
            item.site.verdict,
            item.site.consequence,
            item.worst,
            item.stale,
            item.site.evidence,
        )
        for item in sites
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_files_join_in_any_order(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(package)
    names = list(sources(package))
    first = judged(package, names, together=True)
    shuffle = random.Random(package.name)  # noqa: S311 (the same orders in every run)
    for _ in range(ORDERS if len(names) > 1 else 0):
        order = shuffle.sample(names, len(names))
        assert judged(package, order, together=True) == first, order
        stepwise = judged(package, order, together=False)
        assert [site[:-1] for site in stepwise] == [site[:-1] for site in first], order  # another way may have been found first
    if len(names) > 1:
        assert judged(package, names[::-1], together=True) == first


def test_the_order_of_paths_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FIXTURES)
    names = sorted(path.relative_to(FIXTURES).as_posix() for path in (FIXTURES / "flows").iterdir() if path.is_dir())
    assert check(names, Settings()) == check(names[::-1], Settings()) == check([*names, *names], Settings())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_any_number_of_processes_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FIXTURES)
    reports = []
    for processes in (1, 2, 3):
        monkeypatch.setattr(workers, "_processes", lambda _count, number=processes: number)
        result = CliRunner().invoke(cli, ["check", "flows", "projects", "bytes", "--isolated", "--output-format", "json"])
        assert result.exit_code == 1
        assert json.loads(result.stdout)["sites"]
        reports.append(result.stdout)
    assert reports[0] == reports[1] == reports[2]
