"""Edits of the files in which a project requires mem0ai: mem0-shim added beside it, its range narrowed.

One module per format offers `entries(text)`: where the file requires mem0ai, and what an edit there would be. Bytes come in
and go out, nothing is written, and every edit is proven before it is returned: see `proof`. Needs tomlkit, for TOML alone.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from mem0_migrate.fixes.manifests.entry import SHIM, ByHandError, Entry, Lines, Splice, apply
from mem0_migrate.fixes.manifests.locks import declaring, is_generated, manifest_format_of, refresh_command
from mem0_migrate.project.manifests import METADATA, REQUIREMENTS, read_manifest
from mem0_migrate.project.manifests.statement import Problem, Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mem0_migrate.fixes.manifests.proof import Ranges

__all__ = ["ManifestEdit", "Refused", "add_shim", "declaring", "narrow", "refresh_command"]

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class ManifestEdit:
    """The new content of a manifest, proven, and what changed, in words."""

    filename: str
    content: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A manifest is not edited: why, what to do by hand, and the 1-based line that it is about."""

    filename: str
    reason: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class _Manifest:
    """A manifest that can be edited: its text, how that becomes bytes, and where it requires mem0ai."""

    format: str
    text: str
    mark: bytes
    encoding: str
    entries: tuple[Entry, ...]

    def at(self, row: int | None) -> list[Entry]:
        """Return the entries on a row; all of them if the readers of the project put a requirement there that is elsewhere."""
        lines = Lines(self.text)
        on_row = [entry for entry in self.entries if row is None or lines.row(entry.start) <= row <= lines.row(entry.end)]
        return on_row or list(self.entries)

    def refusal(self, reason: str, entry: Entry) -> ByHandError:
        """Return the error that says why an entry is not edited."""
        return ByHandError(reason, Lines(self.text).row(entry.start))


@dataclass(frozen=True, slots=True)
class _Plan:
    """The edits of one manifest, what they do in words, and the text that they lead to, proven."""

    splices: tuple[Splice, ...]
    message: str
    text: str


def add_shim(filename: str, data: bytes, row: int | None) -> ManifestEdit | Refused | None:
    """Require mem0-shim in the lists that require mem0ai, under the same conditions; None if it is required there.

    Args:
        filename: Name of the manifest: tells its format.
        data: Its content.
        row: The 1-based line of one requirement of mem0ai, whose list alone is edited; None for every list.
    """
    return _edited(filename, data, row, _added)


def narrow(
    filename: str, data: bytes, row: int | None, *, below: str | None = None, at_least: str | None = None
) -> ManifestEdit | Refused | None:
    """Bound the range of mem0ai; None if it is within the bounds.

    Args:
        filename: Name of the manifest: tells its format.
        data: Its content.
        row: The 1-based line of the requirement to narrow; None for every one.
        below: The first version to exclude ('2').
        at_least: The first version to admit ('1.0').

    Raises:
        packaging.version.InvalidVersion: `below` or `at_least` is no version.
    """
    bounds = [(operator, bound) for operator, bound in ((">=", at_least), ("<", below)) if bound is not None]
    return _edited(filename, data, row, lambda manifest, row: _narrowed(manifest, row, bounds))


def _edited(
    filename: str, data: bytes, row: int | None, plan: Callable[[_Manifest, int | None], _Plan | None]
) -> ManifestEdit | Refused | None:
    try:
        manifest = _read(filename, data, row)
        planned = plan(manifest, row)
        if planned is None:
            return None
        content = manifest.mark + planned.text.encode(manifest.encoding)
        if row is not None:
            start = Lines(manifest.text).start_of_row(row)
            row += sum(len(Lines(splice.content)) - 1 for splice in planned.splices if splice.start < start)
        if plan(_read(filename, content, row), row) is not None:
            raise ByHandError("a second run would edit it again: edit it by hand")  # noqa: TRY301
    except ByHandError as error:
        return Refused(filename, error.reason, error.row or row)
    return ManifestEdit(filename, content, planned.message)


def _read(filename: str, data: bytes, row: int | None) -> _Manifest:
    """Return a manifest that requires mem0ai, on `row` if one is given.

    Raises:
        ByHandError: It cannot be edited, or does not require it.
    """
    manifest_format = manifest_format_of(filename)
    if is_generated(filename, data):
        command = refresh_command(filename, data)
        then = f"run `{command}`" if command is not None else "generate it anew"
        raise ByHandError(f"it is generated: edit what it is made from, then {then}")
    if manifest_format is None or manifest_format == METADATA:
        raise ByHandError("it is no manifest that can be edited")
    statements = read_manifest(data, manifest_format)
    required = [item for item in statements if isinstance(item, Requirement)]
    if not required:
        problem = next((item for item in statements if isinstance(item, Problem)), None)
        if problem is not None:
            raise ByHandError(problem.reason, problem.row)
        raise ByHandError(f"it does not require mem0ai itself: edit the file that does, or add {SHIM} by hand")
    if row is not None and all(item.row != row for item in required):
        raise ByHandError("this line does not require mem0ai (any more): check the project again")
    text, mark, encoding = _decode(data)
    entries: Iterable[Entry] = import_module(f"{__name__}.{manifest_format}").entries(text)
    if manifest_format == REQUIREMENTS and "constraint" in filename.rpartition("/")[2]:
        entries = (replace(entry, requires=False) for entry in entries)
    manifest = _Manifest(manifest_format, text, mark, encoding, tuple(entries))
    if not manifest.entries:
        raise ByHandError("mem0ai is required in a way that cannot be edited: edit it by hand")
    return manifest


def _added(manifest: _Manifest, row: int | None) -> _Plan | None:
    from mem0_migrate.fixes.manifests.proof import prove_added

    requiring = [entry for entry in manifest.entries if entry.requires]
    lists = {entry.listed_in for entry in manifest.at(row) if entry.requires} or {entry.listed_in for entry in requiring}
    if not requiring:
        raise ByHandError(f"it constrains versions and requires nothing: add {SHIM} to the file that requires mem0ai")
    splices: dict[Splice, None] = {}
    conditions: set[tuple[str, ...]] = set()
    for entry in (entry for entry in requiring if entry.listed_in in lists and not entry.has_shim):
        if isinstance(entry.additions, str):
            raise manifest.refusal(entry.additions, entry)
        written = (entry.listed_in, *(splice.content.strip() for splice in entry.additions))
        if written not in conditions:  # the same requirement twice, or several ranges under the same conditions
            conditions.add(written)
            prove_added(manifest.text, entry.additions, manifest.format)
            splices.update(dict.fromkeys(entry.additions))
    if not splices:
        return None
    prove_added(manifest.text, tuple(splices), manifest.format)  # all together
    return _Plan(tuple(splices), f"require {SHIM} beside mem0ai", apply(manifest.text, splices))


def _narrowed(manifest: _Manifest, row: int | None, bounds: Sequence[tuple[str, str]]) -> _Plan | None:
    from mem0_migrate.fixes.manifests.bounds import narrowed
    from mem0_migrate.fixes.manifests.proof import prove_narrowed

    splices: list[Splice] = []
    ranges: dict[Ranges, Ranges] = {}
    changes: dict[str, None] = {}
    for entry in manifest.at(row):
        if isinstance(entry.constraint, str):
            if not entry.requires:
                continue
            raise manifest.refusal(entry.constraint, entry)
        written = old = manifest.text[entry.constraint.start : entry.constraint.end]
        admitted = entry.constraint.ranges
        for operator, bound in bounds:
            try:
                written, narrower = narrowed(written, admitted, operator, bound) or (written, None)
            except ByHandError as error:
                raise manifest.refusal(error.reason, entry) from error
            admitted = (narrower,) if narrower is not None else admitted
        if written != old:
            splices.append(Splice(entry.constraint.start, entry.constraint.end, written))
            prove_narrowed(
                manifest.text, apply(manifest.text, splices[-1:]), manifest.format, {entry.constraint.ranges: admitted}
            )
            ranges[entry.constraint.ranges] = admitted
            changes[f"{f'mem0ai {old!r}' if old else 'mem0ai'} becomes mem0ai {written!r}"] = None
    if not splices:
        return None
    text = apply(manifest.text, splices)  # all together
    prove_narrowed(manifest.text, text, manifest.format, ranges)
    return _Plan(tuple(splices), ", ".join(changes), text)


def _decode(data: bytes) -> tuple[str, bytes, str]:
    """Return the text of a manifest, its byte order mark and its encoding, as the readers of the project decide them.

    Raises:
        ByHandError: The text does not lead back to the bytes.
    """
    mark, encoding = next(((mark, encoding) for mark, encoding in _BYTE_ORDER_MARKS if data.startswith(mark)), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark:
            raise ByHandError(f"it is not valid {encoding.upper()}: edit it by hand") from error
        encoding = "latin-1"
        text = data.decode(encoding)
    return text, mark, encoding
