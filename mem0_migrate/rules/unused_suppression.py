"""A comment that silences nothing.

## What it does
Reports suppression comments (`# noqa: MEM101`, `# mem0-migrate: ignore[MEM101]`, `# mem0-migrate: file-ignore[MEM101]`) that
name a rule which finds nothing there, a code that no rule has, or no code at all.

Left alone are a plain `# noqa`, codes of other tools, and rules that are not selected in this run.

## Why is this bad?
The comment says that there is a problem which someone has decided to live with. Once the problem is gone, or if the comment
stands on the wrong line, it misleads the reader, and it would hide the next problem on that line.

## Example
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> str:
    receipt = client.add(text, user_id=user)  # noqa: MEM101
    return receipt["event_id"]
```

## Use instead
```python
from mem0 import MemoryClient

client = MemoryClient()


def remember(text: str, user: str) -> str:
    receipt = client.add(text, user_id=user)
    return receipt["event_id"]
```

## Fix safety
There is no automatic fix: whether the comment is to go, or the code in it is to be corrected, is for its author to say.

## Options
- `select`, `ignore`: which rules run, and so whose comments can be judged

## References
- [Suppressing findings](../suppression.md)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import Finding, Position, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mem0_migrate.suppressions import Suppressions

CODE = "MEM902"
SEVERITY: Severity = "warning"
ENABLED = True


def findings(filename: str, suppressions: Suppressions, enabled: Callable[[str], bool]) -> Iterator[Finding]:
    """Yield a finding for each comment that silenced nothing, once all other findings of the file were asked for.

    Args:
        filename: The file of the comments.
        suppressions: Its comments, and which of them were of use.
        enabled: Whether the rule with that code is reported in this file.
    """
    from mem0_migrate.rules.registry import all_rules

    codes = {rule.code for rule in all_rules()}
    for useless in suppressions.useless(codes.__contains__, enabled):
        yield Finding(
            code=CODE,
            name="unused-suppression",
            severity=SEVERITY,
            message=f"This comment silences nothing: {useless.message}",
            span=Span(filename, Position(useless.row, useless.column), Position(useless.row, useless.end_column), useless.cell),
            advice="Remove it, or correct what it names.",
        )
