"""What a finding says will happen does happen, and does not after the fix: the cases are run, with a client that stands in."""

from __future__ import annotations

import ast
import asyncio
import copy
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from mem0_migrate.engine import check, fix
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


_DIVIDER = re.compile(r"^# output$", re.MULTILINE)  # behind it stands what a fix makes of the case


FAILING = {rule.code for rule in all_rules() if rule.severity != "info"}


def text_of(path: Path) -> str:
    """A case, without what a fix has to make of it."""
    return _DIVIDER.split(path.read_text(encoding="utf-8"), 1)[0]


def functions(path: Path) -> list[Function]:
    """The functions of a module that can be called with what ARGUMENTS has."""
    tree = ast.parse(text_of(path))
    found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.decorator_list]
    simple = [node for node in found if not (node.args.kwonlyargs or node.args.vararg or node.args.kwarg or node.args.defaults)]
    return [node for node in simple if all(argument.arg in ARGUMENTS for argument in node.args.args)]


def can_run(path: Path) -> bool:
    """Whether the imports of a module are mem0's client and the standard library's."""
    names = set()
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    known = {"mem0", "mem0.client.main", "mem0_shim"}
    return all(name in known or name.partition(".")[0] in sys.stdlib_module_names for name in names)


def client_module(answer: dict[str, Any], *, honours: bool = True) -> ModuleType:
    """A module `mem0` whose hosted clients give that answer to every `add`, unless `async_mode` is honoured and says otherwise.

    Or unless the client was given to `mem0_shim.wrap(client, policy="wait")`, of `shim_module`.
    """

    class Memory:
        def __init__(self, **_: object) -> None: ...

        @classmethod
        def from_config(cls, *_: object, **__: object) -> object:
            return cls()

        def add(self, *_: object, **__: object) -> dict[str, Any]:
            return copy.deepcopy(MEMORIES)

        def search(self, *_: object, **__: object) -> dict[str, Any]:
            return {"results": []}

        get_all = get = delete_all = update = delete = search

    class MemoryClient(Memory):
        waits = False

        def add(self, *_: object, async_mode: object = None, **__: object) -> dict[str, Any]:
            return copy.deepcopy(MEMORIES if self.waits or (honours and async_mode is not None) else answer)

    class AsyncMemoryClient:
        waits = False

        def __init__(self, **_: object) -> None: ...

        async def add(self, *_: object, async_mode: object = None, **__: object) -> dict[str, Any]:
            return copy.deepcopy(MEMORIES if self.waits or (honours and async_mode is not None) else answer)

        async def search(self, *_: object, **__: object) -> dict[str, Any]:
            return {"results": []}

        get_all = search

        async def __aenter__(self) -> object:
            return self

        async def __aexit__(self, *_: object) -> None: ...

    module = ModuleType("mem0")
    module.__path__ = []
    for made in (Memory, MemoryClient, AsyncMemoryClient):
        setattr(module, made.__name__, made)
    return module


def shim_module() -> ModuleType:
    """A module `mem0_shim` that makes the clients of `client_module` wait, and has no receipt to wait for."""

    class Done:
        def result(self) -> None: ...

        def __await__(self) -> Iterator[None]:
            yield from ()

    def wrap(client: Any, policy: str = "warn", **_: object) -> Any:
        if policy == "wait" and hasattr(client, "waits"):
            client.waits = True
        return client

    def install(*_: object, **__: object) -> None:
        raise NotImplementedError

    def pending(*_: object) -> Done:
        return Done()

    module = ModuleType("mem0_shim")
    vars(module).update(__version__="0", is_receipt=lambda answer: "event_id" in str(answer))
    for made in (wrap, install, pending):
        setattr(module, made.__name__, made)
    return module


def called(
    path: Path, function: Function, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, honours: bool = True
) -> object:
    """What a function of a module gives, where `add` gives that answer: its result, or the exception that ends it."""
    module = client_module(answer, honours=honours)
    for name in ("mem0", "mem0.client", "mem0.client.main"):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "mem0_shim", shim_module())
    monkeypatch.setattr(sys, "argv", ["case"])
    monkeypatch.setenv("MEM0_API_KEY", "the hosted client where there is a choice")
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    loaded = ModuleType("case")
    try:
        exec(compile(text_of(path), path, "exec", dont_inherit=True), vars(loaded))  # noqa: S102 (the cases are ours)
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
    return told.partition(":")[0] in (happened.partition(":")[0], happened.partition(" ")[0] + " an error")


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
    (tmp_path / "case.py").write_text(text_of(RULES / name), encoding="utf-8")
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
    return re.sub(r" at 0x[0-9a-f]+| id='\d+'", "", repr(value))


def unused(path: Path) -> list[Function]:
    """The functions that can be called and that the module itself does not call."""
    tree = ast.parse(text_of(path))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return [function for function in functions(path) if function.name not in named]


def ends(path: Path) -> bool:
    """Whether a case neither asks a user nor loops until the platform is done."""
    return not re.search(r"input\(|while|websocket|queue|iter\(", text_of(path))


def in_order(path: Path) -> bool:
    """Whether a case expects remarks at most, without being aware of receipts or waiting: then nothing may change for it."""
    text = text_of(path)
    aware = "event_id" in text or "PENDING" in text
    return not aware and ends(path) and not FAILING.intersection(re.findall(r"MEM\d+", text))


UNCHANGED = sorted(
    path.relative_to(RULES).as_posix() for path in RULES.glob("*/*.py") if in_order(path) and can_run(path) and unused(path)
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", UNCHANGED)
def test_code_in_order_does_the_same_with_receipts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for function in unused(RULES / name):
        before, *after = [shown(called(RULES / name, function, answer, monkeypatch)) for answer in (MEMORIES, *RECEIPTS.values())]
        assert after == [before] * len(after), function.name


def can_be_fixed(path: Path) -> bool:
    """Whether something fails in a case, and nothing is suppressed in it."""
    text = text_of(path)
    return bool(FAILING.intersection(re.findall(r"expect:.*?(MEM\d+)", text))) and "noqa: MEM" not in text


WRONGLY_FIXED = set(re.findall(r"^rules/(\S+) fix \|", (RULES / "gaps.txt").read_text(encoding="utf-8"), re.MULTILINE))
FIXED = sorted(
    path.relative_to(RULES).as_posix()
    for path in RULES.glob("*/*.py")
    if can_be_fixed(path) and can_run(path) and unused(path) and ends(path)
    if path.relative_to(RULES).as_posix() not in WRONGLY_FIXED
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("mem0ai", ["<2", ">=2"])
@pytest.mark.parametrize("name", FIXED)
def test_fixed_code_does_with_receipts_what_it_did_with_memories(
    name: str, mem0ai: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each function of which nothing is left to do; `<2` honours `async_mode`, `>=2` ignores it."""
    path = tmp_path / "case.py"
    path.write_text(text_of(RULES / name), encoding="utf-8")
    report = fix([path.name], Settings(mem0ai=mem0ai, unsafe_fixes=True), write=False)
    repaired = {finding.code for finding in report.fixed}
    if not repaired or report.left or repaired & {"MEM107", "MEM110"}:  # of these two the code did not work before either
        return
    before = {item.name: (item, shown(called(path, item, MEMORIES, monkeypatch))) for item in unused(path)}
    path.write_bytes(report.rewrites[0].after)
    for function, happened in before.values():
        for answer in RECEIPTS.values():
            fixed = shown(called(path, function, answer, monkeypatch, honours=mem0ai == "<2"))
            assert fixed == happened, f"{function.name}()\n{path.read_text(encoding='utf-8')}"


def test_most_cases_are_run() -> None:
    assert len(CASES) > 40
    assert len(UNCHANGED) > 60
    assert len(FIXED) > 100
    assert not GAPS.keys() - set(CASES)
