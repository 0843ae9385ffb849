"""mem0-shim: an answer of mem0's ``add()`` that knows it is a receipt."""

from __future__ import annotations

__version__ = "0.1.0"
