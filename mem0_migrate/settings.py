"""What a run is asked to do: the command line laid over `[tool.mem0-migrate]` of the nearest `pyproject.toml`.

One run analyses one repository, but its packages may each have their own table: the closest one decides what is reported
for a file (`SettingsFor`). Tables are never merged with one another, as in ruff; the command line is laid over each.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mem0_migrate.model import SEVERITIES, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pathspec import GitIgnoreSpec

Format = Literal["full", "concise", "json"]

FORMATS: tuple[Format, ...] = ("full", "concise", "json")
TABLE = "mem0-migrate"
ALWAYS_ON = "MEM901"


class SettingsError(Exception):
    """A setting that cannot be used. The text names the file and line, or the option, and says what to write instead."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to look at, what to report, and when to fail.

    Attributes:
        select: Prefixes of rule codes to report; None for the rules that are on by default.
        ignore: Prefixes of rule codes not to report.
        extend_select: Prefixes of rule codes to report as well.
        per_file_ignores: Pairs of a path pattern and the prefixes of rule codes not to report in files that match it.
        exclude: Path patterns of files not to look at, instead of the built-in ones; None for the built-in ones.
        extend_exclude: Path patterns of files not to look at, besides `exclude`.
        force_exclude: Whether `exclude` also holds for files that are named on the command line.
        respect_gitignore: Whether files that git ignores are left out.
        mem0ai: Version, range or era to assume (`1.0.3`, `<2`, `v1`) instead of what manifests and locks say.
        fail_on: The least severity that makes a run fail.
        allow_incomplete: Whether a run passes although a file could not be read.
        output_format: How to print; None to decide by whether a terminal reads it.
        directory: What patterns are relative to: the directory of `source`, else the one that was given.
        source: The configuration file, None where there is none.
        hierarchical: Whether a closer configuration file decides for the files below it.
        overrides: Settings that are laid over every configuration file, by attribute: those of the command line.
        stdin: Name and content of the one file to check that is read from standard input.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    mem0ai: str | None = None
    fail_on: Severity = "warning"
    allow_incomplete: bool = False
    output_format: Format | None = None
    directory: Path = field(default_factory=Path.cwd)
    source: Path | None = None
    hierarchical: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    stdin: tuple[str, bytes] | None = None

    def enabled(self, code: str) -> bool:
        """Whether the rule with that code is reported: the longest prefix that matches decides, `ignore` wins a draw.

        An unreadable file is always reported: what is not looked at must not look like what is right.
        """
        if code == ALWAYS_ON:
            return True
        chosen = _longest((*(self.select or ()), *self.extend_select), code)
        if self.select is None and chosen < 0 and _on_by_default(code):
            chosen = 0
        return chosen > _longest(self.ignore, code)

    def reports(self, code: str, path: Path) -> bool:
        """Whether the rule with that code is reported in the file at that absolute path."""
        return code == ALWAYS_ON or (
            self.enabled(code)
            and not any(
                code.startswith(codes) and matches((pattern,), self.directory, path) for pattern, codes in self.per_file_ignores
            )
        )

    def excludes(self, path: Path) -> bool:
        """Whether `exclude` or `extend_exclude` names the file at that absolute path; built-in patterns not considered."""
        return matches((*(self.exclude or ()), *self.extend_exclude), self.directory, path)


class SettingsFor:
    """The settings that decide for a file: those of the closest configuration file, one look per directory."""

    def __init__(self, base: Settings) -> None:
        """Start from the settings of the run, which hold where no file is closer."""
        self.base = base
        self._by_directory: dict[Path, Settings] = {}

    def of(self, filename: str) -> Settings:
        """The settings for a file, given by its path relative to the working directory.

        Raises:
            SettingsError: The closest configuration file has something in it that cannot be used.
        """
        if not self.base.hierarchical:
            return self.base
        directory = Path(os.path.abspath(filename)).parent  # noqa: PTH100 - resolve() would leave the tree by a symlink
        known = self._by_directory.get(directory)
        if known is None:
            source = _closest(directory)
            if source is None or source == self.base.source:
                known = self.base
            else:
                known = _settings(_read(source), self.base.overrides, source.parent, source)
            self._by_directory[directory] = known
        return known

    def reports(self, code: str, filename: str) -> bool:
        """Whether a finding of the rule with that code in that file is to be reported.

        A closer configuration file may exclude files that the configuration of the run does not know of.
        """
        settings = self.of(filename)
        path = Path(os.path.abspath(filename))  # noqa: PTH100 - as above
        return settings.reports(code, path) and (settings is self.base or code == ALWAYS_ON or not settings.excludes(path))


def load(
    directory: Path | None = None,
    *,
    config: Sequence[str] = (),
    isolated: bool = False,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read the settings for a run.

    Args:
        directory: Where to look for a `pyproject.toml` with a `[tool.mem0-migrate]` table, and then in its parents;
            None for the working directory.
        config: TOML files to read instead of looking for one (at most one), and `key = value` pairs that are laid over it.
        isolated: Whether to read no configuration file at all. Manifests are no configuration, and are still read.
        overrides: Values by attribute of `Settings`, laid over all of that: the options of a command line.

    Raises:
        SettingsError: Something in a file or in `overrides` cannot be used.
    """
    directory = Path.cwd() if directory is None else directory.absolute()
    files = [text for text in config if "=" not in text or Path(text).exists()]
    options = {
        name: _checked(key := name.replace("_", "-"), value, f"--{key} (or MEM0_MIGRATE_{name.upper()})")
        for name, value in (overrides or {}).items()
        if value is not None
    }
    laid = _lay(options, over=_pairs(text for text in config if text not in files))
    if len(files) > 1:
        raise SettingsError(f"--config names {len(files)} files: {', '.join(files)}. Name one.")
    if isolated and files:
        raise SettingsError(f"--isolated reads no configuration file, and --config names {files[0]}. Use one of them.")
    if files:
        source = Path(files[0]).absolute()
        return _settings(_read(source, required=True), laid, directory, source, hierarchical=False)
    found = None if isolated else _closest(directory)
    if found is None:
        return _settings({}, laid, directory, None, hierarchical=not isolated)
    return _settings(_read(found), laid, found.parent, found)


def matches(patterns: tuple[str, ...], directory: Path, path: Path) -> bool:
    """Whether one of the patterns, written as in a `.gitignore` in `directory`, matches the file at `path` (both absolute)."""
    if not patterns or not path.is_relative_to(directory):
        return False
    return _spec(patterns).match_file(path.relative_to(directory).as_posix())


@lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def _settings(
    values: Mapping[str, Any], overrides: Mapping[str, Any], directory: Path, source: Path | None, *, hierarchical: bool = True
) -> Settings:
    laid = _lay(overrides, over=values)
    return replace(Settings(directory=directory), **laid, source=source, hierarchical=hierarchical, overrides=dict(overrides))


def _lay(upper: Mapping[str, Any], *, over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one layer of values over another.

    A `select` replaces the whole selection below it. What is merely added or ignored wins over every entry below that it
    covers, however specific; ruff applies one layer after the other to the same effect.
    """
    lower = dict(over)
    if "select" in upper:
        for name in ("select", "extend_select", "ignore"):
            lower.pop(name, None)
    for names, covering in ((("select", "extend_select"), "ignore"), (("ignore",), "extend_select")):
        for name in names:
            if name in lower:
                lower[name] = tuple(code for code in lower[name] if not code.startswith(upper.get(covering, ())))
    for name in ("extend_select", "ignore", "extend_exclude"):
        if name in upper:
            lower[name] = (*lower.get(name, ()), *upper[name])
    return {**lower, **{name: value for name, value in upper.items() if name not in lower or name not in _ADDING}}


_ADDING = frozenset({"extend_select", "ignore", "extend_exclude"})


def _longest(prefixes: Iterable[str], code: str) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _on_by_default(code: str) -> bool:
    from mem0_migrate.rules.registry import rule

    return rule(code).enabled


def _closest(directory: Path) -> Path | None:
    """The closest `pyproject.toml` that speaks of us, in the directory or above it."""
    for folder in (directory, *directory.parents):
        path = folder / "pyproject.toml"
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise SettingsError(f"{_shown(path)}: cannot be read: {error.strerror}") from None
        if TABLE.encode() in content and _table(path, _parsed(path, content)) is not None:
            return path
    return None


def _read(path: Path, *, required: bool = False) -> dict[str, Any]:
    """The checked values of a configuration file, by attribute of `Settings`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{_shown(path)}: cannot be read: {error.strerror}") from None
    document = _parsed(path, content)
    table = _table(path, document)
    if table is None and path.name != "pyproject.toml":
        table = document
    if table is None:
        if required:
            raise SettingsError(f"{_shown(path)}: has no table [tool.{TABLE}].")
        return {}
    text = content.decode("utf-8-sig")
    values = {}
    for key, value in table.items():
        row = _row(text, key)
        where = _shown(path) if row is None else f"{_shown(path)}:{row}"
        values[key.replace("-", "_")] = _checked(key, value, where)
    return values


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return _loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        rows = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{_shown(path)}:{rows}: is not UTF-8, which TOML files are.") from None
    except ValueError as error:
        message, row = _toml_error(error)
        where = _shown(path) if row is None else f"{_shown(path)}:{row}"
        raise SettingsError(f"{where}: is not valid TOML: {message}.") from None


def _table(path: Path, document: Mapping[str, Any]) -> dict[str, Any] | None:
    tool = document.get("tool")
    table = tool.get(TABLE) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{_shown(path)}: tool.{TABLE} is {_type(table)}; write a table [tool.{TABLE}].")
    return table


def _loads(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        from tomllib import loads
    else:
        from tomli import loads
    return loads(text)


def _toml_error(error: ValueError) -> tuple[str, int | None]:
    """The message of a TOML parser without its place, and the 1-based row of it."""
    message = str(error)
    place = re.search(r" \(at line (\d+), column \d+\)$", message)
    return (message[: place.start()], int(place[1])) if place else (message, None)


_OURS = re.compile(rf"""^\s*\[.*{TABLE}|{TABLE}["']?\s*[.=]""")


def _row(text: str, key: str) -> int | None:
    """The 1-based row where a key of our table stands; the parser does not tell."""
    in_table = False
    for row, line in enumerate(text.splitlines(), 1):
        in_table = (in_table and not line.lstrip().startswith("[")) or bool(_OURS.search(line))
        if in_table and re.search(rf"""(?<![\w-])["']?{re.escape(key)}["']?\s*[=.\]]""", line):
            return row
    return None


def _pairs(pairs: Iterable[str]) -> dict[str, Any]:
    """The checked values of `key = value` pairs."""
    values: dict[str, Any] = {}
    for pair in pairs:
        try:
            table = _loads(pair)
        except ValueError as error:
            message, _ = _toml_error(error)
            raise SettingsError(f"--config {pair!r} is neither a file nor a TOML pair `key = value`: {message}.") from None
        for key, value in table.items():
            values[key.replace("-", "_")] = _checked(key, value, f"--config {pair!r}")
    return values


def _shown(path: Path) -> str:
    """A path as a person would name it: relative to the working directory where it lies below it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def _checked(key: str, value: object, where: str) -> Any:
    check = _KEYS.get(key)
    if check is None:
        raise SettingsError(f"{where}: unknown setting `{key}`{_similar(key, _KEYS, f'; there are {_listed(sorted(_KEYS))}')}")
    try:
        return check(value)
    except _UnusableError as error:
        raise SettingsError(f"{where}: {error}" if where.startswith("--") else f"{where}: {key}: {error}") from None


def _similar(word: str, words: Iterable[str], otherwise: str = "") -> str:
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.7)
    return f"; did you mean `{close[0]}`?" if close else otherwise


def _listed(words: Sequence[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


class _UnusableError(Exception):
    """Why a value cannot be used."""


def _type(value: object) -> str:
    names = {bool: "true or false", str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _UnusableError(f"must be true or false, not {_type(value)}")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _UnusableError(f"must be a list of strings, not {_type(value)}")
    for item in value:
        if not isinstance(item, str):
            raise _UnusableError(f"must be a list of strings, and one of its items is {_type(item)}")
    return tuple(value)


def _codes(value: object) -> tuple[str, ...]:
    """Prefixes of rule codes; `ALL` is the empty prefix."""
    from mem0_migrate.rules.registry import all_rules

    known = [rule.code for rule in all_rules()]
    prefixes = []
    for text in _strings(value):
        prefix = "" if text.upper() == "ALL" else text.upper()
        if not text or not any(code.startswith(prefix) for code in known):
            hint = _similar(prefix, known, "; `mem0-migrate rule --all` lists them")
            raise _UnusableError(f"no rule has a code that starts with `{text}`{hint}")
        prefixes.append(prefix)
    return tuple(prefixes)


def _ignored_codes(value: object) -> tuple[str, ...]:
    codes = _codes(value)
    if ALWAYS_ON in codes:
        raise _UnusableError(
            f"{ALWAYS_ON} cannot be ignored, since a file that was not read may hold any error; see allow-incomplete"
        )
    return codes


def _per_file(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise _UnusableError(f'must be a table of lists, such as {{"tests/**" = ["MEM104"]}}, not {_type(value)}')
    return tuple((pattern, _ignored_codes(codes)) for pattern, codes in value.items())


def _choice(*choices: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise _UnusableError(f"must be one of {_listed(choices)}, not {_type(value)}")
        if value not in choices:
            raise _UnusableError(f"`{value}` is not one of {_listed(choices)}")
        return value

    return check


def _assumption(value: object) -> str:
    from mem0_migrate.sdk.eras import parse_assumption

    if not isinstance(value, str):
        raise _UnusableError(f"must be a version or a range in a string, not {_type(value)}")
    try:
        parse_assumption(value)
    except ValueError as error:
        raise _UnusableError(str(error)) from None
    return value


_KEYS: Mapping[str, Callable[[object], object]] = {
    "select": _codes,
    "ignore": _ignored_codes,
    "extend-select": _codes,
    "per-file-ignores": _per_file,
    "exclude": _strings,
    "extend-exclude": _strings,
    "force-exclude": _boolean,
    "respect-gitignore": _boolean,
    "mem0ai": _assumption,
    "fail-on": _choice(*SEVERITIES),
    "allow-incomplete": _boolean,
    "output-format": _choice(*FORMATS),
}
