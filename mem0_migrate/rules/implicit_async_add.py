"""`add` is queued, and nothing visible depends on when it is done.

## What it does
Reports an `add` of a hosted client that does not say `async_mode` and whose answer is thrown away, printed or only logged,
with no read of the same scope after it.

This is a remark: on a terminal it is one line per file.

## Why is this bad?
It is not. Such code is better off with a queued write, which returns at once. But two things have changed that no line
shows: the memories exist some seconds later, and a write that fails does so on its event. No exception is raised where
`add` was called.

## Example
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> None:
    client.add(text, user_id=user)
```

## Use instead
Nothing else, as a rule. Where a failure must be known, keep the event and look at it later:

```python
from mem0 import MemoryClient

client = MemoryClient()
events: list[str] = []


def remember(text: str, user: str) -> None:
    receipt = client.add(text, user_id=user)
    events.append(receipt["event_id"])
```

## Fix safety
There is nothing to fix. With `--extend-select MEM104`, `mem0-migrate fix` makes these calls wait as well, as for
[MEM101](MEM101.md).

## Options
- `fail-on`: `"info"` makes remarks fail a run
- `mem0ai`: the release to assume where no manifest or lock says

## References
- [mem0: get the status of an event](https://docs.mem0.ai/api-reference/events/get-event)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import admitted, site_finding

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM104"
SEVERITY: Severity = "info"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` without `async_mode` on which nothing visible depends."""
    depends = judged.category() not in ("neutral", "logged") or judged.stale is not None or judged.never_awaited
    ignored = judged.site.async_mode == "none" and "v1" in admitted(judged)
    told = judged.misspelt is not None or bool(judged.options) or ignored  # MEM106 says more
    if not judged.implicit or judged.aware or depends or told:
        return None
    kept = "only logged" if judged.category() == "logged" else "not used"
    message = f"add() is queued and its answer is {kept}: nothing here depends on it"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="Nothing to do, unless other code expects the memories at once. A failure shows up on the event only, never here.",
    )  # fmt: skip
