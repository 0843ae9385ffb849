"""Files of our own beside a file that is written: known by their names, locked while their run lives, gone afterwards."""

from __future__ import annotations

import errno
import os
import re
import secrets
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = re.compile(r"\.mem0-migrate-[0-9a-f]{16}(\.tmp|\.journal)")
"""How they are called: short, whatever the length of the name of the file that is written."""

READ_WRITE = os.O_RDWR | getattr(os, "O_BINARY", 0)

_BEYOND = 1 << 30  # a byte that no such file has: on Windows nobody else can read what is locked


@dataclass(slots=True)
class Scratch:
    """A new, locked file. It is removed in the end unless it was renamed, or is to be `kept` for the next run."""

    path: Path
    descriptor: int = -1
    kept: bool = False

    def close(self) -> None:
        """Close and unlock it; once is enough."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            close(descriptor)


@contextmanager
def scratch(directory: Path, suffix: str) -> Iterator[Scratch]:
    """Make a file with a name of ours.

    Raises:
        OSError: it cannot be made: PermissionError if the directory is read-only, FileNotFoundError or BlockingIOError if
            another run took it for a leftover between its creation and its lock.
    """
    made = Scratch(directory / f".mem0-migrate-{secrets.token_hex(8)}{suffix}")
    try:
        made.descriptor = os.open(made.path, READ_WRITE | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            lock(made.descriptor)
        except BlockingIOError:
            raise
        except OSError:
            pass  # a file system without locks: other runs cannot lock it either, and so leave it alone
        if not os.fstat(made.descriptor).st_nlink:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(made.path))
        yield made
    finally:
        try:
            made.close()
        finally:
            if not made.kept:
                with suppress(OSError):  # it was renamed; or the next run removes it
                    os.unlink(made.path)  # noqa: PTH108 - see writing.py


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file that exists for reading and writing, as a descriptor."""
    descriptor = os.open(path, READ_WRITE)
    try:
        yield descriptor
    finally:
        close(descriptor)


def close(descriptor: int) -> None:
    """Close a file whose content is on the disk already, so that an error here means nothing."""
    with suppress(OSError):
        os.close(descriptor)


def lock(descriptor: int) -> None:
    """Lock an open file until it is closed or its process ends.

    Raises:
        BlockingIOError: another process has the lock.
        OSError: the file system has no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from error
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
