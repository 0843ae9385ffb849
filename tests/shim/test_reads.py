"""Reads of a scope whose add is not finished."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
import time
import warnings
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import mem0_shim
import pytest
from mem0_shim import reads

if TYPE_CHECKING:
    from mem0_shim.testing import Mem0Emulator

MESSAGES = [{"role": "user", "content": "I like tea"}]


def make(sdk: Any, platform: Mem0Emulator, **options: Any) -> Any:
    return mem0_shim.wrap(sdk.MemoryClient(api_key="key", host=platform.url), **{"first_delay": 0.05, **options})


def search(client: Any, user: str = "alice") -> Any:
    """As an application of the installed era writes it."""
    if "options" in inspect.signature(type(client).search).parameters:
        return client.search("tea", filters={"user_id": user})
    return client.search("tea", user_id=user)


def get_all(client: Any, user: str = "alice") -> Any:
    if "options" in inspect.signature(type(client).search).parameters:
        return client.get_all(filters={"user_id": user})
    return client.get_all(user_id=user)


def told(action: Any) -> list[Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return [w for w in caught if w.category is mem0_shim.StaleReadWarning]


def test_silent_when_nothing_is_outstanding(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    assert not told(lambda: (search(client), get_all(client)))


def test_silent_for_other_scopes_accounts_threads_and_later(sdk: Any, platform: Mem0Emulator) -> None:
    client, other = make(sdk, platform), mem0_shim.wrap(sdk.MemoryClient(api_key="other", host=platform.url))
    client.add(MESSAGES, user_id="alice")
    assert not told(lambda: search(client, "bob"))
    assert not told(lambda: search(other))
    thread = threading.Thread(target=search, args=(client,))
    assert not told(lambda: (thread.start(), thread.join()))
    brief = make(sdk, platform, stale_seconds=0.05)
    brief.add(MESSAGES, user_id="carol")
    time.sleep(0.06)
    assert not told(lambda: search(brief, "carol"))


def test_silent_when_switched_off_or_finished(sdk: Any, platform: Mem0Emulator) -> None:
    quiet = make(sdk, platform, reads="off")
    quiet.add(MESSAGES, user_id="alice")
    assert not told(lambda: search(quiet))
    client = make(sdk, platform)
    mem0_shim.pending(client.add(MESSAGES, user_id="bob")).result()  # type: ignore[union-attr]
    assert not told(lambda: search(client, "bob"))
    waiting = make(sdk, platform, policy="wait")
    waiting.add(MESSAGES, user_id="carol")
    assert not told(lambda: search(waiting, "carol"))


def test_a_read_after_an_add_is_told_of_at_its_line(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    client.add(MESSAGES, user_id="alice")
    here = inspect.currentframe().f_lineno  # type: ignore[union-attr]
    found = told(lambda: search(client))
    assert [w.filename for w in found] == [__file__]
    assert f"add() at {__file__}:{here - 1} is not finished" in str(found[0].message)
    assert told(lambda: get_all(client))
    assert told(lambda: client.delete_all(user_id="alice"))


def test_changes_of_a_memory_by_its_id(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    memory_id = mem0_shim.pending(client.add(MESSAGES, user_id="alice")).result()  # type: ignore[union-attr]
    memory_id = (memory_id["results"] if isinstance(memory_id, dict) else memory_id)[0]["id"]
    if not hasattr(client, "history"):
        pytest.skip("the stand-in has no such methods")
    assert not told(lambda: client.history(memory_id))
    client.add(MESSAGES, user_id="alice")
    assert told(lambda: client.history(memory_id))
    assert told(lambda: client.get(memory_id))


def test_a_barrier_lets_the_read_see_what_was_written(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform, reads="barrier")
    client.add(MESSAGES, user_id="alice")
    assert not told(lambda: None)
    answer = search(client)
    assert [m["memory"] for m in (answer["results"] if isinstance(answer, dict) else answer)] == ["I like tea"]


def test_a_barrier_that_cannot_wait_tells_and_reads(sdk: Any, platform: Mem0Emulator) -> None:
    platform.adjust(latency=30.0)
    client = make(sdk, platform, reads="barrier", timeout=0.1)
    client.add(MESSAGES, user_id="alice")
    assert told(lambda: search(client))


def test_a_barrier_outlives_a_failed_extraction(sdk: Any, platform: Mem0Emulator, caplog: pytest.LogCaptureFixture) -> None:
    platform.adjust(failure_rate=1.0)
    client = make(sdk, platform, reads="barrier")
    client.add(MESSAGES, user_id="alice")
    assert not told(lambda: search(client))
    assert "has failed" in caplog.text


def test_async(sdk: Any, platform: Mem0Emulator) -> None:
    async def use(**options: Any) -> Any:
        client = mem0_shim.wrap(sdk.AsyncMemoryClient(api_key="key", host=platform.url), first_delay=0.05, **options)
        await client.add(MESSAGES, user_id="alice")
        other = asyncio.create_task(_of_another_task(client))
        await other
        return await search(client)

    async def _of_another_task(client: Any) -> None:
        assert not await asyncio.to_thread(lambda: None)
        with warnings.catch_warnings():
            warnings.simplefilter("error", mem0_shim.StaleReadWarning)
            await search(client)

    found = told(lambda: asyncio.run(use()))
    assert len(found) == 1
    answer = asyncio.run(use(reads="barrier"))
    assert answer["results"] if isinstance(answer, dict) else answer


def test_a_client_for_each_call(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    client.add(MESSAGES, user_id="alice")
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None  # with its connections
    assert told(lambda: search(make(sdk, platform)))
    answer = search(make(sdk, platform, reads="barrier"))
    assert [m["memory"] for m in (answer["results"] if isinstance(answer, dict) else answer)] == ["I like tea"]


def test_error_filters(sdk: Any, platform: Mem0Emulator) -> None:
    client = make(sdk, platform)
    client.add(MESSAGES, user_id="alice")
    with warnings.catch_warnings():
        warnings.simplefilter("error", mem0_shim.StaleReadWarning)
        with pytest.raises(mem0_shim.StaleReadWarning):
            search(client)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, set()),
        ({"query": "x", "filters": None}, set()),
        ({"filters": {"user_id": "*"}}, set()),
        ({"filters": {"user_id": {"ne": "a"}}}, set()),
        ({"filters": {"NOT": [{"user_id": "a"}]}}, set()),
        ({"filters": {"user_id": 3, "AND": "x"}}, set()),
        ({"user_id": "a", "agent_id": None}, {("user_id", "a")}),
        ({"filters": {"user_id": "a"}}, {("user_id", "a")}),
        (
            {"filters": {"AND": [{"user_id": "a"}, {"OR": [{"run_id": {"in": ["r", "s"]}}]}]}},
            {("user_id", "a"), ("run_id", "r"), ("run_id", "s")},
        ),
        ({"options": SimpleNamespace(filters={"app_id": "x"})}, {("app_id", "x")}),
    ],
)
def test_the_entities_of_a_call(arguments: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert reads.entities_of(arguments) == expected
