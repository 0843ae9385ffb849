"""Where a value of a TOML document is written.

tomlkit writes a document back as it was read, except for what was changed. So a value is put in the place of another, and
what differs between both texts is where that one stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from mem0_migrate.fixes.manifests.entry import ByHandError

if TYPE_CHECKING:
    from collections.abc import Sequence

Path = tuple["str | int", ...]

_MARK = "\ue000\ue001"


class Document:
    """A TOML document: its values, and where they stand in its text."""

    def __init__(self, text: str) -> None:
        """Parse the text.

        Raises:
            ByHandError: It cannot be parsed.
        """
        self.text = text
        self._root = self._parse()

    def item(self, path: Sequence[str | int]) -> Any:
        """Return what is at a path, as tomlkit represents it, None if there is nothing."""
        return _get(self._root, path)

    def table(self, *path: str) -> dict[str, Any]:
        """Return the table at a path, an empty one if there is none."""
        found = self.item(path)
        return found if isinstance(found, dict) else {}

    def array(self, *path: str) -> list[Any]:
        """Return the array at a path, an empty one if there is none."""
        found = self.item(path)
        return found if isinstance(found, list) else []

    def span(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Return the offsets at which the value at a path begins and ends.

        Raises:
            ByHandError: It has no place of its own (a table with a header, dotted keys).
        """
        *way, last = path
        try:
            holder = _get(self._root, way)
            value, holder[last] = holder[last], _MARK
            before, mark, after = tomlkit.dumps(self._root).partition(f'"{_MARK}"')
            holder[last] = value
            restored = tomlkit.dumps(self._root) == self.text
        except (TOMLKitError, ValueError, KeyError, TypeError) as error:
            self._root = self._parse()
            raise ByHandError(f"it is written in a way that cannot be edited ({error}): edit it by hand") from error
        if not restored:
            self._root = self._parse()
        if not mark or not self.text.startswith(before) or not self.text.endswith(after) or len(before + after) > len(self.text):
            raise ByHandError("it is written in a way that cannot be edited: edit it by hand")
        return len(before), len(self.text) - len(after)

    def _parse(self) -> tomlkit.TOMLDocument:
        try:
            return tomlkit.parse(self.text)
        except (TOMLKitError, ValueError, RecursionError) as error:
            raise ByHandError(f"not valid TOML: {error}") from error


def _get(value: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value
