"""The coroutine of `AsyncMemoryClient.add` is never awaited.

## What it does
Reports an `add` of `AsyncMemoryClient` that nobody awaits: a bare call, or one that is handed to a thread
(`asyncio.to_thread(client.add, ...)`), where only the coroutine is created.

## Why is this bad?
Nothing is sent, and nothing is stored. Python warns that a coroutine was never awaited, at best, when it is collected.

## Example
```python
from mem0 import AsyncMemoryClient

client = AsyncMemoryClient()


async def remember(text: str, user: str) -> None:
    client.add(text, user_id=user)
```

## Use instead
```python
from mem0 import AsyncMemoryClient

client = AsyncMemoryClient()


async def remember(text: str, user: str) -> None:
    await client.add(text, user_id=user)
```

## Fix safety
`mem0-migrate fix --unsafe-fixes` awaits the call where its function is a coroutine. It is unsafe: the write, which was
never sent, is sent then.

## Options
None.

## References
- [Python: concurrency and multithreading with asyncio](https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import admitted, site_finding

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM110"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` of the asynchronous client that is never awaited."""
    if not judged.never_awaited:
        return None
    message = "add() of AsyncMemoryClient is never awaited: nothing is sent"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message, advice="Await it, or use MemoryClient where the call runs in a thread.",
        consequence=dict.fromkeys(admitted(judged), "nothing is sent; Python warns that the coroutine was never awaited"),
    )  # fmt: skip
