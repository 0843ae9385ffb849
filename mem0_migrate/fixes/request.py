"""An `add` by HTTP gets `"async_mode": False` in the JSON that it sends, where the endpoint honours it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.fixes.changes import SetKey
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.usage.modes import KEYWORD

if TYPE_CHECKING:
    from mem0_migrate.fixes.code import Code
    from mem0_migrate.model import Applicability
    from mem0_migrate.usage.judgement import JudgedSite


def propose(site: JudgedSite, code: Code) -> Repair | Unsuitable:
    """The key in the dictionary that is sent, or why it is not right."""
    record = code.record(site)
    if "/v3/" in record.url:
        return Unsuitable("`/v3/memories/add/` has no `async_mode`: keep `event_id`, and wait for `GET /v1/event/<event_id>/`")
    if site.site.async_mode not in ("absent", "none"):
        return Unsuitable("what is sent is not all known here: it may hold `async_mode` already")
    joined = code.solver.files[record.filename]
    for added in joined.summary.http_adds:
        if joined.summary.calls[added.call].place == record.place and added.body is not None:
            if code.tree(record.filename).at(added.body, ast.Dict) is None:
                break
            applicability: Applicability = "safe" if site.site.confidence == "certain" else "unsafe"
            message = 'Send `"async_mode": False`: the answer holds the memories again'
            return Repair("body", applicability, message, {record.filename: (SetKey(added.body, KEYWORD, "False"),)})
    return Unsuitable('the body is put together elsewhere: send `"async_mode": false` in it')
