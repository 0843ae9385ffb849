"""Reading never blocks and never skips: devices, sockets, closed doors, files that change."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem0_migrate.project import reading
from mem0_migrate.project.reading import explain, holds, read


def reason(path: object) -> str:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - explain() is the match
        read(str(path))
    with pytest.raises(OSError):  # noqa: PT011
        holds(str(path), b"x")
    return explain(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_a_socket_and_a_device_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo.py")
    assert reason("fifo.py") == "not a regular file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.py")
        assert reason("socket.py") == "no such device or address"
    Path("zero.py").symlink_to("/dev/zero")
    assert reason("zero.py") == "not a regular file"


def test_a_fifo_with_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "fifo.py"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(keep, b"import mem0\n")
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(reason(path)), daemon=True)
    thread.start()
    thread.join(5)
    os.close(keep)
    assert answers == ["not a regular file"]


def test_links(tmp_path: Path) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "broken.py").symlink_to("nowhere.py")
    assert reason(tmp_path / "loop.py") == "too many levels of symbolic links"
    assert reason(tmp_path / "broken.py") == "no such file or directory"
    assert reason(tmp_path) == "not a regular file"


PROBE = "from mem0_migrate.project.source import load; print(load('closed.py'))"


def test_permission_denied(tmp_path: Path) -> None:
    (tmp_path / "closed.py").write_bytes(b"import mem0\n")
    (tmp_path / "closed.py").chmod(0)
    tmp_path.chmod(0o755)
    if os.geteuid() == 0:  # root may read everything: ask as somebody else, who sees what the interpreter needs
        code = f"import mem0_migrate.project.source, os; os.chdir({str(tmp_path)!r}); os.setuid(65534); {PROBE}"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        output = result.stdout
    else:
        output = subprocess.run([sys.executable, "-c", PROBE], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert output == "Unreadable(filename='closed.py', reason='permission denied', row=None)\n"


def test_a_file_larger_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.py"
    with path.open("wb") as sparse:
        sparse.truncate(reading.LIMIT + 1)
        sparse.seek(reading.LIMIT // 2 - 2)
        sparse.write(b"mem0")
    assert holds(str(path), b"mem0")
    assert not holds(str(path), b"mem1")
    with pytest.raises(OSError, match="larger than 64 MiB"):
        read(str(path))


def test_short_reads_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"0123456789" * 10)
    real = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, size: real(descriptor, min(size, 7)))
    assert read(str(path)) == b"0123456789" * 10
    assert holds(str(path), b"7890123")
    assert not holds(str(path), b"78901230")


def test_a_file_that_shrinks_or_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"abc")
    for size in (0, 2, 5):
        monkeypatch.setattr(reading, "_size", lambda _descriptor, size=size: size)
        assert read(str(path)) == b"abc"
        assert holds(str(path), b"abc")
        assert not holds(str(path), b"abd")


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=5), st.integers(1, 8))
def test_windows_lose_nothing(tmp_path_factory: pytest.TempPathFactory, data: bytes, word: bytes, window: int) -> None:
    path = tmp_path_factory.getbasetemp() / "windows.py"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_WINDOW", window)
        assert holds(str(path), word) == (word in data)
        assert read(str(path)) == data
