"""mem0-shim: an answer of mem0's ``add()`` that knows it is a receipt.

mem0's hosted clients used to return finished memories from ``add()``; now it answers with a receipt, and the memories follow.
``wrap(client)`` and ``install()`` warn where a receipt is read as memories, or wait until the memories exist.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mem0_shim.client import BlockingWaitWarning, install, uninstall, wrap
    from mem0_shim.handle import PendingAdd, pending
    from mem0_shim.reads import StaleReadWarning
    from mem0_shim.receipt import is_receipt
    from mem0_shim.reports import (
        ExtractionFailedWarning,
        PendingConsumedWarning,
        PendingMemoryError,
        PendingMemoryWarning,
        PendingReadWarning,
        PendingTimeout,
        PendingUnavailable,
        UnwaitableReceiptWarning,
    )

    ExtractionFailed = RuntimeError

__version__ = "0.1.0"

__all__ = [
    "BlockingWaitWarning",
    "ExtractionFailed",
    "ExtractionFailedWarning",
    "PendingAdd",
    "PendingConsumedWarning",
    "PendingMemoryError",
    "PendingMemoryWarning",
    "PendingReadWarning",
    "PendingTimeout",
    "PendingUnavailable",
    "StaleReadWarning",
    "UnwaitableReceiptWarning",
    "install",
    "is_receipt",
    "pending",
    "uninstall",
    "wrap",
]

_MODULES = {
    "client": ("BlockingWaitWarning", "install", "uninstall", "wrap"),
    "handle": ("PendingAdd", "pending"),
    "reads": ("StaleReadWarning",),
    "receipt": ("is_receipt",),
}


def __getattr__(name: str) -> Any:
    """Names are imported on first use, so that `_boot` costs nothing in a process that never imports mem0.

    ``ExtractionFailed`` derives from an error class of the installed mem0ai, which is looked up then.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = next((module for module, names in _MODULES.items() if name in names), "reports")
    module = import_module(f"{__name__}.{home}")
    found = module.extraction_failed() if name == "ExtractionFailed" else getattr(module, name)
    globals()[name] = found
    return found
