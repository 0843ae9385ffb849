"""``add`` of both hosted clients, on one client (`wrap`) or on all of the process (`install`)."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, TypeVar

from mem0_shim import _boot, handle, reads
from mem0_shim.callsite import Site, find_call
from mem0_shim.patching import SETTINGS, as_coroutine_function, process, replace_method, restore_methods, settings_of
from mem0_shim.receipt import Receipt, receipt_of, track
from mem0_shim.reports import (
    DOCUMENTATION,
    ExtractionFailedWarning,
    PendingMemoryWarning,
    UnwaitableReceiptWarning,
    emit,
    extraction_failed,
    internal_error,
)
from mem0_shim.settings import Policy, Settings, disabled, read_settings
from mem0_shim.shapes import event_ids, outcome

_C = TypeVar("_C")
_MODULE: Final = "mem0.client.main"


class BlockingWaitWarning(PendingMemoryWarning):
    """`wait` blocks a running event loop, as the synchronous ``add`` did: use ``AsyncMemoryClient`` or a thread."""

    code = "wait-blocks-event-loop"


class Call:
    """One call of ``add``: the policy that holds for it, and where it stands."""

    __slots__ = ("arguments", "client", "flow", "policy", "settings", "site", "waits")

    def __init__(self, client: Any, site: Site | None, settings: Settings, policy: Policy, *, waits: bool) -> None:
        self.client = client
        self.arguments: dict[str, Any] = {}
        self.flow: reads.Flow | None = None
        self.site = site
        self.settings = settings
        self.policy = policy
        self.waits = waits

    def added_at(self, frame: FrameType | None) -> Site:
        """The line of the ``add``; found on the stack of `frame` if it was not noted when the call began."""
        if self.site is None:
            self.site = find_call(frame)
        return self.site


def begin(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType, *, honours: bool, is_async: bool
) -> Call | None:
    """Decide what holds for a call; adds ``async_mode=False`` where the policy is ``wait`` and the era honours it.

    Returns:
        None, if the shim is not to act.
    """
    settings = settings_of(client)
    if settings is None:
        return None
    # A coroutine runs when the caller's frame is gone: its line is noted now. Otherwise the stack tells later, if need be.
    site = find_call(frame) if is_async or settings.modules else None
    policy = settings.policy_of(site.module) if site is not None else settings.policy
    if policy == "off":
        return None
    waits = policy == "wait" and kwargs.get("async_mode") is not True
    if waits and honours and kwargs.get("async_mode") is None:
        kwargs["async_mode"] = False
    call = Call(client, site, settings, policy, waits=waits)
    call.arguments = {**kwargs, "options": args[1]} if len(args) > 1 else kwargs
    call.flow = reads.this_flow() if is_async else None
    return call


def examine(call: Call, answer: Any, frame: FrameType | None) -> tuple[Any, handle.PendingAdd | None]:
    """Look at the SDK's answer.

    Returns:
        What the application gets; and a handle, if the memories are to be waited for first.

    Raises:
        PendingMemoryWarning: The application's filters turn a warning into an error.
    """
    if receipt_of(answer) is not None:
        return answer, None  # somebody's wrapper calls ours twice
    found = outcome(answer)
    if found == "memories":
        return (_in_old_shape(answer) if call.waits else answer), None
    site, ids = call.added_at(frame), event_ids(answer)
    if found == "failed":
        _failed(call, answer, site, ids)
        return answer, None
    policy: Policy = "warn" if call.policy == "wait" else call.policy
    tracked = track(answer, Receipt(ids, site, policy, call.client))
    pending = handle.PendingAdd(
        call.client,
        ids,
        bare_list=isinstance(answer, list),
        relations=isinstance(answer, dict) and "relations" in answer,
        added_at=site,
        settings=call.settings,
    )
    if ids and process.ledger:
        from mem0_shim import ledger

        ledger.record("add", pending)
    if not call.waits:
        if call.settings.reads != "off":
            reads.note_add(call.arguments, pending, site, call.flow or reads.this_flow(), call.settings.stale_seconds)
        return tracked, None
    if not ids:
        text = f"the receipt of add() has no event id: it cannot be waited for ({DOCUMENTATION}#{UnwaitableReceiptWarning.code})"
        emit(UnwaitableReceiptWarning(text, ids, site), site)
        return tracked, None
    return tracked, pending


def _failed(call: Call, answer: Any, site: Site, ids: tuple[str, ...]) -> None:
    reason = answer.get("error") or answer.get("message") if isinstance(answer, dict) else None
    text = f"mem0 could not extract memories: {reason or 'it gives no reason'}"
    if call.policy == "warn":
        emit(ExtractionFailedWarning(text, ids, site), site)
    else:
        raise extraction_failed()(text, ids, answer if isinstance(answer, dict) else {})


def _in_old_shape(answer: Any) -> Any:
    """Memories with ``memory`` at the top of each item: v3 nests it in ``data`` when ``infer=False`` is answered at once."""
    items = answer.get("results") if isinstance(answer, dict) else answer
    if not isinstance(items, list):
        return answer
    lifted = [handle.with_memory(item) for item in items]
    if all(new is old for new, old in zip(lifted, items, strict=True)):
        return answer
    return {**answer, "results": lifted} if isinstance(answer, dict) else lifted


def _deliberate(error: Exception) -> bool:
    return isinstance(error, Warning | extraction_failed())


def _guarded_begin(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, honours: bool, is_async: bool) -> Call | None:
    try:
        return begin(client, args, kwargs, sys._getframe(2), honours=honours, is_async=is_async)
    except Exception:  # an error of ours must not reach the application
        internal_error("a call of add was not observed")
        return None


def _guarded_examine(call: Call, answer: Any, frame: FrameType | None) -> tuple[Any, handle.PendingAdd | None]:
    try:
        return examine(call, answer, frame)
    except Exception as error:
        if _deliberate(error):
            raise
        internal_error("an answer of add was not examined")
        return answer, None


def _wait(call: Call, tracked: Any, pending: handle.PendingAdd) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        text = "waiting for mem0 in this thread blocks its running event loop; use AsyncMemoryClient, or asyncio.to_thread"
        emit(BlockingWaitWarning(text, pending.event_ids, call.added_at(None)), call.added_at(None))
    try:
        return pending.result()
    except Exception as error:
        return _waited_in_vain(error, tracked)


def _waited_in_vain(error: Exception, tracked: Any) -> Any:
    """Hand on the errors of a wait; an error of our own leaves the receipt as the answer."""
    module = type(error).__module__.partition(".")[0]
    if module in ("mem0", "mem0_shim", "httpx"):
        raise error
    internal_error("a wait has ended early")
    return tracked


def _sync_add(original: Callable[..., Any], honours: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def add(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _guarded_begin(self, args, kwargs, honours=honours, is_async=False)
        answer = original(self, *args, **kwargs)
        if call is None:
            return answer
        tracked, pending = _guarded_examine(call, answer, sys._getframe(1))
        return tracked if pending is None else _wait(call, tracked, pending)

    return add


def _async_add(original: Callable[..., Any], honours: bool) -> Callable[..., Any]:
    async def observed(call: Call, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = await original(self, *args, **kwargs)
        tracked, pending = _guarded_examine(call, answer, None)
        if pending is None:
            return tracked
        try:
            return await pending.aresult()
        except Exception as error:
            return _waited_in_vain(error, tracked)

    observed.__name__ = getattr(original, "__name__", "add")
    observed.__qualname__ = getattr(original, "__qualname__", "add")

    @functools.wraps(original)
    def add(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = _guarded_begin(self, args, kwargs, honours=honours, is_async=True)
        return original(self, *args, **kwargs) if call is None else observed(call, self, args, kwargs)

    return as_coroutine_function(add) if inspect.iscoroutinefunction(original) else add


def honours_async_mode(client_class: type) -> bool:
    """Whether ``async_mode=False`` may be sent: not in 2.x (its ``add`` has ``options``), not before 0.0.9 (no ``**kwargs``)."""
    parameters = inspect.signature(client_class.add).parameters  # type: ignore[attr-defined]
    return "options" not in parameters and any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def patch(module: Any) -> None:
    """Put our methods into the clients of ``mem0.client.main``. Twice is once; instrumentation of others stays in place."""
    for client_class in _classes(module):
        is_async = client_class.__name__.startswith("Async")
        make = functools.partial(_async_add if is_async else _sync_add, honours=honours_async_mode(client_class))
        replace_method(client_class, "add", make)
        reads.patch(client_class, is_async=is_async)


def _classes(module: Any) -> tuple[type, ...]:
    """The hosted clients of ``mem0.client.main``; an early era has one only."""
    found = (getattr(module, name, None) for name in ("MemoryClient", "AsyncMemoryClient"))
    return tuple(kind for kind in found if isinstance(kind, type))


def _prepare() -> None:
    process.disabled = disabled()
    process.ledger = bool(os.environ.get("MEM0_SHIM_LEDGER"))
    if not process.disabled:
        _boot.after_import(_MODULE, patch)
        _boot.after_import("yaml", _teach_yaml)


def _teach_yaml(yaml: Any) -> None:
    """``yaml.safe_dump`` refuses subclasses of dict and list that it has not been told of."""
    from mem0_shim.receipt import TrackedDict, TrackedList, plain

    for name in ("SafeDumper", "Dumper", "CSafeDumper", "CDumper"):
        dumper = getattr(yaml, name, None)
        if dumper is not None:
            for kind in (TrackedDict, TrackedList):
                dumper.add_representer(kind, lambda self, value: self.represent_data(plain(value)))


def wrap(client: _C, policy: str | None = None, **options: Any) -> _C:
    """Let the shim act for one client.

    Args:
        client: A `mem0.MemoryClient` or `mem0.AsyncMemoryClient`, of any era or a subclass. Any other object (OSS ``Memory``,
            a mock, None) is returned as it is.
        policy: ``off``, ``warn`` (default), ``raise`` or ``wait``, and policies of modules, as of `settings.parse_policy`.
        options: As the fields of `settings.Settings`: ``timeout``, ``reads``, ``first_delay`` …

    Returns:
        The same client.

    Raises:
        ValueError, TypeError: A setting that there is not, or a value that it does not take.
    """
    settings = read_settings(policy=policy, **options)
    if not issubclass(type(client), _classes(sys.modules.get(_MODULE))):
        return client
    _prepare()
    process.wrapped = True
    setattr(client, SETTINGS, settings)
    return client


def install(policy: str | None = None, **options: Any) -> None:
    """Let the shim act for every hosted client of the process, made before or after. Installing again replaces the settings.

    mem0 is not imported by this: its clients are patched when they are.

    Args:
        policy: As of `wrap`.
        options: As of `wrap`.

    Raises:
        ValueError, TypeError: As of `wrap`.
    """
    process.settings = read_settings(policy=policy, **options)
    _prepare()


def uninstall() -> None:
    """Take back `install`. Clients given to `wrap` stay wrapped; without any, the SDK's classes are as they were."""
    process.settings = None
    module = sys.modules.get(_MODULE)
    if process.wrapped:
        return
    _boot.forget(_MODULE)
    for client_class in _classes(module):
        restore_methods(client_class)
