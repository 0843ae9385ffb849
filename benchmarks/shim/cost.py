"""What the shim costs: for each figure of shim/README.md the median of 40 runs, in CPU time.

Each run is measured beside the same without the shim and a loop over a plain dict's subscript, and scaled to a machine where a
turn of that loop takes 15 ns: on a shared machine the clock says more about its neighbours.

Run: ``PYTHONPATH=shim python benchmarks/shim/cost.py`` (mem0ai is not needed, but for the import time).
"""

from __future__ import annotations

import gc
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2] / "tests" / "shim"), str(Path(__file__).parents[2] / "shim")]

import mem0_shim
import stand_in
from mem0_shim import client as shim_client
from mem0_shim import reads
from mem0_shim.callsite import UNKNOWN
from mem0_shim.receipt import Receipt, track

RUNS, CALLS = 40, 2000
IDLE_TURN = 15e-9  # of a loop over a plain dict's subscript, Python 3.11 on an idle machine


PLAIN = {"x": 1}
turns: list[float] = []


def turn(calls: int) -> None:
    for _ in range(calls):
        PLAIN["x"]


def timed(action: Callable[[int], None]) -> float:
    began = time.process_time()
    action(CALLS)
    return (time.process_time() - began) / CALLS


def added(before: Callable[[int], None], after: Callable[[int], None]) -> float:
    """CPU seconds that one call of `after` takes longer, where a turn takes `IDLE_TURN`.

    It is the median of `RUNS` runs, each of both actions and of turns, one after the other.
    """
    gc.disable()
    found = []
    for _ in range(RUNS):
        turns.append(timed(turn))
        first = timed(before)
        found.append((timed(after) - first) / turns[-1] * IDLE_TURN)
    gc.enable()
    return statistics.median(found)


def discarding(client: Any) -> Callable[[int], None]:
    def run(calls: int) -> None:
        for _ in range(calls):
            client.add("x", user_id="alice")

    return run


def keeping(client: Any) -> Callable[[int], None]:
    def run(calls: int) -> None:
        kept = [None] * calls
        for n in range(calls):
            kept[n] = client.add("x", user_id="alice")

    return run


def adds() -> list[tuple[str, float, float]]:
    """Name, added seconds, most seconds, for each figure of ``add``."""
    results = []
    cases = (
        ("add(), completed", {"results": [{"id": "m", "memory": "x", "event": "ADD"}]}, keeping, 2e-6),
        ("add(), receipt discarded", stand_in.receipt("flat"), discarding, 2e-6),
        ("add(), receipt kept, flat", stand_in.receipt("flat"), keeping, 4e-6),
        ("add(), receipt kept, nested", stand_in.receipt("nested"), keeping, 4e-6),
    )
    for name, answer, use, most in cases:
        plain, shimmed = stand_in.make_module(), stand_in.make_module()
        mem0_shim.install("warn")
        shim_client.patch(shimmed)
        uses = []
        for module in (plain, shimmed):
            client = module.MemoryClient()
            client.answer = answer
            uses.append(use(client))
        results.append((name, added(*uses), most))
    reads._outstanding.clear()
    return results


def accesses() -> list[tuple[str, float, float]]:
    """Name, seconds of one access, most seconds."""
    state = Receipt(("e",), UNKNOWN, "warn", None)
    answer = track(stand_in.receipt("nested"), state)
    flat = track(stand_in.receipt("flat"), state)
    entries = dict.get(answer, "results")

    def subscript(calls: int) -> None:
        for _ in range(calls):
            flat["event_id"]

    def get(calls: int) -> None:
        for _ in range(calls):
            answer.get("results")

    def length(calls: int) -> None:
        for _ in range(calls):
            len(answer)

    def iteration(calls: int) -> None:
        for _ in range(calls):
            for _entry in entries:
                pass

    def nothing(calls: int) -> None:
        for _ in range(calls):
            pass

    state.acknowledge()
    actions = (("subscript", subscript), ("get", get), ("len", length), ("iteration of one entry", iteration))
    return [(f"a receipt's {name}", added(nothing, action), 1e-7) for name, action in actions]


def read() -> list[tuple[str, float, float]]:
    """What is added to ``search`` while nothing is outstanding; and by a function that does nothing but call ``search``."""

    def around(original: Any) -> Any:
        def search(*args: Any, **kwargs: Any) -> Any:
            return original(*args, **kwargs)

        return search

    def make(change: Callable[[Any], object]) -> Callable[[int], None]:
        module = stand_in.make_module()
        module.MemoryClient.search = lambda self, query, options=None, **kwargs: None  # noqa: ARG005 - mem0ai's signature
        change(module)
        client = module.MemoryClient()

        def run(calls: int) -> None:
            for _ in range(calls):
                client.search("x", user_id="alice")

        return run

    plain, shimmed = make(lambda module: None), make(shim_client.patch)  # noqa: ARG005 - the module stays as it is
    least = make(lambda module: setattr(module.MemoryClient, "search", around(module.MemoryClient.search)))
    return [
        ("a read when nothing is outstanding", added(plain, shimmed), 1e-7),
        ("  of which an empty function around the method", added(plain, least), float("inf")),
    ]


def imports() -> tuple[str, float, float]:
    """What ``import mem0_shim`` and ``install()`` add to ``import mem0``: wall-clock time, of the quickest of 10 processes."""
    program = (
        # Without the collector: a collection of mem0's objects may fall into any line.
        "import {}\nimport gc, time\ngc.disable()\nbegan = time.perf_counter()\nimport mem0_shim\nmem0_shim.install()\n"
        "print(time.perf_counter() - began)"
    )
    first = "mem0" if importlib.util.find_spec("mem0") else "httpx, asyncio"
    command = [sys.executable, "-W", "ignore", "-c", program.format(first)]
    here = Path(__file__).parents[2] / "shim"
    with tempfile.TemporaryDirectory() as compiled:  # as an installed package is compiled
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "MEM0_TELEMETRY": "False", "MEM0_DIR": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=here, env=environment) for _ in range(11)]
    found = [float(run.stdout) for run in runs[1:]]
    return f"import mem0_shim and install(), after {first}", min(found), 1e-2


def main() -> int:
    """Print the table.

    Returns:
        1 if a figure is above what it may be.
    """
    warnings.simplefilter("ignore")
    rows = [*adds(), *accesses(), *read(), imports()]
    for name, cost, most in rows:
        bound = f"at most {most * 1e6:10.3f} us" if most < float("inf") else ""
        print(f"{name:50} {cost * 1e6:10.3f} us   {bound}   {'' if cost <= most else 'ABOVE'}".rstrip())
    span = f"{min(turns) * 1e9:.0f} to {max(turns) * 1e9:.0f} ns"
    print(f"a turn took {span} here; all figures but the import are for {IDLE_TURN * 1e9:.0f} ns")
    return int(any(cost > most for _, cost, most in rows))


if __name__ == "__main__":
    sys.exit(main())
