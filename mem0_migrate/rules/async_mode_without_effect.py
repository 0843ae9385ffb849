"""`async_mode` is passed where it has no effect.

## What it does
Reports an `add` of a hosted client with

- `async_mode=False`, where the project admits mem0ai 2.x, which has no such parameter;
- `async_mode=None`, where it admits mem0ai 1.x, which replaces it by true;
- `async_mode` among the fields of `AddMemoryOptions`, which drops what it does not know;
- a keyword that is almost `async_mode`, such as `asyncmode`.

## Why is this bad?
Every one of them looks as if it had been decided that `add` waits, and none of them makes it wait. No error says so: what
`add` does not know is sent to the platform, which ignores it.

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
mem0ai>=2
```

## Use instead
Stay with the releases that honour it, for the time being:

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

Or wait for the event of the receipt, see [MEM101](MEM101.md).

## Fix safety
Where the project admits mem0ai 2.x, `mem0-migrate fix` wraps the client, and the keyword goes; elsewhere `None` and a
misspelt name become `async_mode=False`. See [fixes](../fixes.md). It is safe where the receiver is certain; the wrapper
also where it is inferred.

## Options
- `mem0ai`: the release to assume where no manifest or lock says

## References
- [mem0ai 2.0 has no `async_mode` any more](https://github.com/mem0ai/mem0/pull/4740)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import admitted, repair, site_finding

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM106"
SEVERITY: Severity = "error"
ENABLED = True


def check(judged: JudgedSite) -> Finding | None:
    """Report an `async_mode` that an admitted era ignores: False in 2.x, None in 1.x, or a misspelt keyword."""
    if not judged.hosted:
        return None
    eras = admitted(judged)
    if judged.misspelt is not None:
        message = (
            f"`{judged.misspelt}` is no parameter of add(); it is sent to the platform and ignored. Did you mean `async_mode`?"
        )
        return site_finding(__name__, CODE, SEVERITY, judged, message, advice="Correct the name.", consequence={})
    if judged.waits:
        return None
    if judged.options:
        message = "`async_mode` in AddMemoryOptions has no effect: it has no such field, and drops it"
        return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged))
    if judged.site.async_mode == "false" and "v2" in eras and judged.site.form != "http":
        admits = "requires" if len(eras) == 1 else "admits" if judged.site.declaration.requirement else "does not exclude"
        where = f"mem0ai 2.x, which this project {admits},"
        message = f"`async_mode=False` has no effect: {where} has no such parameter"
        told = {era: "ignored: add() answers with a receipt" if era == "v2" else "honoured: add() waits" for era in eras}
        return site_finding(__name__, CODE, SEVERITY, judged, message, advice=_advice(judged), consequence=told)
    if judged.site.async_mode == "none" and "v1" in eras:
        message = "`async_mode=None` has no effect: mem0ai 1.x replaces it by True"
        told = {era: "replaced by True" if era == "v1" else "dropped" for era in eras}
        return site_finding(__name__, CODE, SEVERITY, judged, message, advice=repair(judged), consequence=told)
    return None


def _advice(judged: JudgedSite) -> str:
    if len(admitted(judged)) > 1:
        return "Pin `mem0ai<2` to keep it working, or wait for the event of the receipt, and remove it."
    return repair(judged)
