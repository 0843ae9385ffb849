"""Cases as data in fixtures/rules (see its README) and fixtures/flows: code with the findings that are true for it."""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from mem0_migrate.engine import check
from mem0_migrate.model import Confidence, Receiver
from mem0_migrate.rules.registry import all_rules
from mem0_migrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.model import Finding

FIXTURES = Path(__file__).parents[2] / "fixtures"
FOLDERS = sorted(path for path in [*(FIXTURES / "rules").iterdir(), FIXTURES / "flows"] if path.is_dir())
CASES = sorted(
    path.relative_to(FIXTURES).as_posix()
    for folder in FOLDERS
    for path in folder.iterdir()
    if path.suffix in (".py", ".ipynb") or path.is_dir()
)


def gaps() -> dict[str, str]:
    """The cases that are judged wrongly today, with the reason."""
    text = (FIXTURES / "rules" / "gaps.txt").read_text(encoding="utf-8")
    pairs = (line.split("|", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name.strip(): reason.strip() for name, reason in pairs if " " not in name.strip()}


GAPS = gaps()

Place = tuple[str, "int | None", int]  # file, cell of a notebook, row

_EXPECTED = re.compile(r"# expect: (?P<words>[^#]+)")
_UNFOLLOWED = "# unfollowed"
_FLAGS = re.compile(r"\A# flags: (?P<words>.+)$", re.MULTILINE)
_DIVIDER = re.compile(r"^# output\r?\n", re.MULTILINE)
_WORDS = {*get_args(Receiver), *get_args(Confidence)}
_CODES = {rule.code for rule in all_rules()}


def files(case: Path) -> dict[str, Path]:
    """The files of a case, by the name that they are checked under."""
    if case.is_file():
        return {case.name: case}
    found = {path.relative_to(case): path for path in sorted(case.rglob("*")) if path.is_file()}
    return {name.as_posix(): path for name, path in found.items() if name.parts[0] != "output"}


def content(path: Path) -> str:
    """A file of a case, without what a fix has to make of it."""
    return _DIVIDER.split(path.read_bytes().decode(), 1)[0]


def lines(path: Path) -> Iterator[tuple[int | None, int, str]]:
    """Every line of a file: the cell of the notebook, the row in it or in the file, and the text."""
    text = content(path)
    texts: list[tuple[int | None, str]] = [(None, text)]
    if path.suffix == ".ipynb":
        texts = [(number, "".join(cell["source"])) for number, cell in enumerate(json.loads(text)["cells"], 1)]
    for cell, written in texts:
        for row, line in enumerate(written.split("\n"), 1):
            yield cell, row, line


def expected(case: dict[str, Path]) -> dict[Place, list[str]]:
    """The codes, receivers and confidences that a case expects, by place."""
    found: dict[Place, list[str]] = {}
    for name, path in case.items():
        for cell, row, line in lines(path):
            match = _EXPECTED.search(line)
            if match is not None:
                words = match["words"].split()
                assert set(words) <= _CODES | _WORDS, f"{name}:{row}: what is {match['words']!r}?"
                assert words[0] in _CODES, f"{name}:{row}: a code comes first"
                found[name, cell, row] = words
    return found


def settings(case: dict[str, Path]) -> Settings:
    """The settings that the first line of a file asks for."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--mem0ai")
    parser.add_argument("--extend-select", action="append", default=[])
    texts = (content(path) for path in case.values())
    words = [word for text in texts for match in _FLAGS.finditer(text) for word in match["words"].split()]
    options, _ = parser.parse_known_args(words)  # the others are about fixes
    return Settings(mem0ai=options.mem0ai, extend_select=tuple(options.extend_select))


def shown(finding: Finding) -> str:
    return f"{finding.code} {finding.receiver} {finding.confidence}: {finding.message}"


def differences(wanted: dict[Place, list[str]], findings: dict[Place, list[Finding]]) -> Iterator[str]:
    """In words, each place where something else was found than is expected."""
    for place in sorted({*wanted, *findings}, key=str):
        words, found = wanted.get(place, []), findings.get(place, [])
        codes = sorted(finding.code for finding in found)
        traits = {trait for finding in found for trait in (finding.receiver, finding.confidence)}
        if codes != sorted(word for word in words if word in _CODES) or not _WORDS.intersection(words) <= traits:
            name, cell, row = place
            where = f"{name}:{row}" if cell is None else f"{name}, cell {cell}:{row}"
            yield "\n    ".join([f"{where}: expected {' '.join(words) or 'nothing'}, found", *map(shown, found)])


def marked(name: str) -> object:
    """The case as a parameter; a gap has to fail."""
    return pytest.param(name, marks=[pytest.mark.xfail(reason=GAPS[name], strict=True)] if name in GAPS else [])


@pytest.mark.parametrize("name", [marked(name) for name in CASES])
def test_case(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = files(FIXTURES / name)
    for target, path in case.items():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target).write_bytes(content(path).encode())
    monkeypatch.chdir(tmp_path)
    report = check(["."], settings(case))
    assert report.incomplete == ()
    found: dict[Place, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        found[finding.span.filename, finding.span.cell, finding.span.start.row].append(finding)
    different = list(differences(expected(case), found))
    assert not different, "\n" + "\n".join(different)
    lost = {(span.filename, span.cell, span.start.row) for span in report.unfollowed}
    assert lost == {(file, cell, row) for file, path in case.items() for cell, row, line in lines(path) if _UNFOLLOWED in line}


def test_every_gap_is_a_case() -> None:
    assert not GAPS.keys() - set(CASES)


def test_folders_are_named_after_rules() -> None:
    names = {rule.name for rule in all_rules()} | {"no-finding", "flows"}
    assert not [folder.name for folder in FOLDERS if folder.name not in names]


def is_about_a_fix(case: Path) -> bool:
    """Whether a case says what a fix makes of it; then something has to be found."""
    texts = [path.read_bytes().decode() for path in (case.rglob("*") if case.is_dir() else [case]) if path.is_file()]
    return (case / "output").is_dir() or any(_DIVIDER.search(text) or "# not fixed: " in text for text in texts)


def test_code_that_is_in_order_is_the_larger_part() -> None:
    """More cases expect nothing that fails a run than cases that do."""
    failing = {rule.code for rule in all_rules() if rule.severity != "info"}
    found = [name for name in CASES if not is_about_a_fix(FIXTURES / name)]
    breaks = [name for name in found if any(failing.intersection(words) for words in expected(files(FIXTURES / name)).values())]
    assert len(breaks) < len(found) / 2
