"""Only the truth of the answer is used, and a receipt is always true.

## What it does
Reports an `add` of a hosted client of whose answer only the truth is used, as in `if result:` or `return bool(result)`.

## Why is this bad?
A receipt is never empty: the test cannot fail. It used to mean "stored", and now means "queued". A write that fails later does
so on its event, with a `status` of `FAILED`.

## Example
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> str:
    if client.add(text, user_id=user):
        return "I will remember that."
    return "I could not remember that."
```

## Use instead
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> str:
    receipt = client.add(text, user_id=user)
    return f"I am about to remember that ({receipt['event_id']})."
```

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

from mem0_migrate.rules.phrasing import repair, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM111"
SEVERITY: Severity = "warning"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` of whose answer only the truth is used."""
    if not judged.implicit or judged.aware or judged.never_awaited or judged.worst is None or judged.category() != "truth":
        return None
    message = f"`{shortened(judged.worst.expression)}` is always true: a receipt says that the write was queued, not done"
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), marks=use_mark(judged))
