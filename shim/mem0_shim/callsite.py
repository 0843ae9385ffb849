"""Whose line is it? The frame of the application, not of a library, that calls ``add`` or reads its answer."""

from __future__ import annotations

import functools
import sys
import sysconfig
from asyncio import _get_running_loop
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, Literal

Kind = Literal["shim", "onlooker", "library", "application"]

_HERE: Final = str(Path(__file__).parent)
_INSTALLED: Final = ("/site-packages/", "/dist-packages/", "\\site-packages\\")

# Code that looks at a value without wanting anything of it: observers, debuggers, formatters, encoders of whole answers.
ONLOOKERS: Final = frozenset(
    (
        *("opentelemetry", "ddtrace", "sentry_sdk", "newrelic", "agentops", "openlit", "langtrace_python_sdk", "traceloop"),
        *("openinference", "logfire", "wrapt", "pydevd", "_pydevd_bundle", "debugpy", "IPython", "_pytest", "pluggy"),
        *("logging", "structlog", "loguru", "pprint", "reprlib", "rich", "copy", "pickle", "json", "simplejson", "yaml"),
        *("msgpack", "orjson", "pydantic", "pydantic_core", "fastapi.encoders", "starlette.responses", "flask.json"),
    )
)
RECEIPT_WORDS: Final = frozenset(("event_id", "eventId", "status", "is_receipt", "pending"))


class Site:
    """A line of the application. What it costs to make one is part of every ``add``: all but the place is worked out on demand.

    Args:
        codes: The code at this line, and where that is a comprehension or a lambda, the functions around it.
        lasti: The index of the instruction in the first of them.
        namespace: The module's globals, where the `warnings` module keeps what was shown.
        via: The library module that stands between this line and the access, if any.
    """

    __slots__ = ("_codes", "_lasti", "namespace", "via")

    def __init__(self, codes: tuple[CodeType, ...], lasti: int, namespace: dict[str, Any], via: str | None = None) -> None:
        self._codes = codes
        self._lasti = lasti
        self.namespace = namespace
        self.via = via

    def is_at(self, frame: FrameType) -> bool:
        """Whether it is about the code of this frame, and no other around it."""
        return len(self._codes) == 1 and self._codes[0] is frame.f_code

    @property
    def filename(self) -> str:
        """As the interpreter names the file."""
        return self._codes[0].co_filename

    @property
    def lineno(self) -> int:
        """1-based; 0 where it is not known."""
        for start, end, line in self._codes[0].co_lines():
            if start <= self._lasti < end and line is not None:
                return line
        return self._codes[0].co_firstlineno

    @property
    def module(self) -> str:
        """The dotted name of the module."""
        return str(self.namespace.get("__name__") or "unknown")

    @property
    def names(self) -> frozenset[str]:
        """The words of `RECEIPT_WORDS` that the code around this line uses: it may know about receipts."""
        return frozenset().union(*(_words_of(code) for code in self._codes))

    def __str__(self) -> str:
        return f"{self.filename}:{self.lineno}"


UNKNOWN: Final = Site((compile("", "<unknown>", "exec").replace(co_firstlineno=0),), -1, {})

_kinds: dict[str, Kind] = {}
_calls: dict[tuple[int, int], Site] = {}  # lines that call a method of a client, by id of their code and instruction
_CALLS: Final = 256  # so many are remembered: more are generated code
_Access = tuple[CodeType, int, dict[str, Any]]
_access: ContextVar[_Access | None] = ContextVar("mem0_shim_access", default=None)
_last_access: list[_Access | None] = [None]  # of the process: all that there is in a thread without a context of its own


@functools.cache
def _library_paths() -> tuple[str, ...]:
    """Where the standard library and packages are; worked out when the first line is looked for, it takes a millisecond."""
    found = {path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
    found.add(str(Path(sys.base_prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"))
    return ("<frozen ", *sorted(found))


def kind_of(filename: str, module: str) -> Kind:
    """Which code a frame runs, by its file and the name of its module; remembered by file."""
    known = _kinds.get(filename)
    if known is None:
        parts = module.split(".")
        prefixes = {".".join(parts[:n]) for n in (1, 2)}
        if filename.startswith(_HERE) and not filename.startswith(_HERE + "/testing"):
            known = "shim"
        elif prefixes & ONLOOKERS:
            known = "onlooker"
        elif parts[0] == "mem0" or filename.startswith(_library_paths()) or any(p in filename for p in _INSTALLED):
            known = "library"
        else:
            known = "application"
        _kinds[filename] = known
    return known


def find(frame: FrameType | None) -> Site | Literal["onlooker"] | None:
    """The innermost line of the application from a frame outwards.

    Returns:
        The site; ``"onlooker"`` when an onlooker stands between it and the frame; None when no line of the application is on
        the stack (a worker thread, a web framework's encoder, the garbage collector).
    """
    via = None
    while frame is not None:
        code = frame.f_code
        kind = _kinds.get(code.co_filename) or kind_of(code.co_filename, frame.f_globals.get("__name__") or "")
        if kind == "application":
            return _site(frame, via)
        if kind == "onlooker":
            return "onlooker"
        if kind == "library" and via is None:
            via = frame.f_globals.get("__name__")
        frame = frame.f_back
    return None


def _site(frame: FrameType, via: str | None) -> Site:
    codes: tuple[CodeType, ...] = (frame.f_code,)
    caller = frame.f_back
    while codes[-1].co_name[0] == "<" and caller is not None and caller.f_code.co_filename == codes[0].co_filename:
        codes, caller = (*codes, caller.f_code), caller.f_back  # a comprehension or lambda belongs to the function around it
    return Site(codes, frame.f_lasti, frame.f_globals, via)


def _words_of(code: CodeType) -> frozenset[str]:
    found = RECEIPT_WORDS.intersection(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _words_of(constant)
        elif isinstance(constant, str | tuple | frozenset):  # from 3.13 on the keys of a match statement are one tuple
            words = (constant,) if isinstance(constant, str) else constant
            found |= RECEIPT_WORDS.intersection(word for word in words if isinstance(word, str))
    return found


def note_access(frame: FrameType) -> None:
    """Remember where a method was taken from a client: the line to name when the call happens in a thread of a pool."""
    _last_access[0] = access = (frame.f_code, frame.f_lasti, frame.f_globals)
    if _get_running_loop() is not None or "trio" in sys.modules:  # only they carry a context into their threads
        _access.set(access)


def find_call(frame: FrameType | None) -> Site:
    """The line of the application that calls a method of a client.

    Where no line of the application is on the stack, it is the line that took the method from the client in this context
    (``asyncio.to_thread`` carries the context into its thread; an executor does not, there it is the process's last such line),
    else the outermost line that is not the standard library's.
    """
    if frame is not None:
        known = _calls.get((id(frame.f_code), frame.f_lasti))
        if known is not None and known.namespace is frame.f_globals:
            return known
    found = find(frame)
    if isinstance(found, Site):
        if frame is not None and found.via is None and found.is_at(frame):
            if len(_calls) >= _CALLS:
                _calls.clear()
            _calls[id(frame.f_code), frame.f_lasti] = found  # which keeps the code, and so its id
        return found
    access = _access.get() or _last_access[0]
    if access is not None and kind_of(access[0].co_filename, access[2].get("__name__") or "") == "application":
        code, lasti, namespace = access
        return Site((code,), lasti, namespace)
    outermost = UNKNOWN
    while frame is not None:
        code = frame.f_code
        if kind_of(code.co_filename, "") != "shim" and not code.co_filename.startswith(_library_paths()):
            outermost = _site(frame, None)
        frame = frame.f_back
    return outermost
