"""A file could not be read or parsed: the run is incomplete.

## What it does
Lists each file that may use mem0 and could not be looked at: it cannot be opened or decoded, it is not valid for the Python that
runs mem0-migrate, or it is nested too deeply. Manifests and locks that cannot be understood are listed too.

Such a run exits with 1, whatever is selected.

## Why is this bad?
What was not looked at may hold any of the other problems. A green run would say that there are none.

## Example
```python
from mem0 import MemoryClient

client = MemoryClient()
result = client.add("I like tea", user_id="me")
print result["results"]
```

## Use instead
```python
from mem0 import MemoryClient

client = MemoryClient()
result = client.add("I like tea", user_id="me")
print(result["results"])
```

Run mem0-migrate with the newest Python that the code is written for, or exclude what is not meant to be read.

## Fix safety
There is no automatic fix.

## Options
- `exclude`, `extend-exclude`: files not to look at
- `allow-incomplete`: whether a run passes although a file could not be read

## References
- [Configuration](../configuration.md)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mem0_migrate.model import Severity

CODE = "MEM901"
SEVERITY: Severity = "error"
ENABLED = True
