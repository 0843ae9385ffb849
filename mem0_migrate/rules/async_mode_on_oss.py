"""`async_mode` reaches the open-source `Memory`, whose `add` has no such parameter.

## What it does
Reports an `add` with `async_mode` whose receiver is the open-source `Memory` or `AsyncMemory`, or may be, because the code
chooses between it and the hosted client at run time.

## Why is this bad?
No release of the open-source `add` accepts `async_mode`: the call raises `TypeError`. It is the obvious repair of a call that
reads memories, and wrong as soon as the program runs without the platform, which tests often do.

## Example
```python
# file: app.py
import os

from mem0 import Memory, MemoryClient

memory = MemoryClient() if os.environ.get("MEM0_API_KEY") else Memory()


def remember(text: str, user: str) -> None:
    memory.add(text, user_id=user, async_mode=False)
```

```text
# file: requirements.txt
mem0ai>=1.0,<2
```

## Use instead
```python
# file: app.py
import os

from mem0 import Memory, MemoryClient

memory = MemoryClient() if os.environ.get("MEM0_API_KEY") else Memory()


def remember(text: str, user: str) -> None:
    if isinstance(memory, MemoryClient):
        memory.add(text, user_id=user, async_mode=False)
    else:
        memory.add(text, user_id=user)
```

```text
# file: requirements.txt
mem0ai>=1.0,<2
```

## Fix safety
`mem0-migrate fix` takes the keyword away and wraps the hosted client where it is made, see [fixes](../fixes.md): safe,
unless the receiver is only possible. `async_mode=True` is left to you, since it asks for a receipt.

## Options
None.

## References
- [MEM101: what becomes of code that reads the answer](MEM101.md)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import admitted, site_finding

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM107"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `async_mode` on a receiver that may be OSS memory."""
    if not judged.may_be_oss or judged.site.async_mode not in ("false", "true", "none", "dynamic"):
        return None
    certainly = judged.site.receiver == "oss"
    receiver = "The receiver is" if certainly else "The receiver may be"
    message = f"{receiver} the open-source Memory, whose add() accepts no `async_mode`"
    outcome = "raises TypeError: add() got an unexpected keyword argument 'async_mode'"
    told = dict.fromkeys(admitted(judged), outcome if certainly else f"{outcome}, where the receiver is the open-source Memory")
    advice = "Pass it on the hosted branch only." if not certainly else "Remove it: the open-source add() always waits."
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=advice, consequence=told)
