"""Clients with the names and signatures of mem0ai's, for the tests that run without it."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

_QUEUED = "Memory processing has been queued for background execution"
_numbers = itertools.count(1)


def receipt(shape: str) -> Any:
    """A receipt in one of the five shapes."""
    event_id = f"00000000-0000-0000-0000-{next(_numbers):012}"
    entry = {"message": _QUEUED, "status": "PENDING", "event_id": event_id}
    shapes: dict[str, Any] = {
        "message": {"results": [{"message": _QUEUED}]},
        "nested": {"results": [entry], "relations": []},
        "list": [entry],
        "flat-message": entry,
        "flat": {"event_id": event_id, "status": "PENDING"},
    }
    return shapes[shape]


def make_module() -> Any:
    """Something like ``mem0.client.main`` of 2.x."""

    class MemoryClient:
        def __init__(self, api_key: str = "key", host: str = "http://127.0.0.1:9") -> None:
            self.api_key = api_key
            self.host = host
            self.answer: Any = None

        def add(self, messages: Any, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            """Add a new memory."""
            return self.answer

    class AsyncMemoryClient(MemoryClient):
        async def add(self, messages: Any, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            """Add a new memory."""
            return self.answer

    return SimpleNamespace(MemoryClient=MemoryClient, AsyncMemoryClient=AsyncMemoryClient)


def make_http_module() -> Any:
    """As `make_module`, with clients that talk to a platform as those of 2.x do."""
    import httpx

    class MemoryClient:
        def __init__(self, api_key: str = "key", host: str = "http://127.0.0.1:9") -> None:
            self.api_key = api_key
            self.host = host
            self.client = httpx.Client(base_url=host, headers={"Authorization": f"Token {api_key}"})

        def add(self, messages: Any, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            response = self.client.post("/v3/memories/add/", json={"messages": messages, **kwargs})
            return response.raise_for_status().json()

        def search(self, query: str, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            return self.client.post("/v3/memories/search/", json={"query": query, **kwargs}).raise_for_status().json()

        def get(self, memory_id: str) -> Any:
            return self.client.get(f"/v1/memories/{memory_id}/").raise_for_status().json()

        def history(self, memory_id: str) -> Any:
            return self.client.get(f"/v1/memories/{memory_id}/history/").raise_for_status().json()

        def delete_all(self, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            return self.client.delete("/v1/memories/", params=kwargs).raise_for_status().json()

        def get_all(self, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            return self.client.post("/v3/memories/", json=kwargs).raise_for_status().json()

    class AsyncMemoryClient:
        def __init__(self, api_key: str = "key", host: str = "http://127.0.0.1:9") -> None:
            self.api_key = api_key
            self.host = host
            self.async_client = httpx.AsyncClient(base_url=host, headers={"Authorization": f"Token {api_key}"})

        async def add(self, messages: Any, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            response = await self.async_client.post("/v3/memories/add/", json={"messages": messages, **kwargs})
            return response.raise_for_status().json()

        async def search(self, query: str, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            response = await self.async_client.post("/v3/memories/search/", json={"query": query, **kwargs})
            return response.raise_for_status().json()

        async def get_all(self, options: Any = None, **kwargs: Any) -> Any:  # noqa: ARG002 - mem0ai's signature
            return (await self.async_client.post("/v3/memories/", json=kwargs)).raise_for_status().json()

    return SimpleNamespace(MemoryClient=MemoryClient, AsyncMemoryClient=AsyncMemoryClient)
