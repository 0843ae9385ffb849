"""The command line: read the options, call the engine, print. Only click is imported before a command runs."""

from __future__ import annotations

from pathlib import Path

import click

import mem0_migrate
from mem0_migrate.cli.check import check
from mem0_migrate.cli.fix import fix
from mem0_migrate.cli.rule import rule
from mem0_migrate.cli.why import why


class _Commands(click.Group):
    """A group that knows what someone means who names a path where a command belongs."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and (args[0] == "-" or Path(args[0]).exists()):
            ctx.fail(f"{args[0]!r} is a path, not a command. To check it: {ctx.command_path} check {args[0]}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing to report, 1 something was found or could not be looked at, 2 the tool could not do its job.",
)
@click.version_option(mem0_migrate.__version__, "-V", "--version", message="%(prog)s %(version)s", help="Show the version.")
def cli() -> None:
    """Find the code that an asynchronous mem0 add() breaks, and repair it.

    MemoryClient.add() used to return finished memories. Now it answers at once, and the memories come later. This
    tool finds every call of it in a repository, follows what the code does with the answer, and says what breaks.
    Nothing is imported, installed or run. fix repairs it, and proves each file that it rewrites.

    To begin with: mem0-migrate check, then mem0-migrate fix --diff
    """


cli.add_command(check)
cli.add_command(fix)
cli.add_command(rule)
cli.add_command(why)
