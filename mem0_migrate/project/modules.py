"""Which file an import statement means: modules, packages and import roots, told from the names of the files alone."""

from __future__ import annotations

import os
import sys
from itertools import takewhile
from operator import eq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# paths are text here: pathlib costs ten times as much per file
# ruff: noqa: PTH109, PTH118

_SOURCE_ENDS = ("/src", "/lib")
_INIT = "__init__"


class Modules:
    """The modules of a code base.

    A directory that holds an `__init__.py` (or `.pyi`) is a package; the directory above the outermost package of a file is its
    import root. Nothing is read and nothing is computed per file before the first question.
    """

    def __init__(self, files: Sequence[str]) -> None:
        """Take the files of the code base, as `discover` names them."""
        self._names = files
        self._here = os.getcwd().replace(os.sep, "/").rstrip("/")
        self._files: dict[str, str] = {}
        self._packages: frozenset[str] = frozenset()
        self._roots: dict[str, set[str]] = {}
        self._resolved: dict[tuple[str, str], str | None] = {}

    def name_of(self, filename: str) -> str:
        """The dotted name by which a file is imported from its own import root: `pkg.sub` for `src/pkg/sub.py`.

        A file in a directory without `__init__.py` is a top-level module.
        """
        self._index()
        path = self._absolute(filename)
        directory, _, base = path.rpartition("/")
        root = self._root(directory)
        stem = base.rpartition(".")[0] or base
        below = directory[len(root) + 1 :].split("/") if directory != root else []
        if stem != _INIT or not below:
            below.append(stem)
        return ".".join(below)

    def resolve(self, importer: str, module: str | None, level: int) -> str | None:
        """The file of `import module` or `from module import …` in `importer`; None if it is not in the code base.

        Relative imports (`level` dots) are exact. Absolute ones are looked up in the import root of the importer, in the
        directories above it and their `src` and `lib`, in its own package directories (as when a script of a package is run), and
        last where the only candidate is, or the only nearest one. A package without `__init__.py` has no file. Names of the
        standard library are not looked up beyond the import root of the importer.
        """
        self._index()
        directory = self._absolute(importer).rpartition("/")[0]
        question = ("." * level + (module or ""), directory)
        try:
            return self._resolved[question]
        except KeyError:
            answer = self._relative(directory, module, level) if level else self._anywhere(directory, module or "")
            return self._resolved.setdefault(question, answer)

    def submodule(self, package_file: str, name: str) -> str | None:
        """The file of submodule `name` of the package with this `__init__`: `pkg/name.py` for `pkg/__init__.py`."""
        self._index()
        directory, _, base = self._absolute(package_file).rpartition("/")
        return self._file(f"{directory}/{name}") if base.partition(".")[0] == _INIT else None

    def components(self) -> set[str]:
        """What the dotted name of a module of this code base can be made of: names of directories and modules."""
        self._index()
        paths = [path.rpartition("/") for path in self._files]
        components = {base.partition(".")[0] for _, _, base in paths}
        return components.union(*(directory.split("/") for directory in {directory for directory, _, _ in paths}))

    def place_of(self, filename: str) -> tuple[str, str, str]:
        """Where a module is: the directory that it is looked up in, absolute; the name of that directory; and its own name there.

        For `pkg/sub.py` as for `pkg/sub/__init__.py` these are the directory of `pkg`, `pkg` and `sub`.
        """
        directory, _, base = self._absolute(filename).rpartition("/")
        name = base.partition(".")[0]
        if name == _INIT:
            directory, _, name = directory.rpartition("/")
        return directory, directory.rpartition("/")[2], name

    def may_be_root(self, directory: str) -> bool:
        """Tell whether what lies in an absolute directory may be imported by its own name alone from elsewhere."""
        return directory not in self._packages or directory.endswith(_SOURCE_ENDS)

    def below(self, directory: str, filename: str) -> bool:
        """Tell whether a file lies in an absolute directory or deeper."""
        return self._absolute(filename).startswith(directory + "/")

    def _index(self) -> None:
        if self._files or not self._names:
            return
        absolute = self._absolute
        self._files = {absolute(name): name for name in self._names}
        inits = ("/__init__.py", "/__init__.pyi")
        self._packages = frozenset(path.rpartition("/")[0] for path in self._files if path.endswith(inits))

    def _absolute(self, filename: str) -> str:
        place = self._here
        while filename.startswith("../"):
            filename = filename[3:]
            place = place.rpartition("/")[0]
        if filename[:1] not in ("/", ".") and filename[1:2] != ":":
            return f"{place}/{filename}"
        return os.path.normpath(os.path.join(place, filename)).replace(os.sep, "/")

    def _root(self, directory: str) -> str:
        while directory in self._packages:
            directory = directory.rpartition("/")[0]
        return directory

    def _file(self, path: str) -> str | None:
        """The file of the module at a path without a suffix: a package before a module, source before a stub."""
        get = self._files.get
        return get(f"{path}/__init__.py") or get(path + ".py") or get(f"{path}/__init__.pyi") or get(path + ".pyi")

    def _relative(self, directory: str, module: str | None, level: int) -> str | None:
        for _ in range(level - 1):
            directory = directory.rpartition("/")[0]
        if module:
            return self._file(f"{directory}/{module.replace('.', '/')}")
        return self._files.get(f"{directory}/__init__.py") or self._files.get(f"{directory}/__init__.pyi")

    def _anywhere(self, directory: str, module: str) -> str | None:
        path = module.replace(".", "/")
        root = self._root(directory)
        found = self._file(f"{root}/{path}")
        if found or module.partition(".")[0] in sys.stdlib_module_names:
            return found
        for place in _near(directory, root):
            found = self._file(f"{place}/{path}")
            if found:
                return found
        return self._nearest(directory, path)

    def _nearest(self, directory: str, path: str) -> str | None:
        """The file of a module whose import root shares the most leading directories with `directory`; None where two do."""
        here = directory.split("/")
        best, answer = -1, None
        for root in self._tops().get(path.partition("/")[0], ()):
            found = self._file(f"{root}/{path}")
            if not found:
                continue
            shared = sum(takewhile(bool, map(eq, here, root.split("/"))))
            if shared > best:
                best, answer = shared, found
            elif shared == best:
                answer = None
        return answer

    def _tops(self) -> dict[str, set[str]]:
        """Top-level names of packages, namespace packages and modules, each with the directories that hold it."""
        if not self._roots:
            seen = {""}
            for path in self._files:
                directory, _, base = path.rpartition("/")
                if directory not in self._packages:
                    self._roots.setdefault(base.rpartition(".")[0], set()).add(directory)
                while directory not in seen:
                    seen.add(directory)
                    parent, _, name = directory.rpartition("/")
                    if parent not in self._packages:
                        self._roots.setdefault(name, set()).add(parent)
                    directory = parent
        return self._roots


def _near(directory: str, root: str) -> Iterator[str]:
    """Directories to look in, best first: those above an import root and their source directories, then those below it."""
    place = root
    while place:
        yield from (place + source for source in _SOURCE_ENDS)
        place = place.rpartition("/")[0]
        yield place
    while len(directory) > len(root):
        yield directory
        directory = directory.rpartition("/")[0]
