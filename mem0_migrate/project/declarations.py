"""What the project around a file declares about mem0ai: the nearest manifest that names it decides."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS, Declaration, Unreadable
from mem0_migrate.project.manifests import ENVIRONMENT_YML, LOCKS, METADATA, REQUIREMENTS, SCRIPT, format_of, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mem0_migrate.project.manifests.environments import Stated
    from mem0_migrate.project.manifests.statement import Include, Statement

UNDECLARED = Declaration(eras=frozenset(ERAS))


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A manifest or lock on disk; `environment` is what its requirements belong to, empty where the format tells."""

    path: Path
    format: str
    environment: str = ""


@dataclass(frozen=True, slots=True)
class _Contents:
    """What one directory holds: its manifests, and the names of its `*.dist-info` directories."""

    manifests: tuple[_Manifest, ...] = ()
    distributions: tuple[str, ...] = ()


class Declarations:
    """Finds what is declared for each file of a code base; reads every directory and every manifest at most once.

    A script that requires mem0ai in metadata of its own decides for itself. Else, from the directory of the file upwards, the
    first directory whose manifests name mem0ai decides; one whose manifests do not name it leaves the decision to those above.
    A lock further up decides for a package below that it was made for (a workspace). Of an unpacked distribution its METADATA
    counts; where several lie side by side, that of the distribution whose RECORD lists the file. Nothing above `root` is looked
    at, and no requirements file outside it. What the requirements of one directory admit together is told in
    `manifests/environments.py`.
    """

    def __init__(self, root: Path, assume: str | None = None, read: Callable[[Path], bytes] = Path.read_bytes) -> None:
        """Prepare; nothing is read yet.

        Args:
            root: The top of the code base (of a file: its directory).
            assume: What to assume for every file instead (`--mem0ai`), see `parse_assumption`.
            read: Returns the content of a file, or raises OSError.

        Raises:
            ValueError: `assume` cannot be understood.
        """
        self._working = Path.cwd()
        top = _normal(self._working / root)
        self._root = top.parent if top.is_file() else top
        self._read = read
        self._assumed = _assumption(assume) if assume is not None else None
        self._contents: dict[Path, _Contents] = {}
        self._statements: dict[Path, tuple[Statement, ...]] = {}
        self._owners: dict[Path, dict[str, str]] = {}
        self._decided: dict[tuple[Path, str | None], Declaration | None] = {}
        self._used: set[Declaration] = set()
        self._problems: set[Unreadable] = set()

    @property
    def problems(self) -> tuple[Unreadable, ...]:
        """The manifests and locks, of those needed so far, that could not be read or understood, by name and row."""
        return tuple(sorted(self._problems, key=lambda problem: (problem.filename, problem.row or 0, problem.reason)))

    def all(self) -> tuple[Declaration, ...]:
        """Return the declarations that `of` has answered so far, by source and row."""
        return tuple(sorted(self._used, key=lambda found: (found.source or "", found.row or 0, found.requirement)))

    def of(self, filename: str) -> Declaration:
        """Return what is declared for a file, relative to the working directory or absolute; it need not exist."""
        declaration = self._assumed or self.stated(filename)
        self._used.add(declaration)
        return declaration

    def stated(self, filename: str) -> Declaration:
        """Return what manifests and locks say about a file, whatever is assumed instead."""
        return self._nearest(_normal(self._working / filename))

    def _nearest(self, filename: Path) -> Declaration:
        path = self._below_root(filename)
        if path is None:
            return UNDECLARED
        own = self._script(path)
        if own is not None:
            return own
        for directory in self._upwards(path):
            owner = self._owner(directory, path)
            key = (directory, owner)
            if key not in self._decided:
                self._decided[key] = self._decide(directory, owner)
            declaration = self._decided[key]
            if declaration is not None:
                return declaration
        return UNDECLARED

    def _script(self, path: Path) -> Declaration | None:
        """Return what a script declares for itself."""
        if path.suffix != ".py" or not path.is_file():
            return None
        stated = list(self._stated(_Manifest(path, SCRIPT)))
        if not stated:
            return None
        from mem0_migrate.project.manifests.environments import declare

        return declare(stated)

    def _below_root(self, path: Path) -> Path | None:
        """Return a path below `root`, also if it or `root` is reached through a symbolic link; None if it is outside."""
        if path.is_relative_to(self._root):
            return path
        real, real_root = _real(path), _real(self._root)
        return self._root / real.relative_to(real_root) if real.is_relative_to(real_root) else None

    def _upwards(self, path: Path) -> Iterator[Path]:
        """Yield the directories above a path, up to `root`."""
        return (directory for directory in path.parents if directory.is_relative_to(self._root))

    def _decide(self, directory: Path, owner: str | None) -> Declaration | None:
        manifests = self._without_constraints(self._list(directory).manifests)
        if owner is not None:
            manifests += (_Manifest(directory / owner / "METADATA", METADATA),)
        stated = [item for manifest in manifests for item in self._stated(manifest)]
        if not stated:
            return None
        from mem0_migrate.project.manifests.environments import declare

        if not any(item.requirement.locked for item in stated):
            stated = self._workspace_lock(directory) or stated
        return declare(stated)

    def _workspace_lock(self, directory: Path) -> list[Stated]:
        """Return what the locks in the nearest directory above state that were made for the package in this directory."""
        from mem0_migrate.project.manifests.statement import Member

        for above in self._upwards(directory):
            stated: list[Stated] = []
            for manifest in (manifest for manifest in self._list(above).manifests if manifest.format in LOCKS):
                statements = self._state(manifest.path, manifest.format)
                if any(isinstance(item, Member) and _normal(above / item.path) == directory for item in statements):
                    stated += self._stated(manifest)
            if stated:
                return stated
        return []

    def _stated(self, manifest: _Manifest) -> Iterator[Stated]:
        """Yield the requirements of a manifest and of the requirements files that belong to it, each file once."""
        if not self._state(manifest.path, manifest.format):
            return
        from mem0_migrate.project.manifests.environments import Stated
        from mem0_migrate.project.manifests.statement import Include, Requirement

        files, seen = [manifest], {_real(manifest.path)}
        for file in files:  # grows
            for item in self._state(file.path, file.format):
                if isinstance(item, Requirement):
                    yield Stated(self._shown(file.path), replace(item, environment=file.environment or item.environment))
                elif isinstance(item, Include) and (path := self._included(file, item)) is not None and _real(path) not in seen:
                    seen.add(_real(path))
                    files.append(_Manifest(path, REQUIREMENTS, file.environment))

    def _included(self, manifest: _Manifest, include: Include) -> Path | None:
        """Return the file that a requirements file includes; None if it is an address, outside `root`, or missing."""
        path = _normal(manifest.path.parent / include.path)
        try:
            if "://" in include.path or not _real(path).is_relative_to(_real(self._root)):
                return None
            if path.is_file():
                return path
        except (OSError, ValueError):  # a name that no file can have
            pass
        reason = f"it includes {include.path[:200]}, and there is no such file"
        self._problems.add(Unreadable(self._shown(manifest.path), reason, include.row))
        return None

    def _state(self, path: Path, manifest_format: str) -> tuple[Statement, ...]:
        """Return what one file states, and note its problems."""
        if path not in self._statements:
            from mem0_migrate.project.manifests.statement import Problem

            data = self._bytes(path)
            statements = read_manifest(data, manifest_format) if data is not None else ()
            self._statements[path] = statements
            shown = self._shown(path)
            self._problems.update(Unreadable(shown, item.reason, item.row) for item in statements if isinstance(item, Problem))
        return self._statements[path]

    def _bytes(self, path: Path) -> bytes | None:
        try:
            return self._read(path)
        except OSError as error:
            self._problems.add(Unreadable(self._shown(path), f"it cannot be read: {error.strerror or error}"))
            return None

    def _list(self, directory: Path) -> _Contents:
        """Return what a directory holds, with the files of its subdirectory `requirements`."""
        if directory not in self._contents:
            names = self._names(directory)
            manifests = [
                _Manifest(directory / name, manifest_format, _environment(name, manifest_format))
                for name, is_directory in names
                if not is_directory and (manifest_format := format_of(name)) is not None
            ]
            if ("requirements", True) in names:
                manifests += (
                    _Manifest(directory / "requirements" / name, REQUIREMENTS, _environment(f"requirements/{name}", REQUIREMENTS))
                    for name, is_directory in self._names(directory / "requirements")
                    if not is_directory and name.endswith((".txt", ".in"))
                )
            distributions = tuple(name for name, is_directory in names if is_directory and name.endswith(".dist-info"))
            self._contents[directory] = _Contents(tuple(manifests), distributions)
        return self._contents[directory]

    def _without_constraints(self, manifests: Sequence[_Manifest]) -> tuple[_Manifest, ...]:
        """Leave out the files that only constrain another one: they require nothing by themselves."""
        from mem0_migrate.project.manifests.statement import Include

        constraints = {
            _normal(manifest.path.parent / item.path)
            for manifest in manifests
            for item in self._state(manifest.path, manifest.format)
            if isinstance(item, Include) and item.constraint
        }
        return tuple(manifest for manifest in manifests if manifest.path not in constraints)

    def _names(self, directory: Path) -> list[tuple[str, bool]]:
        """Return the names of the files and directories in a directory, sorted, each with whether it is a directory."""
        found = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir() or entry.is_file():  # a pipe would block
                            found.append((entry.name, entry.is_dir()))
                    except OSError:  # a link to itself: reading it tells why
                        found.append((entry.name, False))
        except (FileNotFoundError, NotADirectoryError):  # the file was given on standard input
            return []
        except OSError as error:
            reason = f"its manifests cannot be looked for: {error.strerror or error}"
            self._problems.add(Unreadable(self._shown(directory), reason))
        return sorted(found)

    def _owner(self, directory: Path, path: Path) -> str | None:
        """Return the name of the `*.dist-info` directory whose distribution the file belongs to, None if there is none."""
        distributions = self._list(directory).distributions
        if len(distributions) < 2:  # noqa: PLR2004
            return next(iter(distributions), None)
        if directory not in self._owners:
            self._owners[directory] = {
                file: distribution
                for distribution in distributions
                for file in self._recorded(directory / distribution / "RECORD")
            }
        return self._owners[directory].get(path.relative_to(directory).as_posix())

    def _recorded(self, path: Path) -> Iterator[str]:
        """Yield the files that a RECORD lists, relative to the directory around its own (PEP 376)."""
        import csv

        data = self._bytes(path) or b""
        return (row[0] for row in csv.reader(data.decode("utf-8", "replace").splitlines()) if row)

    def _shown(self, path: Path) -> str:
        return (path.relative_to(self._working) if path.is_relative_to(self._working) else path).as_posix()


def _environment(name: str, manifest_format: str) -> str:
    """Return the environment that a whole file describes: 'requirements-dev.in' and '.txt' are the same one."""
    stem = name.rpartition(".")[0]
    describes_one = manifest_format in (REQUIREMENTS, ENVIRONMENT_YML)
    return f"file {stem}" if describes_one and stem not in ("requirements", "environment") else ""


def _assumption(text: str) -> Declaration:
    from mem0_migrate.sdk.eras import parse_assumption

    return parse_assumption(text)


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
