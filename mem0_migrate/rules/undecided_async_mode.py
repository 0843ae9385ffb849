"""Whether `add` is queued is decided at run time.

## What it does
Reports an `add` of a hosted client whose `async_mode` is a variable, or may be in a `**mapping` whose keys are not all known:
a parameter, a configuration, the answer of a function.

A mapping whose keys can be seen (a literal, `dict(...)`, keys set one by one) is not reported: it is as good as keywords.

## Why is this bad?
The code behind it must be right for both answers, memories and a receipt, and nothing here shows that it is.

## Example
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, **options: object) -> None:
    client.add(text, **options)
```

## Use instead
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> None:
    client.add(text, user_id=user)
```

## Fix safety
There is no automatic fix: a keyword beside a mapping that has the same key raises `TypeError`.

## Options
- `fail-on`: `"info"` makes remarks fail a run

## References
- [MEM101: what becomes of code that reads the answer](MEM101.md)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import site_finding

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM105"
SEVERITY: Severity = "info"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `add` whose `async_mode` comes from a variable or an open mapping."""
    if judged.site.async_mode not in ("dynamic", "mapping") or not judged.hosted or judged.aware or judged.waits:
        return None
    source = "a value of run time" if judged.site.async_mode == "dynamic" else "a mapping whose keys are not all known here"
    message = f"Whether this add() is queued is decided by {source}"
    return site_finding(
        __name__,
        CODE,
        SEVERITY,
        judged,
        message,
        advice="Make sure that code which reads the answer can tell a receipt from memories.",
    )
