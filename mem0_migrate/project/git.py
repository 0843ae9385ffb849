"""What git knows about the files of a work tree."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import Popen

# paths are text here: pathlib costs ten times as much per file
# ruff: noqa: PTH110, PTH116, PTH118, PTH120

_UNREADABLE = re.compile(rb"^warning: could not open directory '(.*)': (.*)$", re.MULTILINE)

# git describes the work tree that the caller works in by these, as in a hook; the trees asked about here may be others
_LOCAL = ("GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE")


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a work tree, as paths relative to its top level with `/` between their parts.

    `untracked` leaves out what is ignored. `nested` are repositories inside, submodules and others, whose files git does not
    list. `unreadable` are directories that git could not look into, each with the reason.
    """

    tracked: list[str]
    untracked: list[str]
    nested: list[str]
    unreadable: list[tuple[str, str]]


def top_level(directory: str) -> str | None:
    """The nearest directory, this one or above it, that holds a `.git`."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above
    return directory


def list_files(top: str, under: Sequence[str], keep: Callable[[list[str]], list[str]]) -> Listing | None:
    """List a work tree, or the paths `under` its top level; None if git is not installed or will not read it.

    `keep` chooses among the tracked files while git looks for the others; those that were deleted are not listed.
    Git refuses to read the repository of another user, for example.
    """
    try:
        tracked = _start(top, ["ls-files", "-z", "--cached", "--", *under])
        others = _start(top, ["ls-files", "-z", "--others", "--exclude-standard", "--", *under])
    except OSError:
        return None
    cached, _ = tracked.communicate()
    present = [path for path in keep(_paths(cached)) if _is_there(f"{top}/{path}")]
    uncached, warnings = others.communicate()
    if tracked.returncode or others.returncode:
        return None
    untracked = _paths(uncached)
    return Listing(
        tracked=present,
        untracked=[path for path in untracked if not path.endswith("/") and _is_there(f"{top}/{path}")],
        nested=[path[:-1] for path in untracked if path.endswith("/")] + _submodules(top),
        unreadable=[(os.fsdecode(path), os.fsdecode(reason).lower()) for path, reason in _UNREADABLE.findall(warnings)],
    )


def ignored(top: str, paths: Sequence[str]) -> set[str]:
    """Those of a few paths, relative to the top level, that git ignores (1 ms per path in a large repository)."""
    try:
        process = _start(top, ["check-ignore", "-z", "--stdin"], literal=False)
    except OSError:
        return set()
    output, _ = process.communicate(b"".join(os.fsencode(path) + b"\0" for path in paths))
    return set(_paths(output))


def _submodules(top: str) -> list[str]:
    if not os.path.exists(os.path.join(top, ".gitmodules")):
        return []
    process = _start(top, ["config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$"])
    output, _ = process.communicate()
    return [entry.partition("\n")[2].rstrip("/") for entry in _paths(output)]


def _start(top: str, arguments: Sequence[str], *, literal: bool = True) -> Popen[bytes]:
    """Start git so that it neither takes locks nor runs a program that the repository names."""
    import subprocess

    environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", *(["--literal-pathspecs"] if literal else []), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=top, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


def _is_there(path: str) -> bool:
    """Tell a file, readable or not, from one that was deleted and from a link to nothing."""
    if os.access(path, os.F_OK):
        return True
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _paths(output: bytes) -> list[str]:
    return os.fsdecode(output).split("\0")[:-1]
