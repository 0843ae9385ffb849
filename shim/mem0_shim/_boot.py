"""Acting when a module is imported, without importing it; imports nothing that a bare interpreter has not loaded."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Finder:
    """Stands first in ``sys.meta_path`` until its module is imported, and lets the others find that module."""

    def __init__(self, name: str, action: Callable[[Any], object]) -> None:
        self.name = name
        self.action = action

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.name:
            return None
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                self._watch(spec.loader)
                return spec
        return None

    def _watch(self, loader: Any) -> None:
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: Any) -> None:
            execute(module)
            try:
                self.action(module)
            except Exception as error:  # an error of ours must not fail the application's import
                sys.stderr.write(f"mem0_shim: not active for {self.name}: {error}\n")

        try:
            loader.exec_module = exec_module
        except AttributeError:  # a loader without a __dict__; install() in code still works
            sys.stderr.write(f"mem0_shim: cannot observe the import of {self.name}\n")


def after_import(name: str, action: Callable[[Any], object]) -> None:
    """Call `action` with a module: now if it is imported, else right after its first import.

    Errors of the action are written to stderr and never reach the import.
    """
    module = sys.modules.get(name)
    if module is not None:
        action(module)
    elif not any(isinstance(finder, _Finder) and (finder.name, finder.action) == (name, action) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(name, action))


def forget(name: str) -> None:
    """Take back `after_import` for a module that has not been imported yet."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not (isinstance(finder, _Finder) and finder.name == name)]


def start() -> None:
    """Install the shim, with the settings of the environment, once the application imports mem0; for ``mem0_shim.pth``."""
    after_import("mem0.client.main", _install)


def _install(module: Any) -> None:
    from mem0_shim.client import install, patch

    install()
    patch(module)
