"""What `mem0-migrate fix` costs on an application of 50 files with ten sites, beside an import of LibCST alone.

    python benchmarks/fix.py [--rounds 5]

`mem0-migrate` is taken from the path. Each run fixes a copy of its own. Prints a Markdown table of medians: wall seconds, the
ratio to the peer of the same round, and the peak memory in MiB.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from check import application, run

PEER = [sys.executable, "-c", "import libcst.codemod"]
RUNS = {
    "keyword in ten files": ["--mem0ai", "<2", "--unsafe-fixes"],
    "wrapper in one file": [],
    "nothing to fix": ["--fixable", "MEM110"],
}


def main() -> None:
    """Measure each strategy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print("| what | seconds | import libcst.codemod | ratio | MiB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary) / "application"
        whole.mkdir()
        application(whole)
        for name, options in RUNS.items():
            pairs = []
            for number in range(rounds + 1):
                folder = Path(temporary) / f"{name} {number}"
                shutil.copytree(whole, folder)
                pairs.append((run(["mem0-migrate", "fix", "--isolated", *options], folder), run(PEER, folder)))
            warm = pairs[1:]
            wall = statistics.median(own.wall for own, _ in warm)
            beside = statistics.median(other.wall for _, other in warm)
            ratio = statistics.median(own.wall / other.wall for own, other in warm)
            print(f"| {name} | {wall:.2f} | {beside:.2f} | {ratio:.2f} | {max(own.memory for own, _ in warm):.0f} |", flush=True)


if __name__ == "__main__":
    main()
