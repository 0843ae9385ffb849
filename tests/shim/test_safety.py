"""In production: no error of the shim reaches the application, in threads, forks, child processes, at exit."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pickle
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mem0_shim
import pytest
from mem0_shim import callsite, client, handle, polling, reads, receipt, reports, shapes
from mem0_shim.settings import read_settings

from stand_in import make_module
from stand_in import receipt as make_receipt

HERE, SHIM = Path(__file__).parent, Path(__file__).parents[2] / "shim"
SHAPES = ("message", "nested", "list", "flat-message", "flat")
STEPS = [
    (client, "settings_of"),
    (client, "find_call"),
    (client, "glance"),
    (client, "outcome"),
    (client, "event_ids"),
    (client, "track"),
    (client, "Receipt"),
    (client, "Call"),
    (client, "_in_old_shape"),
    (client, "_pending"),
    (client, "_cannot_wait"),
    (client, "_failed"),
    (reads, "this_flow"),
    (reads, "note_add"),
    (receipt, "find"),
    (receipt, "plain"),
    (shapes, "glance"),
    (shapes, "_entries"),
    (receipt, "_tracked_dict"),
    (receipt, "_tracked_entries"),
    (callsite, "kind_of"),
    (callsite, "_site"),
    (callsite, "_words_of"),
    (handle, "with_memory"),
    (handle.PendingAdd, "__init__"),
    (polling, "account_of"),
    (polling, "wait"),
]


class Injected(Exception):  # noqa: N818 - it is injected
    """What no application may see."""


def broken(*_: Any, **__: Any) -> Any:
    raise Injected


@pytest.mark.filterwarnings("ignore::mem0_shim.PendingMemoryWarning")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("policy", ["warn", "raise", "wait"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[f"{getattr(o, '__name__', o)}.{s}" for o, s in STEPS])
def test_an_error_of_ours_never_reaches_the_application(
    owner: Any, step: str, policy: str, shape: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sdk = make_module()
    mem0_shim.install(policy, timeout=0.0)
    client.patch(sdk)
    instance = sdk.MemoryClient()
    instance.answer = make_receipt(shape)
    twin = sdk.AsyncMemoryClient()
    twin.answer = make_receipt(shape)
    monkeypatch.setattr(reports, "_internal_errors", set())
    monkeypatch.setattr(callsite, "_kinds", {})
    monkeypatch.setattr(callsite, "_calls", {})
    with caplog.at_level(logging.WARNING, "mem0_shim"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, broken)
            try:
                answer = instance.add("x", user_id="a")
                twin_answer = asyncio.run(twin.add("x", user_id="a"))
                for made, plain in ((answer, instance.answer), (twin_answer, twin.answer)):
                    dict.get(made, "x") if isinstance(made, dict) else None
                    assert made == plain
            except (mem0_shim.PendingTimeout, mem0_shim.PendingMemoryError, mem0_shim.PendingUnavailable):
                pass  # deliberate: nothing listens at the stand-in's address, or the comparison was a read
        for reference in list(receipt.unjudged.values()):
            if (kept := reference()) is not None:
                kept.acknowledge()  # a traceback may keep it until another test


def test_a_broken_logger_of_the_application_does_not_hide_the_warning() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    instance = sdk.MemoryClient()
    instance.answer = make_receipt("flat")
    handler = logging.Handler()
    handler.emit = broken  # type: ignore[method-assign]
    logging.getLogger("mem0_shim").addHandler(handler)
    try:
        with pytest.warns(mem0_shim.PendingReadWarning), pytest.raises(KeyError):
            instance.add("x")["memory"]
    finally:
        logging.getLogger("mem0_shim").removeHandler(handler)


def test_threads() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    errors: list[BaseException] = []

    def work(shape: str) -> None:
        try:
            instance = sdk.MemoryClient()
            for n in range(2000):
                instance.answer = make_receipt(shape)
                answer = instance.add("x", user_id=str(n))
                assert answer == instance.answer
                assert mem0_shim.is_receipt(answer)
                answer.copy()
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(SHAPES[n % len(SHAPES)],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    gc.collect()
    assert not [r for r in receipt.unjudged.values() if (made := r()) is not None and not made.acknowledged]


def test_a_receipt_in_a_cycle_is_judged() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    instance = sdk.MemoryClient()
    instance.answer = make_receipt("nested")

    class Node:
        pass

    def use() -> None:
        node: Any = Node()
        node.itself = node
        node.answer = instance.add("x")
        node.count = len(node.answer["results"])

    with pytest.warns(mem0_shim.PendingConsumedWarning) as caught:
        use()
        gc.collect()
    assert caught[0].filename == __file__


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_after_install() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    polling._lock.acquire()  # as a thread of the parent may hold it
    try:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                instance = sdk.MemoryClient()
                instance.answer = make_receipt("flat")
                polling.account_of(instance, client.process.settings)  # type: ignore[arg-type]
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    len(instance.add("x"))
                code = 0 if [w.category for w in caught] == [mem0_shim.PendingConsumedWarning] else 2
            finally:
                os._exit(code)
    finally:
        polling._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_spawned_processes_get_plain_answers() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    instance = sdk.MemoryClient()
    instance.answer = make_receipt("nested")
    answer = instance.add("x")
    program = "import pickle, sys; a = pickle.load(sys.stdin.buffer); print(type(a).__name__, type(a['results']).__name__)"
    told = subprocess.run(
        [sys.executable, "-I", "-c", program], input=pickle.dumps(answer), capture_output=True, check=True
    ).stdout.decode()
    assert told.split() == ["dict", "list"]
    answer.get("event_id")


PROGRAM = """
import sys, warnings
sys.path[:0] = {paths!r}
import mem0_shim, stand_in
from mem0_shim import client
sdk = stand_in.make_module()
mem0_shim.install("warn")
client.patch(sdk)
instance = sdk.MemoryClient()
instance.answer = stand_in.receipt("flat")
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("answer = instance.add('x'); count = len(answer)", "PendingConsumedWarning: len()"),
        ("answer = instance.add('x'); answer.get('event_id'); count = len(answer)", ""),
        ("class K:\n  pass\nk = K(); k.k = k; k.a = instance.add('x'); bool(k.a)", "PendingConsumedWarning: a truth test"),
        ("sys.modules['kept'] = instance.add('x'); len(sys.modules['kept'])", "PendingConsumedWarning: len()"),
    ],
)
def test_at_the_end_of_the_process(code: str, expected: str) -> None:
    program = PROGRAM.format(paths=[str(HERE), str(SHIM)]) + code
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (expected in result.stderr) if expected else not result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_asyncio_debug_mode_and_never_awaited() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    instance = sdk.AsyncMemoryClient()
    instance.answer = make_receipt("flat")

    async def use() -> Any:
        return (await instance.add("x")).get("event_id")

    assert asyncio.run(use(), debug=True) == instance.answer["event_id"]
    with pytest.warns(RuntimeWarning, match=r"AsyncMemoryClient.add' was never awaited"):
        instance.add("x")
        gc.collect()


def test_a_line_is_remembered_with_its_module_and_so_many_are() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    instance = sdk.MemoryClient()
    instance.answer = make_receipt("flat")
    code = compile("def use(client):\n    return client.add('x')\n", "application.py", "exec")
    for n in range(3 * callsite._CALLS):
        namespace: dict[str, Any] = {"__name__": f"module_{n % 2}"}
        exec(code if n % 3 else compile("def use(client):\n    return client.add('x')\n", "generated.py", "exec"), namespace)  # noqa: S102
        for _ in range(2):
            answer = namespace["use"](instance)
            made = receipt.receipt_of(answer)
            assert made is not None
            assert made.added_at.module == namespace["__name__"]
            assert str(made.added_at) == f"{'application' if n % 3 else 'generated'}.py:2"
    assert len(callsite._calls) <= callsite._CALLS


@pytest.mark.parametrize(
    ("options", "module", "imported"),
    [
        ("'warn'", "handle", False),
        ("'warn'", "ledger", False),
        ("'wait'", "handle", True),
        ("'off,application=wait'", "handle", True),
        ("'warn', reads='barrier'", "handle", True),
        ("'wait'", "ledger", False),
    ],
)
def test_what_waits_is_imported_before_a_fork_can_interrupt_it(options: str, module: str, imported: bool) -> None:
    program = f"import sys; sys.path.insert(0, {str(SHIM)!r}); import mem0_shim; mem0_shim.install({options});"
    program += f"print('mem0_shim.{module}' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(imported)


def _containers() -> dict[str, int]:
    gc.collect()
    found = {"objects": len(gc.get_objects()), "unjudged": len(receipt.unjudged), "told": len(reports._told)}
    return {**found, "registry": len(globals().get("__warningregistry__", {}))}


def test_a_service_that_runs_for_long_does_not_grow() -> None:
    sdk = make_module()
    mem0_shim.install("warn")
    client.patch(sdk)
    instance = sdk.MemoryClient()

    def serve(calls: int) -> None:
        for n in range(calls):
            instance.answer = make_receipt("nested")
            answer = instance.add("x", user_id=f"u{n}", metadata={"n": n})
            if n % 4 == 0:
                count = len(answer["results"])  # legacy, and judged when the answer dies
            elif n % 4 == 1:
                answer.get(f"m{n}")  # a key that is never the same
            elif n % 4 == 2:
                count = len(answer) and answer["results"][0]["event_id"]  # aware, after a soft read
        del answer, count

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", mem0_shim.PendingMemoryWarning)
        serve(4000)  # more than what is remembered of outstanding adds
        before, told = _containers(), len(caught)
        serve(20_000)
        after = _containers()
    assert told == 2
    assert len(caught) == told
    assert after["objects"] - before["objects"] < 100
    assert {**after, "objects": 0} == {**before, "objects": 0}


def test_accounts_that_nobody_waits_for_are_forgotten() -> None:
    settings = read_settings()
    waited_for = polling.account_of(SimpleNamespace(host="h", api_key="waited"), settings)
    waited_for.join(("e",), lambda: None, settings)
    for n in range(3 * polling._ACCOUNTS):
        polling.account_of(SimpleNamespace(host="h", api_key=f"k{n}"), settings)
    assert len(polling._accounts) <= polling._ACCOUNTS
    assert polling.account_of(SimpleNamespace(host="h", api_key="waited"), settings) is waited_for
    polling._accounts.clear()
