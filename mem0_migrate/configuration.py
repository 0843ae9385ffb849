"""Configuration as it is written: `[tool.mem0-migrate]` in a TOML file, and pairs of key and value, checked one by one."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mem0_migrate.model import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Format = Literal["full", "concise", "json"]
Choice = Literal["auto", "keyword", "shim", "async"]

FORMATS: tuple[Format, ...] = ("full", "concise", "json")
CHOICES: tuple[Choice, ...] = ("auto", "keyword", "shim", "async")
TABLE = "mem0-migrate"
ALWAYS_ON = "MEM901"


class SettingsError(Exception):
    """A setting that cannot be used. The text names the file and line, or the option, and says what to write instead."""


def closest(directory: Path) -> Path | None:
    """The closest `pyproject.toml` with our table, in the directory or above it; raises SettingsError."""
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


def read(path: Path, *, required: bool = False) -> dict[str, Any]:
    """The checked values of a configuration file, by attribute of `Settings`; raises SettingsError."""
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
        values[key.replace("-", "_")] = checked(key, value, where)
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


def pairs(texts: Iterable[str]) -> dict[str, Any]:
    """The checked values of `key = value` pairs, by attribute of `Settings`; raises SettingsError."""
    values: dict[str, Any] = {}
    for pair in texts:
        try:
            table = _loads(pair)
        except ValueError as error:
            message, _ = _toml_error(error)
            raise SettingsError(f"--config {pair!r} is neither a file nor a TOML pair `key = value`: {message}.") from None
        for key, value in table.items():
            values[key.replace("-", "_")] = checked(key, value, f"--config {pair!r}")
    return values


def _shown(path: Path) -> str:
    """A path as a person would name it: relative to the working directory where it lies below it."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def checked(key: str, value: object, where: str) -> Any:
    """The value of a key as `Settings` holds it.

    Raises:
        SettingsError: There is no such key, or it cannot have that value; `where` is the place to name.
    """
    check = KEYS.get(key)
    if check is None:
        raise SettingsError(f"{where}: unknown setting `{key}`{_similar(key, KEYS, f'; there are {_listed(sorted(KEYS))}')}")
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


def _patterns(value: object) -> tuple[str, ...]:
    from mem0_migrate.project.exclusion import Exclusion, InvalidPatternError

    patterns = _strings(value)
    try:
        Exclusion(patterns)
    except InvalidPatternError as error:
        raise _UnusableError(str(error)) from None
    return patterns


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
    return tuple((pattern, _ignored_codes(codes)) for pattern, codes in zip(_patterns(tuple(value)), value.values(), strict=True))


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


KEYS: Mapping[str, Callable[[object], object]] = {
    "select": _codes,
    "ignore": _ignored_codes,
    "extend-select": _codes,
    "per-file-ignores": _per_file,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "force-exclude": _boolean,
    "respect-gitignore": _boolean,
    "mem0ai": _assumption,
    "fail-on": _choice(*SEVERITIES),
    "allow-incomplete": _boolean,
    "output-format": _choice(*FORMATS),
    "strategy": _choice(*CHOICES),
    "unsafe-fixes": _boolean,
    "fixable": _codes,
    "unfixable": _codes,
}
