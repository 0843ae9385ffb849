"""Searches over the bytes of all files: which mention a word, and which import a module."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Literal

from mem0_migrate.model import Unreadable
from mem0_migrate.project.imports import ITSELF, Import, candidates, statements
from mem0_migrate.project.reading import explain, holds, read
from mem0_migrate.project.workers import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mem0_migrate.project.modules import Modules


def mentioning(files: Sequence[str], word: bytes) -> tuple[list[str], list[Unreadable]]:
    """The files whose bytes hold `word`, and those that could not be read, both in the order of `files`."""
    return _fitting(files, lambda name: holds(name, word))


def _fitting(files: Sequence[str], fits: Callable[[str], bool]) -> tuple[list[str], list[Unreadable]]:
    def search(share: range) -> tuple[list[int], list[tuple[int, str]]]:
        found: list[int] = []
        failed: list[tuple[int, str]] = []
        for index in share:
            try:
                if fits(files[index]):
                    found.append(index)
            except OSError as error:
                failed.append((index, explain(error)))
        return found, failed

    answers = spread(search, len(files))
    found = sorted(index for hits, _ in answers for index in hits)
    failed = sorted(problem for _, problems in answers for problem in problems)
    return [files[index] for index in found], [Unreadable(files[index], reason) for index, reason in failed]


_BETWEEN = rb"\W{1,4}(?:(?:get|pop|setdefault)\W{1,4})?"  # `.`, `["`, `.get("`, `, "` of getattr; escaped in a notebook


class Importers:
    """Which files import a module, or read what it keeps in an object of a framework.

    The first question reads every file once and keeps, for each component of a module name in the code base, the files whose
    import statements hold it as a word; a question then reads those files only that can mean the module.
    """

    def __init__(self, files: Sequence[str], modules: Modules) -> None:
        """Take the files of the code base and their modules; nothing is read yet."""
        self._files = files
        self._modules = modules
        self._index: dict[bytes, array[int]] | None = None
        self._problems: dict[str, Unreadable] = {}

    @property
    def problems(self) -> list[Unreadable]:
        """The files that the questions so far needed and could not read, sorted by name."""
        return [self._problems[name] for name in sorted(self._problems)]

    def of(self, filename: str, names: Collection[str] = ()) -> list[str]:
        """The files that import this module in any form and whose bytes hold one of the names as a word, sorted.

        Forms: `from .b import x`, `from pkg.b import x`, `from pkg import b`, `import pkg.b`, `import_module("pkg.b")`; an import
        of a package's submodule imports the package. Two kinds of file hand on what they do not name, and are there whatever
        `names` are: one that imports `*`, and an `__init__` that imports the module as an object. No names: all importers.
        """
        words = [_bytes(name) for name in sorted(names)]
        word = re.compile(rb"(?<![\w\x80-\xff])(?:%s)(?![\w\x80-\xff])" % b"|".join(map(re.escape, words)))
        component = self._modules.place_of(filename)[2]
        importers: list[str] = []
        for importer in self._possible(filename):
            try:
                data = _code(importer)
            except OSError as error:
                self._problems[importer] = Unreadable(importer, explain(error))
                continue
            named = not words or (any(name in data for name in words) and word.search(data) is not None)
            if named or b"*" in data or _is_package(importer):
                forms = (self._form(importer, statement, filename, component) for statement in statements(data))
                if any(form and (named or form == "all" or (form == "module" and _is_package(importer))) for form in forms):
                    importers.append(importer)
        return sorted(importers)

    def reading(self, kept: Collection[str]) -> list[str]:
        """The files that read one of these `holder.key`: `….holder.key`, `holder["key"]`, `holder.get("key")`; sorted."""
        pairs = [tuple(map(_bytes, name.split("."))) for name in sorted(kept)]
        forms = b"|".join(re.escape(holder) + _BETWEEN + re.escape(key) for holder, key in pairs)
        form = re.compile(rb"(?<![\w\x80-\xff])(?:%s)(?![\w\x80-\xff])" % forms)
        keys = {key for _, key in pairs}

        def reads(filename: str) -> bool:
            data = read(filename)
            return any(key in data for key in keys) and form.search(data) is not None

        found, failed = _fitting(self._files, reads)
        self._problems.update((problem.filename, problem) for problem in failed)
        return sorted(found)

    def _possible(self, target: str) -> list[str]:
        """Files that may import the target, to judge by the words of their imports and by where they are.

        An import names the target's directory too, or comes from below that directory, or finds the target by its name alone.
        """
        if self._index is None:
            self._index = self._read_all()
        modules = self._modules
        directory, above, component = modules.place_of(target)
        dotted = set(self._index.get(_bytes(above), ()))
        alone = modules.may_be_root(directory)
        possible = set()
        for index in self._index.get(_bytes(component), ()):
            name = self._files[index]
            if index in dotted or modules.below(directory, name) or (alone and modules.resolve(name, component, 0) == target):
                possible.add(name)
        if _is_package(target):
            inside = f"{directory}/{component}"
            possible.update(
                name for name in map(self._files.__getitem__, self._index.get(ITSELF, ())) if modules.below(inside, name)
            )
        return sorted(possible - {target})

    def _form(self, importer: str, statement: Import, target: str, component: str) -> Literal["module", "names", "all"] | None:
        """What a statement takes of the target: the module as an object, some of its names, all of them, or nothing."""
        level, module, names = statement.level, statement.module, statement.names
        resolve = self._modules.resolve
        parts = module.split(".")
        if names is None:
            dotted = (".".join(parts[: place + 1]) for place, part in enumerate(parts) if part == component)
            return "module" if any(resolve(importer, name, level) == target for name in dotted) else None
        if (parts[-1] == component or not module) and resolve(importer, module or None, level) == target:
            return "all" if "*" in names else "names"
        if component in names and resolve(importer, f"{module}.{component}" if module else component, level) == target:
            return "module"
        return None

    def _read_all(self) -> dict[bytes, array[int]]:
        known = frozenset(map(_bytes, self._modules.components()))

        def collect(share: range) -> tuple[dict[bytes, bytes], list[tuple[int, str]]]:
            found: dict[bytes, list[int]] = {}
            failed: list[tuple[int, str]] = []
            for index in share:
                try:
                    data = read(self._files[index])
                except OSError as error:
                    failed.append((index, explain(error)))
                    continue
                for name in candidates(data, known):
                    if name in found:
                        found[name].append(index)
                    else:
                        found[name] = [index]
            return {name: array("I", indexes).tobytes() for name, indexes in found.items()}, failed

        merged: dict[bytes, array[int]] = {}
        for found, failed in spread(collect, len(self._files)):
            for name, indexes in found.items():
                merged.setdefault(name, array("I")).frombytes(indexes)
            for index, reason in failed:
                self._problems[self._files[index]] = Unreadable(self._files[index], reason)
        return merged


def _is_package(filename: str) -> bool:
    return filename.rpartition("/")[2].startswith("__init__.")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _code(filename: str) -> bytes:
    """The bytes of a file; of a notebook, its code."""
    data = read(filename)
    if filename.endswith(".ipynb"):
        from mem0_migrate.project.notebook import NotebookError, code

        try:
            return code(data).text.encode("utf-8", "surrogatepass")
        except NotebookError:
            return b""
    return data
