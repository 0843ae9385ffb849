"""What goes wrong becomes one line on standard error and an exit code; a traceback is for those who ask for it."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTERRUPTED = 130


class Failure(click.ClickException):
    """The tool could not do its job; the message says why, and what to do."""

    exit_code = 2


@contextmanager
def failures(*, verbose: bool = False) -> Iterator[None]:
    """Turn what an analysis raises into a `Failure`.

    Args:
        verbose: Whether to print the traceback of an error that is ours.
    """
    from mem0_migrate.project.discovery import MissingPathError
    from mem0_migrate.project.exclusion import InvalidPatternError
    from mem0_migrate.settings import SettingsError

    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None
    except (SettingsError, MissingPathError, InvalidPatternError) as error:
        raise Failure(str(error)) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise
        import traceback

        if verbose:
            click.echo(traceback.format_exc(), err=True, nl=False)
        last = traceback.extract_tb(error.__traceback__)[-1]
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise Failure(
            f"internal error: {told} ({Path(last.filename).name}:{last.lineno}). This is a bug in mem0-migrate, not in your "
            "code. Please report it, with what the same command prints with --verbose."
        ) from None
