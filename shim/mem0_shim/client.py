"""``add`` of both hosted clients, on one client (`wrap`) or on all of the process (`install`)."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mem0_shim import _boot, reads
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
from mem0_shim.shapes import event_ids, glance, outcome, with_memory

if TYPE_CHECKING:
    from mem0_shim.handle import PendingAdd

_C = TypeVar("_C")
_MODULE: Final = "mem0.client.main"
_OBSERVING: Final = frozenset(("warn", "raise"))


class BlockingWaitWarning(PendingMemoryWarning):
    """`wait` blocks a running event loop, as the synchronous ``add`` did: use ``AsyncMemoryClient`` or a thread."""

    code = "wait-blocks-event-loop"


class Call:
    """What holds for one call of ``add``, where the settings alone do not say.

    Args:
        policy: That of the module which calls.
        waits: The memories are waited for.
        site: The line of the call, where it will not be on the stack later.
        flow: The task or thread of the call, likewise.
    """

    __slots__ = ("flow", "policy", "site", "waits")

    def __init__(self, policy: Policy, *, waits: bool, site: Site | None = None, flow: reads.Flow | None = None) -> None:
        self.policy = policy
        self.waits = waits
        self.site = site
        self.flow = flow


def begin(args: tuple[Any, ...], kwargs: dict[str, Any], *, honours: bool, is_async: bool) -> tuple[Settings | None, Call | None]:
    """Decide what holds for a call of ``add``; adds ``async_mode=False`` where the policy is ``wait`` and the era honours it.

    Args:
        args: Those of the call, with the client.
        kwargs: Those of the call.
        honours: Of `honours_async_mode`.
        is_async: The call makes a coroutine.

    Returns:
        The settings, None if the shim is not to act; and the call, None where the settings say it all.
    """
    try:
        settings = settings_of(args[0])
        if settings is None:
            return None, None
        if not is_async and settings.policy in _OBSERVING and not settings.modules:
            return settings, None
        # A coroutine runs when the caller's frame is gone: its line is noted now. Otherwise the stack tells later, if need be.
        site = find_call(sys._getframe(2)) if is_async or settings.modules else None
        policy = settings.policy_of(site.module) if site is not None else settings.policy
        if policy == "off":
            return None, None
        waits = policy == "wait" and kwargs.get("async_mode") is not True
        if waits and honours and kwargs.get("async_mode") is None:
            kwargs["async_mode"] = False
        return settings, Call(policy, waits=waits, site=site, flow=reads.this_flow() if is_async else None)
    except Exception:  # an error of ours must not reach the application
        internal_error("a call of add was not observed")
        return None, None


def examine(
    settings: Settings, call: Call | None, args: tuple[Any, ...], kwargs: dict[str, Any], answer: Any
) -> tuple[Any, PendingAdd | None]:
    """Look at the SDK's answer.

    Args:
        settings: Of `begin`, as is `call`.
        call: None where what holds is the policy of the settings, and nothing is waited for.
        args: Those of the call, with the client.
        kwargs: Those of the call.
        answer: What the SDK returned.

    Returns:
        What the application gets; and a handle, if the memories are to be waited for first.

    Raises:
        PendingMemoryWarning: The application's filters turn a warning into an error.
        ExtractionFailed: The answer says so, and the policy is not ``warn``.
    """
    try:
        waits = call is not None and call.waits
        ids = glance(answer)
        found = "receipt" if ids else "memories"
        if ids is None:
            if receipt_of(answer) is not None:
                return answer, None  # somebody's wrapper calls ours twice
            found, ids = outcome(answer), event_ids(answer)
        if found == "memories":
            return (_in_old_shape(answer) if waits else answer), None
        site = call.site if call is not None and call.site is not None else find_call(sys._getframe(2))
        policy = settings.policy if call is None else call.policy
        if found == "failed":
            _failed(policy, answer, site, ids)
            return answer, None
        tracked = track(answer, Receipt(ids, site, "warn" if policy == "wait" else policy, args[0]))
        if not ids:
            if waits:
                _cannot_wait(site)
            return tracked, None
        if process.ledger or waits:
            pending = _pending(args[0], answer, site, settings)
            if waits:
                return tracked, pending
        if settings.reads != "off":
            flow = reads.this_flow() if call is None or call.flow is None else call.flow
            arguments = {**kwargs, "options": args[2]} if len(args) > 2 else kwargs  # noqa: PLR2004 - client, messages, options
            reads.note_add(args[0], answer, ids, site, flow, settings, arguments)
        return tracked, None
    except Exception as error:
        if _deliberate(error):
            raise
        internal_error("an answer of add was not examined")
        return answer, None


def _pending(client: Any, answer: Any, site: Site, settings: Settings) -> PendingAdd:
    from mem0_shim.handle import PendingAdd

    pending = PendingAdd.of(client, answer, site, settings)
    if process.ledger:
        from mem0_shim import ledger

        ledger.record("add", pending)
    return pending


def _cannot_wait(site: Site) -> None:
    text = f"the receipt of add() has no event id: it cannot be waited for ({DOCUMENTATION}#{UnwaitableReceiptWarning.code})"
    emit(UnwaitableReceiptWarning(text, (), site), site)


def _failed(policy: Policy, answer: Any, site: Site, ids: tuple[str, ...]) -> None:
    reason = answer.get("error") or answer.get("message") if isinstance(answer, dict) else None
    text = f"mem0 could not extract memories: {reason or 'it gives no reason'}"
    if policy == "warn":
        emit(ExtractionFailedWarning(text, ids, site), site)
    else:
        raise extraction_failed()(text, ids, answer if isinstance(answer, dict) else {})


def _in_old_shape(answer: Any) -> Any:
    """Memories with ``memory`` at the top of each item: v3 nests it in ``data`` when ``infer=False`` is answered at once."""
    items = answer.get("results") if isinstance(answer, dict) else answer
    if not isinstance(items, list):
        return answer
    lifted = [with_memory(item) for item in items]
    if all(new is old for new, old in zip(lifted, items, strict=True)):
        return answer
    return {**answer, "results": lifted} if isinstance(answer, dict) else lifted


def _deliberate(error: Exception) -> bool:
    return isinstance(error, Warning | extraction_failed())


def _wait(tracked: Any, pending: PendingAdd, site: Site) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        text = "waiting for mem0 in this thread blocks its running event loop; use AsyncMemoryClient, or asyncio.to_thread"
        emit(BlockingWaitWarning(text, pending.event_ids, site), site)
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
    def add(*args: Any, **kwargs: Any) -> Any:
        settings, call = begin(args, kwargs, honours=honours, is_async=False)
        answer = original(*args, **kwargs)
        if settings is None:
            return answer
        tracked, pending = examine(settings, call, args, kwargs, answer)
        return tracked if pending is None else _wait(tracked, pending, find_call(sys._getframe(1)))

    return add


def _async_add(original: Callable[..., Any], honours: bool) -> Callable[..., Any]:
    async def observed(settings: Settings, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = await original(*args, **kwargs)
        tracked, pending = examine(settings, call, args, kwargs, answer)
        if pending is None:
            return tracked
        try:
            return await pending.aresult()
        except Exception as error:
            return _waited_in_vain(error, tracked)

    observed.__name__ = getattr(original, "__name__", "add")
    observed.__qualname__ = getattr(original, "__qualname__", "add")

    @functools.wraps(original)
    def add(*args: Any, **kwargs: Any) -> Any:
        settings, call = begin(args, kwargs, honours=honours, is_async=True)
        if settings is None or call is None:
            return original(*args, **kwargs)
        return observed(settings, call, args, kwargs)

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


def _prepare(settings: Settings) -> None:
    process.disabled = disabled()
    process.ledger = bool(os.environ.get("MEM0_SHIM_LEDGER"))
    if not process.disabled:
        # Now, not at the first wait: a child that is forked while a thread imports a module can never import it.
        if process.ledger or settings.reads == "barrier" or "wait" in (settings.policy, *dict(settings.modules).values()):
            import_module("mem0_shim.handle")
        if process.ledger:
            import_module("mem0_shim.ledger")
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
    _prepare(settings)
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
    settings = read_settings(policy=policy, **options)
    _prepare(settings)
    process.settings = settings


def uninstall() -> None:
    """Take back `install`. Clients given to `wrap` stay wrapped; without any, the SDK's classes are as they were."""
    process.settings = None
    module = sys.modules.get(_MODULE)
    if process.wrapped:
        return
    _boot.forget(_MODULE)
    for client_class in _classes(module):
        restore_methods(client_class)
