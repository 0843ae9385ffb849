"""A scope is read right after an `add` to it, before the memories can exist.

## What it does
Reports an `add` of a hosted client after which the same flow searches, lists, reads or deletes memories of the same client,
without waiting in between. The flow is followed through methods that are called one after the other, scripts and tests.

## Why is this bad?
`add` only queues the write. Latencies between four and more than eighteen seconds have been measured until the memories
could be found. A search right after it answers without them: no error, only a wrong result. `delete_all` races with what is
still to be written.

## Example
```python
from mem0 import MemoryClient

client = MemoryClient()


def chat(text: str, user: str) -> list[dict[str, str]]:
    client.add(text, user_id=user)
    return client.search(text, filters={"user_id": user})["results"]
```

## Use instead
Search first, where what was just said need not be found:

```python
from mem0 import MemoryClient

client = MemoryClient()


def chat(text: str, user: str) -> list[dict[str, str]]:
    known = client.search(text, filters={"user_id": user})["results"]
    client.add(text, user_id=user)
    return known
```

Where it must be found, wait for the event of the receipt before you read, see [MEM101](MEM101.md).

## Fix safety
`mem0-migrate fix` makes `add` wait again: with `async_mode=False` where that is right, else by wrapping the client, see
[fixes](../fixes.md). The fix is safe where the receiver is certain; the wrapper also where it is inferred, since it is
put where the client is made.

## Options
- `mem0ai`: the release to assume where no manifest or lock says

## References
- [mem0: get the status of an event](https://docs.mem0.ai/api-reference/events/get-event)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Severity, Step
from mem0_migrate.rules.phrasing import admitted, shortened, site_finding

if TYPE_CHECKING:
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM102"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` after which the same flow reads what was added."""
    stale = judged.stale
    if not judged.implicit or judged.aware or stale is None or stale.sleep is not None:
        return None
    message = f"`{shortened(stale.text)}()` runs right after this add(), which only queues: the new memories cannot be there yet"
    outcome = f"{stale.method}() answers without what was just added"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="Wait for the event of this add() before you read, or read later; "
        "keep `event_id` and poll `GET /v1/event/<event_id>/` until it says SUCCEEDED.",
        marks=(Step(stale.span, "read here"),), related=stale.steps, consequence=dict.fromkeys(admitted(judged), outcome),
    )  # fmt: skip
