"""The receiver of webhooks: what it refuses, what it wakes, and how much sooner a wait ends."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import mem0_shim
import pytest
from mem0_shim import webhook

if TYPE_CHECKING:
    from mem0_shim.testing import Mem0Emulator

TOKEN, OLD_TOKEN = "a" * 32, "b" * 32
BODY = json.dumps({"event_details": {"id": "m", "data": {"memory": "x"}, "event": "ADD"}}).encode()
MESSAGES = [{"role": "user", "content": "I like tea"}]


def by_asgi(app: Any, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    sent: list[Any] = []
    parts = [body[:10], body[10:]]

    async def receive() -> Any:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(app({"type": "http", "method": method, "path": path, "headers": raw}, receive, send))
    return int(sent[0]["status"])


def by_wsgi(app: Any, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    told: list[str] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    assert b"".join(app(environ, lambda status, _: told.append(status))) == b""
    return int(told[0].split()[0])


@pytest.fixture(params=["asgi", "wsgi"])
def deliver(request: pytest.FixtureRequest) -> Any:
    make = webhook.asgi_app if request.param == "asgi" else webhook.wsgi_app
    send = by_asgi if request.param == "asgi" else by_wsgi

    def prepare(**options: Any) -> Any:
        app = make([TOKEN, OLD_TOKEN], **options)
        return lambda method="POST", path=f"/hooks/{TOKEN}", body=BODY, headers={}: send(app, method, path, body, headers)

    return prepare


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"path": "/hooks/"}, 404),
        ({"path": "/"}, 404),
        ({"path": f"/hooks/{TOKEN[:-1]}"}, 404),
        ({"path": f"/hooks/{TOKEN}x"}, 404),
        ({"path": f"/hooks/{TOKEN}/more"}, 404),
        ({"path": f"/hooks/{TOKEN.upper()}"}, 404),
        ({"path": "/hooks/ä"}, 404),
        ({"method": "GET", "path": "/hooks/x"}, 404),
        ({"method": "GET"}, 405),
        ({"body": b"x" * (64 * 1024 + 1)}, 413),
        ({"body": b"x" * 200_000}, 413),
        ({"body": b"{"}, 400),
        ({"body": b"\xff\xfe\x00"}, 400),
        ({"headers": {"X-Refuse": "1"}}, 404),
    ],
)
def test_refuses(deliver: Any, request_: dict[str, Any], status: int) -> None:
    nudges: list[int] = []
    send = deliver(nudge=lambda: nudges.append(1), verify=lambda _, headers: "x-refuse" not in headers)
    assert send(**request_) == status
    assert not nudges


def test_accepts_every_current_token_and_ignores_duplicates(deliver: Any) -> None:
    nudges: list[int] = []
    send = deliver(nudge=lambda: nudges.append(1))
    assert [send(), send(), send(path=f"/{OLD_TOKEN}/", body=BODY)] == [204, 204, 204]
    assert len(nudges) == 1
    for number in range(20):
        send(body=json.dumps(number).encode())
    time.sleep(0.25)
    assert 2 <= len(nudges) <= 4  # a burst is one nudge at once and one at its end


@pytest.mark.parametrize("token", ["", "short", [], ["a" * 32, "short"], None])
def test_a_token_is_needed(token: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEM0_WEBHOOK_TOKEN", raising=False)
    with pytest.raises(ValueError, match="secret token"):
        webhook.Receiver(token)
    monkeypatch.setenv("MEM0_WEBHOOK_TOKEN", TOKEN)
    assert webhook.Receiver().admit("POST", f"/{TOKEN}", None) == 0


def test_lifespan() -> None:
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(webhook.asgi_app(TOKEN)({"type": "lifespan"}, receive, send))  # type: ignore[arg-type]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.fixture
def receiver_url() -> Iterator[str]:
    """A receiver on loopback that wakes the waits of this process."""

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = make_server("127.0.0.1", 0, webhook.wsgi_app(TOKEN), handler_class=Silent)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/{TOKEN}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.mem0ai
def test_a_delivery_wakes_a_wait(platform: Mem0Emulator, receiver_url: str) -> None:
    import mem0

    platform.adjust(latency=0.5, honours_async_mode=False)
    client = mem0_shim.wrap(mem0.MemoryClient(api_key="key", host=platform.url), policy="wait", first_delay=10)
    if not getattr(client, "project_id", None):
        with pytest.raises(ValueError, match="project_id"):
            webhook.ensure_webhook(client, receiver_url)
        return
    webhook.ensure_webhook(client, receiver_url)
    began = time.monotonic()
    client.add(MESSAGES, user_id="alice")
    assert 0.4 < time.monotonic() - began < 2


@pytest.mark.mem0ai
def test_ensure_webhook_is_idempotent_and_leaves_others_alone(platform: Mem0Emulator) -> None:
    import mem0

    for client in (mem0.MemoryClient(api_key="key", host=platform.url), mem0.AsyncMemoryClient(api_key="key", host=platform.url)):
        project = "proj_2c70e12b7a06"  # of the key "key" on the emulator
        other = {"name": "other", "url": "https://example.com/other", "event_types": ["memory_add"]}
        with mem0_shim.webhook.polling.sync_http(client) as http:
            platform.reset()
            http.post(f"/api/v1/webhooks/projects/{project}/", json=other)
            made = [webhook.ensure_webhook(client, f"https://example.com/{TOKEN}", project_id=project) for _ in range(2)]
            listed = http.get(f"/api/v1/webhooks/projects/{project}/").json()
        assert made[0] == made[1]
        assert [hook["url"] for hook in listed] == ["https://example.com/other", f"https://example.com/{TOKEN}"]
        with pytest.raises(ValueError, match="no URL"):
            webhook.ensure_webhook(client, "localhost:8000", project_id=project)
        with pytest.raises(Exception, match="403|access|Refused") as caught:
            webhook.ensure_webhook(client, f"https://example.com/{TOKEN}", project_id="another")
        assert type(caught.value).__module__.partition(".")[0] in ("mem0", "httpx")
