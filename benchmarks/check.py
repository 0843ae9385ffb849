"""What `mem0-migrate check` costs beside ripgrep and ruff, interleaved in one run; and on small and on extreme input.

    python benchmarks/check.py TREE [--rounds 5]

TREE holds the releases of `tree.tsv`, committed: `python fixtures/corpus/fetch.py fixtures/corpus/tree.tsv TREE --commit`. `rg`,
`ruff` and `mem0-migrate` are taken from the path. Prints a Markdown table of medians: wall seconds, the ratio to the peer of the
same round, and the peak memory of the largest process in MiB.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CHECK = ["mem0-migrate", "check", "--isolated", "--exit-zero"]
RIPGREP = ["rg", "-lF", "-tpy", "mem0"]
RUFF = ["ruff", "check", "--isolated", "--no-cache", "--select", "F", "--exit-zero", "-q"]
USING_MEM0 = 10
CLICK = [sys.executable, "-c", "import click"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall seconds, and peak resident memory in MiB."""

    wall: float
    memory: float


def run(command: list[str], folder: Path) -> Cost:
    """Run one command and take its costs, children included."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return Cost(time.perf_counter() - start, usage.ru_maxrss / 1024)


def compare(name: str, command: list[str], peer: list[str], folder: Path, rounds: int) -> None:
    """Print a row: the command beside its peer, in turn, after one warm-up each."""
    run(command, folder), run(peer, folder)
    pairs = [(run(command, folder), run(peer, folder)) for _ in range(rounds)]
    wall = statistics.median(own.wall for own, _ in pairs)
    ratio = statistics.median(own.wall / other.wall for own, other in pairs)
    memory = max(own.memory for own, _ in pairs)
    beside = statistics.median(other.wall for _, other in pairs)
    print(f"| {name} | {wall:.2f} | {' '.join(peer[:1])} {beside:.2f} | {ratio:.2f} | {memory:.0f} |", flush=True)


def without_mem0(tree: Path, folder: Path) -> None:
    """Make a repository of the packages of a tree that never say mem0; files are linked, not copied."""
    named = subprocess.run([*RIPGREP, "."], cwd=tree, capture_output=True, text=True, check=True).stdout.splitlines()
    naming = {name.removeprefix("./").split("/")[0] for name in named}
    others = [path for path in tree.iterdir() if path.is_dir() and path.name not in naming and path.name[0] != "."]
    subprocess.run(["cp", "-al", *map(str, sorted(others)), str(folder)], check=True)
    git = ["git", "-C", str(folder), "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Packages without mem0"]):
        subprocess.run([*git, *command], check=True, capture_output=True)


def application(folder: Path) -> None:
    """Write an application of 50 files with ten sites, in ten of them."""
    package = folder / "app"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deps.py").write_text("from mem0 import MemoryClient\n\n\ndef client():\n    return MemoryClient()\n")
    for number in range(48):
        lines = ["import json", "", f"def job_{number}(rows):", "    seen = set()"]
        lines += [f"    seen.add(json.dumps(rows[{row}], sort_keys=True))" for row in range(40)]
        lines += ["    return sorted(seen)", ""]
        if number < USING_MEM0:
            lines[:1] = ["import json", "from app.deps import client"]
            lines += ["", "def remember(text):", '    return client().add(text, user_id="u")["results"][0]["id"]', ""]
        (package / f"part_{number}.py").write_text("\n".join(lines))


def extremes(folder: Path) -> None:
    """Write files at the edge of what people generate."""
    start = "from mem0 import MemoryClient\nclient = MemoryClient()\nclient.add([])\n"
    (folder / "chain.py").write_text(start + "x = client" + ".a()" * 1000 + "\n")
    (folder / "sum.py").write_text(start + "x = " + " + ".join(["1"] * 5000) + "\n")
    (folder / "dictionary.py").write_text(start + "x = {" + ", ".join(f"'k{key}': [{key}]" for key in range(20_000)) + "}\n")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    tree, rounds = arguments.tree, arguments.rounds

    print("| what | wall s | peer s | ratio | MiB |\n| --- | --: | --: | --: | --: |")
    compare("large tree, beside ripgrep", [*CHECK, "."], [*RIPGREP, "."], tree, rounds)
    compare("large tree, beside ruff", [*CHECK, "."], [*RUFF, "."], tree, rounds)
    with tempfile.TemporaryDirectory(dir=tree.parent) as name:  # links stay on one file system
        without_mem0(tree, Path(name))
        compare("its packages that never say mem0", [*CHECK, "."], [*RIPGREP, "."], Path(name), rounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        application(folder)
        compare("application of 50 files", [*CHECK, "."], CLICK, folder, rounds)
    for extreme in ("chain.py", "sum.py", "dictionary.py"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            extremes(folder)
            for path in folder.iterdir():
                if path.name != extreme:
                    path.unlink()
            compare(f"one file: {extreme}", [*CHECK, "."], CLICK, folder, rounds)


if __name__ == "__main__":
    main()
