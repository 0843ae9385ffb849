"""What a run is asked to do: the command line laid over `[tool.mem0-migrate]` of the nearest `pyproject.toml`.

One run analyses one repository, but its packages may each have their own table: the closest one decides what is reported
for a file (`SettingsFor`). Tables are never merged with one another, as in ruff; the command line is laid over each.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mem0_migrate.configuration import ALWAYS_ON, SettingsError, checked, closest, pairs, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mem0_migrate.configuration import Choice, Format
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.project.exclusion import Exclusion

__all__ = ["Settings", "SettingsError", "SettingsFor", "load"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What to look at, what to report, and when to fail.

    Attributes:
        select: Prefixes of rule codes to report; None for the rules that are on by default.
        ignore: Prefixes of rule codes not to report.
        extend_select: Prefixes of rule codes to report as well.
        per_file_ignores: Pairs of a path pattern and the prefixes of rule codes not to report in files that match it.
        exclude: Path patterns of files not to look at, instead of the built-in ones; None for the built-in ones.
        extend_exclude: Path patterns of files not to look at, besides `exclude`.
        force_exclude: Whether `exclude` also holds for files that are named on the command line.
        respect_gitignore: Whether files that git ignores are left out.
        mem0ai: Version, range or era to assume (`1.0.3`, `<2`, `v1`) instead of what manifests and locks say.
        fail_on: The least severity that makes a run fail.
        allow_incomplete: Whether a run passes although a file could not be read.
        output_format: How to print; None to decide by whether a terminal reads it.
        strategy: How findings are to be fixed; `auto` to choose for each client.
        unsafe_fixes: Whether to make fixes too that rest on what is inferred, or change more than is needed.
        fixable: Prefixes of rule codes to fix; None for those that break or may break, and those that were selected by name.
        unfixable: Prefixes of rule codes not to fix.
        directory: What patterns are relative to: the directory of `source`, else the one that was given.
        source: The configuration file, None where there is none.
        hierarchical: Whether a closer configuration file decides for the files below it.
        overrides: Settings that are laid over every configuration file, by attribute: those of the command line.
        stdin: Name and content of the one file to check that is read from standard input.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    mem0ai: str | None = None
    fail_on: Severity = "warning"
    allow_incomplete: bool = False
    output_format: Format | None = None
    strategy: Choice = "auto"
    unsafe_fixes: bool = False
    fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] = ()
    directory: Path = field(default_factory=Path.cwd)
    source: Path | None = None
    hierarchical: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    stdin: tuple[str, bytes] | None = None

    def enabled(self, code: str) -> bool:
        """Whether the rule with that code is reported: the longest prefix that matches decides, `ignore` wins a draw.

        An unreadable file is always reported: what is not looked at must not look like what is right.
        """
        if code == ALWAYS_ON:
            return True
        chosen = _longest((*(self.select or ()), *self.extend_select), code)
        if self.select is None and chosen < 0 and (_on_by_default(code) or code in self._adopted()):
            chosen = 0
        return chosen > _longest(self.ignore, code)

    def fixes(self, finding: Finding) -> bool:
        """Whether a finding is to be fixed: the longest prefix that matches its code decides.

        Not by default: what nothing depends on, and what the code already says explicitly.
        """
        chosen = _longest(self.fixable or (), finding.code)
        if self.fixable is None:
            selected = _longest((*(self.select or ()), *self.extend_select), finding.code)
            breaks = finding.code in _FIXED and finding.severity != "info"
            chosen = 0 if breaks or finding.code in self._adopted() or selected > 0 else -1
        return chosen > _longest(self.unfixable, finding.code)

    def _adopted(self) -> frozenset[str]:
        """What the strategy `async` is about beside what breaks: calls that are queued, and those that say they are not to be."""
        return _ADOPTED if self.strategy == "async" else frozenset()

    def reports(self, code: str, path: Path) -> bool:
        """Whether the rule with that code is reported in the file at that absolute path."""
        ignored = (codes for pattern, codes in self.per_file_ignores if matches((pattern,), self.directory, path))
        return self.enabled(code) and (code == ALWAYS_ON or not any(code.startswith(codes) for codes in ignored))

    def excludes(self, path: Path) -> bool:
        """Whether `exclude` or `extend_exclude` names the file at that absolute path; built-in patterns not considered."""
        return matches((*(self.exclude or ()), *self.extend_exclude), self.directory, path)


class SettingsFor:
    """The settings that decide for a file: those of the closest configuration file, one look per directory."""

    def __init__(self, base: Settings, named: Iterable[str] = ()) -> None:
        """Start from the settings of the run, which hold where no file is closer, and the paths that the run was given."""
        self.base = base
        self._named = [_absolute(path) for path in named]
        self._by_directory: dict[Path, Settings] = {}

    def of(self, filename: str) -> Settings:
        """The settings for a file, given by its path relative to the working directory.

        Raises:
            SettingsError: The closest configuration file has something in it that cannot be used.
        """
        if not self.base.hierarchical:
            return self.base
        directory = _absolute(filename).parent
        known = self._by_directory.get(directory)
        if known is None:
            source = closest(directory)
            if source is None or source == self.base.source:
                known = self.base
            else:
                known = _settings(read(source), self.base.overrides, source.parent, source)
            self._by_directory[directory] = known
        return known

    def reports(self, code: str, filename: str) -> bool:
        """Whether a finding of the rule with that code in that file is to be reported.

        Patterns to exclude are relative to their configuration file, which need not be at the top of what was searched. A path
        that the run was given by name is not excluded, unless `force_exclude` is set.
        """
        settings = self.of(filename)
        path = _absolute(filename)
        excluded = settings.excludes(path) and (settings.force_exclude or not self._is_named(path, settings))
        return code == ALWAYS_ON or (settings.reports(code, path) and not excluded)

    def fixing(self, finding: Finding) -> Literal["now", "unsafe", "never"]:
        """Whether `fix` would make the fix of a finding: with these settings, with `unsafe_fixes`, or not at all."""
        settings = self.of(finding.span.filename)
        if finding.fix is None or finding.fix.applicability == "display-only" or not settings.fixes(finding):
            return "never"
        return "now" if finding.fix.applicability == "safe" or settings.unsafe_fixes else "unsafe"

    def _is_named(self, path: Path, settings: Settings) -> bool:
        return any(named in (path, *path.parents) and settings.excludes(named) for named in self._named)


def _absolute(path: str) -> Path:
    """An absolute path without `..`; links are left alone, since following them could leave the tree."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - pathlib has no such function


def load(
    directory: Path | None = None,
    *,
    config: Sequence[str] = (),
    isolated: bool = False,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings for a run.

    Args:
        directory: Where to look for a `pyproject.toml` with a `[tool.mem0-migrate]` table, and then in its parents;
            None for the working directory.
        config: TOML files to read instead of looking for one (at most one), and `key = value` pairs that are laid over it.
        isolated: Whether to read no configuration file at all. Manifests are no configuration, and are still read.
        overrides: Values by attribute of `Settings`, laid over all of that: the options of a command line.

    Raises:
        SettingsError: Something in a file or in `overrides` cannot be used.
    """
    directory = Path.cwd() if directory is None else directory.absolute()
    files = [text for text in config if "=" not in text or Path(text).exists()]
    options = {
        name: checked(key := name.replace("_", "-"), value, f"--{key} (or MEM0_MIGRATE_{name.upper()})")
        for name, value in (overrides or {}).items()
        if value is not None
    }
    laid = _lay(options, over=pairs(text for text in config if text not in files))
    if len(files) > 1:
        raise SettingsError(f"--config names {len(files)} files: {', '.join(files)}. Name one.")
    if isolated and files:
        raise SettingsError(f"--isolated reads no configuration file, and --config names {files[0]}. Use one of them.")
    if files:
        source = Path(files[0]).absolute()
        return _settings(read(source, required=True), laid, directory, source, hierarchical=False)
    found = None if isolated else closest(directory)
    if found is None:
        return _settings({}, laid, directory, None, hierarchical=not isolated)
    return _settings(read(found), laid, found.parent, found)


def matches(patterns: tuple[str, ...], directory: Path, path: Path) -> bool:
    """Whether one of the patterns, written as in a `.gitignore` in `directory`, matches the file at `path` (both absolute)."""
    if not patterns or directory not in path.parents:
        return False
    return _exclusion(patterns).excludes(path.relative_to(directory).as_posix())


@lru_cache(maxsize=64)
def _exclusion(patterns: tuple[str, ...]) -> Exclusion:
    from mem0_migrate.project.exclusion import Exclusion

    return Exclusion(patterns)


def _settings(
    values: Mapping[str, Any], overrides: Mapping[str, Any], directory: Path, source: Path | None, *, hierarchical: bool = True
) -> Settings:
    laid = _lay(overrides, over=values)
    return replace(Settings(directory=directory), **laid, source=source, hierarchical=hierarchical, overrides=dict(overrides))


def _lay(upper: Mapping[str, Any], *, over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one layer of values over another.

    A `select` replaces the whole selection below it. What is merely added or ignored wins over every entry below that it
    covers, however specific; ruff applies one layer after the other to the same effect.
    """
    lower = dict(over)
    if "select" in upper:
        for name in ("select", "extend_select", "ignore"):
            lower.pop(name, None)
    for names, covering in ((("select", "extend_select"), "ignore"), (("ignore",), "extend_select")):
        for name in names:
            if name in lower:
                lower[name] = tuple(code for code in lower[name] if not code.startswith(upper.get(covering, ())))
    for name in ("extend_select", "ignore", "extend_exclude"):
        if name in upper:
            lower[name] = (*lower.get(name, ()), *upper[name])
    return {**lower, **{name: value for name, value in upper.items() if name not in lower or name not in _ADDING}}


_ADDING = frozenset({"extend_select", "ignore", "extend_exclude"})


_FIXED = frozenset(["MEM101", "MEM102", "MEM103", "MEM106", "MEM107", "MEM109", "MEM110", "MEM111", "MEM201"])

_ADOPTED = frozenset(["MEM104", "MEM108"])


def _longest(prefixes: Iterable[str], code: str) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _on_by_default(code: str) -> bool:
    from mem0_migrate.rules.registry import rule

    return rule(code).enabled
