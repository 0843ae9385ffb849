"""Options: their types, their twins in the environment, and a help text in sections."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mem0_migrate.settings import Settings

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Listed(click.ParamType):  # type: ignore[type-arg, unused-ignore] # generic since click 8.5
    """Words with commas between them, as a tuple."""

    envvar_list_splitter = ","

    def __init__(self, name: str) -> None:
        """`name` is what the help text calls such a list."""
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Split at commas; a tuple is taken as it is."""
        del param, ctx
        return value if isinstance(value, tuple) else tuple(word for part in value.split(",") if (word := part.strip()))


CODES = Listed("code")
PATTERNS = Listed("pattern")


class _Option(click.Option):
    """An option that belongs to a section of the help text."""

    def __init__(self, *names: Any, section: str, **attributes: Any) -> None:
        """`section` is the heading; the rest is click's."""
        super().__init__(*names, **attributes)
        self.section = section

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """What to call the option in an error: its twin in the environment, if that is where the value is from."""
        if ctx is not None and self.name and ctx.get_parameter_source(self.name) is ParameterSource.ENVIRONMENT:
            return f"'{self.envvar}'"
        return super().get_error_hint(ctx)


class Sections(click.Command):
    """A command whose help text groups the options by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list per section, in the order in which sections first appear."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)


def option(section: str, name: str, *others: str, **attributes: Any) -> Decorator:
    """An option in a section of the help text, and its twin in the environment: `--fail-on` is `MEM0_MIGRATE_FAIL_ON`."""
    variable = f"MEM0_MIGRATE_{name.partition('/')[0].removeprefix('--').upper().replace('-', '_')}"
    return click.option(name, *others, cls=_Option, section=section, envvar=variable, **attributes)


def flattened(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
    """The items of all lists that an option was given; None where it was not given."""
    return tuple(item for given in lists for item in given) or None


def relative(path: str) -> str:
    """A path as the engine names files: relative to the working directory, with `/` between its parts."""
    return Path(os.path.relpath(path)).as_posix()


_CONFIGURATION = "Configuration"
_RULES = "Rule selection"
_FILES = "File selection"
_FIXES = "Fixes"


def selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that decide which rules count."""
    for decorate in (
        option(_RULES, "--extend-select", type=CODES, multiple=True, help="Report these rules as well."),
        option(
            _RULES,
            "--ignore",
            type=CODES,
            multiple=True,
            help="Do not report these rules. A longer code wins over a shorter one in --select.",
        ),
        option(
            _RULES,
            "--select",
            type=CODES,
            multiple=True,
            help="Report these rules only: codes or their beginnings (MEM1), or ALL.",
        ),
    ):
        command = decorate(command)
    return command


def files(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that decide which files are looked at."""
    for decorate in (
        option(
            _FILES,
            "--respect-gitignore/--no-respect-gitignore",
            default=None,
            help="Leave out what git ignores (the default), or look at it too.",
        ),
        option(
            _FILES,
            "--force-exclude/--no-force-exclude",
            default=None,
            help="Exclude files even if they are named on the command line. For pre-commit.",
        ),
        option(
            _FILES,
            "--extend-exclude",
            type=PATTERNS,
            multiple=True,
            help="Do not look at files that match, besides those excluded.",
        ),
        option(
            _FILES,
            "--exclude",
            type=PATTERNS,
            multiple=True,
            help="Do not look at files that match, instead of the built-in list (.venv, build ...). Written as in .gitignore.",
        ),
    ):
        command = decorate(command)
    return command


def fixing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that decide what is fixed, and how."""
    for decorate in (
        option(_FIXES, "--unfixable", type=CODES, multiple=True, help="Do not fix these rules."),
        option(
            _FIXES,
            "--fixable",
            type=CODES,
            multiple=True,
            help="Fix these rules only. [default: those that break or may break, and those that --select names]",
        ),
        option(
            _FIXES,
            "--unsafe-fixes/--no-unsafe-fixes",
            default=None,
            help="Make fixes too that rest on what was inferred, or that change more than add() itself.",
        ),
        option(
            _FIXES,
            "--strategy",
            type=click.Choice(["auto", "keyword", "shim", "async"]),
            help="How to fix: pass async_mode=False (keyword), wrap the client so that it waits (shim), adopt asynchronous "
            "writes with a webhook (async), or per client the least that is right (auto). [default: auto]",
        ),
    ):
        command = decorate(command)
    return command


def settings_of(options: dict[str, Any]) -> Settings:
    """The settings that hold for a run with these options. Raises SettingsError."""
    from mem0_migrate.settings import load

    lists = ("select", "ignore", "extend_select", "exclude", "extend_exclude", "fixable", "unfixable")
    scalars = (
        "force_exclude",
        "respect_gitignore",
        "mem0ai",
        "fail_on",
        "allow_incomplete",
        "output_format",
        "strategy",
        "unsafe_fixes",
    )
    overrides = {name: flattened(options.get(name) or ()) for name in lists} | {name: options.get(name) for name in scalars}
    return load(config=options["config"], isolated=options["isolated"], overrides=overrides)


def configuration(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that decide which settings hold: `--config`, `--isolated` and `--mem0ai`."""
    for decorate in (
        option(
            _CONFIGURATION,
            "--isolated",
            is_flag=True,
            help="Ignore all configuration files. Manifests and locks, which say what mem0ai the code runs with, are still read.",
        ),
        option(
            _CONFIGURATION,
            "--config",
            metavar="FILE|KEY=VALUE",
            multiple=True,
            type=click.Path(),
            help="Read this TOML file instead of the closest pyproject.toml with a [tool.mem0-migrate] table, or set one key, "
            "as in --config 'fail-on = \"info\"'.",
        ),
        option(
            _CONFIGURATION,
            "--mem0ai",
            metavar="SPEC",
            help="The mem0ai to assume instead of what manifests and locks say: a version or a range, such as 1.0.3 or '<2'.",
        ),
    ):
        command = decorate(command)
    return command


ENVIRONMENT = (
    "Each option can be set in the environment, lists with commas between their items: MEM0_MIGRATE_FAIL_ON=error. "
    "The command line wins over the environment, and that over [tool.mem0-migrate] in pyproject.toml."
)
