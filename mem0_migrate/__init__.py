"""Find the code that an asynchronous mem0 `add()` breaks, and say what to do about it."""

from __future__ import annotations

__version__ = "0.1.0"
