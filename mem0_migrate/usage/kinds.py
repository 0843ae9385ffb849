"""What code does with an answer: the kinds of use, and what each means for the judgement."""

from __future__ import annotations

from typing import Literal

Category = Literal["memories", "truth", "escapes", "logged", "aware", "neutral"]

CATEGORIES: dict[str, Category] = {
    # read as memories: breaks
    "subscript": "memories",
    "get": "memories",
    "attribute": "memories",
    "iterated": "memories",
    "unpacked": "memories",
    "counted": "memories",
    "contains": "memories",
    "member-truth": "memories",
    "compared": "memories",
    "combined": "memories",
    # only the truth of the whole
    "truth": "truth",
    # goes where it cannot be followed
    "returned": "escapes",
    "yielded": "escapes",
    "stored": "escapes",
    "passed": "escapes",
    "serialised": "escapes",
    "spread": "escapes",
    # looked at by people only
    "printed": "logged",
    "logged": "logged",
    "formatted": "logged",
    # knows about receipts
    "receipt-key": "aware",
    "status-compared": "aware",
    "receipt-helper": "aware",
    # nothing depends on it
    "discarded": "neutral",
    "scheduled": "neutral",
    "type-tested": "neutral",
    "copied": "neutral",
}

PHRASES: dict[str, str] = {
    "subscript": "read by key",
    "get": "read by key",
    "attribute": "read as an object",
    "iterated": "iterated",
    "unpacked": "unpacked",
    "counted": "counted",
    "contains": "searched for a key",
    "member-truth": "tested for what it holds",
    "compared": "compared",
    "combined": "combined with other values",
    "truth": "tested for truth",
    "returned": "returned to code that is not part of this code base",
    "yielded": "yielded to code that is not part of this code base",
    "stored": "stored, and read nowhere in this code base",
    "passed": "handed to code that is not part of this code base",
    "serialised": "serialised",
    "spread": "spread with `**`",
    "printed": "printed",
    "logged": "logged",
    "formatted": "put into a text",
    "receipt-key": "asked for what only a receipt has",
    "status-compared": "compared with a status",
    "receipt-helper": "handed to a function that waits for receipts",
    "discarded": "thrown away",
    "scheduled": "handed to the event loop",
    "type-tested": "tested for its type",
    "copied": "copied",
}
