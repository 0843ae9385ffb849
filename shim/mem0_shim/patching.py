"""Putting methods into the SDK's classes so that introspection, mocks and other instrumentation see what they saw before."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Final

from mem0_shim.callsite import note_access
from mem0_shim.settings import Settings

SETTINGS: Final = "_mem0_shim_settings"  # the attribute of a client that has settings of its own


class Process:
    """What is installed in this process."""

    __slots__ = ("disabled", "ledger", "settings", "wrapped")

    def __init__(self) -> None:
        self.settings: Settings | None = None
        self.wrapped = False  # at least one client has settings of its own
        self.disabled = False
        self.ledger = False  # MEM0_SHIM_LEDGER is set: read once, a look into the environment costs a microsecond


process: Final = Process()


def settings_of(client: object) -> Settings | None:
    """The settings in force for a client: its own, else the process's; None where the shim is not to act."""
    if process.disabled:
        return None
    if process.wrapped:
        own = getattr(client, "__dict__", {}).get(SETTINGS)
        if own is not None:
            return own  # type: ignore[no-any-return] # only wrap() sets it
    return process.settings


def as_coroutine_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function that `inspect.iscoroutinefunction` takes for what it stands for."""
    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(function)
        return function
    return _CoroutineFunction(function)


class _Forwarding:
    """An object that passes for the function that it stands for."""

    def __init__(self, function: Callable[..., Any]) -> None:
        names = {name: getattr(function, name) for name in ("__module__", "__name__", "__qualname__", "__doc__")}
        self.__dict__.update(getattr(function, "__dict__", {}), _function=function, **names)

    __class__ = property(lambda _: FunctionType)  # what isinstance() is to believe

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_function"], name)


class _CoroutineFunction(_Forwarding):
    """Before Python 3.12 only the code flags of a function say that it makes coroutines: those of the original are shown."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __getattr__(self, name: str) -> Any:
        function = self.__dict__["_function"]
        return getattr(inspect.unwrap(function) if name == "__code__" else function, name)


class Method(_Forwarding):
    """Stands in the class in place of one of the SDK's functions, and notes the line that takes it from a client."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self._function
        note_access(sys._getframe(1))
        return MethodType(self._function, instance)


def replace_method(
    client_class: type, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]], *, notes_access: bool = True
) -> None:
    """Put a method into a class in place of the SDK's; one that is ours already stays, also below another's wrapper."""
    original = vars(client_class).get(name)
    if original is None or hasattr(original, "_mem0_shim_original"):
        return
    function: Any = make(original)
    function._mem0_shim_original = original
    function._mem0_shim_placed = method = Method(function) if notes_access else function
    setattr(client_class, name, method)


def restore_methods(client_class: type) -> None:
    """Put the SDK's methods back into a class; a wrapper that somebody put around ours stays."""
    for name, value in list(vars(client_class).items()):
        original = getattr(value, "_mem0_shim_original", None)
        if original is not None and value._mem0_shim_placed is value:  # a wrapper around ours may have copied our attributes
            setattr(client_class, name, original)
