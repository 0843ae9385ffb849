"""The answer of `add` is read as memories, but it is a receipt.

## What it does
Reports an `add` of a hosted client whose answer the code reads as finished memories: it subscripts it beyond what a receipt
holds, iterates, counts or compares it, or tests one of its members. The answer is followed through variables, helper
functions and returns to the callers in the code base, and the line where it is misused is shown.

## Why is this bad?
`add` used to return the memories that it had stored. Now it queues the write and answers with a receipt: a `status` of
`PENDING` and an `event_id`. What reads memories from it raises `KeyError` or `TypeError`, or is silently wrong: with mem0ai
1.x `len(result["results"])` is 1 although nothing is stored yet, and with 2.x `result.get("results", [])` is empty although
the write was accepted.

With mem0ai 0.x the platform decides, by the age of the account, so that a program can begin to fail without any upgrade.

## Example
```python
# file: app.py
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> list[str]:
    result = client.add(text, user_id=user)
    return [memory["id"] for memory in result["results"]]
```

```text
# file: requirements.txt
mem0ai>=1.0,<2
```

## Use instead
Up to mem0ai 1.x the old answer can be asked for:

```python
# file: app.py
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> list[str]:
    result = client.add(text, user_id=user, async_mode=False)
    return [memory["id"] for memory in result["results"]]
```

```text
# file: requirements.txt
mem0ai>=1.0,<2
```

With mem0ai 2.x there is no such parameter. Keep the event and wait for it:

```python
# file: later.py
import time

from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> list[str]:
    receipt = client.add(text, user_id=user)
    return [memory["id"] for memory in finished(receipt["event_id"])]


def finished(event_id: str, seconds: float = 60) -> list[dict[str, str]]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = client.client.get(f"/v1/event/{event_id}/").json()
        if event["status"] == "SUCCEEDED":
            return event["results"]
        if event["status"] == "FAILED":
            raise RuntimeError(f"event {event_id} has failed")
        time.sleep(1.5)
    raise TimeoutError(f"event {event_id} is not done after {seconds} seconds")
```

An event may succeed without any memory: then nothing in the text was worth one.

## Fix safety
`mem0-migrate fix` makes `add` wait again: with `async_mode=False` where that is right, else by wrapping the client, see
[fixes](../fixes.md). The fix is safe where the receiver is certain; the wrapper also where it is inferred, since it is
put where the client is made.

## Options
- `mem0ai`: the release to assume where no manifest or lock says

## References
- [mem0: get the status of an event](https://docs.mem0.ai/api-reference/events/get-event)
- [mem0ai 1.0 sends `async_mode=True` by default](https://github.com/mem0ai/mem0/pull/3545)
- [mem0ai 2.0 has no `async_mode` any more](https://github.com/mem0ai/mem0/pull/4740)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import ERA_NAMES, admitted, repair, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM101"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` whose answer is read, iterated, counted or tested as memories."""
    if not judged.implicit or judged.aware or judged.never_awaited or judged.worst is None or judged.category() != "memories":
        return None
    told = judged.site.consequence
    eras = admitted(judged)
    raising = [era for era in eras if told.get(era, "").startswith("raises")]
    outcome = told.get((raising or eras)[0], "finds no memories")
    if raising and len(raising) < len(eras):
        outcome += f" with {' and '.join(ERA_NAMES[era] for era in raising)}"
    message = f"`{shortened(judged.worst.expression)}` {outcome}: add() now answers with a receipt"
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), marks=use_mark(judged))
