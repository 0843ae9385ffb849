"""A receipt leaves the code base where memories used to.

## What it does
Reports an `add` of a hosted client whose answer is returned, yielded, stored, serialised or handed to code that is not part
of the code base, so that nobody can see here what is read from it.

Printing and logging an answer is not reported: people read that, not programs.

## Why is this bad?
Whoever gets the answer may expect memories: the front end behind an HTTP route, a language model that calls a tool, another
service behind a queue. It now gets a receipt, which says that a write was queued and not what was stored.

## Example
```python
from fastapi import FastAPI
from mem0 import MemoryClient

app = FastAPI()
client = MemoryClient()


@app.post("/memories")
def remember(text: str, user: str):
    return client.add(text, user_id=user)
```

## Use instead
Say what it is, so that the reader can ask again:

```python
from fastapi import FastAPI
from mem0 import MemoryClient

app = FastAPI()
client = MemoryClient()


@app.post("/memories", status_code=202)
def remember(text: str, user: str):
    receipt = client.add(text, user_id=user)
    return {"event": receipt["event_id"]}
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

CODE = "MEM103"
SEVERITY: Severity = "warning"
ENABLED = True


_WORDS = {
    "returned": "is returned to code that is not in this code base",
    "yielded": "is yielded to code that is not in this code base",
    "stored": "is stored",
    "passed": "is handed to code that is not in this code base",
    "serialised": "is serialised",
    "spread": "is spread with `**`",
}


def check(judged: JudgedSite) -> Finding | None:
    """Report an implicit `add` whose answer goes where its use cannot be seen."""
    if not judged.implicit or judged.aware or judged.never_awaited or judged.worst is None or judged.category() != "escapes":
        return None
    gone = f"{_WORDS[judged.worst.kind]} (`{shortened(judged.worst.expression)}`)"
    message = f"The answer of add() {gone}: it is a receipt now, not memories"
    return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), marks=use_mark(judged))
