"""The proof refuses what was not declared: each test forges one thing that a broken rewriting could do."""

from __future__ import annotations

import pytest

from mem0_migrate.fixes import rewriting
from mem0_migrate.fixes.changes import Assign, Change, Insert, Remove, RemoveKeyword, Replace, SetKey, SetKeyword, Surround
from mem0_migrate.fixes.verification import disproof
from mem0_migrate.model import Edit, Position, Span
from mem0_migrate.project.source import Source, parse

TEXT = 'def f(client, text):\n    client.add(text, user_id="u")\n    return {"a": text}\n'
CALL = (2, 4, 2, 33)
DISPLAY = (3, 11, 3, 22)
SET = SetKeyword(CALL, "async_mode", "False", "async_mode")


def source(text: str) -> Source:
    parsed = parse("a.py", text.encode())
    assert isinstance(parsed, Source), parsed
    return parsed


def edit(row: int, start: int, end: int, content: str) -> Edit:
    return Edit(Span("a.py", Position(row, start), Position(row, end)), content)


@pytest.mark.parametrize(
    "change",
    [
        SET,
        SetKey(DISPLAY, "b", "1"),
        Surround(CALL, "wrap(", ", 1)"),
        Replace((2, 15, 2, 19), "other"),
        Assign(CALL, "answer"),
        Insert(CALL, "import wrapper", after=False),
        Insert((1, 0, 3, 22), "f(1, 2)", after=True),
        Remove(CALL),
        RemoveKeyword(CALL, "user_id"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_what_was_declared_is_proven_and_nothing_else(change: Change) -> None:
    before = source(TEXT)
    edits = rewriting.edits(before, [change])
    after = source(rewriting.spliced(before, edits))
    assert disproof(before, [change], edits, after) is None
    assert disproof(before, [], edits, after) == "the syntax tree would change elsewhere than declared"
    assert disproof(before, [change], (), after) == "something outside the edits would change"
    assert disproof(before, [change], (), before) == "the syntax tree would change elsewhere than declared"


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([edit(2, 33, 33, ", async_mode=True")], TEXT.replace('"u")', '"u", async_mode=True)')),
        ([edit(2, 33, 33, ", async_mode=False"), edit(3, 5, 11, "yield ")], TEXT.replace('"u")', '"u", async_mode=False)')),
        ([edit(2, 33, 33, ", async_mode=False")], TEXT.replace('"u")', '"u", async_mode=False)').replace("text}", "text} ")),
        ([edit(2, 33, 33, ", async_mode=False")], TEXT.replace('"u")', '"u", async_mode=False)') + "\n"),
        ([edit(2, 33, 33, ", async_mode=False")], TEXT.replace("    ", "\t").replace('"u")', '"u", async_mode=False)')),
    ],
    ids=["another value", "an edit that is not there", "a blank", "a line", "tabs"],
)
def test_a_forgery_is_refused(edits: list[Edit], after: str) -> None:
    assert disproof(source(TEXT), [SET], edits, source(after)) is not None


def test_what_does_not_compile_is_refused() -> None:
    before = source("return_ = 1\n")
    change = Insert((1, 0, 1, 11), "return 1", after=True)
    edits = rewriting.edits(before, [change])
    reason = disproof(before, [change], edits, source(rewriting.spliced(before, edits)))
    assert reason is not None
    assert reason.startswith("it would not compile: 'return' outside function")
