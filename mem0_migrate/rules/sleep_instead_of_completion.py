"""A fixed sleep after `add` stands in for waiting until it is done.

## What it does
Reports an `add` of a hosted client that is followed by a sleep and then by a read of the same client, in the same flow.

## Why is this bad?
How long the platform takes is not fixed: four, eight and more than eighteen seconds have been measured. A sleep that is
enough today is not on the day when the platform is busy, and too long on all others. Tests that rely on it fail now and then.

## Example
```python
import time

from mem0 import MemoryClient

client = MemoryClient()


def test_remembers() -> None:
    client.add("I like tea", user_id="test")
    time.sleep(5)
    assert client.search("tea", filters={"user_id": "test"})["results"]
```

## Use instead
```python
import time

from mem0 import MemoryClient

client = MemoryClient()


def test_remembers() -> None:
    receipt = client.add("I like tea", user_id="test")
    while client.client.get(f"/v1/event/{receipt['event_id']}/").json()["status"] not in ("SUCCEEDED", "FAILED"):
        time.sleep(1.5)
    assert client.search("tea", filters={"user_id": "test"})["results"]
```

## Fix safety
`mem0-migrate fix --unsafe-fixes` replaces the sleep by `mem0_shim.pending(receipt, client).result()`, which waits for
the event. It is unsafe: the sleep may have been there for something else too. Where the client is wrapped for another
call, the sleep is left for you to remove.

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

CODE = "MEM109"
SEVERITY: Severity = "warning"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` that is followed by a sleep and then by a read of the same scope."""
    stale = judged.stale
    if not judged.implicit or judged.aware or stale is None or stale.sleep is None:
        return None
    message = f"A fixed sleep stands between this add() and `{shortened(stale.text)}()`: how long the platform takes is not fixed"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="Wait for the event itself: poll `GET /v1/event/<event_id>/` until it says SUCCEEDED or FAILED.",
        marks=(Step(stale.sleep, "sleeps here"), Step(stale.span, "read here")), related=stale.steps,
        consequence=dict.fromkeys(admitted(judged), "works when the platform is quick, and misses the memories when it is not"),
    )  # fmt: skip
