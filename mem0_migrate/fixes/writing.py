"""Writing a file so that it has either its new content or its old one, whatever happens on the way.

A file is replaced: the new content goes to a temporary file beside it, with its owner, mode and extended attributes, and is
renamed over it. Where a rename would lose something (another hard link, an owner that only root may give) the file is
overwritten in place, while a journal beside it holds both contents, so that a run that is killed can be completed.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import sys
import threading
import time
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from mem0_migrate.fixes.scratch import NAME, close, lock, opened, scratch
from mem0_migrate.project.reading import explain, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# the system calls themselves: their order is what matters here, and a test breaks each of them
# ruff: noqa: PTH105, PTH108, PTH116, PTH208

_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)  # seconds; on Windows a virus scanner or an indexer holds new files for a moment


class WriteError(Exception):
    """A file was not written; `reason` says why and what to do, in words that follow "<file>: ".

    It is as it was, unless the reason begins "written in part": then `recover` completes it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait until the file is whole. It reaches the main thread alone."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    held: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if held:
            signal.raise_signal(signal.SIGINT)


@_interrupts_held_back()
def write(path: Path, before: bytes, after: bytes) -> None:
    """Give a file the content `after`, or leave it exactly as it was. A symbolic link stays one: what it leads to is written.

    Owner, mode, extended attributes (on Linux, with them access control lists) and hard links are kept.

    Raises:
        WriteError: it was not written: its content is no longer `before`, it or its directory is read-only, the disk is full …
    """
    try:
        target = Path(os.path.realpath(path, strict=True))
        status = os.stat(target)
        _require_writable(target, status)
        if status.st_nlink > 1 or not _replace(target, status, before, after):
            _overwrite(target, before, after)
    except (FileNotFoundError, BlockingIOError) as error:
        raise WriteError("not written: another program moved or removed it, or writes here too; run again") from error
    except PermissionError as error:
        reason = f"not written: its directory is read-only ({explain(error)}); make that writable, then run again"
        raise WriteError(reason) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room on the disk" if full else "put that right"
        raise WriteError(f"not written: {explain(error)}; {remedy}, then run again") from error


@_interrupts_held_back()
def recover(directories: Iterable[Path]) -> list[Path]:
    """Bring to an end what killed runs left in these directories, those of the files themselves and not of links to them.

    A file that was overwritten in part gets the rest of its new content; temporary files and journals are removed. Nothing
    of a run that is still alive is touched, nor a file that was changed since (its journal, JSON with both contents, stays).

    Returns:
        The files that were completed, and the leftovers that were removed and had nothing to complete.
    """
    repaired = []
    for directory in sorted(set(directories)):
        with suppress(OSError):  # no directory, or not to be read: nothing of ours will come there either
            for name in sorted(filter(NAME.fullmatch, os.listdir(directory))):
                # its run is alive, another run was faster, its file is gone, or (ValueError) the name in it is none
                with suppress(OSError, ValueError):
                    repaired += _settle(directory / name)
    return repaired


def _require_writable(target: Path, status: os.stat_result) -> None:
    """Refuse what the user protected: a rename would go past the mode of the file, and root past any."""
    if not stat.S_ISREG(status.st_mode):
        raise WriteError("not written: it is not a regular file; leave it out")
    remedy = "make it writable, then run again"
    if not status.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise WriteError(f"not written: the file is read-only; {remedy}")
    try:
        with opened(target):
            pass
    except PermissionError as error:
        raise WriteError(f"not written: the file is read-only ({explain(error)}); {remedy}") from error


def _replace(target: Path, status: os.stat_result, before: bytes, after: bytes) -> bool:
    """Rename a new file over the old one; False, and nothing done, where the new one cannot be made like the old one."""
    with scratch(target.parent, ".tmp") as temporary:
        _fill(temporary.descriptor, after)
        if not _make_alike(temporary.descriptor, target, status):  # after its content: writing takes setuid away
            return False
        _require_unchanged(target, before)
        if sys.platform == "win32":
            temporary.close()  # an open file cannot be renamed there; elsewhere it stays locked until it has its new name
        _rename(temporary.path, target)
    _sync_directory(target.parent)
    return True


def _overwrite(target: Path, before: bytes, after: bytes) -> None:
    """Write into the file itself, with a journal beside it from before the first byte until after the last."""
    texts = {"file": target.name, "before": before.decode("latin-1"), "after": after.decode("latin-1")}
    with scratch(target.parent, ".journal") as journal, opened(target) as descriptor:
        _fill(journal.descriptor, json.dumps(texts).encode("ascii"))
        _sync_directory(target.parent)
        _require_unchanged(target, before)
        try:
            _fill(descriptor, after)
        except BaseException:
            journal.kept = True
            try:
                _fill(descriptor, before)
            except OSError as error:
                raise WriteError(f"written in part: {explain(error)}; put that right and run again to complete it") from error
            journal.kept = False
            raise


def _settle(leftover: Path) -> list[Path]:
    if not stat.S_ISREG(os.lstat(leftover).st_mode):
        return []
    completed = []
    with opened(leftover) as descriptor:
        lock(descriptor)
        journal = _read_journal(leftover) if leftover.suffix == ".journal" else None
        if journal:
            target, before, after = journal
            now = read(str(target))
            if now not in (before, after):
                if target.is_symlink() or not _is_mixed(now, before, after):
                    return []
                with opened(target) as torn:
                    _fill(torn, after)
                completed.append(target)
    os.unlink(leftover)
    return completed or [leftover]


def _read_journal(path: Path) -> tuple[Path, bytes, bytes] | None:
    """The file beside it that a journal is about, and its two contents; None if the journal was never finished, nor used."""
    try:
        texts = json.loads(path.read_bytes())  # it may be longer than any file that `read` reads
        before, after = texts["before"].encode("latin-1"), texts["after"].encode("latin-1")
        return path.with_name(texts["file"]), before, after  # ValueError unless it is a plain name: it stays in this directory
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _is_mixed(now: bytes, before: bytes, after: bytes) -> bool:
    """Tell whether every byte is that of one of the two contents at its place, as when writing stopped in the middle."""
    shorter, longer = sorted((len(before), len(after)))
    choices = zip(now, zip_longest(before, after), strict=False)
    return shorter <= len(now) <= longer and all(byte in choice for byte, choice in choices)


def _make_alike(descriptor: int, target: Path, status: os.stat_result) -> bool:
    """Give a new file the owner, the mode and the extended attributes of the old one; False where that is not allowed."""
    try:
        if sys.platform != "win32":
            made = os.fstat(descriptor)
            if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        if sys.platform == "linux":  # Python offers attributes nowhere else
            names: list[str] = []
            with suppress(OSError):  # nor has every file system them
                names = os.listxattr(target)
            for name in names:
                os.setxattr(descriptor, name, os.getxattr(target, name))
    except PermissionError:
        return False
    return True


def _fill(descriptor: int, content: bytes) -> None:
    """Make this the content of an open file, from its first byte on, and have it on the disk."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _require_unchanged(target: Path, before: bytes) -> None:
    if read(str(target)) != before:
        raise WriteError("not written: it was changed since it was analysed; run again")


def _rename(source: Path, target: Path) -> None:
    for pause in _PAUSES if sys.platform == "win32" else ():
        try:
            return os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
    return os.replace(source, target)


def _sync_directory(directory: Path) -> None:
    if sys.platform != "win32":
        with suppress(OSError):  # not every file system can; the content is on the disk already
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                close(descriptor)
