"""Reads of a scope whose ``add`` is not finished: a warning at the read, or a barrier that waits for the event first."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import time
import weakref
from asyncio import _get_running_loop, current_task
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mem0_shim.callsite import Site, find_call
from mem0_shim.patching import as_coroutine_function, replace_method, settings_of
from mem0_shim.reports import (
    DOCUMENTATION,
    PendingMemoryWarning,
    PendingTimeout,
    PendingUnavailable,
    emit,
    internal_error,
    log,
)

if TYPE_CHECKING:
    from mem0_shim.handle import PendingAdd
    from mem0_shim.settings import Settings

READS: Final = ("search", "get_all", "get", "history", "update", "delete_all")
_ENTITIES: Final = ("user_id", "agent_id", "app_id", "run_id")
_SCOPE: Final = frozenset((*_ENTITIES, "filters", "options"))
_LIMIT: Final = 1000  # outstanding adds that are remembered; older ones are past their time

Entity = tuple[str, str]
Flow = object


class StaleReadWarning(PendingMemoryWarning):
    """Memories are read, or changed, that an unfinished ``add`` of the same scope may still be about to write."""

    code = "stale-read"


class Add(NamedTuple):
    """An unfinished ``add``; its account, its entities and a handle are worked out when something is read.

    Attributes:
        until: When it is past its time, by the monotonic clock, in seconds.
        account: Host and API key of the client that has added: the client itself, with its connections, is not kept alive.
        answer: The receipt, plain.
        event_ids: Those in it.
        added_at: The line of the ``add``.
        flow: The task or thread of the ``add``.
        settings: Those that hold for it.
        scope: The arguments that name its entities.
    """

    until: float
    account: tuple[Any, Any]
    answer: Any
    event_ids: tuple[str, ...]
    added_at: Site
    flow: Flow
    settings: Settings
    scope: dict[str, Any]

    def pending(self, client: Any) -> PendingAdd:
        """A handle on it, that asks with a client of the same account."""
        from mem0_shim.handle import PendingAdd

        return PendingAdd.of(client, self.answer, self.added_at, self.settings)


_outstanding: deque[tuple[Any, ...]] = deque(maxlen=_LIMIT)  # the fields of an `Add`, which is made when something is read


class _Thread(threading.local):
    """What stands for a thread; it is not reused, as the number of a thread is."""

    def __init__(self) -> None:
        self.flow = object()


_this_thread: Final = _Thread()


def this_flow() -> Flow:
    """What stands for the running task of asyncio or trio, else for the thread."""
    task: Any = None
    if _get_running_loop() is not None:
        task = current_task()
    elif "trio" in sys.modules:
        with contextlib.suppress(RuntimeError):
            task = sys.modules["trio"].lowlevel.current_task()
    return _this_thread.flow if task is None else weakref.ref(task)


def note_add(
    client: Any,
    answer: Any,
    event_ids: tuple[str, ...],
    added_at: Site,
    flow: Flow,
    settings: Settings,
    arguments: dict[str, Any],
) -> None:
    """Remember an unfinished ``add``, by the arguments that name its scope, for as long as its settings say."""
    now = time.monotonic()
    while _outstanding and _outstanding[0][0] <= now:
        _drop_first()
    scope = arguments
    for name in arguments:
        if name not in _SCOPE:  # the messages and metadata of a caller are not to be kept alive
            scope = {key: value for key, value in arguments.items() if key in _SCOPE}
            break
    if scope:
        _outstanding.append((now + settings.stale_seconds, _account(client), answer, event_ids, added_at, flow, settings, scope))


def _account(client: Any) -> tuple[Any, Any]:
    try:
        return client.host, client.api_key
    except AttributeError:  # the asynchronous client of 0.1.40 has neither
        return None, None


def _drop_first() -> None:
    with contextlib.suppress(IndexError):  # another thread was faster
        _outstanding.popleft()


def forget(event_ids: tuple[str, ...]) -> None:
    """The events are known to have ended."""
    for fields in list(_outstanding):
        if not set(event_ids).isdisjoint(Add._make(fields).event_ids):
            with contextlib.suppress(ValueError):  # another thread was faster
                _outstanding.remove(fields)


def entities_of(arguments: dict[str, Any]) -> set[Entity]:
    """The entities that a call names: ids at the top, in ``filters`` or ``options``, below ``AND`` and ``OR``, in ``in`` lists.

    ``*`` and other operators name none.
    """
    found: set[Entity] = set()
    options = arguments.get("options")
    for source in (arguments, arguments.get("filters"), getattr(options, "filters", None)):
        _collect(source, found)
    return found


def _collect(source: object, found: set[Entity]) -> None:
    if not isinstance(source, dict):
        return
    for name, value in source.items():
        if name in _ENTITIES:
            values = value.get("in") if isinstance(value, dict) else [value]
            found.update((name, v) for v in values or () if isinstance(v, str) and v != "*")
        elif name in ("AND", "OR") and isinstance(value, list):
            for part in value:
                _collect(part, found)


def _stale(client: Any, method: str, arguments: dict[str, Any]) -> list[Add]:
    """The unfinished adds of this flow that a read is about."""
    now, account, flow = time.monotonic(), _account(client), this_flow()
    adds = [add for add in map(Add._make, list(_outstanding)) if add.until > now and add.flow == flow and add.account == account]
    if method in ("get", "history", "update"):
        return adds  # they name a memory, which any of them may be about to change
    wanted = entities_of(arguments)
    return [add for add in adds if not wanted.isdisjoint(entities_of(add.scope))]


class _Barrier:
    """What a read is to wait for, and how to tell of it where that cannot be had."""

    def __init__(self, client: Any, adds: list[Add], method: str, site: Site) -> None:
        self.client = client
        self.adds = adds
        self.method = method
        self.site = site

    def passed(self, add: Add, error: Exception | None) -> None:
        """The event of an add has ended, in failure too; or it has not, and the read is stale."""
        if isinstance(error, PendingTimeout | PendingUnavailable):
            self.tell(add)
            return
        if error is not None:
            log.warning("%s: a read waited for an add that has failed: %s", self.site, error)
        forget(add.event_ids)

    def tell(self, add: Add) -> None:
        """Warn at the read.

        Raises:
            StaleReadWarning: The application's filters turn it into an error.
        """
        text = (
            f"{self.method}() of a scope whose add() at {add.added_at} is not finished: it may not see those memories yet"
            f" ({DOCUMENTATION}#{StaleReadWarning.code})"
        )
        emit(StaleReadWarning(text, add.event_ids, add.added_at), self.site)


def _before(method: str, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> _Barrier | None:
    """Warn of a stale read, or say what is to be waited for first.

    Raises:
        StaleReadWarning: The application's filters turn it into an error.
    """
    try:
        client = args[0]
        settings = settings_of(client)
        if settings is None or settings.reads == "off" or settings.policy == "off":
            return None
        position = {"search": 2, "get_all": 1, "delete_all": 1}.get(method)
        if position is not None and len(args) > position:
            kwargs = {"options": args[position], **kwargs}
        stale = _stale(client, method, kwargs)
        if not stale:
            return None
        barrier = _Barrier(client, stale, method, find_call(frame))
        if settings.reads == "barrier":
            return barrier
        barrier.tell(stale[-1])
    except StaleReadWarning:
        raise
    except Exception:  # an error of ours must not reach the application
        internal_error("a read was not examined")
    return None


def _sync_read(original: Callable[..., Any], method: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def read(*args: Any, **kwargs: Any) -> Any:
        if _outstanding and (barrier := _before(method, args, kwargs, sys._getframe(1))) is not None:
            for add in barrier.adds:
                try:
                    add.pending(barrier.client).result()
                except Exception as error:  # the read tells what there is
                    barrier.passed(add, error)
                else:
                    barrier.passed(add, None)
        return original(*args, **kwargs)

    return read


def _async_read(original: Callable[..., Any], method: str) -> Callable[..., Any]:
    async def after(barrier: _Barrier, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for add in barrier.adds:
            try:
                await add.pending(barrier.client).aresult()
            except Exception as error:  # the read tells what there is
                barrier.passed(add, error)
            else:
                barrier.passed(add, None)
        return await original(*args, **kwargs)

    @functools.wraps(original)
    def read(*args: Any, **kwargs: Any) -> Any:
        barrier = _before(method, args, kwargs, sys._getframe(1)) if _outstanding else None
        return original(*args, **kwargs) if barrier is None else after(barrier, args, kwargs)

    return as_coroutine_function(read) if inspect.iscoroutinefunction(original) else read


def patch(client_class: type, *, is_async: bool) -> None:
    """Put our reads into a client class in place of the SDK's."""
    make = _async_read if is_async else _sync_read
    for method in READS:
        replace_method(client_class, method, functools.partial(make, method=method), notes_access=False)
