"""A program that writes files until it is stopped: `python -m tests.fixes.writer DIRECTORY`.

A line on standard input is a run: an empty one never ends; `<moment> <n> <name>` writes that file once, and kills itself at
its n-th call of the operating system (see `faults.py`). With `--command` it is `mem0-migrate fix DIRECTORY` whatever the line.
It prints the process id of the run and, after another line, how it ended: the status of `os.waitpid`.
"""

# ruff: noqa: T201 - it answers on standard output

from __future__ import annotations

import os
import random
import signal
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

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


def run(directory: Path, order: list[str]) -> None:
    """Do what one line says."""
    if order:
        moment, countdown, name = order
        with Fault(kill, int(countdown), moment).armed():
            turn(directory / name)
    while not order:
        for name in random.sample(NAMES, len(NAMES)):
            turn(directory / name)


def run_command(*arguments: str) -> None:
    """Run `mem0-migrate` to its end, whatever its exit code; it prints nothing."""
    from mem0_migrate.__main__ import main as command

    sys.stdout.flush()
    answers, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    sys.argv = ["mem0-migrate", *arguments]
    with suppress(SystemExit):
        command()
    sys.stdout.flush()
    os.dup2(answers, 1)


def main() -> None:
    """Start one process after another."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
    directory = sys.argv[1]
    commands = "--command" in sys.argv
    if commands:
        run_command("fix", "--diff", directory)  # all modules are imported once, not by each run
    for line in sys.stdin:
        child = os.fork()
        if child:
            sys.stdin.readline()  # until then its process id stays its own, even if it has ended
            print(os.waitpid(child, 0)[1], flush=True)
            continue
        status = 1  # whatever happens, the process that was forked must not go on here
        try:
            print(os.getpid(), flush=True)
            run_command("fix", directory) if commands else run(Path(directory), line.split())
            status = 0
        except KeyboardInterrupt:
            status = 130
        finally:
            os._exit(status)


if __name__ == "__main__":
    main()
