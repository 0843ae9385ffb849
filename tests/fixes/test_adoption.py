"""The cases of `fixtures/adoption/`: repaired with the strategy `async`, they are what `after/` says, and stay so."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from mem0_migrate import engine
from mem0_migrate.settings import Settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2] / "fixtures" / "adoption"
CASES = sorted(path.parent for path in ROOT.rglob("case.toml"))
ALWAYS_THE_SAME = {"mem0_webhook.py", "requirements.txt"}


def _name(folder: Path) -> str:
    return folder.relative_to(ROOT).as_posix()


def _case(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _texts(files: dict[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items()}


@pytest.mark.parametrize("folder", CASES, ids=_name)
def test_case(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = _case(folder)
    before, after = _files(folder / "before"), _files(folder / "after")
    shutil.copytree(folder / "before", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    settings = Settings(strategy="async", unsafe_fixes=case.get("unsafe", True), directory=tmp_path)
    report = engine.fix(["."], settings)
    assert not report.failed
    changed = {name: content for name, content in _files(tmp_path).items() if before.get(name) != content}
    if after and not _name(folder).startswith("receiver/"):
        changed = {name: content for name, content in changed.items() if name not in ALWAYS_THE_SAME}
    assert _texts(changed) == _texts(after)
    told = "\n".join([*(item.reason for item in report.left), *report.by_hand])
    for text in case.get("says", ()):
        assert text in told
    again = engine.fix(["."], settings)
    assert not again.rewrites
    assert not again.failed


def test_more_cases_are_negative_than_of_any_other_kind() -> None:
    kinds = [_name(folder).partition("/")[0] for folder in CASES]
    assert max(set(kinds), key=kinds.count) == "no-change"


@pytest.mark.parametrize("folder", [folder for folder in CASES if (folder / "after").exists()], ids=_name)
def test_what_fixing_leaves_by_hand_is_in_order(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, token, receiver, redesign."""
    shutil.copytree(folder / "before", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    report = engine.fix(["."], Settings(strategy="async", unsafe_fixes=True, directory=tmp_path), write=False)
    words = ("Set MEM0_WEBHOOK_URL", "Set MEM0_WEBHOOK_TOKEN", "Start the receiver", "Let POST", "Redesign")
    found = [next((number for number, word in enumerate(words) if step.startswith(word)), -1) for step in report.by_hand]
    assert [number for number in found if number >= 0] == sorted(number for number in found if number >= 0)
    registers = any("ensure_webhook" in rewrite.after.decode() for rewrite in report.rewrites)
    assert {0, 1} <= set(found) or not registers


def test_the_keyword_alone_is_safe_only_where_nothing_reads_the_memories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "no-change" / "safe_only" / "before", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    found = engine.check(["."], Settings(strategy="async", directory=tmp_path)).findings
    fixes = {finding.code: finding.fix for finding in found}
    keyword, remark = fixes["MEM108"], fixes["MEM104"]
    assert keyword is not None
    assert remark is not None
    assert (keyword.strategy, keyword.applicability) == ("async", "unsafe")
    assert 'redesign what needs the memories at once: `result["results"][0]["id"]`' in keyword.message
    assert (remark.strategy, remark.applicability) == ("async", "unsafe")
