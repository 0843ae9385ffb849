"""The pre-commit hook, with the real pre-commit in a real git repository, from a clone of what is committed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout: there is nothing to clone")

API = """\
from deps import get_client


def remember(text: str) -> str:
    result = get_client().add(text, user_id="me")
    return result["results"][0]["id"]
"""
OSS = """\
from mem0 import Memory


def get_client():
    return Memory()
"""
HOSTED = OSS.replace("Memory", "MemoryClient")


def git(*arguments: str, directory: Path = ROOT) -> str:
    command = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps the hook's environment, so that it is installed once."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the hook, where all is well: its client is the open-source one."""
    git("init", "--quiet", directory=tmp_path)
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {ROOT.as_uri()}\n  rev: {git('rev-parse', 'HEAD')}\n  hooks:\n  - id: mem0-migrate\n", encoding="utf-8"
    )
    (tmp_path / "api.py").write_text(API, encoding="utf-8")
    (tmp_path / "deps.py").write_text(OSS, encoding="utf-8")
    git("add", ".", directory=tmp_path)
    return tmp_path


def run_hook(repository: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MEM0_MIGRATE_"))}
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--color", "never", "mem0-migrate"],
        cwd=repository,
        env={**environment, "PRE_COMMIT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_is_well(repository: Path, home: Path) -> None:
    result = run_hook(repository, home)
    assert (result.returncode, "Passed" in result.stdout) == (0, True), result.stdout + result.stderr


def test_an_edit_of_one_file_that_breaks_another(repository: Path, home: Path) -> None:
    git("commit", "--quiet", "--no-verify", "--message", "All is well", directory=repository)
    (repository / "deps.py").write_text(HOSTED, encoding="utf-8")
    git("add", "deps.py", directory=repository)
    result = run_hook(repository, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "api.py:5:14: MEM101 " in result.stdout


def test_what_is_excluded_stays_so(repository: Path, home: Path) -> None:
    (repository / "deps.py").write_text(HOSTED, encoding="utf-8")
    (repository / "pyproject.toml").write_text('[tool.mem0-migrate]\nextend-exclude = ["api.py"]\n', encoding="utf-8")
    git("add", ".", directory=repository)
    result = run_hook(repository, home)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_file_that_cannot_be_read_fails_the_commit(repository: Path, home: Path) -> None:
    (repository / "old.py").write_text("import mem0\nprint 'hello'\n", encoding="utf-8")
    git("add", ".", directory=repository)
    result = run_hook(repository, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "old.py:2:" in result.stdout


def test_a_change_without_python_does_not_run_it(repository: Path, home: Path) -> None:
    git("commit", "--quiet", "--no-verify", "--message", "All is well", directory=repository)
    (repository / "README.md").write_text("# Read me\n", encoding="utf-8")
    git("add", ".", directory=repository)
    result = run_hook(repository, home)
    assert (result.returncode, "Skipped" in result.stdout) == (0, True), result.stdout + result.stderr
