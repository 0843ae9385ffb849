"""A report as a check of a small application makes it, built by hand: each kind of finding, site and unreadable file once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mem0_migrate.model import ERAS, Declaration, Finding, Fix, Position, Report, Site, Span, Step, Unreadable, Use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.model import Verdict
    from mem0_migrate.output.view import Source

DEPS = """\
from mem0 import MemoryClient

_client = None


def get_client():
    global _client
    if _client is None:
        _client = MemoryClient()
    return _client
"""

API = """\
from fastapi import Depends, FastAPI

from app.deps import get_client

app = FastAPI()


@app.post("/remember")
def remember(text: str, user_id: str, client=Depends(get_client)):
    messages = [{"role": "user", "content": text}]
    result = client.add(messages, user_id=user_id)
    log.info("stored for %s", user_id)
    if not text:
        raise ValueError

    # shown to the user
    return {"id": result["results"][0]["id"]}


def chat(text, user_id):
\tclient = get_client()
\tclient.add(
\t\t[{"role": "user", "content": f"日本語😀 {text}"}],
\t\tuser_id=user_id,
\t)
\treturn client.search(text, user_id=user_id)


def store(client, text):
    return client.add(text, user_id="me")
"""

NOTEBOOK_CELL = "client.add('a', user_id='me')\nclient.add('b', user_id='me', async_mode=False)\n"

_TEXTS = {"app/deps.py": DEPS, "app/api.py": API, "demo.ipynb": NOTEBOOK_CELL}
_KEY_ERROR = "KeyError: 'results'. add() answers with an event id before any memory exists."


def lines(filename: str, cell: int | None) -> Sequence[str]:
    """The source of the files of the report; there is a cell 2 only, and only in the notebook."""
    return _TEXTS[filename].split("\n") if (cell == 2) == filename.endswith(".ipynb") else ()


def span(filename: str, first: str, last: str = "") -> Span:
    """The span of a text in a file, or from one text to another."""
    text = _TEXTS[filename]
    start = text.index(first)
    end = text.index(last, start) + len(last) if last else start + len(first)

    def position(offset: int) -> Position:
        return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))

    return Span(filename, position(start), position(end), 2 if filename.endswith(".ipynb") else None)


def _site(place: Span, verdict: Verdict, declaration: Declaration, *uses: Use) -> Site:
    return Site(
        span=place,
        form="call",
        receiver="hosted",
        confidence="inferred",
        async_mode="absent",
        uses=uses,
        usage=uses[0].kind if uses else "discarded",
        evidence=_EVIDENCE,
        declaration=declaration,
        verdict=verdict,
        consequence={"v1": _KEY_ERROR} if verdict == "breaks" else {},
    )


_EVIDENCE = (
    Step(span("app/deps.py", "MemoryClient()"), "MemoryClient() creates the client"),
    Step(span("app/deps.py", "return _client"), "get_client() returns it"),
    Step(span("app/api.py", "Depends(get_client)"), "FastAPI passes it to remember() as client"),
)
_RANGE = Declaration(frozenset(ERAS), "mem0ai>=0.1.94", "requirements.txt", 3)
_LOCKED = Declaration(frozenset({"v1"}), "mem0ai==1.0.3", "uv.lock", 120, locked=True)
_NOTHING = Declaration(frozenset(ERAS))
_READ = span("app/api.py", 'result["results"][0]["id"]')
_REMEMBER = span("app/api.py", "client.add(messages, user_id=user_id)")
_CHAT = span("app/api.py", "client.add(\n", "\n\t)")
_STORE = span("app/api.py", 'client.add(text, user_id="me")')
_FIRST = span("demo.ipynb", "client.add('a', user_id='me')")
_SECOND = span("demo.ipynb", "client.add('b'", ")")

FINDINGS = (
    Finding(
        code="MEM104",
        name="implicit-async-add",
        severity="info",
        message="add() without async_mode; nothing depends on its answer",
        span=_FIRST,
        receiver="hosted",
        async_mode="absent",
        usage="discarded",
    ),
    Finding(
        code="MEM108",
        name="explicit-sync-add",
        severity="info",
        message="async_mode=False is still passed",
        span=_SECOND,
        receiver="hosted",
        async_mode="false",
        usage="discarded",
    ),
    Finding(
        code="MEM103",
        name="receipt-escapes",
        severity="warning",
        message="The answer of add() is returned to code that cannot be seen from here",
        span=_STORE,
        receiver="hosted",
        confidence="possible",
        async_mode="absent",
        usage="returned",
        consequence=dict.fromkeys(ERAS, "whoever reads memories from it fails"),
        related=(Step(span("app/api.py", "return client.add"), "the caller gets it here"),),
        advice="Look at what the callers read from it.",
    ),
    Finding(
        code="MEM101",
        name="receipt-read-as-memories",
        severity="error",
        message='`result["results"][0]["id"]` is read from the answer of add(), which no longer holds memories',
        span=_REMEMBER,
        receiver="hosted",
        confidence="inferred",
        async_mode="absent",
        usage="read",
        consequence={"v0": "the same for accounts created since July 2025", "v1": _KEY_ERROR, "v2": _KEY_ERROR},
        evidence=_EVIDENCE,
        marks=(Step(_READ, "read here as a finished memory"),),
        advice='Pass async_mode=False to get the memories back (up to mem0ai 1.x), or keep `result["event_id"]` and read the '
        "memories once the event has succeeded.",
        fix=Fix("none", "display-only", "the range admits mem0ai 2, which has no async_mode"),
    ),
    Finding(
        code="MEM102",
        name="read-after-queued-add",
        severity="error",
        message="search() runs before the memories that add() queued can exist",
        span=_CHAT,
        receiver="hosted",
        async_mode="absent",
        usage="discarded",
        consequence={"v1": "search() does not find what was just added"},
        evidence=_EVIDENCE[:2],
        marks=(Step(span("app/api.py", "client.search(text, user_id=user_id)"), "searched here"),),
        advice="Wait for the event before searching.",
    ),
)

SITES = (
    _site(_REMEMBER, "breaks", _RANGE, Use("subscript", _READ, 'result["results"][0]["id"]')),
    _site(_CHAT, "breaks", _LOCKED),
    _site(_STORE, "may-break", _NOTHING),
    _site(_FIRST, "no-visible-effect", _LOCKED),
    _site(_SECOND, "explicit", _LOCKED),
)

INCOMPLETE = (
    Unreadable("app/old.py", "SyntaxError: Missing parentheses in call to 'print'", 3),
    Unreadable("data/latin.py", "is not UTF-8 and declares no other encoding"),
)


@pytest.fixture
def report() -> Report:
    """Everything at once."""
    lost = (span("app/api.py", "client.search(text, user_id=user_id)"),)
    return Report(FINDINGS, SITES, INCOMPLETE, files=1340, analysed=12, suppressed=2, unfollowed=lost)


@pytest.fixture
def clean() -> Report:
    """A code base without mem0."""
    return Report((), (), (), files=1340, analysed=0)


@pytest.fixture
def source() -> Source:
    """Reads the files of the report."""
    return lines
