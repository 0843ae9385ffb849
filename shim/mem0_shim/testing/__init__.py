"""An emulator of mem0's hosted platform: a real HTTP server on loopback for tests and demonstrations.

Its answers follow mem0's OpenAPI description of August 2026 and recorded traffic of mem0ai 0.0.5 to 2.2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mem0_shim.testing.knobs import Knobs, Refusal
    from mem0_shim.testing.server import Mem0Emulator, RecordedRequest

__all__ = ["Knobs", "Mem0Emulator", "RecordedRequest", "Refusal"]


def __getattr__(name: str) -> Any:
    """The server is imported on first use: the pytest plugin below this package is loaded with every run of pytest."""
    if name in __all__:
        from mem0_shim.testing import knobs, server

        return getattr(knobs if name in ("Knobs", "Refusal") else server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
