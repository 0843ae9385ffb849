"""`mem0-migrate why`: how a place was judged."""

from __future__ import annotations

import re
from typing import Any

import click

from mem0_migrate.cli.failures import failures
from mem0_migrate.cli.options import ENVIRONMENT, Sections, configuration, option, relative
from mem0_migrate.cli.terminal import say


@click.command(cls=Sections, epilog=ENVIRONMENT)
@click.argument("place", metavar="FILE:LINE")
@configuration
@option("Options", "--verbose", "-v", is_flag=True, help="Show the traceback of an internal error.")
def why(place: str, verbose: bool, **options: Any) -> None:
    """Explain how the calls of add() on a line were judged.

    For one that is mem0's: the steps from the place where the client is created to this line. For any other: the last
    step at which tracking stopped, and the annotation that would let it go on.

    FILE:LINE is a place as `mem0-migrate check` prints it; a column behind it is ignored.
    """
    target = re.fullmatch(r"(?P<filename>.+?):(?P<row>[0-9]+)(?::[0-9]+)?:?", place)
    if target is None:
        raise click.UsageError(f"{place!r} names no line. Write a file and a line, such as app/api.py:12.")
    with failures(verbose=verbose):
        from mem0_migrate import engine, settings

        chosen = settings.load(config=options["config"], isolated=options["isolated"], overrides={"mem0ai": options["mem0ai"]})
        filename = relative(target["filename"])
        paths = (filename,) if filename.startswith("../") else (".", filename)
        lines = engine.explain(paths, chosen, filename, int(target["row"]))
    say(lines, color=False)
