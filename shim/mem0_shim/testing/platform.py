"""The state of the emulated platform: memories, events, webhooks, and the background work between them. No HTTP here."""

from __future__ import annotations

import json
import queue
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from mem0_shim.testing.knobs import Knobs

Json = dict[str, Any]
ENTITIES = ("user_id", "agent_id", "app_id", "run_id")
_NAMESPACE = uuid.UUID("6d656d30-7368-696d-8000-000000000000")  # "mem0shim": any fixed value does


@dataclass(slots=True)
class Memory:
    """One stored memory; `project` is the account that it belongs to."""

    id: str
    project: str
    text: str
    scope: dict[str, str]
    metadata: Json | None
    categories: list[str] | None
    created_at: str
    updated_at: str
    history: list[Json] = field(default_factory=list)

    def as_result(self) -> Json:
        """The memory as an item of an event's ``results``."""
        return {"id": self.id, "event": "ADD", "user_id": self.scope.get("user_id"), "data": {"memory": self.text}}

    def as_json(self) -> Json:
        """The memory as the platform sends it (Memory object of the v1 and v3 list operations)."""
        return {
            "id": self.id,
            "memory": self.text,
            **{name: self.scope.get(name) for name in ENTITIES},
            "metadata": self.metadata,
            "categories": self.categories,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


@dataclass(slots=True)
class Event:
    """Background work that a request has queued; `due` is on the monotonic clock, in seconds."""

    id: str
    project: str
    kind: str
    payload: Json
    created: float
    due: float
    fails: bool
    created_at: str
    status: str = "PENDING"
    results: list[Json] = field(default_factory=list)
    completed_at: str | None = None
    error: str | None = None

    def as_json(self, now: float) -> Json:
        """The event as ``GET /v1/event/{id}/`` sends it; times that have not come yet are left out."""
        running = self.status == "PENDING" and now >= self.created + (self.due - self.created) / 2
        body: Json = {
            "id": self.id,
            "event_type": self.kind,
            "status": "RUNNING" if running else self.status,
            "payload": self.payload,
            "metadata": None,
            "results": self.results,
            "created_at": self.created_at,
            "updated_at": self.completed_at or self.created_at,
            "graph_status": None,
            "error": self.error,
        }
        if self.completed_at:
            body |= {"started_at": self.created_at, "completed_at": self.completed_at}
            body["latency"] = round((self.due - self.created) * 1000, 3)
        return body


def timestamp() -> str:
    """The present time in the platform's form (RFC 3339, UTC, microseconds)."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Platform:
    """Everything that the platform remembers. Methods may be called from several threads.

    Work becomes done when it is due: every access first completes what is due, in the order of the due times, and one
    background thread does the same for the sake of webhooks when nobody asks.
    """

    def __init__(self, knobs: Knobs) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._deliveries: queue.SimpleQueue[tuple[str, Json] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closing = False
        self.url = ""  # of the server, for the links between pages
        self.knobs = knobs
        self.reset()

    def reset(self) -> None:
        """Forget everything but the knobs."""
        with self.lock:
            self.memories: dict[str, Memory] = {}
            self.graveyard: dict[str, Memory] = {}
            self.events: dict[str, Event] = {}
            self.webhooks: dict[str, Json] = {}
            self.delivered: list[Json] = []
            self._numbers = {"memory": 0, "event": 0, "webhook": 0, "history": 0}
            self._random = random.Random(self.knobs.seed)  # noqa: S311 - a reproducible sequence, no secret
            self._changed.notify_all()

    def adjust(self, **changes: Any) -> Knobs:
        """Set knobs anew; a new seed also restarts the random sequence.

        Raises:
            ValueError: As of `Knobs.adjusted`.
        """
        with self.lock:
            self.knobs = self.knobs.adjusted(**changes)
            if "seed" in changes:
                self._random = random.Random(self.knobs.seed)  # noqa: S311 - a reproducible sequence, no secret
            return self.knobs

    def new_id(self, kind: str) -> str:
        """The next id of a kind: the ids of memories do not depend on how many events there were."""
        self._numbers[kind] += 1
        return str(uuid.uuid5(_NAMESPACE, f"{self.knobs.seed}:{kind}:{self._numbers[kind]}"))

    # -- background work

    def start(self) -> None:
        """Start the threads that complete events and deliver webhooks."""
        self._closing = False
        for target in (self._work, self._deliver):
            thread = threading.Thread(target=target, name=f"mem0-emulator-{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End both threads and wait for them, at most 6 seconds each."""
        with self.lock:
            self._closing = True
            self._changed.notify_all()
        self._deliveries.put(None)
        for thread in self._threads:
            thread.join(6)
        self._threads.clear()

    def _work(self) -> None:
        with self.lock:
            while not self._closing:
                self.complete_due()
                due = [event.due for event in self.events.values() if event.status == "PENDING"]
                self._changed.wait(min(due) - time.monotonic() if due else None)

    def _deliver(self) -> None:
        while (delivery := self._deliveries.get()) is not None:
            url, body = delivery
            request = urllib.request.Request(  # noqa: S310 - the scheme is checked when the webhook is made
                url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
            )
            try:
                with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - as above
                    status: int | str = response.status
            except urllib.error.HTTPError as error:
                status = error.code
            except OSError as error:
                status = str(error)
            self.delivered.append({"url": url, "body": body, "status": status})

    def complete_due(self) -> None:
        """Complete the events that are due now."""
        now = time.monotonic()
        with self.lock:
            due = [event for event in self.events.values() if event.status == "PENDING" and event.due <= now]
            for event in sorted(due, key=lambda event: event.due):
                event.completed_at = timestamp()
                if event.fails:
                    event.status, event.error = "FAILED", "Extraction failed: the emulator was told to fail this event"
                    continue
                event.status = "SUCCEEDED"
                if event.kind == "ADD":
                    stored = self.store(event.project, event.payload)
                    event.results = [m.as_result() for m in stored]
                else:
                    self.delete_matching(event.project, event.payload)

    def queue_event(self, project: str, kind: str, payload: Json) -> Event:
        """Queue background work; it is done after the latency of the knobs."""
        with self.lock:
            knobs, now = self.knobs, time.monotonic()
            fails = self._random.random() < knobs.failure_rate
            latency = knobs.latency * (1 + knobs.jitter * self._random.uniform(-1, 1))
            event = Event(self.new_id("event"), project, kind, payload, now, now + latency, fails, timestamp())
            self.events[event.id] = event
            self._changed.notify_all()
            return event

    # -- memories

    def store(self, project: str, payload: Json) -> list[Memory]:
        """Extract and store the memories of an add request.

        The extraction of the emulator: one memory for each message of the user (with ``infer: false`` for each message but the
        system's), without those whose text is already stored in the same scope.

        Returns:
            The memories that are new.
        """
        if self.knobs.empty:
            return []
        verbatim = payload.get("infer") is False
        roles = ("user", "assistant") if verbatim else ("user",)
        scope = scope_of(payload)
        stored = []
        for message in payload.get("messages") or ():
            text = message.get("content")
            if message.get("role") not in roles or not isinstance(text, str) or not text.strip():
                continue
            text = text.strip()
            known = any(m.project == project and m.scope == scope and m.text == text for m in self.memories.values())
            if known and not verbatim:
                continue
            at = timestamp()
            metadata = payload.get("metadata")
            memory = Memory(self.new_id("memory"), project, text, scope, metadata, None, at, at)
            self.memories[memory.id] = memory
            self._record(memory, "ADD", None, [{"role": message["role"], "content": text}])
            stored.append(memory)
        return stored

    def update(self, memory: Memory, text: str | None, metadata: Json | None) -> None:
        """Change a memory's text, its metadata, or both."""
        old = memory.text
        memory.text = text if text is not None else memory.text
        memory.metadata = metadata if metadata is not None else memory.metadata
        memory.updated_at = timestamp()
        self._record(memory, "UPDATE", old, [])

    def delete(self, memory: Memory) -> None:
        """Delete a memory; its history stays."""
        self.graveyard[memory.id] = self.memories.pop(memory.id)
        self._record(memory, "DELETE", memory.text, [])

    def delete_matching(self, project: str, filters: Json) -> int:
        """Delete the memories of a project that match, and say how many they were."""
        found = list(self.matching(project, filters))
        for memory in found:
            self.delete(memory)
        return len(found)

    def matching(self, project: str, filters: Json) -> Iterator[Memory]:
        """The memories of a project that match filters, oldest first."""
        return (m for m in list(self.memories.values()) if m.project == project and matches(m, filters))

    def _record(self, memory: Memory, event: str, old: str | None, source: list[Json]) -> None:
        at = timestamp()
        memory.history.append(
            {
                "id": self.new_id("history"),
                "memory_id": memory.id,
                "input": source,
                "old_memory": old,
                "new_memory": memory.text,
                "user_id": memory.scope.get("user_id", ""),
                "event": event,
                "metadata": memory.metadata,
                "created_at": at,
                "updated_at": at,
            }
        )
        body = {"event_details": {"id": memory.id, "data": {"memory": memory.text}, "event": event}}
        for hook in self.webhooks.values():
            if hook["project"] == memory.project and hook["is_active"] and f"memory_{event.lower()}" in hook["event_types"]:
                self._deliveries.put((hook["url"], body))


def scope_of(payload: Json) -> dict[str, str]:
    """The entity ids of a request, from its top level or its ``filters``."""
    filters = payload.get("filters")
    inner = filters if isinstance(filters, dict) else {}
    found = {name: payload.get(name) or inner.get(name) for name in ENTITIES}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def matches(memory: Memory, filters: Json) -> bool:
    """Whether a memory matches filters as v2 and v3 know them: entity ids, ``AND``, ``OR``, ``NOT``, ``in``, ``ne``, ``*``.

    Filters of other fields are ignored, as are other operators.
    """
    for name, wanted in filters.items():
        if name in ("AND", "OR", "NOT"):
            parts = wanted if isinstance(wanted, list) else [wanted]
            held = [matches(memory, part) for part in parts if isinstance(part, dict)]
            if not {"AND": all(held), "OR": any(held) or not held, "NOT": not any(held)}[name]:
                return False
        elif name in ENTITIES and not _entity_matches(memory.scope.get(name), wanted):
            return False
    return True


def _entity_matches(value: str | None, wanted: object) -> bool:
    if wanted == "*":
        return value is not None
    if isinstance(wanted, dict):
        if "in" in wanted:
            return isinstance(wanted["in"], list) and value in wanted["in"]
        return "ne" not in wanted or value != wanted["ne"]
    return wanted is None or value == wanted
