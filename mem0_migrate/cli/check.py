"""`mem0-migrate check`: from a checkout to a verdict."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mem0_migrate.cli.failures import failures
from mem0_migrate.cli.options import ENVIRONMENT, Sections, configuration, files, fixing, option, relative, selection, settings_of
from mem0_migrate.cli.terminal import in_color, is_terminal, say, width, write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mem0_migrate.model import Report
    from mem0_migrate.output.view import Source
    from mem0_migrate.settings import Settings

_OUTPUT = "Output"
_EXIT = "Exit code"


@click.command(cls=Sections, epilog=ENVIRONMENT)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@selection
@files
@option(
    "File selection",
    "--stdin-filename",
    metavar="NAME",
    help="Check the text on standard input as if it stood in this file of the repository.",
)
@fixing
@option(_OUTPUT, "--diff", is_flag=True, help="Show what `fix` would change instead, as a diff; write nothing.")
@option(
    _OUTPUT,
    "--output-format",
    type=click.Choice(["full", "concise", "json"]),
    help="How to print: with source and explanations, one line per finding, or everything for a program. "
    "[default: full on a terminal, else concise]",
)
@option(_OUTPUT, "--output-file", "-o", type=click.Path(path_type=Path), help="Write the report to this file.")
@option(_OUTPUT, "--show-info", is_flag=True, help="Show each remark (severity info), not one line per file.")
@option(_OUTPUT, "--statistics", is_flag=True, help="Count the findings of each rule instead of showing them.")
@option(_OUTPUT, "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours.")
@option(_OUTPUT, "--quiet", "-q", is_flag=True, help="Print the findings and nothing else.")
@option(_OUTPUT, "--verbose", "-v", is_flag=True, help="Print the settings used, and which mem0ai each manifest declares.")
@option(
    _EXIT,
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    help="Exit with 1 if there is a finding at least this severe. [default: warning]",
)
@option(
    _EXIT,
    "--allow-incomplete/--no-allow-incomplete",
    default=None,
    help="Do not exit with 1 merely because a file could not be read.",
)
@option(_EXIT, "--exit-zero", "-e", is_flag=True, help="Exit with 0 whatever is found.")
@configuration
def check(paths: tuple[str, ...], **options: Any) -> None:
    """Find the calls of mem0's add() that break, and say what breaks.

    PATHS are files and directories, the working directory if there are none. A file is judged in the light of its whole
    repository, since the client it uses may be created anywhere.
    """
    with failures(verbose=options["verbose"]):
        from mem0_migrate import engine

        settings = settings_of(options)
        if options["stdin_filename"] is not None or "-" in paths:
            settings, paths = _stdin(settings, paths, options["stdin_filename"])
        if options["diff"]:
            from mem0_migrate.cli.fix import show_diff

            code = show_diff(paths, settings, color=in_color(options["color"]), quiet=options["quiet"])
            raise click.exceptions.Exit(0 if options["exit_zero"] else code)
        report = engine.check(paths or (".",), settings, edits=settings.output_format == "json")
        _warn(report, settings, verbose=options["verbose"], quiet=options["quiet"])
        _print(report, settings, options)
    raise click.exceptions.Exit(int(_failed(report, settings) and not options["exit_zero"]))


def _stdin(settings: Settings, paths: tuple[str, ...], filename: str | None) -> tuple[Settings, tuple[str, ...]]:
    if filename is None:
        raise click.UsageError("`-` needs --stdin-filename: what a file means depends on where in the repository it stands.")
    if paths not in ((), ("-",)):
        raise click.UsageError("--stdin-filename checks one file, from standard input; name no other path.")
    name = relative(filename)
    return replace(settings, stdin=(name, sys.stdin.buffer.read())), (name,)


def _print(report: Report, settings: Settings, options: dict[str, Any]) -> None:
    to_file = options["output_file"] is not None
    color = options["color"] == "always" if to_file else in_color(options["color"])
    lines = _rendered(report, settings, options, color=color, terminal=is_terminal() and not to_file)
    if to_file:
        write(lines, options["output_file"])
    else:
        say(lines, color=color)


def _rendered(report: Report, settings: Settings, options: dict[str, Any], *, color: bool, terminal: bool) -> Iterable[str]:
    from mem0_migrate.output.view import View
    from mem0_migrate.settings import SettingsFor

    view = View(
        source=_source(settings),
        width=width(),
        color=color,
        fold_info=not options["show_info"] and settings.fail_on != "info",
        fixing=SettingsFor(settings).fixing,
        quiet=options["quiet"],
    )
    name = settings.output_format or ("full" if terminal else "concise")
    if options["statistics"]:
        from mem0_migrate.output import statistics

        return statistics.render_json(report) if name == "json" else statistics.render(report, view)
    if name == "json":
        from mem0_migrate.output import json

        return json.render(report, view)
    if name == "concise":
        from mem0_migrate.output import concise

        return concise.render(report, view)
    from mem0_migrate.output import full

    return full.render(report, view)


def _warn(report: Report, settings: Settings, *, verbose: bool, quiet: bool) -> None:
    """Say on standard error what is not about the code: nothing to look at, and with `verbose` what was assumed."""
    if not report.files and not quiet:
        click.echo("warning: No Python files found under the given path(s)", err=True)
    if not verbose:
        return
    from mem0_migrate.output.view import count, eras
    from mem0_migrate.rules.registry import all_rules

    enabled = [rule.code for rule in all_rules() if settings.enabled(rule.code)]
    click.echo(f"Configuration: {settings.source or 'none'}", err=True)
    click.echo(f"Rules: {', '.join(enabled)}", err=True)
    click.echo(f"Searched {count(report.files, 'file')}, analysed {report.analysed} of them", err=True)
    for declaration in sorted(
        {site.declaration for site in report.sites}, key=lambda found: (found.source or "", found.row or 0)
    ):
        number = sum(site.declaration == declaration for site in report.sites)
        place = declaration.source if declaration.row is None else f"{declaration.source}:{declaration.row}"
        words = f"{declaration.requirement or 'nothing declared'}{f' ({place})' if place else ''}"
        click.echo(f"Declared: {words}: {eras(declaration.eras)}, {count(number, 'call')}", err=True)


def _failed(report: Report, settings: Settings) -> bool:
    """Whether something was found that is severe enough, or could not be looked at."""
    from mem0_migrate.model import SEVERITIES

    failing = SEVERITIES[: SEVERITIES.index(settings.fail_on) + 1]
    incomplete = bool(report.incomplete) and not settings.allow_incomplete
    return incomplete or any(finding.severity in failing for finding in report.findings)


def _source(settings: Settings) -> Source:
    """The lines of files as they were analysed; none of a file that has gone since."""
    from mem0_migrate.output.source import lines_of

    return lines_of(settings.stdin)
