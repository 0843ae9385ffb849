"""Which readers of a receipt are reported, and at which line: fixtures/shim/legacy and fixtures/shim/aware.

A legacy case marks, for each shape, the line that is to be reported (``# nested, flat``), or says in its first line why a shape
is not seen (``# unseen: flat (…)``). An aware case must run without any report; ``# shapes: nested`` limits it to the shape
that it is written for.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import re
import warnings
from pathlib import Path
from typing import Any

import mem0_shim
import pytest
from mem0_shim.receipt import judge_all

FIXTURES = Path(__file__).parents[2] / "fixtures" / "shim"
LEGACY = sorted((FIXTURES / "legacy").glob("*.py"))
AWARE = sorted((FIXTURES / "aware").glob("*.py"))
SHAPES = ("nested", "flat")
MESSAGES = [{"role": "user", "content": "I like tea"}]


def expected_line(text: str, shape: str) -> int | None:
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.search(r"  # ([a-z, ]+)$", line)
        if mark and shape in mark[1].split(", "):
            return number
    return None


def unseen_shapes(text: str) -> set[str]:
    mark = re.match(r"# unseen: ([a-z, ]+) \(", text)
    return set(mark[1].split(", ")) if mark else set()


def run(path: Path, clients: Any, shape: str, errors: Any = contextlib.nullcontext) -> list[Any]:
    """Run a case and return what was warned of."""
    text = path.read_text()
    is_async = text.startswith("# client: async")
    namespace: dict[str, Any] = {"__name__": f"case_{path.stem}", "MESSAGES": MESSAGES}
    exec(compile(text, str(path), "exec"), namespace)  # noqa: S102 - the project's own case
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = clients(shape, is_async=is_async)
        with errors():
            made = namespace["use"](client)
            made = asyncio.run(made) if inspect.isawaitable(made) else made
        made = client.answer = None
        gc.collect()
        judge_all()
    return [w for w in caught if issubclass(w.category, mem0_shim.PendingMemoryWarning)]


CRASHES = lambda: contextlib.suppress(KeyError, TypeError, AttributeError)  # noqa: E731 - what legacy code does with a receipt


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("path", AWARE, ids=lambda path: path.stem)
def test_aware_code_is_never_nagged(path: Path, shape: str, clients: Any) -> None:
    limits = re.match(r"# shapes: (\w+)", path.read_text())
    if limits and limits[1] != shape:
        pytest.skip(f"written for the {limits[1]} shape")
    mem0_shim.install("warn")
    assert run(path, clients, shape) == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
def test_legacy_code_is_told_at_its_line(path: Path, shape: str, clients: Any) -> None:
    mem0_shim.install("warn")
    found = {(Path(w.filename).name, w.lineno) for w in run(path, clients, shape, CRASHES)}
    line = expected_line(path.read_text(), shape)
    assert (line is None) == (shape in unseen_shapes(path.read_text())), "a case marks a line, or says why there is none"
    assert found == ({(path.name, line)} if line else set())


@pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
def test_the_warning_names_the_line_of_the_add(path: Path, clients: Any) -> None:
    mem0_shim.install("warn")
    text = path.read_text()
    adds = [number for number, line in enumerate(text.splitlines(), 1) if "client.add" in line or "add(MESSAGES)" in line]
    for warning in run(path, clients, "nested", CRASHES):
        named = re.search(r"add\(\) at (.*):(\d+) was queued", str(warning.message))
        assert named is not None
        assert (Path(named[1]).name, int(named[2]) in adds) == (path.name, True)


@pytest.mark.parametrize("path", LEGACY, ids=lambda path: path.stem)
def test_policy_raise_raises_at_the_line(path: Path, clients: Any) -> None:
    mem0_shim.install("raise")
    text, line = path.read_text(), expected_line(path.read_text(), "nested")
    try:
        told = run(path, clients, "nested", lambda: contextlib.suppress(KeyError))
    except mem0_shim.PendingMemoryError as error:
        innermost = [frame for frame in inspect.getinnerframes(error.__traceback__) if frame.filename == str(path)][-1]
        assert innermost.lineno in {line, expected_line(text, "flat")}
        assert error.event_ids
    else:  # read through a library, or after a soft read in code that knows about receipts: told, where it cannot be raised
        assert (line is None and not told) or [w.lineno for w in told] == [line]


@pytest.mark.parametrize("path", AWARE, ids=lambda path: path.stem)
def test_policy_raise_leaves_aware_code_alone(path: Path, clients: Any) -> None:
    if "# shapes: flat" in path.read_text():
        pytest.skip("written for the flat shape")
    mem0_shim.install("raise")
    assert run(path, clients, "nested") == []


def test_enough_cases_are_seen() -> None:
    assert len(LEGACY) >= 40
    assert len(AWARE) >= 20
    uses = [(path, shape) for path in LEGACY for shape in SHAPES]
    seen = [use for use in uses if use[1] not in unseen_shapes(use[0].read_text())]
    assert len(seen) / len(uses) >= 0.85
