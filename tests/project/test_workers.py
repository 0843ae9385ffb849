"""The work is the same however many processes share it, and whatever becomes of them."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from mem0_migrate.project import workers
from mem0_migrate.project.workers import spread

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")


@pytest.fixture(autouse=True)
def four_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_processes", lambda _count: 4)


def test_shares_cover_everything_once() -> None:
    answers = spread(list, 11)
    assert len(answers) == 4
    assert sorted(number for answer in answers for number in answer) == list(range(11))
    assert sorted(number for answer in spread(list, 2) for number in answer) == [0, 1]
    assert spread(list, 0) == [[], [], [], []]


def test_the_work_is_done_elsewhere() -> None:
    processes = spread(lambda _share: os.getpid(), 4)
    assert processes[0] == os.getpid()
    assert len(set(processes)) == 4


def test_large_answers_travel() -> None:
    answers = spread(lambda share: {b"x" * 1_000_000: [list(share)]}, 8)
    assert [next(iter(answer.values())) for answer in answers] == [[[0, 4]], [[1, 5]], [[2, 6]], [[3, 7]]]


def test_what_a_killed_process_leaves_is_done_here() -> None:
    here = os.getpid()

    def work(share: range) -> list[int]:
        if os.getpid() != here and 2 in share:
            os.kill(os.getpid(), signal.SIGKILL)
        return list(share)

    assert spread(work, 8) == [[0, 4], [1, 5], [2, 6], [3, 7]]


def test_an_exception_is_raised_as_itself_and_no_process_is_left() -> None:
    def work(share: range) -> list[int]:
        if 3 in share:
            raise LookupError(3)
        return list(share)

    with pytest.raises(LookupError, match="3"):
        spread(work, 8)
    with pytest.raises(ZeroDivisionError):
        spread(lambda share: share.start // share.start, 8)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_where_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    lowest = os.dup(0)
    os.close(lowest)
    assert spread(list, 8) == [[0, 4], [1, 5], [2, 6], [3, 7]]
    assert os.dup(0) == lowest, "a descriptor was left open"
    os.close(lowest)


def test_few_files_and_other_threads_mean_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(64)), raising=False)
    assert workers._processes(0) == workers._processes(4_999) == 1
    assert workers._processes(5_000) == 2
    assert workers._processes(1_000_000) == 8
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    assert workers._processes(1_000_000) == 1
    stop.set()
    thread.join()
    monkeypatch.delattr(os, "fork")
    assert workers._processes(1_000_000) == 1
