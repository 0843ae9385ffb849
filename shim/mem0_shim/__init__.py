"""mem0-shim: an answer of mem0's ``add()`` that knows it is a receipt.

mem0's hosted clients used to return finished memories from ``add()``; now it answers with a receipt, and the memories follow.
``wrap(client)`` and ``install()`` warn where a receipt is read as memories, or wait until the memories exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    UnreadReceiptWarning,
    UnwaitableReceiptWarning,
)

if TYPE_CHECKING:
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
    "UnreadReceiptWarning",
    "UnwaitableReceiptWarning",
    "install",
    "is_receipt",
    "pending",
    "uninstall",
    "wrap",
]


def __getattr__(name: str) -> Any:
    """``ExtractionFailed`` derives from an error class of the installed mem0ai, which is looked up on first use."""
    if name == "ExtractionFailed":
        from mem0_shim.reports import extraction_failed

        return extraction_failed()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
