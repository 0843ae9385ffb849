"""Whenever a run is killed, every file is either old or new, and the next run finds nothing of it, or puts it right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from mem0_migrate.fixes.scratch import NAME
from mem0_migrate.fixes.writing import recover

from .faults import MOMENTS
from .writer import NAMES, arrange, contents

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the program that is killed forks")

ROOT = Path(__file__).parents[2]
KILLS = 200
IN_PLACE = tuple(name for name in NAMES if name.startswith("hard"))
OTHERS = tuple(name for name in NAMES if name not in IN_PLACE)


@dataclass
class Writer:
    """The program of `writer.py` at work in a directory."""

    directory: Path
    orders: IO[str]
    answers: IO[str]

    def start(self, order: str = "") -> int:
        """Start a run, and say which process it is."""
        self.orders.write(order + "\n")
        self.orders.flush()
        return int(self.answers.readline())

    def end(self) -> int:
        """Wait until the run has ended: its exit status, or the signal that ended it, below zero."""
        self.orders.write("\n")
        self.orders.flush()
        return os.waitstatus_to_exitcode(int(self.answers.readline()))

    def damaged(self, names: tuple[str, ...] = NAMES) -> list[str]:
        """The files that are neither old nor new, by any of their names."""
        return [name for name in names if not self.whole(name)]

    def whole(self, name: str) -> bool:
        """Tell whether a file is old or new, and still as many names as it had."""
        paths = [self.directory / name]
        if name in IN_PLACE:
            paths.append(self.directory / "elsewhere" / name)
        read = [path.read_bytes() for path in paths]
        return read[0] in contents(name) and read[0] == read[-1] and (name != "symbolic.py" or paths[0].is_symlink())

    def leftovers(self) -> list[str]:
        """The names of the temporary files and journals that are there."""
        return [path.name for path in self.directory.rglob("*") if NAME.fullmatch(path.name)]

    def recover(self) -> list[Path]:
        """What the next run does first."""
        return recover([self.directory, self.directory / "elsewhere"])


@contextmanager
def started(directory: Path, *options: str) -> Iterator[Writer]:
    """The program, until the end of the block."""
    program = [sys.executable, "-m", "tests.fixes.writer", str(directory), *options]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Writer(directory, process.stdin, process.stdout)
        process.stdin.close()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    arrange(tmp_path)
    with started(tmp_path) as writer:
        yield writer


def pause() -> None:
    """Let a run write for a random time: in 30 ms it comes through all files."""
    time.sleep(random.uniform(0, 0.03))  # noqa: S311 - a moment, not a secret


def test_kill_9_at_any_moment(writer: Writer) -> None:
    found = {".tmp": 0, ".journal": 0}
    for number in range(10 * KILLS):
        if number >= KILLS and min(found.values()) > 0:
            break  # on a busy machine it takes more of them to meet every moment
        process = writer.start()
        pause()
        os.kill(process, signal.SIGKILL)
        assert writer.end() == -signal.SIGKILL
        assert writer.damaged(OTHERS) == []
        for name in writer.leftovers():
            found[Path(name).suffix] += 1
        writer.recover()
        assert writer.damaged() == []
        assert writer.leftovers() == []
    assert min(found.values()) > 0, f"not every moment was met: {found}"


def test_ctrl_c_at_any_moment(writer: Writer) -> None:
    for _ in range(KILLS):
        process = writer.start()
        pause()
        os.kill(process, signal.SIGINT)
        assert writer.end() == 130
        assert writer.damaged() == []
        assert writer.leftovers() == []


@pytest.mark.parametrize("shrinks", [False, True])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", ["regular.py", "symbolic.py", "hard.py"])
def test_kill_9_at_any_call(writer: Writer, name: str, moment: str, shrinks: bool) -> None:
    if shrinks:  # the second content is the longer one
        writer.start(f"before 1000 {name}")
        assert writer.end() == 0
    completed = 0
    for countdown in range(1, 100):
        writer.start(f"{moment} {countdown} {name}")
        ended = writer.end()
        assert ended in (0, -signal.SIGKILL)
        damaged = writer.damaged()
        repaired = writer.recover()
        assert [path.name for path in repaired if path.name in NAMES] == damaged
        completed += len(damaged)
        assert writer.damaged() == []
        assert writer.leftovers() == []
        if ended == 0:
            break
    assert 15 < countdown < 99
    assert (completed > 0) == (name in IN_PLACE and (shrinks or moment == "half"))


MODULES = 12
MODULE = '''\
"""Module {0}."""
from mem0 import MemoryClient

client = MemoryClient(api_key="k")


def ids{0}(messages, user):
    result = client.add(messages, user_id=user)  # {0}
    return [memory["id"] for memory in result["results"]]
'''


@dataclass
class Application:
    """An application of `MODULES` modules, one of them with a second name, and the program that runs `fix` on it."""

    directory: Path
    writer: Writer
    old: dict[Path, bytes]

    def read(self) -> dict[Path, bytes]:
        """What the files hold now."""
        return {path: path.read_bytes() for path in self.old}

    def restore(self) -> None:
        """Give the files their old content, in place."""
        for path, content in self.old.items():
            path.write_bytes(content)

    def fix(self) -> tuple[float, float]:
        """Repair them, undisturbed: the seconds before it writes, and those of writing."""
        self.restore()
        self.writer.start()
        began = time.monotonic()
        self.wait_for_writing()
        written = time.monotonic()
        assert self.writer.end() == 0
        return written - began, time.monotonic() - written

    def wait_for_writing(self) -> None:
        """Wait until a run has put its first file into the directory."""
        limit = time.monotonic() + 60
        while not {path.name for path in self.directory.iterdir() if NAME.fullmatch(path.name)}:
            assert time.monotonic() < limit, "the run wrote nothing"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    directory = tmp_path / "application"
    directory.mkdir()
    (directory / "requirements.txt").write_text("mem0ai==1.0.3\n")
    for number in range(MODULES):
        (directory / f"module{number}.py").write_text(MODULE.format(number) + "# more\n" * 600 * number)
    os.link(directory / "module7.py", tmp_path / "other.py")
    old = {path: path.read_bytes() for path in [*directory.iterdir(), tmp_path / "other.py"]}
    with started(directory, "--command") as writer:
        yield Application(directory, writer, old)


def test_kill_9_of_the_command_at_any_moment(application: Application) -> None:
    before, writing = (min(seconds) for seconds in zip(*(application.fix() for _ in range(4)), strict=True))
    new = application.read()
    assert sum(new[path] != content for path, content in application.old.items()) == MODULES + 1
    found = {".tmp": 0, ".journal": 0, "halfway": 0}
    for number in range(KILLS):
        application.restore()
        process = application.writer.start()
        if number % 2:  # writing is a small part of a run, and the one that counts
            application.wait_for_writing()
            time.sleep(random.uniform(0, writing))  # noqa: S311 - a moment, not a secret
        else:
            time.sleep(random.uniform(0, before))  # noqa: S311
        os.kill(process, signal.SIGKILL)
        application.writer.end()
        for name in application.writer.leftovers():
            found[Path(name).suffix] += 1
        application.writer.recover()
        now = application.read()
        assert [path for path, content in now.items() if content not in (application.old[path], new[path])] == []
        assert now[application.directory / "module7.py"] == now[application.directory.parent / "other.py"]
        assert application.writer.leftovers() == []
        for path, content in now.items():
            if path.suffix == ".py":
                compile(content, path, "exec")
        found["halfway"] += now not in (application.old, new)
    assert found["halfway"] > KILLS // 20, f"hardly a run was killed while it wrote: {found}"
    application.fix()
    assert application.read() == new
