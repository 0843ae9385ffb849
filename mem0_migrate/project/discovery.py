"""Which files make up the code base, and which of them are reported on."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mem0_migrate.model import Unreadable
from mem0_migrate.project import git
from mem0_migrate.project.exclusion import BUILD_OUTPUT, DEFAULT_EXCLUDE, Exclusion
from mem0_migrate.project.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# paths are text here: pathlib costs ten times as much per file
# ruff: noqa: PTH100, PTH109, PTH112, PTH113, PTH118, PTH120

SUFFIXES = (".py", ".pyi", ".pyw", ".ipynb")


class MissingPathError(FileNotFoundError):
    """A path to check does not exist."""

    def __init__(self, path: str) -> None:
        """Take the path as it was given."""
        super().__init__(errno.ENOENT, "no such file or directory", path)

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


@dataclass(frozen=True, slots=True)
class Discovery:
    """The code base that holds the paths asked for.

    `root` is the top level of the git work tree that holds them, or else their common directory. `files` is all that is analysed:
    sorted, without repetition, relative to the working directory with `/` between the parts (`../x` if need be). Findings are
    reported for `reported` alone, or for all files if it is None. `problems` are directories that could not be read.
    """

    root: Path
    files: tuple[str, ...]
    reported: frozenset[str] | None
    problems: tuple[Unreadable, ...]


def discover(
    paths: Sequence[str],
    *,
    exclude: Sequence[str] | None = None,
    extend_exclude: Sequence[str] = (),
    force_exclude: bool = False,
    respect_gitignore: bool = True,
) -> Discovery:
    """Find the Python files and notebooks of the code base.

    A directory asked for is analysed with all below it. A file asked for makes its whole code base the scope (its git work
    tree, else its directory) and is a filter on what is reported: what is said of a file does not depend on which others are
    named with it.

    Inside a git work tree the files are those that git tracks and those that it would add, in submodules and nested
    repositories too; elsewhere `.gitignore` files are obeyed from `root` downwards. `exclude` replaces `DEFAULT_EXCLUDE` and
    `extend_exclude` adds to it: patterns as in `.gitignore`, relative to the top level of the work tree, or else to `root`. A
    path that is asked for by name is looked at although it is excluded or ignored, unless `force_exclude` is set.

    Raises:
        MissingPathError: a path does not exist.
        InvalidPatternError: an exclude pattern cannot be understood.
    """
    targets = [_target(path) for path in dict.fromkeys(paths or ["."])]
    patterns = [*(DEFAULT_EXCLUDE if exclude is None else exclude), *extend_exclude]
    survey = _Survey(
        root=_common_root(targets),
        exclusion=Exclusion(patterns),
        tracked_exclusion=Exclusion([name for name in patterns if exclude is not None or name not in BUILD_OUTPUT]),
        force_exclude=force_exclude,
        respect_gitignore=respect_gitignore,
    )
    directories = {target.path for target in targets if target.is_directory}
    singles = [target for target in targets if not target.is_directory]
    asked = survey.files_below(directories)
    files, reported = asked, None
    if singles:
        context = survey.files_below({target.top or target.directory for target in singles} - directories)
        named = {survey.shown(target.path) for target in singles if survey.admits(target, asked | context)}
        reported = asked | named
        files = asked | context | named if reported else set()
    return Discovery(
        root=Path(survey.root),
        files=tuple(sorted(files)),
        reported=None if reported is None else frozenset(reported),
        problems=tuple(sorted(survey.problems, key=lambda problem: problem.filename)),
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """A path asked for: absolute and free of links but for a file's own name; the top level of its git work tree, if any."""

    path: str
    is_directory: bool
    top: str | None

    @property
    def directory(self) -> str:
        return self.path if self.is_directory else os.path.dirname(self.path)


def _target(path: str) -> _Target:
    if not os.path.lexists(path):
        raise MissingPathError(path)
    if os.path.isdir(path):
        real = os.path.realpath(path)
        return _Target(_posix(real), is_directory=True, top=_top(real))
    above, name = os.path.split(os.path.abspath(path))
    above = os.path.realpath(above)
    return _Target(_posix(os.path.join(above, name)), is_directory=False, top=_top(above))


def _top(directory: str) -> str | None:
    top = git.top_level(directory)
    return top and _posix(top)


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")


def _common_root(targets: Sequence[_Target]) -> str:
    tops = {target.top for target in targets}
    only = tops.pop()
    if only and not tops:
        return only
    try:
        return _posix(os.path.commonpath([target.directory for target in targets]))
    except ValueError:  # on different drives
        return _posix(os.getcwd())


class _Survey:
    """Lists the files below directories, and collects what could not be read."""

    def __init__(
        self, *, root: str, exclusion: Exclusion, tracked_exclusion: Exclusion, force_exclude: bool, respect_gitignore: bool
    ) -> None:
        self.root = root
        self.problems: list[Unreadable] = []
        self._exclusion = exclusion
        self._tracked_exclusion = tracked_exclusion
        self._force_exclude = force_exclude
        self._respect_gitignore = respect_gitignore
        self._here = _posix(os.path.realpath(os.getcwd()))

    def files_below(self, directories: Iterable[str]) -> set[str]:
        """The files below absolute directories, relative to the working directory."""
        found: set[str] = set()
        together: dict[str, list[str]] = {}
        tops = {directory: _top(directory) for directory in sorted(directories)}
        ignored = self._ignored(tops)
        for directory, top in tops.items():
            base = top or self.root
            out_of_place = directory != base and self._exclusion.excludes(_inside(base, directory) + "/")
            if directory in ignored:
                out_of_place, top = True, None  # noqa: PLW2901 (its work tree does not list it)
            if out_of_place:
                if self._force_exclude:
                    continue
                base = directory
            if not top or not self._respect_gitignore:
                found |= self._walked(base, directory)
            elif out_of_place:
                found |= self._listed(top, base, [directory])
            else:
                together.setdefault(top, []).append(directory)
        for top, below in together.items():
            found |= self._listed(top, top, below)
        return found

    def _ignored(self, tops: Mapping[str, str | None]) -> set[str]:
        """Those of some directories, with the top of their work tree, that git ignores: one question for each work tree."""
        asked: dict[str, list[str]] = {}
        for directory, top in tops.items():
            if top and self._respect_gitignore and directory != top:
                asked.setdefault(top, []).append(directory)
        found: set[str] = set()
        for top, inside in asked.items():
            answer = git.ignored(top, [_inside(top, directory) for directory in inside])
            found.update(directory for directory in inside if _inside(top, directory) in answer)
        return found

    def admits(self, target: _Target, found: set[str]) -> bool:
        """Tell whether a file that is asked for is looked at; `found` is what was found in its surroundings."""
        if not self._force_exclude or self.shown(target.path) in found:
            return True
        if self._exclusion.excludes(_inside(target.top or self.root, target.path)):
            return False
        return not (self._respect_gitignore and target.path.endswith(SUFFIXES) and os.path.isfile(target.path))  # it is ignored

    def shown(self, path: str) -> str:
        """An absolute path relative to the working directory."""
        directory, _, name = path.rpartition("/")
        return next(iter(self._shown(directory, [name])))

    def _listed(self, top: str, base: str, below: Sequence[str]) -> set[str]:
        """The files below absolute directories of one work tree, as git knows them; patterns are relative to `base`."""
        prefix, cut = (_inside(base, top), 0) if base in (top, *_parents(top)) else ("", len(_inside(top, base)) + 1)
        if prefix:
            prefix += "/"

        def keep(paths: Iterable[str], exclusion: Exclusion) -> list[str]:
            return [path for path in paths if path.endswith(SUFFIXES) and not exclusion.excludes(prefix + path[cut:])]

        under = [] if top in below else [_inside(top, directory) for directory in below]
        listing = git.list_files(top, under, lambda paths: keep(paths, self._tracked_exclusion))
        if listing is None:
            return set().union(*(self._walked(base, directory) for directory in below))
        self._note(top, listing.unreadable)
        found = self._shown(top, [*listing.tracked, *keep(listing.untracked, self._exclusion)])
        for path in listing.nested:
            inner = f"{top}/{path}"
            wanted = not under or any(f"{path}/".startswith(f"{place}/") for place in under)
            if wanted and os.path.lexists(f"{inner}/.git") and not self._tracked_exclusion.excludes(f"{prefix}{path[cut:]}/"):
                found |= self._listed(inner, base, [inner])
        return found

    def _walked(self, base: str, directory: str) -> set[str]:
        found, unreadable = walk(
            base,
            _inside(base, directory),
            wanted=lambda name: name.endswith(SUFFIXES),
            excluded=self._exclusion.excludes,
            respect_gitignore=self._respect_gitignore,
        )
        self._note(base, unreadable)
        return self._shown(base, found)

    def _note(self, base: str, unreadable: Sequence[tuple[str, str]]) -> None:
        for path, reason in unreadable:
            (name,) = self._shown(base, [path.rstrip("/")])
            self.problems.append(Unreadable(name or ".", reason))

    def _shown(self, base: str, paths: Iterable[str]) -> set[str]:
        """Paths relative to an absolute directory, made relative to the working directory."""
        if base == self._here:
            return set(paths)
        if not f"{self._here}/".startswith(f"{base}/"):
            try:
                prefix = _posix(os.path.relpath(base, self._here))
            except ValueError:  # on another drive
                prefix = base
            return {f"{prefix}/{path}" for path in paths}
        steps = _inside(base, self._here).split("/")
        depths = range(len(steps), -1, -1)
        ways = [("".join(f"{step}/" for step in steps[:depth]), "../" * (len(steps) - depth)) for depth in depths]
        return {next(up + path[len(down) :] for down, up in ways if path.startswith(down)) for path in paths}


def _inside(base: str, path: str) -> str:
    """An absolute path relative to a directory that it lies in."""
    return path[len(base) :].lstrip("/")


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path or "/"
