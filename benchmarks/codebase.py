"""What finding the files of a code base and searching them costs, beside ripgrep, interleaved in one run.

    python benchmarks/codebase.py TREE [--rounds 5]

TREE is a directory, for example the releases of the corpus in one git repository. Each command runs once per round, in turn; the
table shows the medians of wall and processor time in seconds (all processes), the peak memory of the largest process in MiB, and
the ratio of the wall time to `rg -lF -tpy mem0`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

WORD = "mem0"

_START = "pass"
_IMPORT = "import mem0_migrate.project.discovery, mem0_migrate.project.search, mem0_migrate.project.source"
_DISCOVER = """
from mem0_migrate.project.discovery import discover
files = discover(["."]).files
"""
_MENTIONING = f"""
from mem0_migrate.project.search import mentioning
found, problems = mentioning(files, b"{WORD}")
"""
_IMPORTERS = """
from mem0_migrate.project.modules import Modules
from mem0_migrate.project.search import Importers
importers = Importers(files, Modules(files))
answers = [importers.of(name, {"add"}) for name in found[:QUESTIONS]]
"""
_LOAD = """
from mem0_migrate.project.source import load
for name in found:
    load(name)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall and processor time, and peak resident memory in MiB."""

    wall: float
    processor: float
    memory: float


def run(command: list[str], tree: str) -> Cost:
    """Run one command in the tree and take its costs, children included."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=tree, stdout=subprocess.DEVNULL, env=os.environ)
    _, _, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    search = _DISCOVER + _MENTIONING
    stages = {
        "start of Python": _START,
        "imports": _IMPORT,
        "discover": _DISCOVER,
        "discover, mentioning": search,
        "… and 1 question of importers": search + _IMPORTERS.replace("QUESTIONS", "1"),
        "… and 100 questions": search + _IMPORTERS.replace("QUESTIONS", "100"),
        "discover, mentioning, load those": search + _LOAD,
    }
    commands = {
        "rg": ["rg", "-lF", "-tpy", WORD, "."],
        "ruff": ["ruff", "check", "--no-cache", "--select", "F", "-q", "--exit-zero", "."],
    }
    commands |= {name: [sys.executable, "-c", code] for name, code in stages.items()}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for command in commands.values():
        run(command, options.tree)  # warm the page cache
    for _ in range(options.rounds):
        for name, command in commands.items():
            costs[name].append(run(command, options.tree))
    base = statistics.median(cost.wall for cost in costs["rg"])
    print(f"{'':34}{'wall':>8}{'cpu':>8}{'MiB':>7}{'x rg':>7}")
    for name, measured in costs.items():
        wall = statistics.median(cost.wall for cost in measured)
        processor = statistics.median(cost.processor for cost in measured)
        memory = max(cost.memory for cost in measured)
        print(f"{name:34}{wall:8.3f}{processor:8.3f}{memory:7.0f}{wall / base:7.2f}")


if __name__ == "__main__":
    main()
