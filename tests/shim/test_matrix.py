"""Every shape under every policy with both clients of the installed mem0ai, over real HTTP."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import mem0_shim
import pytest
from mem0_shim.receipt import TrackedDict, TrackedList
from mem0_shim.testing import Mem0Emulator

MESSAGES = [{"role": "user", "content": "I like tea"}]


@pytest.mark.mem0ai
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("shape", ["message", "nested", "list", "flat-message", "flat"])
@pytest.mark.parametrize("policy", ["off", "warn", "raise", "wait"])
def test_an_add(policy: str, shape: str, is_async: bool, platform: Mem0Emulator) -> None:
    import mem0

    platform.adjust(shape=shape, honours_async_mode=False)
    kind: Any = mem0.AsyncMemoryClient if is_async else mem0.MemoryClient

    def add(user: str) -> Any:
        client = kind(api_key="key", host=platform.url)
        answer = client.add(MESSAGES, user_id=user)
        return asyncio.run(_awaited(answer)) if is_async else answer

    plain = add("alice")
    assert type(plain) in (dict, list)
    mem0_shim.install(policy, first_delay=0.05)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = add("bob")
    told = [w.category for w in caught if issubclass(w.category, mem0_shim.PendingMemoryWarning)]
    if policy == "wait" and shape != "message":
        items = answer["results"] if isinstance(answer, dict) else answer
        assert type(answer) is (list if shape == "list" else dict)
        assert [item["memory"] for item in items] == ["I like tea"]
        assert not told
        return
    assert told == ([mem0_shim.UnwaitableReceiptWarning] if policy == "wait" else [])
    assert isinstance(answer, TrackedDict | TrackedList) == (policy != "off")
    assert mem0_shim.is_receipt(answer)
    assert _shape_of(answer) == _shape_of(plain)


async def _awaited(answer: Any) -> Any:
    return await answer


def _shape_of(answer: Any) -> Any:
    """An answer without the values, which differ from add to add."""
    if isinstance(answer, dict):
        return {key: _shape_of(value) for key, value in answer.items()}
    return [_shape_of(value) for value in answer] if isinstance(answer, list) else type(answer)
