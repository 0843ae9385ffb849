"""Where text goes: to standard output, in colour or not, or to a file in one piece."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mem0_migrate.cli.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDEST = 120
_WITHOUT_TERMINAL = 100


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def width() -> int:
    """Columns to write in: those of the terminal, of `COLUMNS`, or 100, and never more than are easy to read."""
    return min(shutil.get_terminal_size((_WITHOUT_TERMINAL, 24)).columns, _WIDEST)


def in_color(when: str) -> bool:
    """Whether to use colours on standard output: `always`, `never`, or as the terminal and the environment say."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (is_terminal() and os.environ.get("TERM") != "dumb")


def say(lines: Iterable[str], *, color: bool) -> None:
    """Print lines to standard output, whatever characters it can take, and let a closed pipe be known at once."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")
    text = "".join(f"{line}\n" for line in lines)
    if text:
        click.echo(text, nl=False, color=color)
    sys.stdout.flush()


def write(lines: Iterable[str], path: Path) -> None:
    """Write lines to a file, which has its old content or the new one whenever it is looked at.

    What is not a regular file (a pipe, `/dev/stdout`) is written to as it is.

    Raises:
        Failure: The file cannot be written.
    """
    import tempfile

    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    path = Path(os.path.realpath(path))
    try:
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            path.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor has no path
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
            Path(name).replace(path)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()
    except OSError as error:
        raise Failure(f"{path}: cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    """The process's mask for new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
