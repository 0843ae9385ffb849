"""What the check finds in whole applications: `fixtures/projects/*/expected.txt` lists it as their users would."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECTS = sorted(path.parent for path in (ROOT / "fixtures" / "projects").glob("*/project.toml"))
_EXPECTED = re.compile(r"(?P<path>\S+):(?P<row>\d+) (?P<code>MEM\d{3})  \S")


def _expected(project: Path) -> list[tuple[str, int, str]]:
    lines = [line for line in (project / "expected.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    told = [_EXPECTED.match(line) for line in lines]
    assert all(told), f"{project.name}/expected.txt: every line is `path:line CODE  why`"
    return sorted((found["path"], int(found["row"]), found["code"]) for found in told if found is not None)


def _check(project: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "mem0_migrate", "check", "--output-format", "json", "--exit-zero"]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _data(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "project.toml").read_text(encoding="utf-8"))


def _releases() -> list[str]:
    """The releases that `nox -s proof` builds environments for."""
    for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ERAS":
            found: list[str] = ast.literal_eval(node.value)
            return found
    raise AssertionError("noxfile.py has no ERAS")


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_findings(project: Path) -> None:
    report = _check(project)
    assert report["incomplete"] == []
    found = sorted((item["filename"], item["location"]["row"], item["code"]) for item in report["findings"])
    assert found == _expected(project)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_the_proof_runs_every_release_that_the_manifest_admits(project: Path) -> None:
    declared = {site["declaration"]["requirement"] for site in _check(project)["sites"]}
    assert len(declared) == 1
    admits = Requirement(declared.pop()).specifier
    assert _data(project)["mem0ai"] == [release for release in _releases() if admits.contains(release)]


def test_every_application_is_a_project_of_the_proof() -> None:
    folders = {path for path in (ROOT / "fixtures" / "projects").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert set(PROJECTS) == folders
    assert len(PROJECTS) >= 10
    assert sum(len(_data(project)["mem0ai"]) for project in PROJECTS) >= 24
