"""A receiver of mem0's webhooks that lets waits look sooner.

mem0 signs nothing and names no event in a delivery (webhooks page of its documentation, 2025 to 2026), so a delivery is never
believed: all it does is wake the polls of this process. Who forges one causes a poll, at the pace of polls, and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from mem0_shim import polling

LARGEST_BODY: Final = 64 * 1024
EVENT_TYPES: Final = ("memory_add", "memory_update", "memory_delete")
_SHORTEST_TOKEN: Final = 16
_REMEMBERED: Final = 4096
_DEBOUNCE: Final = 0.1

Verify = Callable[[bytes, Mapping[str, str]], bool]
_Scope = MutableMapping[str, Any]


class Receiver:
    """What both applications share: it decides on a request and wakes the polls.

    Args:
        token: The secret last segment of the path, or several while one replaces another; by default ``MEM0_WEBHOOK_TOKEN``,
            separated by commas.
        verify: Called with the body and the headers (lower-case names) of a delivery with a right token; False refuses it.
            For the day on which mem0 signs.
        nudge: What a delivery does; by default it wakes all waits of this process.

    Raises:
        ValueError: No token, or one of fewer than 16 characters.
    """

    def __init__(
        self, token: str | Iterable[str] | None = None, *, verify: Verify | None = None, nudge: Callable[[], object] | None = None
    ) -> None:
        if token is None:
            token = os.environ.get("MEM0_WEBHOOK_TOKEN", "").split(",")
        tokens = [token] if isinstance(token, str) else list(token)
        self._tokens = [text.strip().encode() for text in tokens if text.strip()]
        if not self._tokens or min(map(len, self._tokens)) < _SHORTEST_TOKEN:
            raise ValueError(
                f"a webhook needs a secret token of at least {_SHORTEST_TOKEN} characters: secrets.token_urlsafe(32)"
            )
        self._verify = verify
        self._nudge = nudge or polling.nudge_all
        self._lock = threading.Lock()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._nudged_at = 0.0
        self._timer: threading.Timer | None = None

    def admit(self, method: str, path: str, length: str | None) -> int:
        """Decide before the body is read.

        Returns:
            0 to go on, else the HTTP status: 404 without the right token, 405, 413 for more than 64 KiB.
        """
        given = path.rstrip("/").rpartition("/")[2].encode()
        matches = [hmac.compare_digest(given, token) for token in self._tokens]  # all of them: the time tells nothing
        if not any(matches):
            return 404
        if method != "POST":
            return 405
        return 413 if length and length.isdecimal() and int(length) > LARGEST_BODY else 0

    def receive(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Take a delivery.

        Returns:
            The HTTP status: 204, also for a duplicate; 400 if it is no JSON; 404 if `verify` refuses it; 413.
        """
        if len(body) > LARGEST_BODY:
            return 413
        try:
            json.loads(body)
        except ValueError:
            return 400
        if self._verify is not None and not self._verify(body, headers):
            return 404
        digest = hashlib.sha256(body).digest()
        with self._lock:
            known = digest in self._seen
            self._seen[digest] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        if not known:
            self._wake()
        return 204

    def _wake(self) -> None:
        """Nudge now, or once more at the end of the pause when deliveries come in a burst."""
        with self._lock:
            pause = self._nudged_at + _DEBOUNCE - time.monotonic()
            if pause > 0:
                if self._timer is None:
                    self._timer = threading.Timer(pause, self._wake_late)
                    self._timer.daemon = True
                    self._timer.start()
                return
            self._nudged_at = time.monotonic()
        self._nudge()

    def _wake_late(self) -> None:
        with self._lock:
            self._timer = None
            self._nudged_at = time.monotonic()
        self._nudge()


def asgi_app(token: str | Iterable[str] | None = None, **options: Any) -> Callable[..., Awaitable[None]]:
    """An ASGI application that receives deliveries under ``…/TOKEN``; to be mounted anywhere.

    Args:
        token: As of `Receiver`.
        options: As of `Receiver`.

    Raises:
        ValueError: As of `Receiver`.
    """
    receiver = Receiver(token, **options)

    async def app(scope: _Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        status = receiver.admit(scope["method"], scope["path"], headers.get("content-length"))
        if not status:
            body, more = b"", True
            while more and len(body) <= LARGEST_BODY:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False) and message["type"] == "http.request"
            status = receiver.receive(body, headers)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


def wsgi_app(token: str | Iterable[str] | None = None, **options: Any) -> Callable[..., Iterable[bytes]]:
    """As `asgi_app`, for WSGI."""
    receiver = Receiver(token, **options)
    reasons = {204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Content Too Large"}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        status = receiver.admit(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), length)
        if not status:
            headers = {name[5:].replace("_", "-").lower(): str(v) for name, v in environ.items() if name.startswith("HTTP_")}
            body = environ["wsgi.input"].read(min(int(length) if length.isdecimal() else 0, LARGEST_BODY + 1))
            status = receiver.receive(body, headers)
        start_response(f"{status} {reasons[status]}", [("Content-Length", "0")])
        return [b""]

    return app


def ensure_webhook(
    client: Any,
    url: str,
    *,
    name: str = "mem0-shim",
    event_types: Iterable[str] = EVENT_TYPES,
    project_id: str | None = None,
) -> dict[str, Any]:
    """Let mem0 deliver to a URL, unless it does so already. Other webhooks of the project are not touched.

    The request blocks, for an `AsyncMemoryClient` too, as its constructor does.

    Args:
        client: A hosted client.
        url: Where the receiver is, with the token as its last segment.
        name: The webhook's name on mem0's dashboard.
        event_types: What mem0 delivers.
        project_id: By default the client's own.

    Returns:
        The webhook as mem0 describes it.

    Raises:
        ValueError: The URL is no http(s) URL, or the client knows no project (before mem0ai 0.1.45).
        mem0's own errors, for what the platform refuses.
    """
    from mem0_shim.handle import refusal

    if not url.startswith(("https://", "http://")):
        raise ValueError(f"{url!r} is no URL that mem0 could deliver to")
    project = project_id or getattr(client, "project_id", None)
    if not project:
        raise ValueError("this client knows no project: give project_id (before mem0ai 0.1.45 there are no webhooks)")
    path = f"/api/v1/webhooks/projects/{quote(project, safe='')}/"
    with polling.sync_http(client) as http:
        response = http.get(path)
        if response.is_error:
            raise refusal(response)
        for webhook in response.json():
            if webhook.get("url") == url:
                return dict(webhook)
        response = http.post(path, json={"url": url, "name": name, "event_types": list(event_types), "project_id": project})
        if response.is_error:
            raise refusal(response)
        return dict(response.json())
