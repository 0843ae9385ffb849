"""The same work on every processor: forked processes that answer through a pipe, or this process alone."""

from __future__ import annotations

import marshal
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")

_SHARE = 2_500
"""Fewer items than this per process do not pay for a fork (2,097 files: no gain; 31,186 files: 1.5 times faster)."""

_MOST = 8


def spread(work: Callable[[range], _Answer], count: int) -> list[_Answer]:
    """Answers of `work` on ranges that together cover the items 0 … `count` - 1.

    An answer travels as `marshal` writes it: numbers, text, bytes, None, and lists, tuples, dicts and sets of them. What a
    process cannot deliver is worked out in this one, so an exception of `work` is raised here as itself.
    """
    processes = _processes(count)
    shares = [range(start, count, processes) for start in range(processes)]
    children: list[tuple[int, int]] = []
    answers: list[_Answer] = []
    try:
        for share in shares[1:]:
            try:
                children.append(_fork(work, share))
            except OSError:  # no more processes or descriptors: the rest is done here
                break
        answers.append(work(shares[0]))
        for share in shares[1 : 1 + len(children)]:
            payload = _collect(*children.pop(0))
            answers.append(work(share) if payload is None else marshal.loads(payload))  # noqa: S302 - our own process wrote it
        answers.extend(work(share) for share in shares[len(answers) :])
    finally:
        for process, pipe in children:
            os.close(pipe)
            os.waitpid(process, 0)
    return answers


def _processes(count: int) -> int:
    """How many processes pay: one where forking is impossible or unsafe (other threads may hold a lock)."""
    wanted = min(_MOST, count // _SHARE)
    if wanted < 2 or not hasattr(os, "fork") or _threads() > 1:  # noqa: PLR2004 - fewer than two is none
        return 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(wanted, available))


def _threads() -> int:
    threading = sys.modules.get("threading")
    return threading.active_count() if threading else 1


def _fork(work: Callable[[range], _Answer], share: range) -> tuple[int, int]:
    """Start a process for one share; its number and the end of the pipe to read from."""
    source, sink = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads that an extension started
            process = os.fork()
    except OSError:
        os.close(source)
        os.close(sink)
        raise
    if process:
        os.close(sink)
        return process, source
    status = 1
    try:
        os.close(source)
        answer: Any = work(share)
        with os.fdopen(sink, "wb") as pipe:
            pipe.write(marshal.dumps(answer))
        status = 0
    finally:
        os._exit(status)  # nothing of the parent's (buffers, exit handlers, this traceback) may run twice


def _collect(process: int, source: int) -> bytes | None:
    """What a process wrote, or None if it failed."""
    try:
        with os.fdopen(source, "rb") as pipe:
            payload = pipe.read()
    finally:
        _, status = os.waitpid(process, 0)
    return payload if status == 0 else None
