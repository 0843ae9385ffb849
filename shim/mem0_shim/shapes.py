"""Recognising the five shapes of a receipt in plain answers of ``add``."""

from __future__ import annotations

from typing import Any, Final

TERMINAL: Final = frozenset(("SUCCEEDED", "FAILED"))
_MEMORY: Final = ("id", "memory", "data", "results")


def _entries(answer: object) -> list[Any] | None:
    """The entries of a plain answer: those of ``results``, those of a list, or the answer itself."""
    if isinstance(answer, dict):
        results = answer.get("results")
        return results if isinstance(results, list) else [answer]
    return answer if isinstance(answer, list) else None


def _status(entry: dict[Any, Any]) -> str:
    status = entry.get("status")
    return status.upper() if isinstance(status, str) else ""


def _event_id(entry: dict[Any, Any]) -> str | None:
    found = entry.get("event_id") or entry.get("eventId")
    return found if isinstance(found, str) else None


def _is_pending(entry: object, *, nested: bool) -> bool:
    if not isinstance(entry, dict):
        return False
    status = _status(entry)
    if status in TERMINAL:
        return False
    if _event_id(entry) is not None:
        # An unknown status is not an end: mem0's own connectors poll on until SUCCEEDED or FAILED.
        return bool(status) or not any(key in entry for key in _MEMORY)
    if status in ("PENDING", "RUNNING", "PROCESSING", "QUEUED"):
        return True
    return nested and len(entry) == 1 and "message" in entry


def outcome(answer: object) -> str:
    """What a plain answer of ``add`` is: ``"memories"``, ``"receipt"`` (any of the five shapes) or ``"failed"``.

    The shapes (mem0's documentation of June 2025 to August 2026): ``{"results": [{"message"}]}``,
    ``{"results": [{"message", "status", "event_id"}]}``, a bare list of such entries, ``{"message", "status", "event_id"}``,
    ``{"event_id", "status"}``.
    """
    if _is_plainly_memories(answer):
        return "memories"
    if _main_shape_id(answer) is not None:
        return "receipt"
    entries = _entries(answer)
    if entries is None:
        return "memories"
    if isinstance(answer, dict):
        status = _status(answer)
        if status in TERMINAL:
            return "failed" if status == "FAILED" else "memories"
        if _is_pending(answer, nested=False):
            return "receipt"
    if any(_is_pending(entry, nested=True) for entry in entries if entry is not answer):
        return "receipt"
    failed = entries and all(isinstance(entry, dict) and _status(entry) == "FAILED" for entry in entries)
    return "failed" if failed else "memories"


def _is_plainly_memories(answer: Any) -> bool:
    """The usual answers of a completed ``add``, told without looking closer: this is part of the cost of every ``add``."""
    if type(answer) is dict:
        if "event_id" in answer or "status" in answer:
            return False
        answer = answer.get("results")
    if type(answer) is not list:
        return False
    for entry in answer:
        if type(entry) is not dict or "memory" not in entry or "event_id" in entry or "status" in entry:
            return False
    return True


def _main_shape_id(answer: Any) -> str | None:
    """The event id of a receipt in one of the two main shapes with one entry, told without looking closer."""
    if type(answer) is not dict:
        return None
    entry, results = answer, answer.get("results")
    if results is not None:
        if type(results) is not list or len(results) != 1 or type(results[0]) is not dict or "status" in answer:
            return None
        entry = results[0]
    event_id = entry.get("event_id")
    return event_id if entry.get("status") == "PENDING" and type(event_id) is str else None


def event_ids(answer: object) -> tuple[str, ...]:
    """The event ids in a plain answer, each once, in order."""
    if (event_id := _main_shape_id(answer)) is not None:
        return (event_id,)
    found: dict[str, None] = {}
    for entry in [answer, *(_entries(answer) or ())]:
        if isinstance(entry, dict) and (one := _event_id(entry)) is not None:
            found[one] = None
    return tuple(found)
