"""Answers that remember they are a receipt.

A tracked answer is a `dict` or `list` that is equal to, prints, pickles and serialises as what the SDK returned. Its members
notice how they are read: a subscript that raises KeyError is reported at once; softer reads (``get``, ``len``, iteration,
truth, ``in``, ``==``) are noted, and judged when the answer dies: if ``event_id`` or ``status`` was read meanwhile, the code
knows about receipts and nothing is said.
"""

from __future__ import annotations

import atexit
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from mem0_shim.callsite import UNKNOWN, Site, find
from mem0_shim.reports import (
    DOCUMENTATION,
    PendingConsumedWarning,
    PendingMemoryError,
    PendingMemoryWarning,
    PendingReadWarning,
    emit,
    first_told,
    internal_error,
)
from mem0_shim.settings import Policy
from mem0_shim.shapes import outcome

_ACKNOWLEDGING: Final = frozenset(("event_id", "status", "eventId"))  # the TypeScript SDK writes eventId


def is_receipt(answer: object) -> bool:
    """Whether an answer of ``add`` is a receipt: accepted, but the memories do not exist yet. Plain answers will do."""
    receipt = receipt_of(answer)
    if receipt is not None:
        receipt.acknowledge()
    return outcome(plain(answer)) == "receipt"


# -- tracking


class Receipt:
    """What the parts of one tracked answer share. It dies with the last of them, and then judges how they were read."""

    __slots__ = ("__weakref__", "acknowledged", "added_at", "client", "event_ids", "how", "open", "policy", "read_at", "reported")

    def __init__(self, event_ids: tuple[str, ...], added_at: Site, policy: Policy, client: object) -> None:
        self.event_ids = event_ids
        self.added_at = added_at
        self.policy = policy
        self.client = client
        self.open = True  # a soft read would still be news
        self.acknowledged = self.reported = False
        self.read_at: Site | None = None

    def acknowledge(self) -> None:
        """The code has read ``event_id`` or ``status``: it knows about receipts."""
        self.acknowledged = True
        self.open = False

    def soft_read(self, how: str) -> None:
        """Note a read that does not fail; the policy ``raise`` raises here, where the reader is the application itself.

        Raises:
            PendingMemoryError: As said.
        """
        try:
            site = find(sys._getframe(2))
            if site == "onlooker":
                return
            self.open = False
            self.how = how
            self.read_at = site if isinstance(site, Site) else self.added_at
            unjudged[id(self)] = weakref.ref(self)
            raises = self.policy == "raise" and isinstance(site, Site) and site.via is None and not site.names
        except Exception:  # an error of ours must not reach the application
            internal_error("a read was not noted")
            return
        if raises:
            self.report(PendingConsumedWarning, self.read_at)

    def failed_subscript(self, key: object) -> None:
        """A subscript is about to raise KeyError.

        Raises:
            PendingMemoryError: The policy is ``raise``.
            PendingReadWarning: The application's filters turn the warning into an error.
        """
        try:
            if self.acknowledged or self.reported:
                return
            site = find(sys._getframe(2))
            if site == "onlooker":
                return
            self.how = f"[{key!r}]"
            at = site if isinstance(site, Site) else self.added_at
            if "event_id" in at.names or "eventId" in at.names:
                # It may look for event_id next. If it does not, that is told when the answer dies.
                self.open = False
                self.read_at = at
                unjudged[id(self)] = weakref.ref(self)
                return
        except Exception:  # an error of ours must not reach the application
            internal_error("a subscript was not noted")
            return
        self.report(PendingReadWarning, at)

    def report(self, category: type[PendingMemoryWarning], at: Site) -> None:
        """Warn at a line, once; the policy ``raise`` raises instead.

        Raises:
            PendingMemoryError: The policy is ``raise``.
        """
        self.reported = True
        self.open = False
        via = f", through {at.via}" if at.via else ""
        how = self.how if self.policy == "raise" else first_told(at, category.code, self.how)
        text = (
            f"{how} reads a receipt as memories: add() at {self.added_at} was queued, and its memories do not exist"
            f" yet{via} ({DOCUMENTATION}#{category.code})"
        )
        if self.policy == "raise":
            raise PendingMemoryError(text, category.code, self.event_ids, self.added_at)
        emit(category(text, self.event_ids, self.added_at), at)

    def judge(self) -> None:
        """Report what was read softly and never as a receipt; to be called when nobody can read it any more.

        Raises:
            PendingConsumedWarning: The application's filters turn the warning into an error.
        """
        unjudged.pop(id(self), None)
        if self.read_at is not None and not self.acknowledged and not self.reported:
            self.policy = "warn"  # there is no line left at which to raise
            self.report(PendingConsumedWarning, self.read_at)
        elif listeners and not self.acknowledged and not self.reported:
            for listener in listeners:
                listener(self)

    def __del__(self) -> None:
        if self.read_at is None and not listeners:
            return
        try:
            unjudged.pop(id(self), None)
            if not (self.acknowledged or self.reported):
                self.judge()
        except Warning:
            raise  # the application has asked for errors: the interpreter prints what a destructor raises
        except Exception:  # noqa: S110 - while the interpreter shuts down, names are gone
            pass


unjudged: Final[dict[int, weakref.ref[Receipt]]] = {}
listeners: Final[list[Callable[[Receipt], None]]] = []  # told of receipts that died without ever being read


def judge_all() -> None:
    """Judge the receipts that are still alive: at the end of the process, and of a test."""
    for reference in list(unjudged.values()):
        receipt = reference()
        if receipt is not None:
            receipt.judge()


atexit.register(judge_all)


class _Inert(Receipt):
    """Stands in for the state of a container that somebody built from our type."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__((), UNKNOWN, "off", None)
        self.acknowledge()


_INERT: Final = _Inert()
_ABSENT: Final = object()


class TrackedDict(dict[Any, Any]):
    """A receipt, or an entry of one, of flat or nested shape.

    It neither overrides ``__iter__`` (``dict(answer)`` would read, and so acknowledge, every key) nor ``__repr__``
    (`pprint` compares it with that of `dict`).
    """

    __slots__ = ("__weakref__", "_mem0_receipt")
    __hash__ = None  # as of dict; __eq__ is overridden below
    _mem0_receipt: Receipt

    def __getattr__(self, name: str) -> Any:
        if name == "_mem0_receipt":
            return _INERT
        raise AttributeError(f"'dict' object has no attribute {name!r}")

    def __getitem__(self, key: Any) -> Any:
        if key in _ACKNOWLEDGING and not self._mem0_receipt.acknowledged:
            self._mem0_receipt.acknowledge()
        return dict.__getitem__(self, key)

    def __missing__(self, key: Any) -> NoReturn:
        if key not in _ACKNOWLEDGING:
            self._mem0_receipt.failed_subscript(key)
        raise KeyError(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """As `dict.get`."""
        receipt = self._mem0_receipt
        if receipt.open:
            if key in _ACKNOWLEDGING:
                receipt.acknowledge()
            elif not dict.__contains__(self, key):
                receipt.soft_read(f".get({key!r})")
        elif not receipt.acknowledged and key in _ACKNOWLEDGING:
            receipt.acknowledge()
        return dict.get(self, key, default)

    def pop(self, key: Any, default: Any = _ABSENT) -> Any:
        """As `dict.pop`."""
        receipt = self._mem0_receipt
        if key in _ACKNOWLEDGING:
            receipt.acknowledge()
        elif not dict.__contains__(self, key):
            if default is _ABSENT:
                receipt.failed_subscript(key)
            elif receipt.open:
                receipt.soft_read(f".pop({key!r})")
        return dict.pop(self, key) if default is _ABSENT else dict.pop(self, key, default)

    def __contains__(self, key: object) -> bool:
        receipt = self._mem0_receipt
        if key in _ACKNOWLEDGING:
            receipt.acknowledge()
        elif receipt.open and not dict.__contains__(self, key):
            receipt.soft_read(f"{key!r} in …")
        return dict.__contains__(self, key)

    def __len__(self) -> int:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("len()")
        return dict.__len__(self)

    def __bool__(self) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("a truth test")
        return dict.__len__(self) > 0

    def __eq__(self, other: object) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("==")
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("!=")
        return dict.__ne__(self, other)

    def copy(self) -> Any:
        """A shallow copy that is the same receipt."""
        return self.__copy__()

    def __copy__(self) -> Any:
        return _tracked_dict(dict(self), self._mem0_receipt)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _deep(self, self._mem0_receipt, memo)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return dict, (plain(self),)


class TrackedList(list[Any]):
    """The entries of a receipt: the value of ``results``, or the whole answer where that is a bare list."""

    __slots__ = ("__weakref__", "_mem0_receipt")
    __hash__ = None  # as of list; __eq__ is overridden below
    _mem0_receipt: Receipt

    def __getattr__(self, name: str) -> Any:
        if name == "_mem0_receipt":
            return _INERT
        raise AttributeError(f"'list' object has no attribute {name!r}")

    def __getitem__(self, index: Any) -> Any:
        receipt = self._mem0_receipt
        if isinstance(index, str):  # dict-style code that meets a bare list: TypeError follows
            receipt.failed_subscript(index)
        elif receipt.open:
            receipt.soft_read(f"[{index!r}]" if isinstance(index, int) else "a slice")
        return list.__getitem__(self, index)

    def __iter__(self) -> Iterator[Any]:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("iteration")
        return list.__iter__(self)

    def __reversed__(self) -> Iterator[Any]:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("iteration")
        return list.__reversed__(self)

    def __contains__(self, item: object) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("in")
        return list.__contains__(self, item)

    def __len__(self) -> int:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("len()")
        return list.__len__(self)

    def __bool__(self) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("a truth test")
        return list.__len__(self) > 0

    def __eq__(self, other: object) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("==")
        return list.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("!=")
        return list.__ne__(self, other)

    def __add__(self, other: Any) -> Any:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("+")
        return list.__add__(self, other)

    def __radd__(self, other: Any) -> Any:
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read("+")
        return [*other, *list.__iter__(self)] if isinstance(other, list) else NotImplemented

    def pop(self, *index: Any) -> Any:
        """As `list.pop`."""
        if self._mem0_receipt.open:
            self._mem0_receipt.soft_read(".pop()")
        return list.pop(self, *index)

    def copy(self) -> Any:
        """A shallow copy that is the same receipt."""
        return self.__copy__()

    def __copy__(self) -> Any:
        return _tracked_list(list.__getitem__(self, slice(None)), self._mem0_receipt)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _deep(self, self._mem0_receipt, memo)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return list, (plain(self),)


def _tracked_dict(values: dict[Any, Any], receipt: Receipt) -> TrackedDict:
    made = TrackedDict(values)
    made._mem0_receipt = receipt
    return made


def _tracked_list(values: list[Any], receipt: Receipt) -> TrackedList:
    made = TrackedList(values)
    made._mem0_receipt = receipt
    return made


def _deep(value: Any, receipt: Receipt, memo: dict[int, Any]) -> Any:
    import copy

    made = track(copy.deepcopy(plain(value), memo), receipt)
    memo[id(value)] = made
    return made


def plain(value: Any) -> Any:
    """A tracked answer, or a part of one, as plain dicts and lists. It reads nothing in the receipt's sense."""
    if isinstance(value, TrackedDict):
        return {key: plain(item) for key, item in dict.items(value)}
    if isinstance(value, TrackedList):
        return [plain(item) for item in list.__iter__(value)]
    return value


def track(answer: Any, receipt: Receipt) -> Any:
    """The answer as a tracked one. Only exact dicts and lists are: what a mock or another wrapper returns stays as it is."""
    if type(answer) is dict:
        made = TrackedDict(answer)
        made._mem0_receipt = receipt
        results = answer.get("results")
        if type(results) is list:
            made["results"] = _tracked_entries(results, receipt)
        return made
    return _tracked_entries(answer, receipt) if type(answer) is list else answer


def _tracked_entries(entries: list[Any], receipt: Receipt) -> TrackedList:
    made = _tracked_list(entries, receipt)
    for index, entry in enumerate(entries):
        if type(entry) is dict:
            made[index] = _tracked_dict(entry, receipt)
    return made


def receipt_of(answer: object) -> Receipt | None:
    """What is remembered of a tracked answer; None for any other object."""
    return answer._mem0_receipt if isinstance(answer, TrackedDict | TrackedList) else None
