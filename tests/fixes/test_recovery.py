"""`fix` begins with what a killed run left behind: before it reads anything, since half a file may be no Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mem0_migrate import Settings, fix

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BEFORE = 'from mem0 import MemoryClient\nclient = MemoryClient()\nprint(client.add("m")["id"])\n'
AFTER = BEFORE.replace('"m"', '"m", async_mode=False')


def test_a_torn_file_is_completed_before_it_is_analysed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torn = AFTER[:-20] + BEFORE[len(AFTER) - 20 :]
    (tmp_path / "a.py").write_text(torn, encoding="utf-8")
    journal = tmp_path / ".mem0-migrate-0123456789abcdef.journal"
    journal.write_text(json.dumps({"file": "a.py", "before": BEFORE, "after": AFTER}), encoding="ascii")

    looked = fix(["."], Settings(mem0ai="<2"), write=False)
    assert journal.exists(), "without writing, nothing is touched"
    assert looked.completed == ()

    done = fix(["."], Settings(mem0ai="<2"))
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == AFTER
    assert not journal.exists()
    assert done.completed == (str(tmp_path / "a.py"),)
    assert (done.rewrites, done.after.incomplete) == ((), ())
