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
    "type-tested": "neutral",
    "copied": "neutral",
}

WORDS: dict[str, str] = {
    "returned": "returned to code that is not part of this code base",
    "yielded": "yielded to code that is not part of this code base",
    "stored": "stored, and read nowhere in this code base",
    "passed": "handed to code that is not part of this code base",
    "serialised": "serialised",
    "spread": "spread into another mapping",
}
