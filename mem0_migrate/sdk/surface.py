"""The public surface of mem0ai that matters here: where its clients are imported from, and which methods they have.

Sources: wheels 0.0.5 to 2.2.1. `MemoryClient` since 0.0.5, `AsyncMemoryClient` since 0.1.22, `Memory` since 0.0.2, `AsyncMemory`
since 0.1.89. `mem0.client` itself exports nothing in any release.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["hosted", "hosted-async", "oss", "oss-async"]

PACKAGE = "mem0"

CLASSES: dict[str, tuple[str, Kind]] = {
    "mem0.MemoryClient": ("MemoryClient", "hosted"),
    "mem0.client.main.MemoryClient": ("MemoryClient", "hosted"),
    "mem0.AsyncMemoryClient": ("AsyncMemoryClient", "hosted-async"),
    "mem0.client.main.AsyncMemoryClient": ("AsyncMemoryClient", "hosted-async"),
    "mem0.Memory": ("Memory", "oss"),
    "mem0.memory.main.Memory": ("Memory", "oss"),
    "mem0.AsyncMemory": ("AsyncMemory", "oss-async"),
    "mem0.memory.main.AsyncMemory": ("AsyncMemory", "oss-async"),
}

KINDS: dict[str, Kind] = dict(CLASSES.values())

ADD = "add"

# Methods whose answer depends on what was added before, in every era that has them.
READS = frozenset(["search", "get_all", "get", "history", "delete_all", "update", "delete"])

# Reads that name a scope (user, agent …) rather than one memory.
SCOPE_READS = frozenset(["search", "get_all", "delete_all"])

FACTORIES = frozenset(["from_config"])

ENTITIES = ("user_id", "agent_id", "app_id", "run_id")


def is_hosted(kind: Kind) -> bool:
    """Whether a client of this kind talks to the hosted platform."""
    return kind in ("hosted", "hosted-async")


HOST = "mem0.ai"
