"""A program that writes files until it is stopped: `python -m tests.fixes.writer DIRECTORY`.

Each line on standard input is a run: an empty one never ends; `<moment> <n> <name>` writes that file once, and kills itself
at its n-th call of the operating system (see `faults.py`). For each run it prints two lines: the process id, then how it
ended, the status of `os.waitpid`.
"""

# ruff: noqa: T201 - it answers on standard output

from __future__ import annotations

import os
import random
import signal
import sys
from functools import cache
from pathlib import Path
from typing import NoReturn

from mem0_migrate.fixes.writing import write

from .faults import Fault

NAMES = ("regular.py", "large.py", "symbolic.py", "hard.py", "hard-and-large.py")
"""What is written; `arrange` makes them."""


@cache
def contents(name: str) -> tuple[bytes, bytes]:
    """The two contents of a file, of different lengths."""
    lines = 60_000 if "large" in name else 20
    return b"a = client.add(messages, user_id=u)\n" * lines, b"X Y Z_WAIT.ADD(MESSAGES, USER_ID=U, ASYNC_MODE=False)\r\r" * lines


def arrange(directory: Path) -> None:
    """Make the files, each with its first content."""
    (directory / "elsewhere").mkdir()
    for name in NAMES:
        path = directory / name
        if name == "symbolic.py":
            path.symlink_to("elsewhere/target.py")
        path.write_bytes(contents(name)[0])
        if name.startswith("hard"):
            os.link(path, directory / "elsewhere" / name)


def turn(path: Path) -> None:
    """Give a file the one of its contents that it does not have."""
    before = path.read_bytes()
    first, second = contents(path.name)
    write(path, before, second if before == first else first)


def kill() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(directory: Path, order: list[str]) -> NoReturn:
    """Do what one line says."""
    try:
        print(os.getpid(), flush=True)
        if order:
            moment, countdown, name = order
            with Fault(kill, int(countdown), moment).armed():
                turn(directory / name)
        while not order:
            for name in random.sample(NAMES, len(NAMES)):
                turn(directory / name)
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException as error:  # noqa: BLE001 - the process that was forked must not go on with the caller's work
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Start one process after another."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(Path(sys.argv[1]), line.split())
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
