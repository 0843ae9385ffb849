"""A file that is written has its new content or its old one, and everything else about it is as it was."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import stat
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from mem0_migrate.fixes import scratch as scratch_module
from mem0_migrate.fixes import writing
from mem0_migrate.fixes.scratch import NAME, scratch
from mem0_migrate.fixes.writing import WriteError, recover, write
from mem0_migrate.project import reading

from .faults import CALLS, MOMENTS, Fault

OLD = b"import mem0\r\nclient.add(m)\r\n"
NEW = b"import mem0\r\nclient.add(m, async_mode=False)\r\n"
TORN = NEW[:30]

needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
needs_other_than_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
posix = pytest.mark.skipif(os.name == "nt", reason="modes, owners and file descriptors of POSIX")


def make(path: Path, content: bytes = OLD) -> Path:
    path.write_bytes(content)
    return path


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def leftovers(directory: Path) -> list[str]:
    return [name for name in names(directory) if NAME.fullmatch(name)]


def refused(path: Path, before: bytes = OLD, after: bytes = NEW) -> str:
    with pytest.raises(WriteError) as caught:
        write(path, before, after)
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


# what stops a file from being written


def test_a_file_that_was_changed_since_it_was_analysed(tmp_path: Path) -> None:
    file = make(tmp_path / "app.py", OLD + b"# mine\n")
    assert refused(file) == "not written: it was changed since it was analysed; run again"
    assert file.read_bytes() == OLD + b"# mine\n"
    assert leftovers(tmp_path) == []


def test_a_hard_linked_file_that_was_changed_since(tmp_path: Path) -> None:
    file = make(tmp_path / "app.py", b"mine\n")
    os.link(file, tmp_path / "other.py")
    assert refused(file) == "not written: it was changed since it was analysed; run again"
    assert file.read_bytes() == b"mine\n"
    assert leftovers(tmp_path) == []


def test_a_file_that_is_changed_while_its_new_content_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(tmp_path / "app.py")
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (file.write_bytes(b"mine\n"), sync(descriptor)))
    assert refused(file) == "not written: it was changed since it was analysed; run again"
    assert file.read_bytes() == b"mine\n"


def test_a_file_that_vanished(tmp_path: Path) -> None:
    assert refused(tmp_path / "app.py") == "not written: another program moved or removed it, or writes here too; run again"
    assert names(tmp_path) == []


def test_a_file_that_vanishes_meanwhile_stays_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(tmp_path / "app.py")
    monkeypatch.setattr(os, "fsync", lambda _: file.unlink())
    assert "another program moved or removed it" in refused(file)
    assert names(tmp_path) == []


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == "not written: it is not a regular file; leave it out"


@posix
def test_a_fifo_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "app.py")
    assert refused(tmp_path / "app.py") == "not written: it is not a regular file; leave it out"


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "app.py").symlink_to("nowhere.py")
    assert "run again" in refused(tmp_path / "app.py")
    assert names(tmp_path) == ["app.py"]


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    assert refused(tmp_path / "a.py").startswith("not written: too many levels of symbolic links")


@pytest.mark.parametrize("links", [1, 2])
def test_a_read_only_file(tmp_path: Path, links: int) -> None:
    file = make(tmp_path / "app.py")
    if links == 2:
        os.link(file, tmp_path / "other.py")
    file.chmod(0o444)
    assert refused(file) == "not written: the file is read-only; make it writable, then run again"
    assert file.read_bytes() == OLD
    assert leftovers(tmp_path) == []


def test_a_file_that_others_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(tmp_path / "app.py")
    opened = os.open

    def refuse(path: Path, flags: int, *mode: int) -> int:
        if path == file and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", refuse)
    assert refused(file) == "not written: the file is read-only (permission denied); make it writable, then run again"


@posix
@needs_other_than_root
@pytest.mark.parametrize("links", [1, 2])
def test_a_read_only_directory(tmp_path: Path, links: int) -> None:
    directory = tmp_path / "package"
    directory.mkdir()
    file = make(directory / "app.py")
    if links == 2:
        os.link(file, tmp_path / "other.py")
    directory.chmod(0o555)
    try:
        expected = "not written: its directory is read-only (permission denied); make that writable, then run again"
        assert refused(file) == expected
    finally:
        directory.chmod(0o755)
    assert file.read_bytes() == OLD


@pytest.mark.parametrize("links", [1, 2])
def test_a_directory_that_takes_no_file(tmp_path: Path, links: int) -> None:
    file = make(tmp_path / "app.py")
    if links == 2:
        os.link(file, tmp_path / "other.py")
    opened = os.open

    def refuse(path: Path, flags: int, *mode: int) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, flags, *mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", refuse)
        expected = "not written: its directory is read-only (permission denied); make that writable, then run again"
        assert refused(file) == expected
    assert file.read_bytes() == OLD


def test_a_directory_that_allows_no_rename(tmp_path: Path) -> None:
    file = make(tmp_path / "app.py")
    with Fault(fail(errno.EACCES), 1, only=("replace",)).armed():
        assert refused(file).startswith("not written: its directory is read-only")
    assert (file.read_bytes(), leftovers(tmp_path)) == (OLD, [])


def test_another_run_takes_a_new_file_for_a_leftover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(tmp_path / "app.py")
    lock = scratch_module.lock

    def late(descriptor: int) -> None:
        for name in leftovers(tmp_path):
            (tmp_path / name).unlink()
        lock(descriptor)

    monkeypatch.setattr(scratch_module, "lock", late)
    assert refused(file) == "not written: another program moved or removed it, or writes here too; run again"
    assert (file.read_bytes(), leftovers(tmp_path)) == (OLD, [])


# what stays as it was


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o620, 0o664, 0o777, 0o4755, 0o200])
def test_the_mode(tmp_path: Path, mode: int) -> None:
    file = make(tmp_path / "app.py")
    file.chmod(mode)
    if mode & stat.S_IRUSR or os.geteuid() == 0:
        write(file, OLD, NEW)
        assert file.read_bytes() == NEW
    else:
        assert "read-only" in refused(file)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@posix
@needs_root
def test_the_owner_when_root_writes(tmp_path: Path) -> None:
    file = make(tmp_path / "app.py")
    os.chown(file, 4321, 1234)
    file.chmod(0o640)
    write(file, OLD, NEW)
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (4321, 1234, 0o640)


@posix
@pytest.mark.parametrize("call", ["fchmod", "fchown"])
def test_a_file_that_nobody_else_can_make_alike_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file = make(tmp_path / "app.py")
    if call == "fchown":
        status = list(file.stat())
        status[stat.ST_UID] += 1
        monkeypatch.setattr(os, "fstat", lambda _: os.stat_result(status))
    node = file.stat().st_ino
    with Fault(fail(errno.EPERM), 1, only=(call,)).armed():
        write(file, OLD, NEW)
    assert (file.read_bytes(), file.stat().st_ino, leftovers(tmp_path)) == (NEW, node, [])


@pytest.mark.skipif(sys.platform != "linux", reason="Python offers extended attributes on Linux alone")
@pytest.mark.parametrize("links", [1, 2])
def test_extended_attributes_and_access_control_lists(tmp_path: Path, links: int) -> None:
    file = make(tmp_path / "app.py")
    if links == 2:
        os.link(file, tmp_path / "other.py")
    # acl(5): the owner, user 4321, the group, the mask, others; each with its tag, its permissions and who it is
    entries = [(1, 6, -1), (2, 4, 4321), (4, 4, -1), (16, 4, -1), (32, 0, -1)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(file, "user.comment", b"kept")
        os.setxattr(file, "system.posix_acl_access", access)
    except OSError as error:
        pytest.skip(f"this file system has none: {error}")
    mode = file.stat().st_mode
    write(file, OLD, NEW)
    assert os.getxattr(file, "user.comment") == b"kept"
    assert os.getxattr(file, "system.posix_acl_access") == access
    assert (file.read_bytes(), file.stat().st_mode) == (NEW, mode)


@pytest.mark.parametrize("lead", ["src/app.py", "{}/src/app.py", "src/../src/app.py", "first.py", "linked/app.py"])
def test_a_symbolic_link_stays_one(tmp_path: Path, lead: str) -> None:
    (tmp_path / "src").mkdir()
    file = make(tmp_path / "src" / "app.py")
    (tmp_path / "first.py").symlink_to("src/app.py")
    (tmp_path / "linked").symlink_to("src", target_is_directory=True)
    link = tmp_path / "link.py"
    link.symlink_to(lead.format(tmp_path))
    write(link, OLD, NEW)
    assert str(link.readlink()) == lead.format(tmp_path)
    assert (file.read_bytes(), link.read_bytes()) == (NEW, NEW)
    assert leftovers(tmp_path) == leftovers(tmp_path / "src") == []


def test_hard_links_stay_together(tmp_path: Path) -> None:
    file = make(tmp_path / "app.py")
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "app.py"
    os.link(file, other)
    (tmp_path / "link.py").symlink_to("elsewhere/app.py")
    write(tmp_path / "link.py", OLD, NEW)
    assert (file.read_bytes(), other.read_bytes()) == (NEW, NEW)
    assert file.stat().st_nlink == 2
    write(file, NEW, OLD)
    assert (file.read_bytes(), other.read_bytes()) == (OLD, OLD)
    assert leftovers(tmp_path) == leftovers(tmp_path / "elsewhere") == []


NAMES = ["ünï çødé 🐍.py", "日本語.py", "a" * 252 + ".py", "ü" * 126 + ".py", "-rf.py", "a\nb.py", os.fsdecode(b"latin-\xe9.py")]


@posix
@pytest.mark.parametrize("links", [1, 2])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_any_name(tmp_path: Path, name: str, links: int) -> None:
    try:
        file = make(tmp_path / name)
    except OSError as error:
        pytest.skip(f"no such name on this file system: {error}")
    if links == 2:
        os.link(file, tmp_path / "other.py")
    write(file, OLD, NEW)
    assert file.read_bytes() == NEW
    assert len(names(tmp_path)) == links


CONTENTS = [b"", b"x", b"no newline at the end", b"\xef\xbb\xbfa\r\nb\rc\n\x0c", bytes(range(256)) * 50, b"\n" * (3 << 20)]


@pytest.mark.parametrize("links", [1, 2])
@pytest.mark.parametrize("after", CONTENTS, ids=range(len(CONTENTS)))
@pytest.mark.parametrize("before", CONTENTS, ids=range(len(CONTENTS)))
def test_any_content(tmp_path: Path, before: bytes, after: bytes, links: int) -> None:
    file = make(tmp_path / "app.py", before)
    if links == 2:
        os.link(file, tmp_path / "other.py")
    write(file, before, after)
    assert file.read_bytes() == after


# errors and interrupts at every call of the operating system


def fail(number: int) -> object:
    def happen() -> None:
        raise OSError(number, os.strerror(number))

    return happen


def interrupt() -> None:
    raise KeyboardInterrupt


KINDS = ["regular", "symbolic link", "hard link", "hard link, shorter"]


def arrange(directory: Path, kind: str) -> tuple[Path, bytes, bytes, list[Path]]:
    """One file of that kind: the name it is written by, its two contents, and all its names."""
    directory.mkdir()
    file = make(directory / "app.py", NEW if kind.endswith("shorter") else OLD)
    name = file
    names = [file]
    if kind == "symbolic link":
        name = directory / "link.py"
        name.symlink_to("app.py")
        names.append(name)
    elif kind.startswith("hard link"):
        names.append(directory / "other.py")
        os.link(file, names[-1])
    return (name, NEW, OLD, names) if kind.endswith("shorter") else (name, OLD, NEW, names)


@posix
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_at_any_call(tmp_path: Path, kind: str, moment: str) -> None:
    hits: list[str] = []
    while True:
        name, before, after, paths = arrange(tmp_path / str(len(hits)), kind)
        fault = Fault(interrupt, len(hits) + 1, moment)
        with fault.armed(), suppress(KeyboardInterrupt):
            write(name, before, after)
        contents = {path.read_bytes() for path in paths}
        assert contents in ({before}, {after}), (len(hits), fault.hit)
        if fault.hit == "unlink" and moment != "after":  # it stopped the removal itself, which no real Ctrl-C can
            recover([name.parent])
        assert leftovers(name.parent) == [], (len(hits), fault.hit)
        if fault.hit is None:
            break
        hits.append(fault.hit)
    assert {"open", "write", "fsync", "unlink", "ftruncate"} <= set(hits)
    assert contents == {after}


@posix
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_at_any_call(tmp_path: Path, kind: str, moment: str, number: int) -> None:
    hits: list[str] = []
    reasons: list[str] = []
    while True:
        name, before, after, paths = arrange(tmp_path / str(len(hits)), kind)
        fault = Fault(fail(number), len(hits) + 1, moment)
        expected = after
        with fault.armed():
            try:
                write(name, before, after)
            except WriteError as error:
                expected = before
                reasons.append(error.reason)
        if fault.hit == "replace" and moment == "after":  # it was renamed, whatever the call says
            expected = after
        assert {path.read_bytes() for path in paths} == {expected}, (len(hits), fault.hit)
        recover([name.parent] if fault.hit == "unlink" else [])
        assert leftovers(name.parent) == [], (len(hits), fault.hit)
        if fault.hit is None:
            break
        hits.append(fault.hit)
    assert {"open", "write", "fsync", "unlink"} <= set(hits)
    if number in (errno.ENOSPC, errno.EDQUOT):
        text = os.strerror(number)
        assert set(reasons) == {f"not written: {text[0].lower()}{text[1:]}; make room on the disk, then run again"}


@posix
@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_stays_full(tmp_path: Path, kind: str, call: str) -> None:
    """Neither the new content nor, in place, the old one can be written: the next run completes the file."""
    in_part = 0
    for countdown in range(1, 5):
        name, before, after, paths = arrange(tmp_path / str(countdown), kind)
        with Fault(fail(errno.ENOSPC), countdown, "half", lasting=True, only=(call,)).armed():
            try:
                write(name, before, after)
                expected = {after}
            except WriteError as error:
                expected = {before}
                if error.reason.startswith("written in part: "):
                    in_part += 1
                    expected = {path.read_bytes() for path in paths}
                    assert leftovers(name.parent) != []
        assert {path.read_bytes() for path in paths} == expected
        recover([name.parent])
        assert {path.read_bytes() for path in paths} in ({before}, {after})
        assert leftovers(name.parent) == []
    assert (in_part > 0) == kind.startswith("hard link")


@posix
@pytest.mark.parametrize("links", [1, 2])
def test_a_limit_of_the_kernel(tmp_path: Path, links: int) -> None:
    """RLIMIT_FSIZE is a disk that is full in the middle of a write."""
    file = make(tmp_path / "app.py")
    if links == 2:
        os.link(file, tmp_path / "other.py")
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom mem0_migrate.fixes.writing import WriteError, write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "path = Path(sys.argv[1])\n"
        "try:\n    write(path, path.read_bytes(), b'x' * 9000)\nexcept WriteError as error:\n    print(error.reason)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert result.stdout == "not written: file too large; put that right, then run again\n"
    assert (file.read_bytes(), leftovers(tmp_path)) == (OLD, [])


@posix
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_waits_until_the_file_is_whole(tmp_path: Path, kind: str, moment: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
    for countdown in range(1, 1000):
        name, before, after, paths = arrange(tmp_path / str(countdown), kind)
        fault = Fault(lambda: signal.raise_signal(signal.SIGINT), countdown, moment)
        pressed = False
        with fault.armed():
            try:
                write(name, before, after)
            except KeyboardInterrupt:
                pressed = True
        assert pressed == (fault.hit is not None)
        assert {path.read_bytes() for path in paths} == {after}
        assert leftovers(name.parent) == []
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if not pressed:
            break
    assert 10 < countdown < 999


def test_another_thread_writes_as_well(tmp_path: Path) -> None:
    file = make(tmp_path / "app.py")
    thread = threading.Thread(target=write, args=(file, OLD, NEW))
    thread.start()
    thread.join()
    assert file.read_bytes() == NEW


# what a killed run leaves


def journal(directory: Path, **texts: object) -> Path:
    file = directory / ".mem0-migrate-0123456789abcdef.journal"
    file.write_text(json.dumps({"file": "app.py", "before": OLD.decode(), "after": NEW.decode()} | texts))
    return file


def test_nothing_to_recover(tmp_path: Path) -> None:
    make(tmp_path / "app.py")
    assert recover([tmp_path, tmp_path, tmp_path / "nowhere", tmp_path / "app.py"]) == []
    assert names(tmp_path) == ["app.py"]


FOREIGN = [
    ".mem0-migrate.tmp",
    ".mem0-migrate-0123456789abcde.tmp",
    ".mem0-migrate-0123456789abcdef.py",
    "mem0-migrate.journal",
    ".mem0-migrate-0123456789abcdef.tmp.py",
    ".mem0-migrate-0123456789ABCDEF.tmp",
    "x.mem0-migrate-0123456789abcdef.tmp",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_files_with_other_names_are_not_ours(tmp_path: Path, name: str) -> None:
    make(tmp_path / name)
    assert recover([tmp_path]) == []
    assert names(tmp_path) == [name]


@posix
def test_what_is_no_regular_file_is_not_ours(tmp_path: Path) -> None:
    outside = make(tmp_path / "outside")
    here = tmp_path / "here"
    here.mkdir()
    (here / ".mem0-migrate-0000000000000000.tmp").mkdir()
    (here / ".mem0-migrate-0000000000000001.tmp").symlink_to(outside)
    os.mkfifo(here / ".mem0-migrate-0000000000000002.journal")
    before = names(here)
    assert recover([here]) == []
    assert (names(here), outside.read_bytes()) == (before, OLD)


@pytest.mark.parametrize("suffix", [".tmp", ".journal"])
def test_the_files_of_a_run_that_is_alive(tmp_path: Path, suffix: str) -> None:
    with scratch(tmp_path, suffix) as alive:
        assert recover([tmp_path]) == []
        assert alive.path.exists()
    assert names(tmp_path) == []


@posix
@pytest.mark.parametrize("suffix", [".tmp", ".journal"])
def test_the_files_of_a_run_that_was_killed(tmp_path: Path, suffix: str) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom mem0_migrate.fixes.scratch import scratch\n"
        "with scratch(Path(sys.argv[1]), sys.argv[2]):\n    print('made', flush=True)\n    sys.stdin.read()\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), suffix]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"made\n"
        assert recover([tmp_path]) == []
        [left] = leftovers(tmp_path)
        run.kill()
    assert recover([tmp_path]) == [tmp_path / left]
    assert names(tmp_path) == []


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell whose the leftovers are: they stay, and writing works."""

    def unlockable(_: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(scratch_module, "lock", unlockable)
    monkeypatch.setattr(writing, "lock", unlockable)
    file = make(tmp_path / "app.py")
    left = make(tmp_path / ".mem0-migrate-0123456789abcdef.tmp")
    write(file, OLD, NEW)
    assert recover([tmp_path]) == []
    assert (file.read_bytes(), left.exists()) == (NEW, True)


@pytest.mark.parametrize(
    ("before", "after"), [(OLD, NEW), (NEW, OLD), (OLD, OLD.upper()), (b"", NEW), (NEW, b""), (b"ab", b"ba")]
)
def test_a_file_that_was_written_in_part_is_completed(tmp_path: Path, before: bytes, after: bytes) -> None:
    for written in range(len(after) + 1):
        torn = after[:written] + before[written:]
        file = make(tmp_path / "app.py", torn)
        left = journal(tmp_path, before=before.decode(), after=after.decode())
        whole = torn in (before, after)
        assert recover([tmp_path]) == [left if whole else file]
        assert file.read_bytes() == (torn if whole else after)
        assert leftovers(tmp_path) == []


def test_a_journal_may_be_longer_than_any_file_that_is_analysed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(tmp_path / "app.py", TORN)
    journal(tmp_path)
    monkeypatch.setattr(reading, "LIMIT", len(NEW))
    assert recover([tmp_path]) == [file]


@pytest.mark.parametrize("content", [b"mine\n", OLD + b"# mine\n", b"# mine\n" + NEW, NEW.replace(b"False", b"Trues"), b""])
def test_a_file_that_was_changed_after_the_kill_is_the_users(tmp_path: Path, content: bytes) -> None:
    file = make(tmp_path / "app.py", content)
    left = journal(tmp_path)
    assert recover([tmp_path]) == []
    assert (file.read_bytes(), left.exists()) == (content, True)


def test_a_journal_whose_file_is_gone_stays(tmp_path: Path) -> None:
    left = journal(tmp_path)
    assert recover([tmp_path]) == []
    assert left.exists()


def test_a_journal_leads_through_no_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    outside = make(tmp_path / "profile", TORN)
    (tmp_path / "repository" / "app.py").symlink_to(outside)
    journal(tmp_path / "repository")
    assert recover([tmp_path / "repository"]) == []
    assert outside.read_bytes() == TORN


@pytest.mark.parametrize(
    "name", ["../app.py", "{}/app.py", "package/app.py", "..", ".", "", "a\0b", "\ud800", 3, None, ["app.py"]]
)
def test_a_journal_has_no_say_about_other_places(tmp_path: Path, name: object) -> None:
    (tmp_path / "package").mkdir()
    torn = TORN
    files = [make(directory / "app.py", torn) for directory in (tmp_path, tmp_path / "package")]
    journal(tmp_path / "package", file=name.format(tmp_path) if isinstance(name, str) else name)
    recover([tmp_path / "package"])
    assert [file.read_bytes() for file in files] == [torn, torn]


BROKEN = [
    "",
    "{",
    "[]",
    "3",
    "null",
    '{"file": "app.py"}',
    "[" * 100_000,
    '{"file": "app.py", "before": "", "after": 3}',
    '{"file": "app.py", "before": "\\u2026", "after": ""}',
    "\0" * 50,
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_journal_that_was_never_finished_was_never_used(tmp_path: Path, text: str) -> None:
    file = make(tmp_path / "app.py")
    left = tmp_path / ".mem0-migrate-0123456789abcdef.journal"
    left.write_text(text)
    assert recover([tmp_path]) == [left]
    assert (file.read_bytes(), names(tmp_path)) == (OLD, ["app.py"])


@posix
def test_one_leftover_that_cannot_be_removed_does_not_hide_the_others(tmp_path: Path) -> None:
    made = [make(tmp_path / f".mem0-migrate-{digit * 16}.tmp") for digit in "abc"]
    with Fault(fail(errno.EACCES), 1, only=("unlink",)).armed():
        assert recover([tmp_path]) == made[1:]
    assert recover([tmp_path]) == made[:1]


# Windows


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """`sys.platform` of Windows for the modules that write, and its locks: the descriptors that are locked."""
    if sys.platform == "win32":
        pytest.skip("the real one is tested by everything else")
    locked: set[int] = set()

    def locking(descriptor: int, mode: int, length: int) -> None:
        assert (mode, length) == (2, 1)
        if os.lseek(descriptor, 0, os.SEEK_CUR) != 1 << 30:
            raise AssertionError("what is locked cannot be read by others")
        if descriptor in locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        locked.add(descriptor)

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    for module in (writing, scratch_module):
        monkeypatch.setattr(module, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(writing, "_PAUSES", (0, 0, 0))
    return locked


@pytest.mark.parametrize("kind", KINDS)
def test_windows_writes(tmp_path: Path, windows: set[int], kind: str) -> None:
    name, before, after, paths = arrange(tmp_path / "x", kind)
    write(name, before, after)
    assert {path.read_bytes() for path in paths} == {after}
    assert leftovers(name.parent) == []
    assert windows


@pytest.mark.parametrize("refusals", range(5))
def test_windows_renames_once_nobody_reads_the_file(tmp_path: Path, windows: set[int], refusals: int) -> None:
    file = make(tmp_path / "app.py")
    replace = os.replace
    left = refusals
    with pytest.MonkeyPatch.context() as patch:

        def shared(source: Path, target: Path) -> None:
            nonlocal left
            for descriptor in windows:
                with pytest.raises(OSError, match="Bad file descriptor"):
                    os.fstat(descriptor)
            left -= 1
            if left >= 0:
                raise PermissionError(errno.EACCES, "Access is denied")
            replace(source, target)

        patch.setattr(os, "replace", shared)
        if refusals <= 3:
            write(file, OLD, NEW)
        else:
            assert "access is denied" in refused(file)
    assert file.read_bytes() == (NEW if refusals <= 3 else OLD)
    assert leftovers(tmp_path) == []


def test_windows_leaves_the_files_of_a_run_that_is_alive(tmp_path: Path, windows: set[int]) -> None:
    left = make(tmp_path / ".mem0-migrate-0123456789abcdef.tmp")
    windows.update(range(10_000))
    assert recover([tmp_path]) == []
    windows.clear()
    assert recover([tmp_path]) == [left]


def test_every_call_that_is_made_can_be_broken() -> None:
    """The calls of the operating system in the two modules are those that the tests break."""
    sources = [Path(module.__file__).read_text(encoding="utf-8") for module in (writing, scratch_module)]
    made = {name for source in sources for name in re.findall(r"\bos\.([a-z]+)\(", source)}
    assert made - set(CALLS) == {"strerror"}
