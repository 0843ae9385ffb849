"""What a finding says will happen does happen: the code of the cases is run, with a client that answers with receipts."""

from __future__ import annotations

import ast
import asyncio
import copy
import importlib.util
import inspect
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from mem0_migrate.engine import check
from mem0_migrate.rules.registry import all_rules
from mem0_migrate.sdk.answers import RECEIPTS
from mem0_migrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import Finding

RULES = Path(__file__).parents[2] / "fixtures" / "rules"
ARGUMENTS: dict[str, Any] = {
    "text": "x", "content": "x", "user": "u", "messages": ["x"], "texts": ["x"], "first": "x", "second": "x", "enabled": True,
    "query": "x", "agent": None,
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef
MEMORIES = {"results": [{"id": "1", "memory": "x", "event": "ADD"}]}
MISUSE = (KeyError, TypeError, AttributeError, IndexError)  # what reading a receipt as memories may raise


def functions(path: Path) -> list[Function]:
    """The functions of a module that can be called with what ARGUMENTS has."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.decorator_list]
    simple = [node for node in found if not (node.args.kwonlyargs or node.args.vararg or node.args.kwarg or node.args.defaults)]
    return [node for node in simple if all(argument.arg in ARGUMENTS for argument in node.args.args)]


def can_run(path: Path) -> bool:
    """Whether the imports of a module are mem0's client and the standard library's."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return all(name in {"mem0", "mem0.client.main"} or name.partition(".")[0] in sys.stdlib_module_names for name in names)


def client_module(answer: dict[str, Any]) -> ModuleType:
    """A module `mem0` whose hosted clients give that answer to every `add` that says nothing of `async_mode`."""

    class Memory:
        def __init__(self, **_: object) -> None: ...

        @classmethod
        def from_config(cls, *_: object, **__: object) -> object:
            return cls()

        def add(self, *_: object, **__: object) -> dict[str, Any]:
            return copy.deepcopy(MEMORIES)

        def search(self, *_: object, **__: object) -> dict[str, Any]:
            return {"results": []}

        get_all = get = delete_all = search

    class MemoryClient(Memory):
        def add(self, *_: object, async_mode: object = None, **__: object) -> dict[str, Any]:
            return copy.deepcopy(answer if async_mode is None else MEMORIES)

    class AsyncMemoryClient:
        def __init__(self, **_: object) -> None: ...

        async def add(self, *_: object, async_mode: object = None, **__: object) -> dict[str, Any]:
            return copy.deepcopy(answer if async_mode is None else MEMORIES)

        async def search(self, *_: object, **__: object) -> dict[str, Any]:
            return {"results": []}

        get_all = search

        async def __aenter__(self) -> object:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    module = ModuleType("mem0")
    for made in (Memory, MemoryClient, AsyncMemoryClient):
        setattr(module, made.__name__, made)
    return module


def called(path: Path, function: Function, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> object:
    """What a function of a module gives, where `add` gives that answer: its result, or the exception that ends it."""
    monkeypatch.setitem(sys.modules, "mem0", client_module(answer))
    monkeypatch.setattr(sys, "argv", ["case"])
    monkeypatch.setenv("MEM0_API_KEY", "the hosted client where there is a choice")
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    specification = importlib.util.spec_from_file_location("case", path)
    assert specification is not None
    assert specification.loader is not None
    loaded = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(loaded)
        arguments = (ARGUMENTS[argument.arg] for argument in function.args.args)
        return exhaust(getattr(loaded, function.name)(*arguments))
    except Exception as error:  # noqa: BLE001 (whatever ends the function is what happens)
        return error


def exhaust(result: object) -> object:
    """What a function gives, once what it has only begun is run."""

    async def each(items: Any) -> list[object]:
        return [item async for item in items]

    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if inspect.isasyncgen(result):
        return asyncio.run(each(result))
    return list(result) if inspect.isgenerator(result) else result


def runnable(path: Path, findings: tuple[Finding, ...]) -> Iterator[tuple[Function, Finding]]:
    """The findings whose misuse lies in a function that can be called, and not in one inside it."""
    for finding in findings:
        if finding.code in {"MEM101", "MEM111"} and finding.marks:
            row = finding.marks[0].span.start.row
            for function in functions(path):
                inner = [node for node in ast.walk(function) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
                around = [node for node in inner if node.lineno <= row <= (node.end_lineno or 0)]
                if around == [function]:
                    yield function, finding


def same(told: str, happened: str) -> bool:
    """Whether what was told is what happened: KeyError to the letter, other messages differ between Pythons."""
    if told.startswith("raises KeyError") or not told.startswith("raises"):
        return happened == (told if told.startswith("raises") else "goes on")
    return told.partition(":")[0] == happened.partition(":")[0]


CASES = sorted(
    path.relative_to(RULES).as_posix()
    for folder in ("receipt-read-as-memories", "acceptance-taken-for-success")
    for path in (RULES / folder).glob("*.py")
    if can_run(path) and functions(path)
)
GAPS = dict(re.findall(r"^rules/(\S+) consequence \| (.+)$", (RULES / "gaps.txt").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases may write files."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CASES)
def test_what_is_said_happens(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if name in GAPS:
        request.applymarker(pytest.mark.xfail(reason=GAPS[name], strict=True))
    shutil.copy(RULES / name, tmp_path)
    findings = check(["."], Settings()).findings
    different = []
    for function, finding in runnable(RULES / name, findings):
        for era, told in finding.consequence.items():
            result = called(RULES / name, function, RECEIPTS[era], monkeypatch)
            happened = f"raises {type(result).__name__}: {result}" if isinstance(result, MISUSE) else "goes on"
            if not same(told, happened):
                different.append(f"{function.name}() with {era}: said {told!r}, but it {happened}")
    assert not different, "\n" + "\n".join(different)


def shown(value: object) -> str:
    """A value in words that are the same in every run."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def unused(path: Path) -> list[Function]:
    """The functions that can be called and that the module itself does not call."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return [function for function in functions(path) if function.name not in named]


def in_order(path: Path) -> bool:
    """Whether a case expects remarks at most, without being aware of receipts or waiting: then nothing may change for it."""
    text = path.read_text(encoding="utf-8")
    failing = {rule.code for rule in all_rules() if rule.severity != "info"}
    aware = "event_id" in text or "PENDING" in text
    waits = "input(" in text or "while" in text
    return not aware and not waits and not failing.intersection(re.findall(r"MEM\d+", text))


UNCHANGED = sorted(
    path.relative_to(RULES).as_posix() for path in RULES.glob("*/*.py") if in_order(path) and can_run(path) and unused(path)
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", UNCHANGED)
def test_code_in_order_does_the_same_with_receipts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for function in unused(RULES / name):
        before, *after = [shown(called(RULES / name, function, answer, monkeypatch)) for answer in (MEMORIES, *RECEIPTS.values())]
        assert after == [before] * len(after), function.name


def test_most_cases_are_run() -> None:
    assert len(CASES) > 40
    assert len(UNCHANGED) > 60
    assert not GAPS.keys() - set(CASES)
