"""Cases as data in fixtures/rules (see its README) and fixtures/flows: what `fix` makes of them, and what must hold of each."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mem0_migrate.engine import check, fix
from mem0_migrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mem0_migrate.configuration import Choice
    from mem0_migrate.model import Finding, FixReport

FIXTURES = Path(__file__).parents[2] / "fixtures"
OUTPUT = "output"  # the folder, in a case of several files, of those that a fix changes
CASES = sorted(
    path.relative_to(FIXTURES).as_posix()
    for folder in [*(FIXTURES / "rules").iterdir(), FIXTURES / "flows"]
    if folder.is_dir()
    for path in folder.iterdir()
    if path.suffix in (".py", ".ipynb") or path.is_dir()
)
STRATEGIES: tuple[Choice, ...] = ("auto", "shim")

_GAP = re.compile(r"^(?P<name>\S+) (?P<kind>fix|invariants) \| (?P<reason>.+)$", re.MULTILINE)
GAPS = {
    (match["name"], match["kind"]): match["reason"]
    for match in _GAP.finditer((FIXTURES / "rules" / "gaps.txt").read_text(encoding="utf-8"))
}

_DIVIDER = re.compile(rb"^# output\r?\n", re.MULTILINE)
_FLAGS = re.compile(r"\A# flags: (?P<words>.+)$", re.MULTILINE)
_BY_HAND = re.compile(r"^# by hand: (?P<words>.+)\n", re.MULTILINE)
_NOT_FIXED = re.compile(r"# not fixed: (?P<words>[^#\r\n]+)")
_MARKS = re.compile(r"[ \t]*# (?:expect|not fixed): .*?(?=\r?$)", re.MULTILINE)


@cache
def before(name: str) -> dict[str, bytes]:
    """The files of a case, without what is expected of them."""
    path = FIXTURES / name
    if path.is_file():
        return {path.name: _DIVIDER.split(path.read_bytes(), 1)[0]}
    found = {item.relative_to(path): item for item in path.rglob("*") if item.is_file()}
    return {item.as_posix(): source.read_bytes() for item, source in sorted(found.items()) if item.parts[0] != OUTPUT}


@cache
def after(name: str) -> dict[str, bytes] | None:
    """The files that a fix changes, as they have to be afterwards; None where nothing is said of that."""
    path = FIXTURES / name
    if path.is_dir():
        found = {item.relative_to(path / OUTPUT).as_posix(): item for item in (path / OUTPUT).rglob("*") if item.is_file()}
        return {item: source.read_bytes() for item, source in found.items()} if found or is_judged(name) else None
    parts = _DIVIDER.split(path.read_bytes(), 1)
    return {path.name: parts[1]} if len(parts) > 1 else {} if is_judged(name) else None


def is_judged(name: str) -> bool:
    """Whether a case says that something is not fixed."""
    return any(_NOT_FIXED.search(data.decode()) for data in before(name).values())


JUDGED = [name for name in CASES if after(name) is not None]


def settings(name: str) -> Settings:
    """The settings that the first line of a file asks for; unsafe fixes are made unless it says `--safe`."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--mem0ai")
    parser.add_argument("--extend-select", action="append", default=[])
    parser.add_argument("--fixable", action="append")
    parser.add_argument("--unfixable", action="append", default=[])
    parser.add_argument("--strategy", default="auto")
    parser.add_argument("--safe", action="store_true")
    words = [word for data in before(name).values() for match in _FLAGS.finditer(data.decode()) for word in match[1].split()]
    options = parser.parse_args(words)
    return Settings(
        mem0ai=options.mem0ai,
        extend_select=tuple(options.extend_select),
        fixable=tuple(options.fixable) if options.fixable else None,
        unfixable=tuple(options.unfixable),
        strategy=options.strategy,
        unsafe_fixes=not options.safe,
    )


def written(name: str, folder: Path) -> None:
    """Lay the files of a case into a folder."""
    for filename, data in before(name).items():
        (folder / filename).parent.mkdir(parents=True, exist_ok=True)
        (folder / filename).write_bytes(data)


def found_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines(filename: str, data: bytes) -> Iterator[tuple[tuple[str, int | None, int], str]]:
    """Every line of a file, with its place: the file, the cell of a notebook, and the row."""
    text = data.decode()
    cells: list[tuple[int | None, str]] = [(None, text)]
    if filename.endswith(".ipynb"):
        cells = [(number, "".join(cell["source"])) for number, cell in enumerate(json.loads(text)["cells"], 1)]
    for cell, content in cells:
        yield from (((filename, cell, row), line) for row, line in enumerate(content.split("\n"), 1))


def disagreements(files: dict[str, bytes], report: FixReport) -> Iterator[str]:
    """In words, each place where something else is left, or for another reason, than the files say."""
    wanted = {place: match["words"].strip() for name, data in files.items() for place, line in lines(name, data)
              if (match := _NOT_FIXED.search(line))}  # fmt: skip
    for item in report.left:
        span = item.finding.span
        words = wanted.get((span.filename, span.cell, span.start.row))
        if words is None or words.casefold() not in item.reason.casefold():
            told = "is to be fixed" if words is None else f"is not to be fixed: {words}"
            yield f"{span.filename}:{span.start.row}: {item.finding.code} {told}, but was not: {item.reason}"
    left = {(item.finding.span.filename, item.finding.span.cell, item.finding.span.start.row) for item in report.left}
    yield from (f"{place} is to be left: {words}" for place, words in wanted.items() if place not in left)


def counted(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter((finding.span.filename, finding.code) for finding in findings)


def marked(name: str, kind: str) -> list[pytest.MarkDecorator]:
    """A gap has to fail."""
    return [pytest.mark.xfail(reason=GAPS[name, kind], strict=True)] if (name, kind) in GAPS else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=marked(name, "fix")) for name in JUDGED])
def test_fix(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is what the case says, what is left is what it says, and for its reasons."""
    monkeypatch.chdir(tmp_path)
    written(name, tmp_path)
    report = fix(["."], settings(name))
    files = found_in(tmp_path)
    expected = after(name) or {}
    for filename, data in sorted({**before(name), **expected}.items()):
        text = _BY_HAND.sub("", data.decode())
        assert _MARKS.sub("", files[filename].decode()) == _MARKS.sub("", text), f"{filename}: {report.left or report.failed}"
    assert not files.keys() - before(name).keys() - expected.keys()
    different = list(disagreements(files, report))
    assert not different, "\n" + "\n".join(different)
    told = [match["words"] for data in expected.values() for match in _BY_HAND.finditer(data.decode())]
    assert not [words for words in told if not any(words in task for task in report.by_hand)], report.by_hand


@pytest.mark.parametrize(
    ("name", "strategy"),
    [pytest.param(name, strategy, marks=marked(name, "invariants")) for name in CASES for strategy in STRATEGIES],
)
def test_invariants(name: str, strategy: Choice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is fixed: it compiles, is done with one run, breaks nothing, and is done where it is said to be."""
    monkeypatch.chdir(tmp_path)
    written(name, tmp_path)
    asked = replace(settings(name), strategy=strategy, unsafe_fixes=True)
    known = counted(check(["."], asked).findings)
    report = fix(["."], asked, write=False)
    assert report.failed == ()
    assert bool(report.rewrites) == bool(report.fixed)
    for rewrite in report.rewrites:
        if rewrite.filename.endswith(".py"):
            compile(rewrite.after, rewrite.filename, "exec", dont_inherit=True)
        (tmp_path / rewrite.filename).write_bytes(rewrite.after)
    if report.rewrites:
        again = fix(["."], asked, write=False)
        assert again.rewrites == ()
        assert counted(again.after.findings) == counted(report.after.findings)
    fixed = counted(report.fixed)
    after_all = (finding for finding in report.after.findings if finding.code != "MEM902")  # a noqa that is needless by now
    serious = counted(finding for finding in after_all if finding.severity != "info")  # a call awaited by now may be remarked on
    assert not serious - known, f"new: {serious - known}"
    assert not serious + (fixed & known) - known, f"said to be fixed, and still there: {serious + (fixed & known) - known}"


def test_every_gap_is_a_case() -> None:
    assert not {name for name, kind in GAPS if kind == "invariants"} - set(CASES)
    assert not {name for name, kind in GAPS if kind == "fix"} - set(JUDGED)
