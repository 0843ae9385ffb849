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
    seen = glance(answer)
    if seen is not None:
        return "receipt" if seen else "memories"
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


def glance(answer: Any) -> tuple[str, ...] | None:
    """The usual answers, told without looking closer: this is part of the cost of every ``add``.

    Returns:
        The event id of a receipt with one entry; an empty tuple for memories; None for an answer to be looked at closely.
    """
    entries = answer
    if type(answer) is dict:
        entries = answer.get("results")
        if "event_id" in answer or "status" in answer:
            event_id: Any = answer.get("event_id")
            usual = entries is None and answer.get("status") == "PENDING" and type(event_id) is str
            return (event_id,) if usual else None
    if type(entries) is not list:
        return None
    for entry in entries:
        if type(entry) is not dict:
            return None
        if "event_id" in entry or "status" in entry:
            event_id = entry.get("event_id")
            usual = len(entries) == 1 and entry.get("status") == "PENDING" and type(event_id) is str
            return (event_id,) if usual else None
        if "memory" not in entry:
            return None
    return ()


def event_ids(answer: object) -> tuple[str, ...]:
    """The event ids in a plain answer, each once, in order."""
    if seen := glance(answer):
        return seen
    found: dict[str, None] = {}
    for entry in [answer, *(_entries(answer) or ())]:
        if isinstance(entry, dict) and (one := _event_id(entry)) is not None:
            found[one] = None
    return tuple(found)


def with_memory(item: Any) -> Any:
    """An item of an event's results in the old shape: ``memory`` is lifted out of ``data``, which stays."""
    data = item.get("data") if isinstance(item, dict) else None
    if not isinstance(data, dict) or "memory" not in data or "memory" in item:
        return item
    return {"id": item.get("id"), "memory": data["memory"], "event": item.get("event", "ADD"), **item}
