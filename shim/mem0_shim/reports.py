"""What the shim tells the application: warnings at its lines, errors, and records of the logger ``mem0_shim``."""

from __future__ import annotations

import contextlib
import functools
import logging
import warnings
from collections.abc import Mapping
from typing import Any, Final

from mem0_shim.callsite import UNKNOWN, Site

log = logging.getLogger("mem0_shim")
log.addHandler(logging.NullHandler())  # the warnings module shows reports to those who have not set logging up

DOCUMENTATION: Final = "shim/README.md"  # below the root of this project; each code is a heading of it

_told: Final[dict[tuple[str, int, str], str]] = {}  # how a receipt was read first, by line and code
_TOLD: Final = 10_000  # bounds the memory of a process with generated code
_logged: Final[set[tuple[str, int, str]]] = set()
_internal_errors: Final[set[str]] = set()


class PendingMemoryWarning(UserWarning):
    """A receipt of mem0's ``add`` was taken for memories.

    Attributes:
        code: A stable name for what happened.
        url: Documentation.
        event_ids: The events of the receipt; they are not part of the text, so that a line warns once.
        added_at: The line of the ``add``.
    """

    code = "receipt-taken-for-memories"

    def __init__(self, message: str = "", event_ids: tuple[str, ...] = (), added_at: Site = UNKNOWN) -> None:
        super().__init__(message)
        self.url = f"{DOCUMENTATION}#{self.code}"
        self.event_ids = event_ids
        self.added_at = added_at


class PendingReadWarning(PendingMemoryWarning):
    """A subscript of a receipt raises KeyError, where memories would have had the key."""

    code = "receipt-subscript"


class PendingConsumedWarning(PendingMemoryWarning):
    """A receipt was searched, counted, iterated or tested as memories, and never as a receipt."""

    code = "receipt-consumed"


class ExtractionFailedWarning(PendingMemoryWarning):
    """``add`` answered that the extraction has failed: nothing was stored."""

    code = "extraction-failed"


class UnwaitableReceiptWarning(PendingMemoryWarning):
    """A receipt without an event id cannot be waited for (documented by mem0 from June to August 2025)."""

    code = "receipt-without-event-id"


class PendingMemoryError(RuntimeError):
    """The policy ``raise``: a receipt of mem0's ``add`` was read as memories, at this line.

    Attributes: `code`, `url`, `event_ids` and `added_at`, as of `PendingMemoryWarning`.
    """

    def __init__(self, message: str = "", code: str = "", event_ids: tuple[str, ...] = (), added_at: Site = UNKNOWN) -> None:
        super().__init__(message)
        self.code = code
        self.url = f"{DOCUMENTATION}#{code}"
        self.event_ids = event_ids
        self.added_at = added_at


class PendingTimeout(TimeoutError):  # noqa: N818 - named as in the documentation, and it is a TimeoutError
    """The memories did not exist in time. The write was accepted: adding again would write it twice.

    Attributes:
        token: Resumes the wait, in any process: ``PendingAdd.from_token(token, client)``.
        event_ids: The events waited for.
    """

    def __init__(self, message: str = "", token: str = "", event_ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.token = token
        self.event_ids = event_ids

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.token, self.event_ids)


class PendingUnavailable(RuntimeError):  # noqa: N818 - as PendingTimeout
    """The event cannot be asked for: the client is closed, or there is none. The write was accepted.

    Attributes: `token` and `event_ids`, as of `PendingTimeout`.
    """

    def __init__(self, message: str = "", token: str = "", event_ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.token = token
        self.event_ids = event_ids

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.token, self.event_ids)


class PollRefused(Exception):  # noqa: N818 - turned into the SDK's own error before anybody sees it
    """The platform has refused a poll for good; `response` is its HTTP response."""

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.response = response


class WaitExpired(Exception):  # noqa: N818 - turned into PendingTimeout, which knows the token
    """The time for a wait is over."""


@functools.cache
def extraction_failed() -> type[Exception]:
    """The class ``ExtractionFailed``; it derives from what the installed mem0ai raises.

    That is ``mem0.exceptions.MemoryError`` from 0.1.118 on, ``APIError`` before, and RuntimeError without mem0ai.
    """
    bases: list[type[Exception]] = [RuntimeError]
    with contextlib.suppress(ImportError):
        from mem0.client import main  # type: ignore[import-not-found,unused-ignore]

        bases[0] = main.APIError if hasattr(main, "APIError") else RuntimeError
    with contextlib.suppress(ImportError):
        from mem0.client.utils import APIError  # type: ignore[import-not-found,unused-ignore]

        bases[0] = APIError
    with contextlib.suppress(ImportError):
        from mem0.exceptions import MemoryError as Mem0MemoryError  # type: ignore[import-not-found,unused-ignore]

        bases[0] = Mem0MemoryError

    class ExtractionFailed(*bases):  # type: ignore[misc]
        """The background work of an ``add`` has failed: nothing was stored.

        Attributes: `error_code` (``EVENT_FAILED``), `details` (the event), `event_ids`, and `message`.
        """

        def __init__(self, message: str = "", event_ids: tuple[str, ...] = (), details: Mapping[str, Any] | None = None) -> None:
            Exception.__init__(self, message)
            self.message = message
            self.error_code = "EVENT_FAILED"
            self.details = dict(details or {})
            self.suggestion = "Nothing was stored: the add may be repeated"
            self.debug_info: dict[str, Any] = {}
            self.event_ids = event_ids

        def __str__(self) -> str:
            return self.message

        def __reduce__(self) -> tuple[Any, ...]:
            return type(self), (self.message, self.event_ids, self.details)

    ExtractionFailed.__module__, ExtractionFailed.__qualname__ = "mem0_shim", "ExtractionFailed"
    return ExtractionFailed


def first_told(at: Site, code: str, how: str) -> str:
    """How a receipt was read when a line was first told of: the text of a warning must not change, for each new text is shown.

    A loop may ask for one key after the other, or for the id of a memory.
    """
    return _told.setdefault((at.filename, at.lineno, code), how) if len(_told) < _TOLD else "a read"


def emit(warning: PendingMemoryWarning, at: Site) -> None:
    """Show a warning at a line of the application, and log it once for each line.

    Raises:
        PendingMemoryWarning: The application's filters turn it into an error.
    """
    key = (at.filename, at.lineno, warning.code)
    if key not in _logged and len(_logged) < _TOLD:
        _logged.add(key)
        with contextlib.suppress(Exception):  # a handler of the application may fail: the warning counts
            log.warning("%s: %s", at, warning, extra={"mem0_event_ids": warning.event_ids, "mem0_code": warning.code})
    registry = at.namespace.setdefault("__warningregistry__", {})
    warnings.warn_explicit(warning, None, at.filename, at.lineno, at.module, registry)


def internal_error(what: str) -> None:
    """Log an error of the shim itself, once for each kind; the application goes on as if there were no shim."""
    if what not in _internal_errors:
        _internal_errors.add(what)
        log.warning("internal error of mem0_shim: %s", what, exc_info=True)  # noqa: LOG014 - called in exception handlers
