"""`mem0-migrate fix`: from findings to repaired files, each proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mem0_migrate.cli.failures import failures
from mem0_migrate.cli.options import ENVIRONMENT, Sections, configuration, files, fixing, option, selection, settings_of
from mem0_migrate.cli.terminal import in_color, is_terminal, say, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.fixes.repair import Repair
    from mem0_migrate.model import Finding, FixReport, Rewrite
    from mem0_migrate.settings import Settings

_OUTPUT = "Output"
_EXIT = "Exit code"


@click.command(cls=Sections, epilog=ENVIRONMENT)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@fixing
@option("Fixes", "--interactive", "-i", is_flag=True, help="Show each change, and ask whether to make it.")
@selection
@files
@option(
    _OUTPUT, "--diff", is_flag=True, help="Show what would change as a diff, and write nothing; exit with 1 if anything would."
)
@option(
    _OUTPUT,
    "--output-format",
    type=click.Choice(["full", "concise", "json"]),
    help="How to print what was done: json for a program.",
)
@option(_OUTPUT, "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours.")
@option(_OUTPUT, "--quiet", "-q", is_flag=True, help="Print what is left and why, to standard error, and nothing else.")
@option(_OUTPUT, "--verbose", "-v", is_flag=True, help="Print the traceback of an internal error.")
@option(
    _EXIT,
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    help="Exit with 1 if a finding is left that is at least this severe. [default: warning]",
)
@option(
    _EXIT,
    "--allow-incomplete/--no-allow-incomplete",
    default=None,
    help="Do not exit with 1 merely because a file could not be read.",
)
@option(_EXIT, "--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if anything was fixed, even if nothing is left.")
@configuration
def fix(paths: tuple[str, ...], **options: Any) -> None:
    """Repair the calls of mem0's add() that break.

    PATHS are files and directories, the working directory if there are none. Files below these are edited, no other ones. Each
    file is proven before it is written: its syntax tree changes at the declared nodes only, all other bytes stay, it compiles,
    and a second run would change nothing. Otherwise it is left as it is, with the reason.
    """
    with failures(verbose=options["verbose"]):
        settings = settings_of(options)
        color = in_color(options["color"])
        asked = _questions(settings, options, color=color) if options["interactive"] else None
        if options["diff"]:
            raise click.exceptions.Exit(show_diff(paths, settings, color=color, quiet=options["quiet"]))
        from mem0_migrate import engine

        report = engine.fix(paths or (".",), settings, decide=asked)
        _print(report, settings, color=color, quiet=options["quiet"])
    failed = _failed(report, settings) or (bool(report.rewrites) and options["exit_non_zero_on_fix"])
    raise click.exceptions.Exit(int(failed))


def show_diff(paths: tuple[str, ...], settings: Settings, *, color: bool, quiet: bool) -> int:
    """Print what would change, to standard error the summary; the exit code."""
    from mem0_migrate import engine
    from mem0_migrate.output import diff, fixed
    from mem0_migrate.output.view import View

    report = engine.fix(paths or (".",), settings, write=False)
    view = View(width=width(), color=color)
    if settings.output_format == "json":
        _print(report, settings, color=color, quiet=False)
    else:
        say(diff.render(report.rewrites, view), color=color)
        for line in fixed.left(report, view) if quiet else fixed.render(report, view, wrote=False):
            click.echo(line, err=True, color=color)
    return int(bool(report.rewrites) or bool(report.failed) or (bool(report.after.incomplete) and not settings.allow_incomplete))


def _print(report: FixReport, settings: Settings, *, color: bool, quiet: bool) -> None:
    from mem0_migrate.output import fixed, json
    from mem0_migrate.output.view import View

    if settings.output_format == "json":
        say(json.render_fixes(report), color=False)
        return
    view = View(width=width(), color=color)
    if not quiet:
        say(fixed.render(report, view, wrote=True), color=color)
        return
    for line in fixed.left(report, view):
        click.echo(line, err=True, color=color)


def _failed(report: FixReport, settings: Settings) -> bool:
    """Whether something is left that is severe enough, or could not be written or looked at."""
    from mem0_migrate.model import SEVERITIES

    failing = SEVERITIES[: SEVERITIES.index(settings.fail_on) + 1]
    incomplete = bool(report.after.incomplete) and not settings.allow_incomplete
    return incomplete or bool(report.failed) or any(finding.severity in failing for finding in report.after.findings)


def _questions(settings: Settings, options: dict[str, Any], *, color: bool) -> _Questions:
    if options["diff"]:
        raise click.UsageError("--interactive asks whether to make a change, and --diff makes none.")
    if settings.output_format == "json":
        raise click.UsageError("--interactive asks a person, and json is for a program.")
    if not is_terminal():
        raise click.UsageError("--interactive asks on the terminal, and there is none.")
    return _Questions(color=color)


class _Questions:
    """Asks about each repair: y, n, a for all of this file, q to stop and keep what was agreed to."""

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._agreed: set[str] = set()
        self._quit = False

    def __call__(self, findings: Sequence[Finding], repair: Repair, rewrites: Sequence[Rewrite]) -> bool:
        """Whether to make a repair."""
        from mem0_migrate.output import diff
        from mem0_migrate.output.view import View, place, printable

        names = {rewrite.filename for rewrite in rewrites}
        if self._quit or names <= self._agreed:
            return not self._quit
        view = View(width=width(), color=self._color)
        lines = [f"{place(finding.span)}: {finding.code} {printable(finding.message)}" for finding in findings]
        say([*lines, *view.wrapped("", repair.message), *diff.render(rewrites, view)], color=self._color)
        answer = click.prompt(
            "Make this change? y: yes, n: no, a: yes, and all others of its files, q: no more",
            type=click.Choice(["y", "n", "a", "q"]),
            show_choices=False,
        )
        self._quit = answer == "q"
        if answer == "a":
            self._agreed |= names
        return answer in ("y", "a")
