"""The manifest admits releases of mem0ai among which `add` behaves differently.

## What it does
Reports a requirement for mem0ai that admits releases of several eras (0.x, 1.x, 2.x), where a call in the project does one
thing under one of them and another under the next. A lock decides, and then there is nothing to report.

## Why is this bad?
Which answer the code gets depends on the day of the installation: a fresh environment may break what works in an old one. No
single edit of the code can be right for all of the releases.

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
mem0ai>=1.0
```

## Use instead
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

## Fix safety
`mem0-migrate fix --extend-select MEM301 --unsafe-fixes` writes `<2` into the manifest. It is unsafe: which releases the
project is to run with is for its owners to say.

## Options
- `mem0ai`: the release to assume instead of what manifests and locks say

## References
- [mem0ai 1.0 sends `async_mode=True` by default](https://github.com/mem0ai/mem0/pull/3545)
- [mem0ai 2.0 has no `async_mode` any more](https://github.com/mem0ai/mem0/pull/4740)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS, Finding, Position, Severity, Span
from mem0_migrate.rules.phrasing import ERA_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mem0_migrate.model import Declaration
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM301"
SEVERITY: Severity = "warning"
ENABLED = True


def check_project(sites: Sequence[JudgedSite]) -> Iterator[Finding]:
    """Report each requirement that admits several eras while a site depends on which one it is."""
    by_declaration: dict[Declaration, list[JudgedSite]] = {}
    for judged in sites:
        if judged.hosted and judged.site.form != "http" and _depends(judged):
            by_declaration.setdefault(judged.site.declaration, []).append(judged)
    for declaration, depending in by_declaration.items():
        if len(declaration.eras) == 1 or declaration.source is None:
            continue
        eras = [ERA_NAMES[era] for era in ERAS if era in declaration.eras]
        calls = "1 call of add() depends" if len(depending) == 1 else f"{len(depending)} calls of add() depend"
        row = declaration.row or 1
        yield Finding(
            CODE,
            __name__.rpartition(".")[2].replace("_", "-"),
            SEVERITY,
            f"`{declaration.requirement}` admits {', '.join(eras[:-1])} and {eras[-1]}, and {calls} on which it is",
            Span(declaration.source, Position(row, 1), Position(row, 1)),
            advice="Narrow the range to the releases that the code is written for, or lock it: "
            "`mem0ai<2` keeps `async_mode`, `mem0ai>=2` always answers with a receipt.",
        )


def _depends(judged: JudgedSite) -> bool:
    if judged.waits:
        return False
    if judged.site.async_mode == "false":
        return "v2" in judged.site.declaration.eras  # the others honour it
    told = set(judged.site.consequence.values())
    return judged.implicit and not judged.aware and len(told) > 1
