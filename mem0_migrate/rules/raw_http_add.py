"""Memories are added by HTTP, without the SDK.

## What it does
Reports a `POST` to `/v1/memories/` or `/v3/memories/add/` of the platform by requests, httpx, aiohttp or urllib. It is an error
where the answer is read as memories, a warning where it leaves the code base or only its truth is used, else a remark.

## Why is this bad?
The platform queues the write and answers with a receipt, whoever asks. No release of mem0ai stands in between, so the code can
begin to fail without any upgrade.

## Example
```python
import requests


def remember(text: str, user: str, key: str) -> list[str]:
    answer = requests.post(
        "https://api.mem0.ai/v1/memories/",
        headers={"Authorization": f"Token {key}"},
        json={"messages": [{"role": "user", "content": text}], "user_id": user},
        timeout=60,
    )
    return [memory["id"] for memory in answer.json()]
```

## Use instead
```python
import requests


def remember(text: str, user: str, key: str) -> list[str]:
    answer = requests.post(
        "https://api.mem0.ai/v1/memories/",
        headers={"Authorization": f"Token {key}"},
        json={"messages": [{"role": "user", "content": text}], "user_id": user, "async_mode": False},
        timeout=60,
    )
    return [memory["id"] for memory in answer.json()]
```

The endpoint that knows `async_mode` is deprecated. In the long run keep `event_id` and ask `/v1/event/<event_id>/`, see
[MEM101](MEM101.md).

## Fix safety
`mem0-migrate fix` puts `"async_mode": False` into the body where it is a dictionary in the same file. It is safe where
the address is certain. `/v3/memories/add/` has no such key: there is no fix.

## Options
None.

## References
- [mem0: get the status of an event](https://docs.mem0.ai/api-reference/events/get-event)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.rules.phrasing import admitted, shortened, site_finding, use_mark

if TYPE_CHECKING:
    from mem0_migrate.model import Finding, Severity
    from mem0_migrate.usage.judgement import JudgedSite

CODE = "MEM201"
SEVERITY: Severity = "error"
ENABLED = True


_SEVERITIES: dict[str, Severity] = {"memories": "error", "escapes": "warning", "truth": "warning"}


_QUEUED = "the platform only queues them, and answers with a receipt"
_MESSAGES: dict[Severity, str] = {
    "error": "`{}` takes the answer for memories, and it is a receipt now",
    "warning": "`{}` passes on, or takes for success, what is only a receipt now",
}


def check(judged: JudgedSite) -> Finding | None:
    """Report a POST to the platform's add endpoint; how severe depends on what is done with the answer."""
    if judged.site.form != "http" or judged.site.async_mode in ("true", "false") or judged.aware:
        return None
    undecided = judged.site.async_mode in ("dynamic", "mapping")
    severity = "info" if undecided else _SEVERITIES.get(judged.category(), "info")
    what = shortened(judged.worst.expression) if judged.worst else ""
    message = "This adds memories by HTTP: " + _MESSAGES.get(severity, _QUEUED).format(what)
    return site_finding(
        __name__, CODE, severity, judged, message,
        advice='Send `"async_mode": false` to `/v1/memories/` (deprecated), or keep `event_id` and wait for '
        "`GET /v1/event/<event_id>/`.",
        marks=use_mark(judged), consequence=judged.site.consequence if admitted(judged) else {},
    )  # fmt: skip
