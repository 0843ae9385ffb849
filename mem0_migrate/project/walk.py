"""The files below a directory where git cannot be asked, and what `.gitignore` files say about them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from mem0_migrate.project.reading import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pathspec import GitIgnoreSpec

    _Rules: TypeAlias = tuple[tuple[str, GitIgnoreSpec], ...]

# paths are text here: pathlib costs ten times as much per file
# ruff: noqa: PTH118, PTH123


def walk(
    root: str, start: str, *, wanted: Callable[[str], bool], excluded: Callable[[str], bool], respect_gitignore: bool
) -> tuple[list[str], list[tuple[str, str]]]:
    """The files below `root`/`start` whose names are wanted, and the directories that could not be read, each with the reason.

    Paths are relative to `root`, with `/` between their parts; `excluded` is asked about directories (with a `/` at the end) and
    files. Symbolic links to directories are not followed, so a loop of them does no harm; links to files are files, and those to
    nothing are not there. Ignore files are read from `root` downwards, never above it.
    """
    found: list[str] = []
    unreadable: list[tuple[str, str]] = []
    stack = [(start, _above(root, start) if respect_gitignore else ())]
    while stack:
        directory, rules = stack.pop()
        prefix = f"{directory}/" if directory else ""
        try:
            with os.scandir(os.path.join(root, directory)) as entries:
                listed = list(entries)
        except OSError as error:
            unreadable.append((directory, explain(error)))
            continue
        if respect_gitignore and any(entry.name == ".gitignore" for entry in listed):
            rules = _with(rules, root, prefix, f"{prefix}.gitignore")
        for entry in listed:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git" and not excluded(path + "/") and not _ignores(rules, path + "/"):
                    stack.append((path, rules))
            elif wanted(entry.name) and _is_there(entry) and not excluded(path) and not _ignores(rules, path):
                found.append(path)
    return found, unreadable


def _is_there(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself, or into a closed directory: reading it will say so
        return True


def _above(root: str, start: str) -> _Rules:
    """The rules that hold in `start`, from the directories above it up to `root`."""
    rules = _with((), root, "", ".git/info/exclude")
    parts = start.split("/") if start else []
    for depth in range(len(parts)):
        prefix = "".join(f"{part}/" for part in parts[:depth])
        rules = _with(rules, root, prefix, f"{prefix}.gitignore")
    return rules


def _with(rules: _Rules, root: str, prefix: str, ignore_file: str) -> _Rules:
    """The rules, and after them those of one ignore file, which hold below `prefix`; an unreadable file has none, as in git."""
    try:
        with open(os.path.join(root, ignore_file), encoding="utf-8", errors="surrogateescape") as lines:
            patterns = list(_valid(lines))
    except OSError:
        return rules
    if not patterns:
        return rules
    from pathspec import GitIgnoreSpec

    return (*rules, (prefix, GitIgnoreSpec.from_lines(patterns)))


def _valid(lines: Iterable[str]) -> Iterable[str]:
    """The lines that are patterns; git passes over the others."""
    from pathspec import GitIgnoreSpec

    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        yield line


def _ignores(rules: _Rules, path: str) -> bool:
    """Tell whether a path is ignored: the last matching pattern of the deepest ignore file decides."""
    for prefix, spec in reversed(rules):
        decision = spec.check_file(path[len(prefix) :]).include
        if decision is not None:
            return decision
    return False
