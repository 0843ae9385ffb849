"""Bytes of one file: read without ever blocking on a FIFO, a socket or a device."""

from __future__ import annotations

import errno
import os
import stat

LIMIT = 64 << 20
"""Largest file that is read whole, in bytes."""

_WINDOW = 4 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def read(filename: str) -> bytes:
    """The whole content of a regular file.

    Raises:
        OSError: the file cannot be opened or read, is not a regular file, or is larger than `LIMIT`; `explain` puts it in words.
    """
    descriptor = os.open(filename, _FLAGS)
    try:
        size = _size(descriptor)
        if size > LIMIT:
            raise OSError(errno.EFBIG, f"larger than {LIMIT >> 20} MiB", filename)
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return data
        parts = [data]  # a short read, or the file grew since fstat
        while parts[-1]:
            parts.append(os.read(descriptor, _WINDOW))
        return b"".join(parts)
    finally:
        os.close(descriptor)


def holds(filename: str, word: bytes) -> bool:
    """Tell whether the bytes of a regular file of any size hold `word`; a large file is read in windows.

    Raises:
        OSError: the file cannot be opened or read, or is not a regular file.
    """
    descriptor = os.open(filename, _FLAGS)
    try:
        size = _size(descriptor)
        tail = b""
        while True:
            data = os.read(descriptor, min(size, _WINDOW) + 1)
            if word in (tail + data if tail else data):
                return True
            if not data or (not tail and len(data) == size):
                return False
            tail = (tail + data)[-len(word) :]
    finally:
        os.close(descriptor)


def explain(error: OSError) -> str:
    """Why a file could not be read, in lower case and without its name: "permission denied"."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]


def _size(descriptor: int) -> int:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    return status.st_size
