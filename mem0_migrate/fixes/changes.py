"""What a repair changes, node by node, as data. `rewriting` makes text of it; `verification` holds the new tree to it.

A node is named by its place as `ast` counts it: first line, first column, last line, last column; lines from 1, columns from 0
in bytes of UTF-8; of a notebook, in the text of all its code cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.tracking.summary import Place


@dataclass(frozen=True, slots=True)
class SetKeyword:
    """The call at `place` passes `name=value`, instead of the keyword `replacing` if it has one, else after its last argument."""

    place: Place
    name: str
    value: str
    replacing: str


@dataclass(frozen=True, slots=True)
class RemoveKeyword:
    """The call at `place` passes no keyword `name` any more."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class SetKey:
    """The dictionary display at `place` has `key: value`, instead of what it had under that key, else after its last item."""

    place: Place
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class RemoveKey:
    """The dictionary display at `place` has no item under `key` any more."""

    place: Place
    key: str


@dataclass(frozen=True, slots=True)
class Surround:
    """The expression at `place` becomes `before`, itself, `after`: together one expression, of which it is a part."""

    place: Place
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Replace:
    """The expression at `place` becomes the expression `text`."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Assign:
    """The expression statement at `place` becomes an assignment of its value to `name`."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Insert:
    """The statements `text` come before, or after, the statement at `place`, in the same block. `text` is not indented."""

    place: Place
    text: str
    after: bool


@dataclass(frozen=True, slots=True)
class Remove:
    """The statement at `place` goes; `pass` stands in its place where nothing else is left in the block."""

    place: Place


Change = SetKeyword | RemoveKeyword | SetKey | RemoveKey | Surround | Replace | Assign | Insert | Remove


class UnchangeableError(Exception):
    """A change that cannot be made; the text says why, in words for the user."""


@dataclass(frozen=True, slots=True)
class FileChanges:
    """The changes of one file, without duplicates, in order of place."""

    filename: str
    changes: Sequence[Change]
