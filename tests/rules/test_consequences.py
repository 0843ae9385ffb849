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
from mem0_migrate.sdk.answers import RECEIPTS
from mem0_migrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import Era, Finding

RULES = Path(__file__).parents[2] / "fixtures" / "rules"
ARGUMENTS: dict[str, Any] = {
    "text": "x", "content": "x", "user": "u", "messages": ["x"], "texts": ["x"], "first": "x", "second": "x", "enabled": True,
}  # fmt: skip
MISUSE = (KeyError, TypeError, AttributeError, IndexError)  # what reading a receipt as memories may raise


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
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


def client_module(era: Era) -> ModuleType:
    """A module `mem0` whose clients answer every `add` with the receipt of an era."""

    class MemoryClient:
        def __init__(self, **_: object) -> None: ...

        def add(self, *_: object, **__: object) -> dict[str, Any]:
            return copy.deepcopy(RECEIPTS[era])

        def search(self, *_: object, **__: object) -> dict[str, Any]:
            return {"results": []}

    class AsyncMemoryClient:
        def __init__(self, **_: object) -> None: ...

        async def add(self, *_: object, **__: object) -> dict[str, Any]:
            return copy.deepcopy(RECEIPTS[era])

        async def __aenter__(self) -> object:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    module = ModuleType("mem0")
    for made in (MemoryClient, AsyncMemoryClient):
        setattr(module, made.__name__, made)
    module.Memory = MemoryClient  # type: ignore[attr-defined]
    return module


def outcome(path: Path, function: str, arguments: list[str], era: Era, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a function of a module does in an era: "raises KeyError: 'id'", or nothing of the kind."""
    module = client_module(era)
    monkeypatch.setitem(sys.modules, "mem0", module)
    specification = importlib.util.spec_from_file_location("case", path)
    assert specification is not None
    assert specification.loader is not None
    loaded = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(loaded)
        result = getattr(loaded, function)(*(ARGUMENTS[name] for name in arguments))
        exhaust(result)
    except MISUSE as error:
        return f"raises {type(error).__name__}: {error}"
    except (AssertionError, ValueError):
        pass  # what the code itself says of an answer that it does not expect
    return "goes on"


def exhaust(result: object) -> None:
    """Run what a function has only begun."""

    async def each(items: Any) -> list[object]:
        return [item async for item in items]

    if inspect.iscoroutine(result):
        asyncio.run(result)
    elif inspect.isasyncgen(result):
        asyncio.run(each(result))
    elif inspect.isgenerator(result):
        list(result)


def runnable(path: Path, findings: tuple[Finding, ...]) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Finding]]:
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


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CASES)
def test_what_is_said_happens(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if name in GAPS:
        request.applymarker(pytest.mark.xfail(reason=GAPS[name], strict=True))
    shutil.copy(RULES / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    findings = check(["."], Settings()).findings
    different = []
    for function, finding in runnable(RULES / name, findings):
        arguments = [argument.arg for argument in function.args.args]
        for era, told in finding.consequence.items():
            happened = outcome(RULES / name, function.name, arguments, era, monkeypatch)
            if not same(told, happened):
                different.append(f"{function.name}() with {era}: said {told!r}, but it {happened}")
    assert not different, "\n" + "\n".join(different)


def test_most_cases_are_run() -> None:
    assert len(CASES) > 40
    assert not GAPS.keys() - set(CASES)
