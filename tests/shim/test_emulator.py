"""The emulated platform over real HTTP, without mem0ai."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from mem0_shim.testing import Knobs, Mem0Emulator, Refusal

SHIM = Path(__file__).parents[2] / "shim"
MESSAGES = [{"role": "user", "content": "I like tea"}, {"role": "assistant", "content": "Noted"}]
BODY = {"messages": MESSAGES, "user_id": "alice"}


@pytest.fixture
def http(platform: Mem0Emulator) -> Any:
    with httpx.Client(base_url=platform.url, headers={"Authorization": "Token key"}) as client:
        yield client


def finished(http: httpx.Client, event_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        event: dict[str, Any] = http.get(f"/v1/event/{event_id}/").json()
        if event["status"] in ("SUCCEEDED", "FAILED"):
            return event
        time.sleep(0.02)
    pytest.fail("the event did not end within 5 seconds")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/memories/", {"messages": "I like tea", "user_id": "a"}, 400),
        ("POST", "/v1/memories/", {"user_id": "a"}, 400),
        ("POST", "/v1/memories/", {"messages": MESSAGES}, 400),
        ("POST", "/v1/memories/", {"messages": ["x"], "user_id": "a"}, 400),
        ("POST", "/v3/memories/add/", {"messages": [{"role": "robot", "content": "x"}], "user_id": "a"}, 400),
        ("POST", "/v3/memories/add/", [], 400),
        ("POST", "/v3/memories/search/", {"query": "x"}, 400),
        ("POST", "/v3/memories/search/", {"query": "", "filters": {}}, 400),
        ("POST", "/v3/memories/", {"filters": {}, "page_size": 500}, 400),
        ("POST", "/v1/memories/search/", {"query": "x"}, 400),
        ("GET", "/v1/memories/", None, 400),
        ("GET", "/v1/memories/not-a-uuid/", None, 400),
        ("GET", "/v1/memories/00000000-0000-0000-0000-000000000000/", None, 404),
        ("GET", "/v1/event/00000000-0000-0000-0000-000000000000/", None, 404),
        ("GET", "/api/v1/webhooks/projects/other/", None, 403),
        ("PUT", "/api/v1/webhooks/wh_none/", {}, 404),
        ("DELETE", "/v2/entities/robot/x/", None, 400),
        ("PATCH", "/v1/ping/", None, 405),
        ("GET", "/v9/", None, 404),
        ("PATCH", "/_emulator/knobs", {"latency": -1}, 400),
        ("PATCH", "/_emulator/knobs", {"latnecy": 1}, 400),
        ("PATCH", "/_emulator/knobs", {"refuse": {"times": 1}}, 400),
        ("POST", "/_emulator/restart", {"downtime": "long"}, 400),
    ],
)
def test_refuses(http: httpx.Client, method: str, path: str, body: Any, status: int) -> None:
    assert http.request(method, path, json=body).status_code == status


def test_refuses_what_is_not_json_and_keys_that_are_invalid(http: httpx.Client) -> None:
    assert http.post("/v1/memories/", content=b"{").status_code == 400
    assert http.get("/v1/ping/", headers={"Authorization": "Token invalid-1"}).status_code == 401
    assert http.get("/v1/ping/", headers={"Authorization": "Bearer key"}).status_code == 401


@pytest.mark.parametrize(
    "knobs", [{"mode": "async"}, {"shape": "round"}, {"failure_rate": 2}, {"latency": "1"}, {"empty": 1}, {"entries": 0}]
)
def test_knobs_refuse(knobs: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(knobs))):
        Knobs().adjusted(**knobs)


ENTRY = {"message", "status", "event_id"}


@pytest.mark.parametrize(
    ("path", "more", "shape", "expected"),
    [
        ("/v1/memories/", {}, "auto", "list"),
        ("/v1/memories/", {"output_format": "v1.1"}, "auto", "nested"),
        ("/v3/memories/add/", {}, "auto", "flat"),
        *(("/v3/memories/add/", {}, shape, shape) for shape in ("message", "nested", "list", "flat-message", "flat")),
    ],
)
def test_shapes_of_receipts(http: httpx.Client, platform: Mem0Emulator, path: str, more: Any, shape: str, expected: str) -> None:
    platform.adjust(shape=shape, entries=2)
    answer = http.post(path, json=BODY | more).json()
    if expected == "list":
        assert [set(entry) for entry in answer] == [ENTRY, ENTRY]
        assert answer[0]["event_id"] == answer[1]["event_id"]
    elif expected == "nested":
        assert [set(entry) for entry in answer["results"]] == [ENTRY, ENTRY]
    elif expected == "message":
        assert [set(entry) for entry in answer["results"]] == [{"message"}]
    else:
        assert set(answer) == (ENTRY if expected == "flat-message" else {"event_id", "status"})


def test_a_queued_memory_exists_only_when_its_event_has_succeeded(http: httpx.Client) -> None:
    receipt = http.post("/v3/memories/add/", json=BODY).json()
    search = {"query": "tea", "filters": {"user_id": "alice"}}
    assert http.post("/v3/memories/search/", json=search).json() == {"results": []}
    event = finished(http, receipt["event_id"])
    assert [(item["event"], item["data"]) for item in event["results"]] == [("ADD", {"memory": "I like tea"})]
    assert [m["id"] for m in http.post("/v3/memories/search/", json=search).json()["results"]] == [event["results"][0]["id"]]
    assert http.post("/v3/memories/search/", json={"query": "tea", "filters": {"user_id": "bob"}}).json() == {"results": []}
    other = httpx.post(platform_of(http) + "/v3/memories/search/", json=search, headers={"Authorization": "Token other"})
    assert other.json() == {"results": []}


def platform_of(http: httpx.Client) -> str:
    return str(http.base_url).rstrip("/")


def test_sync_mode_and_async_mode_false_answer_with_memories(http: httpx.Client, platform: Mem0Emulator) -> None:
    v11 = http.post("/v1/memories/", json=BODY | {"async_mode": False, "output_format": "v1.1"}).json()
    assert [item["memory"] for item in v11["results"]] == ["I like tea"]
    platform.adjust(mode="sync")
    v10 = http.post("/v1/memories/", json=BODY | {"user_id": "bob"}).json()
    assert [item["data"]["memory"] for item in v10] == ["I like tea"]
    assert http.post("/v1/memories/", json=BODY | {"user_id": "c", "async_mode": True}).json()[0]["status"] == "PENDING"
    platform.adjust(mode="queued", honours_async_mode=False)
    assert http.post("/v1/memories/", json=BODY | {"user_id": "d", "async_mode": False}).json()[0]["status"] == "PENDING"


def test_infer_false_is_synchronous_on_v3(http: httpx.Client) -> None:
    answer = http.post("/v3/memories/add/", json=BODY | {"infer": False}).json()
    assert answer["status"] == "SUCCEEDED"
    assert [item["data"]["memory"] for item in answer["results"]] == ["I like tea", "Noted"]
    assert finished(http, answer["event_id"])["results"] == answer["results"]


def test_the_same_text_in_the_same_scope_is_stored_once(http: httpx.Client) -> None:
    finished(http, http.post("/v3/memories/add/", json=BODY).json()["event_id"])
    again = finished(http, http.post("/v3/memories/add/", json=BODY).json()["event_id"])
    assert (again["status"], again["results"]) == ("SUCCEEDED", [])


def test_update_delete_history_and_entities(http: httpx.Client) -> None:
    [item] = finished(http, http.post("/v3/memories/add/", json=BODY).json()["event_id"])["results"]
    path = f"/v1/memories/{item['id']}/"
    assert http.put(path, json={"text": "I like coffee"}).json()["memory"] == "I like coffee"
    assert http.get("/v1/entities/").json()["total_users"] == 1
    assert http.delete(path).status_code == 200
    assert http.get(path).status_code == 404
    changes = [(h["event"], h["old_memory"], h["new_memory"]) for h in http.get(path + "history/").json()]
    assert changes == [
        ("ADD", None, "I like tea"),
        ("UPDATE", "I like tea", "I like coffee"),
        ("DELETE", "I like coffee", "I like coffee"),
    ]


def test_delete_all_is_queued(http: httpx.Client) -> None:
    finished(http, http.post("/v3/memories/add/", json=BODY).json()["event_id"])
    answer = http.delete("/v1/memories/", params={"user_id": "alice"}).json()
    assert len(http.get("/v1/memories/", params={"user_id": "alice"}).json()) == 1
    finished(http, answer["event_id"])
    assert http.get("/v1/memories/", params={"user_id": "alice"}).json() == []


def test_failures_and_empty_results(http: httpx.Client, platform: Mem0Emulator) -> None:
    platform.adjust(failure_rate=1.0, latency=0.0)
    failed = finished(http, http.post("/v3/memories/add/", json=BODY).json()["event_id"])
    assert failed["status"] == "FAILED"
    assert failed["error"]
    assert not platform.memories
    platform.adjust(failure_rate=0.0, empty=True)
    assert finished(http, http.post("/v3/memories/add/", json=BODY).json()["event_id"])["results"] == []


def test_filters(http: httpx.Client, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.0)
    for user, agent in (("a", "x"), ("a", "y"), ("b", "x")):
        http.post("/v3/memories/add/", json={"messages": MESSAGES, "user_id": user, "agent_id": agent})

    def found(filters: Any) -> list[tuple[str, str]]:
        answer = http.post("/v3/memories/", json={"filters": filters}).json()
        return [(m["user_id"], m["agent_id"]) for m in answer["results"]]

    assert found({"AND": [{"user_id": "a"}, {"agent_id": "y"}]}) == [("a", "y")]
    assert found({"OR": [{"user_id": "b"}, {"agent_id": "y"}]}) == [("a", "y"), ("b", "x")]
    assert found({"NOT": [{"user_id": "a"}]}) == [("b", "x")]
    assert found({"user_id": {"in": ["b"]}}) == [("b", "x")]
    assert found({"user_id": {"ne": "b"}}) == [("a", "x"), ("a", "y")]
    assert len(found({"user_id": "*"})) == 3


def test_a_storm_of_429_passes(http: httpx.Client, platform: Mem0Emulator) -> None:
    platform.adjust(refuse=Refusal(count=2, status=429, retry_after=1, path="/v1/event"))
    assert http.get("/v1/ping/").status_code == 200
    refusals = [http.get("/v1/events/") for _ in range(3)]
    assert [r.status_code for r in refusals] == [429, 429, 200]
    assert refusals[0].headers["Retry-After"] == "1"


def test_a_restart_loses_nothing(http: httpx.Client, platform: Mem0Emulator) -> None:
    event_id = http.post("/v3/memories/add/", json=BODY).json()["event_id"]
    restart = threading.Thread(target=platform.restart, args=(0.4,))
    restart.start()
    time.sleep(0.2)
    with pytest.raises(httpx.TransportError):
        http.get("/v1/ping/")
    restart.join()
    assert finished(http, event_id)["status"] == "SUCCEEDED"


def test_webhooks_are_called(http: httpx.Client, platform: Mem0Emulator) -> None:
    received: list[Any] = []
    arrived = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        project = http.get("/v1/ping/").json()["project_id"]
        url = f"http://127.0.0.1:{server.server_port}/hook"
        made = http.post(f"/api/v1/webhooks/projects/{project}/", json={"name": "n", "url": url, "event_types": ["memory_add"]})
        assert made.status_code == 201
        http.post("/v3/memories/add/", json=BODY)
        assert arrived.wait(5)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    [body] = received
    assert body == {"event_details": {"id": platform.memories[0].id, "data": {"memory": "I like tea"}, "event": "ADD"}}


def test_the_same_seed_gives_the_same_ids_whether_queued_or_not() -> None:
    ids = []
    for mode in ("sync", "queued"):
        with Mem0Emulator(mode=mode, latency=0.0, seed=7) as platform:
            for user in "ab":
                httpx.post(platform.url + "/v1/memories/", json=BODY | {"user_id": user}, headers={"Authorization": "Token k"})
            ids.append([m.id for m in platform.memories])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_control_over_http(http: httpx.Client) -> None:
    knobs = http.patch("/_emulator/knobs", json={"latency": 0, "refuse": {"count": 1, "status": 503}}).json()
    assert knobs["refuse"]["status"] == 503
    assert http.get("/v1/ping/").status_code == 503
    assert [r["path"] for r in http.get("/_emulator/requests").json()] == ["/v1/ping/"]
    http.post("/_emulator/reset")
    assert http.get("/_emulator/requests").json() == []


def test_as_a_program() -> None:
    command = [sys.executable, "-m", "mem0_shim.testing", "--latency", "0", "--mode", "sync"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=SHIM) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = httpx.post(url + "/v1/memories/", json=BODY, headers={"Authorization": "Token k"}).json()
        process.terminate()
        assert process.wait(10) == 0
    assert answer[0]["data"] == {"memory": "I like tea"}


def test_as_a_program_names_what_is_wrong() -> None:
    command = [sys.executable, "-m", "mem0_shim.testing", "--failure-rate", "3"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=SHIM, check=False)
    assert result.returncode == 2
    assert "failure_rate is 3.0" in result.stderr
