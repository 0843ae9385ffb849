"""What the check finds in whole applications: `fixtures/projects/*/expected.txt` lists it as their users would."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECTS = sorted(path for path in (Path(__file__).parents[1] / "fixtures" / "projects").iterdir() if path.is_dir())
_EXPECTED = re.compile(r"(?P<path>\S+):(?P<row>\d+) (?P<code>MEM\d{3})  \S")


def _expected(project: Path) -> list[tuple[str, int, str]]:
    lines = [line for line in (project / "expected.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    told = [_EXPECTED.match(line) for line in lines]
    assert all(told), f"{project.name}/expected.txt: every line is `path:line CODE  why`"
    return sorted((found["path"], int(found["row"]), found["code"]) for found in told if found is not None)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_findings(project: Path) -> None:
    command = [sys.executable, "-m", "mem0_migrate", "check", "--output-format", "json", "--exit-zero"]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["incomplete"] == []
    found = sorted((item["filename"], item["location"]["row"], item["code"]) for item in report["findings"])
    assert found == _expected(project)


def test_every_project_is_listed() -> None:
    assert [project.name for project in PROJECTS] == ["nightly_import", "notes_cli", "support_api"]
