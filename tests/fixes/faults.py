"""Something that happens at the n-th call of the operating system: an error, an interrupt, or the end of the process."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILES = ("open", "close", "replace", "unlink", "listdir", "stat", "lstat", "fstat")
CONTENT = ("read", "write", "lseek", "ftruncate", "fsync")
LIKENESS = ("fchmod", "fchown", "listxattr", "getxattr", "setxattr")
CALLS = (*FILES, *CONTENT, *LIKENESS)

MOMENTS = ("before", "half", "after")
"""When it happens: before the call, when half of the bytes are written (before any other call), or after the call."""


@dataclass
class Fault:
    """What is to `happen` at one of the calls in `only`: the first if `countdown` is 1; with `lasting` at all later ones too.

    If it does not raise, the call goes on. `hit` is the name of the call that it came to.
    """

    happen: Callable[[], None]
    countdown: int
    moment: str = "before"
    lasting: bool = False
    only: tuple[str, ...] = CALLS
    hit: str | None = None
    opened: set[int] = field(default_factory=set)

    @contextmanager
    def armed(self) -> Iterator[Fault]:
        """Let it happen; afterwards the files are closed that a fault kept open."""
        functions = {name: getattr(os, name) for name in CALLS if hasattr(os, name)}
        functions["open"] = self._open
        functions["close"] = self._close
        originals = {name: getattr(os, name) for name in functions}
        self._really_open, self._really_close = os.open, os.close
        try:
            for name, function in functions.items():
                setattr(os, name, self._stand_in(name, function))
            yield self
        finally:
            for name, function in originals.items():
                setattr(os, name, function)
            for descriptor in self.opened:
                os.close(descriptor)

    def _open(self, *arguments: Any) -> int:
        descriptor = self._really_open(*arguments)
        self.opened.add(descriptor)
        return descriptor

    def _close(self, descriptor: int) -> None:
        self._really_close(descriptor)
        self.opened.discard(descriptor)

    def _stand_in(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if name in self.only:
                self.countdown -= 1
            if name not in self.only or self.countdown > 0 or (self.countdown < 0 and not self.lasting):
                return function(*arguments, **options)
            self.hit = name
            if self.moment == "after":
                try:
                    return function(*arguments, **options)
                finally:
                    self.happen()
            if self.moment == "half" and name == "write":
                descriptor, content = arguments
                written = function(descriptor, content[: (len(content) + 1) // 2])
                self.happen()
                return written
            self.happen()
            return function(*arguments, **options)

        return call
