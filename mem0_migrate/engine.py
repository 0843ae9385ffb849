"""The pipeline: paths → project → tracking → usage → rules → findings."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mem0_migrate import rules
from mem0_migrate.examination import Examined, Judged
from mem0_migrate.model import SEVERITIES, Finding, Report, Severity, Unreadable, Verdict
from mem0_migrate.project.declarations import Declarations
from mem0_migrate.project.discovery import Discovery, MissingPathError, discover
from mem0_migrate.project.modules import Modules
from mem0_migrate.project.reading import read
from mem0_migrate.project.search import Importers, mentioning
from mem0_migrate.project.source import Source, load, parse
from mem0_migrate.tracking.evidence import span_at
from mem0_migrate.tracking.tracker import Tracked, is_seed, track
from mem0_migrate.tracking.unfollowed import unfollowed
from mem0_migrate.usage.judgement import JudgedSite, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from mem0_migrate.fixes.application import Decision
    from mem0_migrate.model import FixReport, Span
    from mem0_migrate.settings import Settings

# What is found at a site decides its verdict, so that the count of sites and the findings say the same.
_VERDICTS: dict[Severity, Verdict] = {"error": "breaks", "warning": "may-break"}

__all__ = ["MissingPathError", "check", "explain", "fix"]


def check(paths: Sequence[str], settings: Settings, *, edits: bool = False) -> Report:
    """Look at a code base and judge every site in it.

    Args:
        paths: Files and directories. Directories are the code base; a file stands for the code base that it is part of, and only
            findings in it are reported.
        settings: What to report.
        edits: Whether to compute the edits of the fixes that are offered.

    Raises:
        MissingPathError: A path does not exist.
        mem0_migrate.settings.SettingsError: A configuration file cannot be used.
    """
    with _without_garbage_collection():
        examined = _examine(paths, settings, {})
        if not examined.pairs:
            return examined.report
        from mem0_migrate.fixes.offers import offered

        return replace(examined.report, findings=offered(examined, settings.strategy, edits=edits))


def fix(paths: Sequence[str], settings: Settings, *, decide: Decision | None = None, write: bool = True) -> FixReport:
    """Repair what is found, as far as `settings` and the strategies allow.

    Args:
        paths: As of `check`, but a finding elsewhere counts too if what leads to it is in a file that is named. Only files below
            these are edited.
        settings: What to report, what of it to repair, and how.
        decide: Asked before each repair; None to make all.
        write: Whether to write the files; a file that cannot be written is among the `failed`.

    Raises:
        MissingPathError, SettingsError: As of `check`.
    """
    from mem0_migrate.fixes.application import Application, written
    from mem0_migrate.fixes.writing import recover
    from mem0_migrate.settings import SettingsFor

    completed = recover(_directories(_discovered(paths, settings))) if write else []
    with _without_garbage_collection():
        report = Application(
            lambda contents: _examine(paths, settings, contents, linked=True),
            SettingsFor(settings, paths).of,
            settings,
            decide,
            write=write,
        ).run()
    if not write:
        return report
    done = replace(written(report), completed=tuple(map(str, completed)))
    return done if done.failed == report.failed else _looked_at_again(done, _examine(paths, settings, {}, linked=True).report)


def _looked_at_again(report: FixReport, after: Report) -> FixReport:
    """What was done if a file could not be written: `after` is the check of what is there now."""
    from mem0_migrate.model import Unfixed

    there = {(finding.code, finding.span.filename, finding.message) for finding in after.findings}
    fixed = tuple(finding for finding in report.fixed if (finding.code, finding.span.filename, finding.message) not in there)
    unwritten = (finding for finding in report.fixed if finding not in fixed)
    left = [*report.left, *(Unfixed(finding, "A file that its repair changes was not written") for finding in unwritten)]
    left.sort(key=lambda item: (item.finding.span, item.finding.code))
    return replace(report, fixed=fixed, left=tuple(left), after=after)


def _directories(found: Discovery) -> set[Path]:
    """Where a killed run can have left something: the directories of all files, and of what links lead to."""
    names = {os.path.dirname(name) for name in found.files} | {os.fspath(found.root)}  # noqa: PTH120 (of thousands)
    leading = {os.path.dirname(os.path.realpath(name)) for name in found.files if os.path.islink(name)}  # noqa: PTH114, PTH120
    return {Path(os.path.realpath(name)) for name in names | leading}


def _examine(paths: Sequence[str], settings: Settings, contents: Mapping[str, bytes], *, linked: bool = False) -> Examined:
    """A check; files in `contents` are taken to hold that. `linked`: with what is elsewhere, but led to from a file asked for."""
    found, tracked, declarations, problems = _analyse(paths, settings, contents=contents)
    judged = judge(tracked, declarations.of).sites
    pairs = sorted(_findings(judged), key=lambda pair: _place(pair[0]))
    worst: dict[Span, Severity] = {}
    for finding, _ in pairs:
        known = worst.get(finding.span, "info")
        worst[finding.span] = min(known, finding.severity, key=SEVERITIES.index)
    problems += declarations.problems
    declaring = {
        item.site.declaration.source for item in judged if found.reported is None or item.site.span.filename in found.reported
    }
    kept, suppressed = _reported(pairs, found, tracked, settings, paths, declaring=declaring, linked=linked)
    incomplete = {problem.filename: problem for problem in problems}
    told = {finding.span for finding, _ in kept}
    sites = tuple(
        replace(item.site, verdict=_VERDICTS.get(worst.get(item.site.span, "info"), item.site.verdict))
        for item in judged
        if found.reported is None or item.site.span.filename in found.reported or item.site.span in told
    )
    report = Report(
        tuple(finding for finding, _ in kept),
        sites,
        tuple(incomplete[name] for name in sorted(incomplete)),
        len(found.files),
        len(tracked.sources),
        suppressed,
        tuple(
            span_at(tracked.sources, name, place)
            for name, place in unfollowed(tracked.solver)
            if found.reported is None or name in found.reported
        ),
    )
    held = {**dict([settings.stdin] if settings.stdin is not None else []), **contents}
    return Examined(
        pairs=kept,
        tracked=tracked,
        declared=declarations.stated,
        read=lambda name: held[name] if name in held else read(name),
        editable=found.reported,
        report=report,
        files=found.files,
        root=found.root,
    )


def explain(paths: Sequence[str], settings: Settings, filename: str, row: int) -> tuple[str, ...]:
    """What is known of the `add` on a line (1-based): its evidence, or where tracking stopped. Lines of text."""
    from mem0_migrate.usage.explanation import explained

    found, tracked, declarations, _ = _analyse(paths, settings, also=filename)
    return explained(tracked, judge(tracked, declarations.of).sites, filename, row, found.files)


def _analyse(
    paths: Sequence[str], settings: Settings, also: str | None = None, contents: Mapping[str, bytes] = MappingProxyType({})
) -> tuple[Discovery, Tracked, Declarations, list[Unreadable]]:
    stdin, data = settings.stdin if settings.stdin is not None else (None, b"")
    found = _discovered(paths, settings)
    files = found.files

    def source_of(filename: str) -> Source | Unreadable:
        if filename in contents:
            return parse(filename, contents[filename])
        return parse(filename, data) if filename == stdin else load(filename)

    def manifest(path: Path) -> bytes:
        name = Path(os.path.relpath(path)).as_posix() if contents else ""
        return contents.get(name) or path.read_bytes()

    on_disk = [item for item in files if item != stdin]
    mentions, unread = mentioning(on_disk, b"mem0")
    seeds = [filename for filename in mentions if filename not in contents and _is_seed(filename)]
    seeds += [name for name, held in contents.items() if name.endswith(".ipynb")]
    seeds += [name for name, held in contents.items() if name.endswith((".py", ".pyi")) and is_seed(held)]
    if stdin is not None and (is_seed(data) or isinstance(source_of(stdin), Source)):
        seeds.append(stdin)  # whom it imports cannot be looked up in its file
    if also is not None and also in files and also not in seeds:
        seeds.append(also)
    modules = Modules(files)
    importers = Importers(on_disk, modules)
    tracked = track(sorted(seeds), modules, importers, source_of, _tests_below(files))
    problems = [*found.problems, *unread, *tracked.problems, *importers.problems, *_unparsable(mentions, seeds)]
    return found, tracked, Declarations(_top(found.root), settings.mem0ai, manifest), problems


def _discovered(paths: Sequence[str], settings: Settings) -> Discovery:
    stdin = settings.stdin[0] if settings.stdin is not None else None
    found = discover(
        paths if stdin is None or os.path.lexists(stdin) else (os.path.dirname(stdin) or ".",),  # noqa: PTH120
        exclude=settings.exclude,
        extend_exclude=settings.extend_exclude,
        force_exclude=settings.force_exclude,
        respect_gitignore=settings.respect_gitignore,
    )
    if stdin is None:
        return found
    return replace(found, files=tuple(sorted({*found.files, stdin})), reported=frozenset({stdin}))


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


def _findings(judged: Sequence[JudgedSite]) -> Iterator[Judged]:
    for module in _rule_modules():
        if hasattr(module, "check"):
            for site in judged:
                if module.CODE == "MEM108" or (site.site.form == "http") == (module.CODE == "MEM201"):
                    finding = module.check(site)
                    if finding is not None:
                        yield finding, site
        elif hasattr(module, "check_project"):
            yield from ((finding, None) for finding in module.check_project(judged))


def _reported(
    pairs: Sequence[Judged],
    found: Discovery,
    tracked: Tracked,
    settings: Settings,
    paths: Sequence[str],
    *,
    declaring: Collection[str | None],
    linked: bool,
) -> tuple[list[Judged], int]:
    """The findings that are selected and not suppressed, with those about suppressions that do nothing; and how many were.

    Those in a manifest count where it is named, or is among the `declaring`: it decides for a file that is asked for.
    """
    from mem0_migrate import suppressions
    from mem0_migrate.rules import unused_suppression
    from mem0_migrate.settings import SettingsFor

    settings_for = SettingsFor(settings, paths)
    by_file: dict[str, list[Judged]] = {}
    for pair in pairs:
        by_file.setdefault(pair[0].span.filename, []).append(pair)
    kept: list[Judged] = []
    suppressed = 0
    for filename in sorted({*by_file, *tracked.sources}):
        manifest = filename in declaring and filename not in tracked.sources  # not a script that states its own
        asked = found.reported is None or filename in found.reported or manifest
        if not asked and not linked:
            continue
        source = tracked.sources.get(filename)
        comments = suppressions.find_in(source) if source is not None else None
        for finding, site in by_file.get(filename, ()):
            if not asked and not _is_led_to(finding, site, found.reported or ()):
                continue
            if not settings_for.reports(finding.code, filename):
                continue
            if comments is not None and comments.covers(finding, finding.span.end.row):
                suppressed += 1
            else:
                kept.append((finding, site))
        if asked and comments is not None and settings_for.reports(unused_suppression.CODE, filename):
            unused = unused_suppression.findings(filename, comments, lambda code, name=filename: settings_for.reports(code, name))  # type: ignore[misc]
            kept += [(finding, None) for finding in unused]
    return sorted(kept, key=lambda pair: _place(pair[0])), suppressed


def _is_led_to(finding: Finding, site: JudgedSite | None, filenames: Collection[str]) -> bool:
    """Whether the evidence of a finding, or the mem0ai that it is about, is in one of some files."""
    steps = (*finding.evidence, *finding.marks, *finding.related)
    declared = site.site.declaration.source if site is not None else None
    return declared in filenames or any(step.span.filename in filenames for step in steps)


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
