"""The policy ``wait`` and handles, over real HTTP: every shape, both clients, threads, asyncio and trio."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mem0_shim
import pytest
from mem0_shim import polling
from mem0_shim.testing import Mem0Emulator, Refusal

SHIM = Path(__file__).parents[2] / "shim"
SHAPES = ("nested", "list", "flat-message", "flat")
MESSAGES = [{"role": "user", "content": "I like tea"}]
FAST: dict[str, Any] = {"first_delay": 0.05, "longest_delay": 0.2}


@pytest.fixture(autouse=True)
def _pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of other things than the pace do not wait for it."""
    monkeypatch.setattr(polling, "POLLS_PER_SECOND", 200.0)


def make(sdk: Any, platform: Mem0Emulator, **options: Any) -> Any:
    return mem0_shim.wrap(sdk.MemoryClient(api_key="key", host=platform.url), **{"policy": "wait", **FAST, **options})


def make_async(sdk: Any, platform: Mem0Emulator, **options: Any) -> Any:
    return mem0_shim.wrap(sdk.AsyncMemoryClient(api_key="key", host=platform.url), **{"policy": "wait", **FAST, **options})


def polls(platform: Mem0Emulator) -> list[str]:
    return [request.path for request in platform.requests if request.path.startswith("/v1/event")]


def texts(answer: Any) -> list[str]:
    """Read an answer as legacy code does."""
    return [item["memory"] for item in (answer["results"] if isinstance(answer, dict) else answer)]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_old_contract(sdk: Any, platform: Mem0Emulator, shape: str) -> None:
    platform.adjust(shape=shape, entries=2, honours_async_mode=False)
    answer = make(sdk, platform).add(MESSAGES, user_id="alice")
    assert type(answer) is (list if shape == "list" else dict)
    assert texts(answer) == ["I like tea"]
    assert ("relations" in answer) == (shape == "nested")
    [item] = answer if shape == "list" else answer["results"]
    assert item["id"] == platform.memories[0].id
    assert item["event"] == "ADD"
    assert item["data"] == {"memory": "I like tea"}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_old_contract_async(sdk: Any, platform: Mem0Emulator, shape: str) -> None:
    platform.adjust(shape=shape, honours_async_mode=False)

    async def use() -> Any:
        client = make_async(sdk, platform)
        return await asyncio.gather(*(client.add(MESSAGES, user_id=user) for user in ("alice", "bob")))

    assert [texts(answer) for answer in asyncio.run(use(), debug=True)] == [["I like tea"], ["I like tea"]]


@pytest.mark.needs("trio")
def test_on_trio(sdk: Any, platform: Mem0Emulator) -> None:
    import trio

    platform.adjust(honours_async_mode=False)

    async def use() -> Any:
        return await make_async(sdk, platform).add(MESSAGES, user_id="alice")

    assert texts(trio.run(use)) == ["I like tea"]


@pytest.mark.parametrize("is_async", [False, True])
def test_the_synchronous_mode_is_asked_for_where_the_era_honours_it(sdk: Any, platform: Mem0Emulator, is_async: bool) -> None:
    honours = "options" not in inspect.signature(sdk.MemoryClient.add).parameters
    for asked, sent in ((..., False if honours else None), (None, False if honours else None), (True, True), (False, False)):
        platform.reset()
        more = {} if asked is ... else {"async_mode": asked}
        if is_async:
            answer = asyncio.run(_add_once(sdk, platform, more))
        else:
            answer = make(sdk, platform).add(MESSAGES, user_id="alice", **more)
        [body] = [r.body for r in platform.requests if r.method == "POST"]
        assert body.get("async_mode") is sent
        assert mem0_shim.is_receipt(answer) == (asked is True)


async def _add_once(sdk: Any, platform: Mem0Emulator, more: dict[str, Any]) -> Any:
    return await make_async(sdk, platform).add(MESSAGES, user_id="alice", **more)


def test_nothing_extracted_is_a_success(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(empty=True, shape="flat", honours_async_mode=False)
    assert make(sdk, platform).add(MESSAGES, user_id="alice") == {"results": []}


def test_failure_is_raised_as_mem0s_own_error(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(failure_rate=1.0, honours_async_mode=False)
    with pytest.raises(mem0_shim.ExtractionFailed, match=r"add\(\) at .*test_wait.py:\d+: Extraction failed") as caught:
        make(sdk, platform).add(MESSAGES, user_id="alice")
    error = caught.value
    assert error.details["status"] == "FAILED"
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.event_ids) == (str(error), error.event_ids)
    exceptions = sys.modules.get("mem0.exceptions")
    if "mem0" in sys.modules and exceptions is not None:
        assert isinstance(error, exceptions.MemoryError)


def test_a_timeout_hands_out_a_token_and_does_not_add_again(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.8, honours_async_mode=False)
    client = make(sdk, platform, timeout=0.3)
    began = time.monotonic()
    with pytest.raises(mem0_shim.PendingTimeout, match="was accepted") as caught:
        client.add(MESSAGES, user_id="alice")
    assert time.monotonic() - began < 0.75
    assert isinstance(caught.value, TimeoutError)
    error = pickle.loads(pickle.dumps(caught.value))
    assert "key" not in json.dumps(error.token)
    assert len([r for r in platform.requests if r.method == "POST"]) == 1
    handle = mem0_shim.PendingAdd.from_token(error.token, sdk.MemoryClient(api_key="key", host=platform.url))
    assert handle.event_ids == error.event_ids
    assert texts(handle.result(5)) == ["I like tea"]


@pytest.mark.parametrize("token", ["", "x", "e30", "bm90IGpzb24"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="not a token"):
        mem0_shim.PendingAdd.from_token(token, None)


def test_a_token_is_for_its_host(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform, policy="warn")
    handle = mem0_shim.pending(client.add(MESSAGES, user_id="alice"))
    assert handle is not None
    with Mem0Emulator() as other, pytest.raises(ValueError, match="is for the host"):
        mem0_shim.PendingAdd.from_token(handle.token, sdk.MemoryClient(api_key="key", host=other.url))


def test_a_storm_of_429_is_waited_out(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(honours_async_mode=False)
    client = make(sdk, platform)
    platform.adjust(refuse=Refusal(count=3, status=429, retry_after=0.3, path="/v1/event"))
    assert texts(client.add(MESSAGES, user_id="alice")) == ["I like tea"]
    refused = [r.at for r in platform.requests if r.status == 429]
    later = [r.at for r in platform.requests if r.path.startswith("/v1/event")][1:]
    assert all(after - before >= 0.29 for before, after in zip(refused, later, strict=False))


@pytest.mark.parametrize("status", [500, 503, 408])
def test_errors_of_the_server_are_waited_out(sdk: Any, platform: Mem0Emulator, status: int) -> None:
    platform.adjust(honours_async_mode=False)
    client = make(sdk, platform)
    platform.adjust(refuse=Refusal(count=2, status=status, path="/v1/event"))
    assert texts(client.add(MESSAGES, user_id="alice")) == ["I like tea"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_wait_at_once(sdk: Any, platform: Mem0Emulator, status: int) -> None:
    platform.adjust(honours_async_mode=False)
    client = make(sdk, platform)
    platform.adjust(refuse=Refusal(count=9, status=status, path="/v1/event"))
    with pytest.raises(Exception, match=str(status) + "|Refused|401|403") as caught:
        client.add(MESSAGES, user_id="alice")
    assert type(caught.value).__module__.partition(".")[0] in ("mem0", "httpx")
    assert len(polls(platform)) == 1


def test_an_unknown_event_is_asked_for_a_few_times(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    handle = mem0_shim.pending({"event_id": "00000000-0000-0000-0000-000000000000", "status": "PENDING"}, client)
    assert handle is not None
    with pytest.raises(Exception, match="404|not found") as caught:
        handle.result(5)
    assert type(caught.value).__module__.partition(".")[0] in ("mem0", "httpx")
    assert len(polls(platform)) == 4


def test_a_restart_while_waiting(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.5, honours_async_mode=False)
    client = make(sdk, platform)
    restart = threading.Timer(0.2, platform.restart, args=(0.6,))
    restart.start()
    assert texts(client.add(MESSAGES, user_id="alice")) == ["I like tea"]
    restart.join()


def test_a_closed_client_is_named(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform, policy="warn")
    handle = mem0_shim.pending(client.add(MESSAGES, user_id="alice"))
    assert handle is not None
    client.client.close()
    with pytest.raises(mem0_shim.PendingUnavailable, match="client is closed.*was accepted") as caught:
        handle.result()
    assert caught.value.token == handle.token


def test_several_waiters_poll_once(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.6)
    client = make(sdk, platform, policy="warn")
    receipt = client.add(MESSAGES, user_id="alice")
    handles = [mem0_shim.pending(receipt) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda handle: handle.result(), handles))
    together = len(polls(platform))
    assert [texts(answer) for answer in answers] == [["I like tea"]] * 8
    assert together <= 9  # 0.05, x1.3, at most 0.2 seconds: what a single waiter sends


def test_many_events_are_looked_up_in_the_list(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.3, page_size=7)

    async def use() -> Any:
        client = make_async(sdk, platform, policy="warn", first_delay=0.4, spread=0)
        receipts = [await client.add(MESSAGES, user_id=f"u{n}") for n in range(30)]
        return await asyncio.gather(*(mem0_shim.pending(receipt) for receipt in receipts))  # type: ignore[arg-type]

    assert [texts(answer) for answer in asyncio.run(use())] == [["I like tea"]] * 30
    assert "/v1/events/" in polls(platform)
    assert len(polls(platform)) <= 20


def test_a_missing_list_is_made_up_for(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.2)

    async def use() -> Any:
        client = make_async(sdk, platform, policy="warn", first_delay=0.3, spread=0)
        receipts = [await client.add(MESSAGES, user_id=f"u{n}") for n in range(6)]
        platform.adjust(refuse=Refusal(count=1, status=404, path="/v1/events/"))
        return await asyncio.gather(*(mem0_shim.pending(receipt) for receipt in receipts))  # type: ignore[arg-type]

    assert [texts(answer) for answer in asyncio.run(use())] == [["I like tea"]] * 6


def test_the_pace_of_polls(sdk: Any, platform: Mem0Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "POLLS_PER_SECOND", 10.0)
    platform.adjust(latency=0.6)
    client = make(sdk, platform, policy="warn", first_delay=0.01, longest_delay=0.02)
    handles = [mem0_shim.pending(client.add(MESSAGES, user_id=f"u{n}")) for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda handle: handle.result(), handles))
    at = [r.at for r in platform.requests if r.path.startswith("/v1/event")]
    assert len(at) <= (at[-1] - at[0]) * 10 + 2


def test_cancelling_a_task_ends_the_wait_at_once(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=30.0, honours_async_mode=False)

    async def use() -> float:
        task = asyncio.create_task(make_async(sdk, platform, first_delay=5).add(MESSAGES, user_id="alice"))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(use()) < 0.1


def test_a_cancelled_wait_leaves_its_token_in_the_log(sdk: Any, platform: Mem0Emulator, caplog: pytest.LogCaptureFixture) -> None:
    async def use() -> Any:
        client = make_async(sdk, platform)
        task = asyncio.ensure_future(client.add(MESSAGES, user_id="alice"))
        while not polls(platform):  # noqa: ASYNC110 - then the add has been accepted
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await mem0_shim.PendingAdd.from_token(caplog.records[-1].mem0_token, client).aresult()  # type: ignore[attr-defined]

    platform.adjust(latency=0.6, honours_async_mode=False)
    with caplog.at_level("INFO", "mem0_shim"):
        assert texts(asyncio.run(use())) == ["I like tea"]


def test_another_waiter_goes_on_when_the_polling_one_is_cancelled(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.5)

    async def use() -> Any:
        client = make_async(sdk, platform, policy="warn")
        receipt = await client.add(MESSAGES, user_id="alice")
        first, second = (asyncio.ensure_future(mem0_shim.pending(receipt).aresult()) for _ in range(2))  # type: ignore[union-attr]
        await asyncio.sleep(0.1)
        first.cancel()
        return await second

    assert texts(asyncio.run(use())) == ["I like tea"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_the_wait_at_once(platform: Mem0Emulator) -> None:
    platform.adjust(latency=30.0)
    program = f"""
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have the tests in the background, without SIGINT
sys.path[:0] = {[str(Path(__file__).parent), str(SHIM)]!r}
import mem0_shim, stand_in
sys.modules["mem0.client.main"] = sdk = stand_in.make_http_module()
client = mem0_shim.wrap(sdk.MemoryClient(host={platform.url!r}), policy="wait", first_delay=20)
print("waiting", flush=True)
try:
    client.add({MESSAGES!r}, user_id="alice")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - began < 1


def test_waiting_on_a_running_loop_is_told_of(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(honours_async_mode=False)

    async def use() -> Any:
        return make(sdk, platform).add(MESSAGES, user_id="alice")

    with pytest.warns(mem0_shim.BlockingWaitWarning) as caught:
        assert texts(asyncio.run(use())) == ["I like tea"]
    assert [w.filename for w in caught if w.category is mem0_shim.BlockingWaitWarning] == [__file__]


def test_a_receipt_without_an_event_id_cannot_be_waited_for(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(shape="message", honours_async_mode=False)
    with pytest.warns(mem0_shim.UnwaitableReceiptWarning):
        answer = make(sdk, platform).add(MESSAGES, user_id="alice")
    handle = mem0_shim.pending(answer)
    assert handle is not None
    with pytest.raises(mem0_shim.PendingUnavailable, match="no event id"):
        handle.result()


def test_handles(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=0.4)
    client = make(sdk, platform, policy="warn")
    plain = json.loads(json.dumps(client.add(MESSAGES, user_id="alice")))
    handle = mem0_shim.pending(plain, client)
    assert handle is not None
    assert not handle.done()
    assert handle.status() in ("PENDING", "RUNNING")
    with pytest.raises(mem0_shim.PendingTimeout):
        handle.result(0)
    assert texts(handle.result()) == ["I like tea"]
    assert (handle.done(), handle.status()) == (True, "SUCCEEDED")
    with pytest.raises(mem0_shim.PendingUnavailable, match="no client"):
        mem0_shim.pending(plain).result()  # type: ignore[union-attr]
    assert mem0_shim.pending({"results": []}) is None
    assert mem0_shim.pending(None) is None


def test_a_handle_goes_by_the_settings_of_the_process(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=30.0)
    client = sdk.MemoryClient(api_key="key", host=platform.url)
    mem0_shim.install("warn", first_delay=0.01, timeout=0.0)
    answer = client.add(MESSAGES, user_id="alice")
    with pytest.raises(mem0_shim.PendingTimeout, match="after 0 seconds"):
        mem0_shim.pending(answer).result()  # type: ignore[union-attr]


def test_a_handle_of_either_client_works_in_threads_and_on_loops(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform, policy="warn")

    async def use() -> Any:
        return await mem0_shim.pending(client.add(MESSAGES, user_id="alice"))  # type: ignore[misc]

    assert texts(asyncio.run(use())) == ["I like tea"]

    async def add() -> Any:
        return await make_async(sdk, platform, policy="warn").add(MESSAGES, user_id="bob")

    assert texts(mem0_shim.pending(asyncio.run(add())).result()) == ["I like tea"]  # type: ignore[union-attr]


def test_infer_false_comes_back_in_the_old_shape(sdk: Any, platform: Mem0Emulator) -> None:
    assert texts(make(sdk, platform).add(MESSAGES, user_id="alice", infer=False)) == ["I like tea"]


def test_an_exception_of_the_sdk_passes(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    platform.adjust(refuse=Refusal(count=1, status=400, path="/v"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", mem0_shim.PendingMemoryWarning)
        with pytest.raises(Exception, match=".") as caught:
            client.add(MESSAGES, user_id="alice")
    assert type(caught.value).__module__.partition(".")[0] in ("mem0", "httpx")
