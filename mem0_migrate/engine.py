"""The pipeline: paths → project → tracking → usage → rules → findings."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mem0_migrate import rules
from mem0_migrate.model import SEVERITIES, Finding, Report, Severity, Unreadable, Verdict
from mem0_migrate.project.declarations import Declarations
from mem0_migrate.project.discovery import Discovery, MissingPathError, discover
from mem0_migrate.project.modules import Modules
from mem0_migrate.project.reading import read
from mem0_migrate.project.search import Importers, mentioning
from mem0_migrate.project.source import Source, load, parse
from mem0_migrate.tracking.tracker import Tracked, is_seed, track
from mem0_migrate.usage.judgement import JudgedSite, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.settings import Settings

# What is found at a site decides its verdict, so that the count of sites and the findings say the same.
_VERDICTS: dict[Severity, Verdict] = {"error": "breaks", "warning": "may-break"}

__all__ = ["MissingPathError", "check", "explain"]


def check(paths: Sequence[str], settings: Settings) -> Report:
    """Look at a code base and judge every site in it.

    Args:
        paths: Files and directories. Directories are the code base; a file stands for the code base that it is part of, and only
            findings in it are reported.
        settings: What to report.

    Raises:
        MissingPathError: A path does not exist.
        mem0_migrate.settings.SettingsError: A configuration file cannot be used.
    """
    with _without_garbage_collection():
        found, tracked, declarations, problems = _analyse(paths, settings)
        judged = judge(tracked, declarations.of).sites
        findings = sorted(_findings(judged), key=_place)
        worst = {
            finding.span: finding.severity for finding in sorted(findings, key=lambda item: SEVERITIES[::-1].index(item.severity))
        }
        problems += declarations.problems
        kept, suppressed = _reported(findings, found, tracked, settings, paths)
    incomplete = {problem.filename: problem for problem in problems}
    sites = tuple(
        replace(item.site, verdict=_VERDICTS.get(worst.get(item.site.span, "info"), item.site.verdict))
        for item in judged
        if found.reported is None or item.site.span.filename in found.reported
    )
    return Report(
        tuple(kept),
        sites,
        tuple(incomplete[name] for name in sorted(incomplete)),
        len(found.files),
        len(tracked.sources),
        suppressed,
    )


def explain(paths: Sequence[str], settings: Settings, filename: str, row: int) -> tuple[str, ...]:
    """What is known of the `add` on a line (1-based): its evidence, or where tracking stopped. Lines of text."""
    from mem0_migrate.usage.explanation import explained

    found, tracked, declarations, _ = _analyse(paths, settings, also=filename)
    return explained(tracked, judge(tracked, declarations.of).sites, filename, row, found.files)


def _analyse(
    paths: Sequence[str], settings: Settings, also: str | None = None
) -> tuple[Discovery, Tracked, Declarations, list[Unreadable]]:
    stdin = settings.stdin[0] if settings.stdin is not None else None
    found = discover(
        paths if stdin is None or os.path.lexists(stdin) else (os.path.dirname(stdin) or ".",),  # noqa: PTH120
        exclude=settings.exclude,
        extend_exclude=settings.extend_exclude,
        force_exclude=settings.force_exclude,
        respect_gitignore=settings.respect_gitignore,
    )
    if settings.stdin is not None:
        name, data = settings.stdin
        found = replace(found, files=tuple(sorted({*found.files, name})), reported=frozenset({name}))
    files = found.files

    def source_of(filename: str) -> Source | Unreadable:
        return parse(filename, data) if filename == stdin else load(filename)

    on_disk = [item for item in files if item != stdin]
    mentions, unread = mentioning(on_disk, b"mem0")
    seeds = [filename for filename in mentions if _is_seed(filename)]
    if stdin is not None and is_seed(data):
        seeds.append(stdin)
    if also is not None and also in files and also not in seeds:
        seeds.append(also)
    modules = Modules(files)
    importers = Importers(on_disk, modules)
    tracked = track(sorted(seeds), modules, importers, source_of, _tests_below(files))
    problems = [*found.problems, *unread, *tracked.problems, *importers.problems, *_unparsable(mentions, seeds)]
    return found, tracked, Declarations(_top(found.root), settings.mem0ai), problems


def _top(root: Path) -> Path:
    """Where to look for manifests up to: outside git, the working directory if the code base lies below it."""
    here = Path.cwd()
    return here if here in root.absolute().parents else root


def _is_seed(filename: str) -> bool:
    try:
        return filename.endswith(".ipynb") or is_seed(read(filename))
    except OSError:
        return True  # loading it says why


def _unparsable(mentions: Sequence[str], seeds: Sequence[str]) -> list[Unreadable]:
    """Files that mention mem0 without importing it are not analysed, but one that cannot be parsed might."""
    taken = set(seeds)
    return [
        problem
        for filename in mentions
        if filename not in taken and b"MemoryClient" in _bytes(filename) and isinstance(problem := load(filename), Unreadable)
    ]


def _bytes(filename: str) -> bytes:
    try:
        return read(filename)
    except OSError:
        return b""


def _tests_below(files: Sequence[str]) -> Callable[[str], list[str]]:
    def below(conftest: str) -> list[str]:
        folder = conftest.rpartition("/")[0]
        prefix = folder + "/" if folder else ""
        names = (name for name in files if name.startswith(prefix))
        return [name for name in names if name.rpartition("/")[2].startswith("test_") or name.endswith("_test.py")]

    return below


def _rule_modules() -> list[Any]:
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    return [importlib.import_module(f"{rules.__name__}.{name}") for name in names]


def _findings(judged: Sequence[JudgedSite]) -> Iterator[Finding]:
    for module in _rule_modules():
        if hasattr(module, "check"):
            for site in judged:
                if (site.site.form == "http") == (module.CODE == "MEM201"):
                    finding = module.check(site)
                    if finding is not None:
                        yield finding
        elif hasattr(module, "check_project"):
            yield from module.check_project(judged)


def _reported(
    findings: Sequence[Finding], found: Discovery, tracked: Tracked, settings: Settings, paths: Sequence[str]
) -> tuple[list[Finding], int]:
    """The findings that are selected and not suppressed, with those about suppressions that do nothing; and how many were."""
    from mem0_migrate import suppressions
    from mem0_migrate.rules import unused_suppression
    from mem0_migrate.settings import SettingsFor

    settings_for = SettingsFor(settings, paths)
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.span.filename, []).append(finding)
    kept: list[Finding] = []
    suppressed = 0
    for filename in sorted({*by_file, *tracked.sources}):
        if found.reported is not None and filename not in found.reported and filename in tracked.sources:
            continue
        source = tracked.sources.get(filename)
        comments = suppressions.find_in(source) if source is not None else None
        for finding in by_file.get(filename, ()):
            if not settings_for.reports(finding.code, filename):
                continue
            if comments is not None and comments.covers(finding, finding.span.end.row):
                suppressed += 1
            else:
                kept.append(finding)
        if comments is not None and settings_for.reports(unused_suppression.CODE, filename):
            kept += unused_suppression.findings(filename, comments, lambda code, name=filename: settings_for.reports(code, name))  # type: ignore[misc]
    return sorted(kept, key=_place), suppressed


def _place(finding: Finding) -> tuple[Any, ...]:
    span = finding.span
    return (span.filename, span.cell or 0, span.start, finding.code)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Trees and facts live until the end of the run: looking for garbage among them costs 10 to 20 % and finds none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
