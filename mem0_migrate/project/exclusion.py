"""Patterns that keep files out of the code base: `.venv`, `tests/data`, `**/generated/*.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pathspec import GitIgnoreSpec

DEFAULT_EXCLUDE = (
    *(".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d"),
    *(".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pypackages__", "_build"),
    *("buck-out", "build", "dist", "node_modules", "site-packages", "venv"),
)
"""Names of directories that do not hold a project's own code: ruff's defaults, and `build`."""

BUILD_OUTPUT = frozenset({"_build", "buck-out", "build", "dist"})
"""Those of the defaults that are also names of packages: they are excluded only where git does not track the file."""


class InvalidPatternError(ValueError):
    """An exclude pattern cannot be understood."""


class Exclusion:
    """Patterns as in `.gitignore`, matched against paths relative to the root of the project, never against what lies above it.

    A pattern without `/` matches a name at any depth; what lies below an excluded directory is excluded.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        """Take the patterns.

        Raises:
            InvalidPatternError: one of them cannot be understood.
        """
        tidy = [pattern.removeprefix("./") for pattern in patterns]
        self._names = frozenset(name for name in (pattern.rstrip("/") for pattern in tidy) if not set(name) & set("/*?[]!#\\ "))
        self._patterns = [pattern for pattern in tidy if pattern.rstrip("/") not in self._names]
        self._spec: GitIgnoreSpec | None = None
        self._directories = {"": False}
        if self._patterns:
            self._spec = _compile(self._patterns)

    def excludes(self, path: str) -> bool:
        """Tell whether a path is excluded, itself or with a directory above it; the path of a directory ends in `/`."""
        if path.endswith("/"):
            return self._directory(path[:-1])
        directory, _, name = path.rpartition("/")
        return self._directory(directory) or name in self._names or self._matches(path)

    def _directory(self, path: str) -> bool:
        known = self._directories.get(path)
        if known is None:
            above, _, name = path.rpartition("/")
            known = self._directory(above) or name in self._names or self._matches(path + "/")
            self._directories[path] = known
        return known

    def _matches(self, path: str) -> bool:
        return self._spec is not None and self._spec.match_file(path)


def _compile(patterns: Sequence[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            raise InvalidPatternError(f"cannot exclude {pattern!r}: it is not a pattern as in .gitignore") from error
    return GitIgnoreSpec.from_lines(patterns)
