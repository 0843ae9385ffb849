"""What the receivers of all frameworks have in common: the files they look at, and what mounting one changes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mem0_migrate.fixes.code import Tree
from mem0_migrate.model import Unreadable
from mem0_migrate.project.source import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mem0_migrate.fixes.changes import Change

PREFIX = "/mem0-webhook"
"""Below which path deliveries come in; the token is the last segment."""

TOKEN = "MEM0_WEBHOOK_TOKEN"  # noqa: S105 - the name of a variable of the environment
MODULE = "mem0_shim.webhook"

_MAKING = re.compile(r"^_?(?:create|make|build|get|init|new)_|(?:^|_)(?:app|application)(?:$|_)|factory|^__init__$")
_TEST = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*$|conftest\.py$)|_test\.py$")


@dataclass(frozen=True, slots=True)
class Receiver:
    """What lets deliveries in.

    Attributes:
        changes: The nodes that change, by file.
        creates: Files that come new, each with its text.
        by_hand: What is left for the user to do, in order.
        importing: The files that import mem0_shim from now on.
    """

    changes: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    creates: Mapping[str, str] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()

    @property
    def importing(self) -> tuple[str, ...]:
        """The files that import mem0_shim from now on."""
        return (*self.changes, *self.creates)


@dataclass(frozen=True, slots=True)
class Application:
    """A web application of the code base: where it is constructed (1-based row), and what would mount the receiver in it."""

    filename: str
    row: int
    receiver: Receiver


class Files:
    """The files of a code base, as they are now, and their syntax trees."""

    def __init__(self, names: Sequence[str], content: Callable[[str], bytes]) -> None:
        """Take the names and what gives the content of one; it raises OSError where there is none."""
        self.names = names
        self._content = content
        self._read: dict[str, bytes] = {}
        self._trees: dict[str, Tree | None] = {}

    def read(self, filename: str) -> bytes:
        """The content of a file; nothing where it cannot be read, which the check reports."""
        if filename not in self._read:
            try:
                self._read[filename] = self._content(filename)
            except OSError:
                self._read[filename] = b""
        return self._read[filename]

    def tree(self, filename: str) -> Tree | None:
        """The syntax tree of a file, None where it is none."""
        if filename not in self._trees:
            source = parse(filename, self.read(filename))
            self._trees[filename] = None if isinstance(source, Unreadable) else Tree(source)
        return self._trees[filename]


def is_test(filename: str) -> bool:
    """Whether a file is part of the tests, by its name."""
    return _TEST.search(filename) is not None


def constructed(tree: Tree, classes: frozenset[str]) -> Iterator[tuple[ast.Call, ast.Assign | ast.AnnAssign, str]]:
    """The calls of classes by their full names (`flask.Flask`) whose result gets a name: call, statement and name."""
    known = _imported(tree)
    for node in ast.walk(tree.source.tree):
        statement = tree.parent(node)
        if (
            not isinstance(node, ast.Call)
            or not isinstance(statement, (ast.Assign, ast.AnnAssign))
            or statement.value is not node
        ):
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        first, _, rest = ast.unparse(node.func).partition(".")
        function = tree.function(node)
        if function is not None and not _MAKING.search(getattr(function, "name", "")):
            continue  # an application that a function makes for itself is not the one that is served
        if isinstance(target, (ast.Name, ast.Attribute)) and f"{known.get(first, first)}{'.' * bool(rest)}{rest}" in classes:
            yield node, statement, ast.unparse(target)


def _imported(tree: Tree) -> dict[str, str]:
    """What the imports of a file, wherever they stand, bind names to."""
    names = {}
    for node in ast.walk(tree.source.tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Import):
            names.update({alias.asname: alias.name for alias in node.names if alias.asname})
    return names
