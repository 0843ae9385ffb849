"""Exclude patterns: names, paths and globs as in .gitignore, relative to the root of the project."""

from __future__ import annotations

import pytest

from mem0_migrate.project.exclusion import DEFAULT_EXCLUDE, Exclusion, InvalidPatternError

CASES = [
    # patterns, path, excluded
    (DEFAULT_EXCLUDE, "a.py", False),
    (DEFAULT_EXCLUDE, ".venv/lib/a.py", True),
    (DEFAULT_EXCLUDE, "x/node_modules/y/a.py", True),
    (DEFAULT_EXCLUDE, "x/node_modules/", True),
    (DEFAULT_EXCLUDE, "x/node_modules_2/a.py", False),
    (DEFAULT_EXCLUDE, "builder.py", False),
    (["gen"], "gen/a.py", True),
    (["gen/"], "x/gen/a.py", True),
    (["./gen"], "gen/a.py", True),
    (["a.py"], "x/a.py", True),
    (["x/gen"], "x/gen/a.py", True),
    (["x/gen"], "y/x/gen/a.py", False),
    (["/gen"], "x/gen/a.py", False),
    (["x/*.py"], "x/a.py", True),
    (["x/*.py"], "x/y/a.py", False),
    (["*_pb2.py"], "x/y/a_pb2.py", True),
    (["**/gen/*.py"], "x/y/gen/a.py", True),
    (["te[xs]t"], "test/a.py", True),
    (["*.py", "!keep.py"], "keep.py", False),
    (["a b"], "a b/c.py", True),
    ([], ".venv/a.py", False),
]


@pytest.mark.parametrize(("patterns", "path", "excluded"), CASES)
def test_excludes(patterns: list[str], path: str, excluded: bool) -> None:
    exclusion = Exclusion(patterns)
    assert exclusion.excludes(path) is excluded
    assert exclusion.excludes(path) is excluded


@pytest.mark.parametrize("pattern", ["!", "a\\"])
def test_a_pattern_that_is_none(pattern: str) -> None:
    with pytest.raises(InvalidPatternError, match="cannot exclude"):
        Exclusion(["a", pattern])


def test_plain_names_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pathspec", None)
    assert Exclusion(DEFAULT_EXCLUDE).excludes("dist/a.py")
