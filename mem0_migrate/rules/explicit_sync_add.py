"""`async_mode=False` is still there.

## What it does
Reports an `add` of a hosted client that asks for the old behaviour, to wait until the memories are stored. The rule is off by
default: it lists what is left to do for a project that adopts asynchronous writes.

## Why is this bad?
It keeps old code working for as long as the project stays with mem0ai 0.x or 1.x. mem0ai 2.x has no such parameter, and the
endpoint that honours it is deprecated.

## Example
```python
# file: app.py
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> None:
    client.add(text, user_id=user, async_mode=False)
```

```text
# file: requirements.txt
mem0ai>=1.0,<2
```

## Use instead
```python
# file: app.py
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> None:
    client.add(text, user_id=user)
```

## Fix safety
`mem0-migrate fix --strategy async` removes it, and registers a webhook, see [fixes](../fixes.md). It is unsafe: code
that reads the answer, or what was just added, has to change with it.

## Options
- `extend-select`: `["MEM108"]` turns the rule on

## References
- [mem0ai 2.0 has no `async_mode` any more](https://github.com/mem0ai/mem0/pull/4740)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import site_finding

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM108"
SEVERITY: Severity = "info"
ENABLED = False


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` that asks for the old answer."""
    if judged.site.async_mode != "false" or not judged.hosted:
        return None
    message = "This add() still asks for the old, waiting behaviour"
    return site_finding(
        __name__, CODE, SEVERITY, judged, message,
        advice="To adopt asynchronous writes, remove it and let the code work with `event_id`.", consequence={},
    )  # fmt: skip
