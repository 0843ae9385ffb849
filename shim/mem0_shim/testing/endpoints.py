"""The platform's endpoints: what each request does to the state, and the body of its answer."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from mem0_shim.testing.platform import ENTITIES, Json, Memory, Platform, scope_of, timestamp

_QUEUED = "Memory processing has been queued for background execution"
_NO_SCOPE = "One of the filters: app_id, user_id, agent_id, run_id is required!"
_WEBHOOK_EVENTS = frozenset(
    (
        *(f"memory_{change}" for change in ("add", "update", "delete", "categorize")),
        *(f"ingest_job_{end}" for end in ("completed", "partially_completed", "failed", "cancelled")),
    )
)


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The request is answered with an error: an HTTP status and a JSON body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Request:
    """A request as an endpoint sees it; `project` is the account of the API key."""

    platform: Platform
    project: str
    query: dict[str, str]
    body: Any

    def document(self) -> Json:
        """The body, which must be a JSON object."""
        if not isinstance(self.body, dict):
            raise Refused(400, {"error": "400 Bad Request", "details": {"message": "The body must be a JSON object."}})
        return self.body

    def number(self, name: str, default: int, longest: int) -> int:
        """A whole number of the query or the body, 1 to `longest`."""
        document = self.body if isinstance(self.body, dict) else {}
        value: Any = self.query.get(name, document.get(name, default))
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= longest:
            raise Refused(400, {"error": f"{name} must be >= 1 and <= {longest}"})
        return value


Answer = tuple[int, Any]
Endpoint = Callable[..., Answer]
_ROUTES: list[tuple[str, re.Pattern[str], Endpoint]] = []


def route(method: str, path: str) -> Callable[[Endpoint], Endpoint]:
    """Serve a method and a path template (``{name}`` is one segment) with the decorated function."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path.rstrip("/")) + "/?$")

    def register(endpoint: Endpoint) -> Endpoint:
        _ROUTES.append((method, pattern, endpoint))
        return endpoint

    return register


def project_of(authorization: str) -> str:
    """The project that an ``Authorization: Token …`` header belongs to: each API key is an account of its own.

    Raises:
        Refused: 401, for a missing key and for keys that start with ``invalid``.
    """
    scheme, _, key = authorization.partition(" ")
    if scheme != "Token" or not key.strip() or key.startswith("invalid"):
        raise Refused(401, {"detail": "Invalid API key. You can find your API key on https://app.mem0.ai/dashboard/api-keys."})
    return "proj_" + hashlib.sha256(key.strip().encode()).hexdigest()[:12]


def answer(platform: Platform, method: str, path: str, authorization: str, query: dict[str, str], body: Any) -> Answer:
    """Serve one request.

    Returns:
        The HTTP status and the JSON body.
    """
    found: set[str] = set()
    try:
        for known, pattern, endpoint in _ROUTES:
            if (match := pattern.match(path)) is None:
                continue
            found.add(known)
            if known == method:
                request = Request(platform, project_of(authorization), query, body)
                with platform.lock:
                    platform.complete_due()
                    return endpoint(request, **{name: unquote(value) for name, value in match.groupdict().items()})
    except Refused as refused:
        return refused.status, refused.body
    if found:
        return 405, {"detail": f'Method "{method}" not allowed.'}
    return 404, {"detail": "Not found, or not emulated."}


def _memory(request: Request, memory_id: str, *, deleted: bool = False) -> Memory:
    try:
        uuid.UUID(memory_id)
    except ValueError:
        raise Refused(400, {"error": "memory_id should be a valid UUID"}) from None
    memory = request.platform.memories.get(memory_id)
    if memory is None and deleted:
        memory = request.platform.graveyard.get(memory_id)
    if memory is None or memory.project != request.project:
        raise Refused(404, {"error": "Memory not found!"})
    return memory


@route("GET", "/v1/ping/")
def _ping(request: Request) -> Answer:
    return 200, {"status": "ok", "org_id": "org_emulated", "project_id": request.project, "user_email": "user@example.com"}


# -- add


def _bad_add(**details: Any) -> Refused:
    return Refused(400, {"error": "400 Bad Request", "details": details})


def _checked_messages(document: Json, *, strict: bool) -> None:
    messages = document.get("messages")
    if not isinstance(messages, list):
        raise _bad_add(messages=[f'Expected a list of items but got type "{type(messages).__name__}".'])
    if not all(isinstance(message, dict) for message in messages):
        raise _bad_add(messages=["Expected a dictionary for each message."])
    roles = ("user", "assistant", "system")
    if strict and not all(m.get("role") in roles and isinstance(m.get("content"), str) for m in messages):
        raise _bad_add(messages=["Each message needs a role (user, assistant, system) and a content."])
    for name, kind in (("metadata", dict), *((entity, str) for entity in ENTITIES)):
        if document.get(name) is not None and not isinstance(document[name], kind):
            raise _bad_add(**{name: ["Not a valid value."]})
    if not scope_of(document):
        raise _bad_add(message=_NO_SCOPE)


def _receipt(request: Request, event_id: str, shape: str) -> Any:
    entry = {"message": _QUEUED, "status": "PENDING", "event_id": event_id}
    entries = [dict(entry) for _ in range(request.platform.knobs.entries)]
    shapes: dict[str, Any] = {
        "message": {"results": [{"message": _QUEUED}]},
        "nested": {"results": entries, "relations": []},
        "list": entries,
        "flat-message": entry,
        "flat": {"event_id": event_id, "status": "PENDING"},
    }
    return shapes[shape]


def _v11(document: Json) -> bool:
    return document.get("output_format") == "v1.1" or document.get("version") == "v2"


@route("POST", "/v1/memories/")
def _add_v1(request: Request) -> Answer:
    document, platform = request.document(), request.platform
    _checked_messages(document, strict=False)
    asked = document.get("async_mode") if platform.knobs.honours_async_mode else None
    if asked is False or (asked is not True and platform.knobs.mode == "sync"):
        stored = platform.store(request.project, document)
        if not _v11(document):
            return 200, [{"id": m.id, "data": {"memory": m.text}, "event": "ADD"} for m in stored]
        return 200, {"results": [{"id": m.id, "memory": m.text, "event": "ADD"} for m in stored]}
    event = platform.queue_event(request.project, "ADD", document)
    shape = platform.knobs.shape
    return 200, _receipt(request, event.id, ("nested" if _v11(document) else "list") if shape == "auto" else shape)


@route("POST", "/v3/memories/add/")
def _add_v3(request: Request) -> Answer:
    document, platform = request.document(), request.platform
    _checked_messages(document, strict=True)
    if document.get("infer") is False:
        stored = platform.store(request.project, document)
        results = [{"id": m.id, "data": {"memory": m.text}, "event": "ADD"} for m in stored]
        event = replace(platform.queue_event(request.project, "ADD", document), status="SUCCEEDED", results=results)
        event.completed_at = event.created_at
        platform.events[event.id] = event
        return 200, {"message": "Memories stored", "status": "SUCCEEDED", "event_id": event.id, "results": results}
    if platform.knobs.mode == "sync":
        stored = platform.store(request.project, document)
        return 200, {"results": [{"id": m.id, "memory": m.text, "event": "ADD"} for m in stored]}
    event = platform.queue_event(request.project, "ADD", document)
    shape = platform.knobs.shape
    return 200, _receipt(request, event.id, "flat" if shape == "auto" else shape)


# -- reads


def _page(request: Request, path: str, items: list[Any], default: int = 100) -> Json:
    page, size = request.number("page", 1, 10**6), request.number("page_size", default, 200)
    last = page * size
    link = f"{request.platform.url}{path}?page={{}}&page_size={size}"
    return {
        "count": len(items),
        "next": link.format(page + 1) if last < len(items) else None,
        "previous": link.format(page - 1) if page > 1 else None,
        "results": items[last - size : last],
    }


def _scoped(request: Request, filters: object) -> list[Memory]:
    if not isinstance(filters, dict):
        raise Refused(400, {"message": "filters must be an object", "error": _NO_SCOPE})
    return list(request.platform.matching(request.project, filters))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _found(request: Request, memories: list[Memory]) -> list[Json]:
    document = request.document()
    query = document.get("query")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, {"query": ["This field may not be blank."]})
    wanted = _words(query)
    threshold = document.get("threshold")
    number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if threshold is not None and not (number and 0 <= threshold <= 1):
        raise Refused(400, {"threshold": ["Ensure this value is from 0 to 1."]})
    ranked = []
    for memory in memories:
        share = len(wanted & _words(memory.text)) / len(wanted) if wanted else 0.0
        ranked.append((round(0.3 + 0.7 * share, 4), memory))
    ranked.sort(key=lambda pair: -pair[0])
    ranked = [pair for pair in ranked if threshold is None or pair[0] >= threshold]
    top = ranked[: request.number("top_k", 10, 1000)]
    return [m.as_json() | {"score": value, "categories": m.categories or []} for value, m in top]


@route("POST", "/v1/memories/search/")
def _search_v1(request: Request) -> Answer:
    document = request.document()
    scope = scope_of(document)
    if not scope:
        raise Refused(400, {"message": "At least one of the filters: agent_id, user_id, app_id, run_id is required!"})
    results = _found(request, _scoped(request, scope))
    return 200, {"results": results, "relations": []} if _v11(document) else results


@route("POST", "/v2/memories/search/")
def _search_v2(request: Request) -> Answer:
    document = request.document()
    results = _found(request, _scoped(request, document.get("filters", scope_of(document))))
    return 200, {"results": results} if document.get("output_format") == "v1.1" else results


@route("POST", "/v3/memories/search/")
def _search_v3(request: Request) -> Answer:
    return 200, {"results": _found(request, _scoped(request, request.document().get("filters")))}


@route("GET", "/v1/memories/")
def _list_v1(request: Request) -> Answer:
    scope = scope_of(dict(request.query))
    if not scope:
        raise Refused(400, [_NO_SCOPE])
    memories = [m.as_json() for m in _scoped(request, scope)]
    if "page" in request.query or "page_size" in request.query:
        return 200, _page(request, "/v1/memories/", memories)
    return 200, memories[: request.number("limit", 100, 200)]


@route("POST", "/v2/memories/")
def _list_v2(request: Request) -> Answer:
    document = request.document()
    memories = [m.as_json() for m in _scoped(request, document.get("filters", scope_of(document)))]
    if "page" in request.query or "page_size" in request.query:
        return 200, _page(request, "/v2/memories/", memories)
    return 200, {"results": memories} if document.get("output_format") == "v1.1" else memories


@route("POST", "/v3/memories/")
def _list_v3(request: Request) -> Answer:
    return 200, _page(request, "/v3/memories/", [m.as_json() for m in _scoped(request, request.document().get("filters"))])


@route("GET", "/v1/memories/{memory_id}/history/")
def _history(request: Request, memory_id: str) -> Answer:
    return 200, _memory(request, memory_id, deleted=True).history


@route("GET", "/v1/memories/{memory_id}/")
def _get(request: Request, memory_id: str) -> Answer:
    return 200, _memory(request, memory_id).as_json()


# -- changes


@route("PUT", "/v1/memories/{memory_id}/")
def _update(request: Request, memory_id: str) -> Answer:
    memory, document = _memory(request, memory_id), request.document()
    text, metadata = document.get("text"), document.get("metadata")
    if not isinstance(text, str | None) or not isinstance(metadata, dict | None):
        raise Refused(400, {"error": "text must be a string and metadata an object"})
    request.platform.update(memory, text, metadata)
    return 200, memory.as_json()


@route("DELETE", "/v1/memories/{memory_id}/")
def _delete(request: Request, memory_id: str) -> Answer:
    request.platform.delete(_memory(request, memory_id))
    return 200, {"message": "Memory deleted successfully!", "cascade_count": 0}


def _delete_scope(request: Request, filters: Json) -> Answer:
    if request.platform.knobs.mode == "sync":
        request.platform.delete_matching(request.project, filters)
        return 200, {"message": "Memories deleted successfully!"}
    event = request.platform.queue_event(request.project, "DELETE_ALL", filters)
    return 200, {"message": "Delete in progress. This may take some time.", "event_id": event.id}


@route("DELETE", "/v1/memories/")
def _delete_all(request: Request) -> Answer:
    return _delete_scope(request, scope_of(dict(request.query)))


@route("DELETE", "/v1/entities/{kind}/{name}/")
@route("DELETE", "/v2/entities/{kind}/{name}/")
def _delete_entity(request: Request, kind: str, name: str) -> Answer:
    if f"{kind}_id" not in ENTITIES:
        raise Refused(400, {"message": "Invalid entity type"})
    return _delete_scope(request, {f"{kind}_id": name})


def _entities(request: Request) -> list[Json]:
    first: dict[tuple[str, str], Memory] = {}
    for memory in request.platform.matching(request.project, {}):
        for entity, name in memory.scope.items():
            first.setdefault((entity.removesuffix("_id"), name), memory)
    return [
        {"id": f"{kind}:{name}", "name": name, "type": kind, "owner": "owner", "metadata": None}
        | {"created_at": memory.created_at, "updated_at": memory.updated_at}
        for (kind, name), memory in first.items()
    ]


@route("GET", "/v1/entities/")
def _list_entities(request: Request) -> Answer:
    found = _entities(request)
    totals = {f"total_{kind}s": sum(e["type"] == kind for e in found) for kind in ("user", "agent", "app", "run")}
    return 200, _page(request, "/v1/entities/", found) | totals


@route("GET", "/v2/entities/{kind}/{name}/")
def _get_entity(request: Request, kind: str, name: str) -> Answer:
    return 200, [e for e in _entities(request) if (e["type"], e["name"]) == (kind, name)]


def _batch(request: Request) -> list[tuple[Memory, Json]]:
    items = request.document().get("memories")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items) or len(items) > 1000:  # noqa: PLR2004
        raise Refused(400, {"error": "memories must be a list of at most 1000 objects"})
    return [(_memory(request, str(item.get("memory_id"))), item) for item in items]


@route("PUT", "/v1/batch/")
def _batch_update(request: Request) -> Answer:
    items = _batch(request)
    for memory, item in items:
        text, metadata = item.get("text"), item.get("metadata")
        request.platform.update(memory, text if isinstance(text, str) else None, metadata if isinstance(metadata, dict) else None)
    return 200, {"message": f"Successfully updated {len(items)} memories"}


@route("DELETE", "/v1/batch/")
def _batch_delete(request: Request) -> Answer:
    found = {memory.id: memory for memory, _ in _batch(request)}
    for memory in found.values():
        request.platform.delete(memory)
    return 200, {"message": f"Successfully deleted {len(found)} memories"}


# -- events


@route("GET", "/v1/events/")
def _list_events(request: Request) -> Answer:
    now = time.monotonic()
    newest_first = [e for e in reversed(request.platform.events.values()) if e.project == request.project]
    return 200, _page(request, "/v1/events/", [e.as_json(now) for e in newest_first], request.platform.knobs.page_size)


@route("GET", "/v1/event/{event_id}/")
def _get_event(request: Request, event_id: str) -> Answer:
    event = request.platform.events.get(event_id)
    if event is None or event.project != request.project:
        raise Refused(404, {"error": "Event not found or you don't have permission to access it."})
    return 200, event.as_json(time.monotonic())


# -- webhooks


def _checked_webhook(document: Json, required: tuple[str, ...]) -> Json:
    missing = [name for name in required if name not in document]
    if missing:
        raise Refused(400, {name: ["This field is required."] for name in missing})
    changes: Json = {name: document[name] for name in ("name", "url", "event_types") if name in document}
    if not all(isinstance(changes.get(name, ""), str) for name in ("name", "url")):
        raise Refused(400, {"name": ["Not a valid string."]})
    if not str(changes.get("url", "http://")).startswith(("http://", "https://")):
        raise Refused(400, {"url": ["Enter a valid URL."]})
    kinds = changes.get("event_types", [])
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds) or not set(kinds) <= _WEBHOOK_EVENTS:
        raise Refused(400, {"event_types": [f"Choose from {', '.join(sorted(_WEBHOOK_EVENTS))}."]})
    return changes


def _own_project(request: Request, project: str) -> None:
    if project != request.project:
        raise Refused(403, {"error": "You don't have access to this project"})


def _webhook(request: Request, webhook_id: str) -> Json:
    hook = request.platform.webhooks.get(webhook_id)
    if hook is None:
        raise Refused(404, {"error": "Webhook not found"})
    if hook["project"] != request.project:
        raise Refused(403, {"error": "You don't have access to this webhook"})
    return hook


@route("GET", "/api/v1/webhooks/projects/{project}/")
def _list_webhooks(request: Request, project: str) -> Answer:
    _own_project(request, project)
    return 200, [hook for hook in request.platform.webhooks.values() if hook["project"] == project]


@route("POST", "/api/v1/webhooks/projects/{project}/")
def _create_webhook(request: Request, project: str) -> Answer:
    _own_project(request, project)
    document, at = request.document(), timestamp()
    hook = _checked_webhook(document, ("url", "name", "event_types"))
    hook |= {"webhook_id": "wh_" + request.platform.new_id("webhook"), "owner": "owner", "project": project}
    hook |= {"is_active": document.get("is_active") is not False, "created_at": at, "updated_at": at}
    request.platform.webhooks[hook["webhook_id"]] = hook
    return 201, hook


@route("PUT", "/api/v1/webhooks/{webhook_id}/")
def _update_webhook(request: Request, webhook_id: str) -> Answer:
    hook = _webhook(request, webhook_id)
    hook.update(_checked_webhook(request.document(), ()), updated_at=timestamp())
    return 200, {"message": "Webhook updated successfully"}


@route("DELETE", "/api/v1/webhooks/{webhook_id}/")
def _delete_webhook(request: Request, webhook_id: str) -> Answer:
    del request.platform.webhooks[_webhook(request, webhook_id)["webhook_id"]]
    return 200, {"message": "Webhook deleted successfully"}
