"""Tests that expect the arguments of `add` to the letter: a new keyword makes them fail, and none of them is edited."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.project.search import mentioning
from mem0_migrate.sdk import surface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ASSERTION = re.compile(rb"\.add\.assert_(?:any_(?:call|await)|has_(?:calls|awaits)|(?:called|awaited)(?:_once)?_with)\(")
_ENTITY = re.compile(rb"\b(?:%s)\s*=" % b"|".join(name.encode() for name in surface.ENTITIES))
_REACH = 500  # bytes after an assertion in which its arguments are looked for


def expecting(files: Sequence[str], read: Callable[[str], bytes]) -> list[str]:
    """Where tests assert what a mocked `add` of a client was called with, as `file:row` (1-based), in order.

    Told by `assert_called_with` and the like of unittest.mock, with the keyword of an entity among the arguments: that of a
    session or a set has none.
    """
    found = []
    for filename in mentioning(files, b".add.assert_")[0]:
        data = read(filename)
        for match in _ASSERTION.finditer(data):
            following = data[match.end() : match.end() + _REACH].partition(b".assert_")[0]
            if _ENTITY.search(following):
                row = data.count(b"\n", 0, match.start()) + 1
                found.append(f"{filename}:{row}")
    return found
