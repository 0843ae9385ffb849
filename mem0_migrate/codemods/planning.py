"""What becomes of each file of a LibCST run, decided by the engine before LibCST writes the first one.

LibCST transforms files one by one, in several processes, and writes each at once. A repair is decided by the whole code base,
and may edit two files or none. So it is planned where LibCST computes what is true of the whole repository, once and before
it starts its processes: in the cache of a metadata provider.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from libcst.metadata import BaseMetadataProvider

from mem0_migrate import engine
from mem0_migrate.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mem0_migrate.configuration import Choice
    from mem0_migrate.model import FixReport
    from mem0_migrate.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What a command was asked to do, beside its strategy; None where the configuration decides."""

    unsafe_fixes: bool | None = None
    mem0ai: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a file: its content as analysed, None where it stays so; its content then; what is left, and why."""

    before: bytes | None
    after: bytes | None
    warnings: tuple[str, ...] = ()


NOTHING = Outcome(None, None)

ASKED: ContextVar[Options] = ContextVar("ASKED", default=Options())  # noqa: B039 - it is frozen
"""The options on the command line of LibCST, which it shows to the command but not to the provider."""


class Plan(dict[str, Outcome]):
    """Outcomes by the path of the file, see `key`; a file without one stays as it is, and nothing is to be said of it.

    A dictionary, since LibCST looks into it.
    """

    options: Options = Options()


class PlanProvider(BaseMetadataProvider[Outcome]):
    """Plans the run of a command in the cache of LibCST's `FullRepoManager`. It offers no metadata of nodes."""

    strategy: ClassVar[Choice]

    def __init__(self, cache: object = None) -> None:
        """`cache` is the outcome of one file; None is one."""
        super().__init__(cache or NOTHING)

    @classmethod
    def gen_cache(cls, root_path: Path, paths: Sequence[str], **_: Any) -> Plan:
        """Decide what becomes of the files at `paths`, which are absolute or relative to `root_path`."""
        options = ASKED.get()
        named = [os.path.relpath(root_path / path) for path in paths]
        report = engine.fix(named, _settings(cls.strategy, options), write=False)
        plan = Plan(_outcomes(report, named))
        plan.options = options
        return plan


def key(path: str) -> str:
    """One path for a file, however it was named. Links on the way are followed, one of that name is not."""
    above, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - pathlib has no such function
    return os.path.join(os.path.realpath(above), name)  # noqa: PTH118


def outcome(filename: str | None, data: bytes, strategy: Choice, options: Options) -> Outcome:
    """What becomes of one file, if no other one is edited.

    Args:
        filename: Its path; None where it has none, and so no other file can be part of its code base, nor if its folder is not
            there.
        data: Its content.
        strategy: How to repair.
        options: What else was asked for.
    """
    settings = _settings(strategy, options)
    if filename is None or not Path(filename).parent.is_dir():
        filename, settings = "module.py", replace(settings, exclude=("*",), force_exclude=False)
    name = Path(os.path.relpath(filename)).as_posix()
    report = engine.fix((name,), replace(settings, stdin=(name, data)), write=False)
    return dict(_outcomes(report, [name])).get(key(name), NOTHING)


def _settings(strategy: Choice, options: Options) -> Settings:
    """The configuration of the working directory, with the options laid over it. Excluded files are not edited if named."""
    overrides = {"strategy": strategy, "unsafe_fixes": options.unsafe_fixes, "mem0ai": options.mem0ai, "force_exclude": True}
    return load(overrides=overrides)


def _outcomes(report: FixReport, named: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
    """What a run of `fix` did and left, by file; what is about no file that was named goes to the first one that changes."""
    places = {key(name) for name in named}
    rewrites = {key(rewrite.filename): rewrite for rewrite in report.rewrites}
    first = min(rewrites.keys() & places or places)
    warnings: dict[str, list[str]] = {}
    for left in report.left:
        span, code = left.finding.span, left.finding.code
        own = key(span.filename)
        cell = "" if own in places else f"{span.filename}:"
        text = f"{cell}{span.start.row}:{span.start.column}: {code} {left.finding.message}. Not changed: {left.reason}"
        warnings.setdefault(own if own in places else first, []).append(text)
    for file in report.failed:
        warnings.setdefault(key(file.filename), []).append(f"Left as it was: {file.reason}")
    general = [f"To do by hand: {task}" for task in report.by_hand]
    made = [rewrite for place, rewrite in rewrites.items() if place not in places]
    general += [
        f"To do by hand: make {new.filename}, which LibCST does not and mem0-migrate fix would. It holds:\n{new.after.decode()}"
        for new in made
    ]
    general += [f"{file.filename}:{file.row or 1}:1: not checked: {file.reason}" for file in report.after.incomplete]
    warnings.setdefault(first, []).extend(general)
    for place in sorted(places & {*rewrites, *warnings}):
        rewrite = rewrites.get(place)
        told = tuple(warnings.get(place, ()))
        if rewrite is not None:
            yield place, Outcome(rewrite.before, rewrite.after, told)
        elif told:
            yield place, Outcome(None, None, told)
