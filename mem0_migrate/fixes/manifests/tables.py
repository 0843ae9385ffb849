"""Dependencies as keys of a TOML table: `mem0ai = "^1.0"`, a table, or a list of tables (Poetry, Pipenv)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import tomlkit
from packaging.specifiers import SpecifierSet
from tomlkit.items import AoT, Table

from mem0_migrate.fixes.manifests.brackets import insert_after, inside_of_literal
from mem0_migrate.fixes.manifests.entry import SHIM, ByHandError, Constraint, Entry, Lines, Splice
from mem0_migrate.fixes.manifests.pep508 import is_shim
from mem0_migrate.project.manifests.statement import is_mem0ai, location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mem0_migrate.fixes.manifests.toml import Document

_CONDITIONS = (
    *("python", "platform", "markers", "optional"),
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release", "platform_system"),
    *("platform_version", "python_version", "python_full_version", "implementation_name", "implementation_version"),
)
"""What says where a dependency is installed: Poetry's keys, and those of PEP 508 (Pipenv)."""

_KEY = re.compile(r"([^\s={},][^={},]*?)(\s*=\s*)$")
_NAME = re.compile(r"mem0[-_.]*ai", re.IGNORECASE)
_HEADER = re.compile(r"(?m)^[^\S\r\n]*\[")
_NO_CONTENT = re.compile(r"\s*(#.*)?")


def entries(
    document: Document, path: tuple[str, ...], specifiers: Callable[[str], Iterable[str]], *, has_shim: bool = False
) -> Iterator[Entry]:
    """Yield where the table at a path requires mem0ai.

    Args:
        document: The document.
        path: Where the table is.
        specifiers: Returns a constraint as version specifiers, any one of which may hold; may raise ValueError.
        has_shim: mem0-shim is required elsewhere, wherever this table is installed.
    """
    table = document.table(*path)
    has_shim = has_shim or any(map(is_shim, table))
    for name, value in table.items():
        if is_mem0ai(name):
            where = (*path, name)
            dependency = _Dependency(document, where, value)
            alternatives: list[tuple[tuple[str | int, ...], Any]] = [(where, value)]
            if isinstance(value, list):
                alternatives = [((*where, number), item) for number, item in enumerate(value)]
            for alternative, entry in alternatives:
                constraint = _constraint(document, alternative, entry, specifiers)
                yield Entry(dependency.start, dependency.end, ".".join(where), constraint, dependency.additions(), has_shim)


def _constraint(
    document: Document, path: tuple[str | int, ...], entry: Any, specifiers: Callable[[str], Iterable[str]]
) -> Constraint | str:
    if isinstance(entry, dict):
        if location(entry) is not None:
            return "it is taken from a repository, an address or a path: choose the version there, by hand"
        if "version" not in entry:
            return "no version is written there: add one by hand"
        path, entry = (*path, "version"), entry["version"]
    try:
        start, end, _ = inside_of_literal(document.text, *document.span(path), entry)
        return Constraint(start, end, tuple(map(SpecifierSet, specifiers(entry))))
    except ByHandError as error:
        return error.reason
    except (ValueError, TypeError):
        return f"the version in {str(entry)[:200]!r} cannot be read: narrow it by hand"


class _Dependency:
    """One dependency in a table, and how the next one beside it is written."""

    def __init__(self, document: Document, path: tuple[str, ...], value: Any) -> None:
        self._document, self._path, self._value = document, path, value
        self._lines = Lines(document.text)
        self._has_header = False
        inner = (*path, *_first(value)) if isinstance(value, (Table, AoT)) else path
        self._at, self.end = document.span(inner)
        self._key, self._equals = self._find_key()
        self.start = self._at - len(self._key) - len(self._equals)
        if _NAME.search(self._key) is None:
            self._has_header = True
            self.start = max(header.start() for header in _HEADER.finditer(document.text, 0, self._at))

    def additions(self) -> tuple[Splice, ...] | str:
        try:
            return self._additions()
        except ByHandError as error:
            return error.reason

    def _additions(self) -> tuple[Splice, ...]:
        lines = self._lines
        if isinstance(self._value, AoT):
            raise ByHandError(f"[[{'.'.join(self._path)}]] is a list of tables: add {SHIM} beside it by hand")
        if self._has_header:
            return (self._further_table(),)
        name = list(_NAME.finditer(self._key))[-1]
        quote = re.match(r"""["']?""", self._key[name.end() :])
        key = f"{self._key[: name.start()]}{SHIM}{quote[0] if quote is not None else ''}"
        equals = self._equals
        while len(equals) - len(equals.lstrip(" ")) > 1 and len(key + equals) > len(self._key + self._equals):
            equals = equals[1:]  # the equals signs of a table may be aligned
        item = f"{key}{equals}{self._new_value()}"
        before = lines.text[lines.start(self.start) : self.start]
        if before.strip():
            return insert_after(lines, self.start, self.end, item)
        end = lines.end(self.end)
        return (Splice(end, end, f"{lines.line_end(self.end)}{before}{item}"),)

    def _further_table(self) -> Splice:
        """Return the table for mem0-shim behind the table for mem0ai."""
        lines = self._lines
        following = _HEADER.search(lines.text, lines.end(self._at))
        last = lines.row(following.start()) - 1 if following is not None else len(lines)
        while _NO_CONTENT.fullmatch(lines.line(lines.start_of_row(last))):
            last -= 1
        header, indent, new_line = lines.line(self.start), lines.indent(self._at), lines.line_end(self._at)
        name = list(_NAME.finditer(header.partition("#")[0]))[-1]
        closing = re.match(r"""["']?\s*\]""", header[name.end() :])
        words = [header[: name.start()] + SHIM + (closing[0] if closing is not None else "]")]
        quote = self._quote()
        words += [f"{indent}version = {quote}*{quote}"]
        words += [f"{indent}{key} = {tomlkit.item(self._value[key]).as_string()}" for key in _conditions(self._value)]
        end = lines.end(lines.start_of_row(last))
        return Splice(end, end, "".join([new_line, *(f"{new_line}{line}" for line in words)]))

    def _new_value(self) -> str:
        """Return the value for mem0-shim: any version, under the conditions of mem0ai."""
        quote = self._quote()
        any_version = f"{quote}*{quote}"
        if isinstance(self._value, list):
            tables = [_inline(item, any_version) for item in self._value]
            return f"[{', '.join(tables)}]" if any(len(_conditions(item)) for item in self._value) else any_version
        return _inline(self._value, any_version) if _conditions(self._value) else any_version

    def _find_key(self) -> tuple[str, str]:
        """Return the key before the value, and what stands between them."""
        key = _KEY.search(self._lines.text[self._lines.start(self._at) : self._at])
        if key is None:
            raise ByHandError(f"{'.'.join(self._path)} is written in a way that cannot be edited: edit it by hand")
        return key[1], key[2]

    def _quote(self) -> str:
        written = self._document.text[self._at : self.end]
        quote = re.search(r"""["']""", written)
        return quote[0] if quote is not None else '"'


def _first(value: Any) -> tuple[str | int, ...]:
    """Return the path to the first value that is written inside a table or list of tables."""
    if isinstance(value, AoT):
        return (0, *_first(value[0]))
    if not value:
        raise ByHandError("mem0ai has an empty table: edit it by hand")
    return (next(iter(value)),)


def _conditions(value: Any) -> list[str]:
    return [key for key in _CONDITIONS if key in value] if isinstance(value, dict) else []


def _inline(value: Any, any_version: str) -> str:
    """Return an inline table for any version, with spaces in its braces if the table that it stands beside has them."""
    pairs = [f"version = {any_version}", *(f"{key} = {tomlkit.item(value[key]).as_string()}" for key in _conditions(value))]
    blank = " " if str(getattr(value, "as_string", str)()).startswith("{ ") else ""
    return f"{{{blank}{', '.join(pairs)}{blank}}}"
