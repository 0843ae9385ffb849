"""The pre-commit hooks, with the real pre-commit in a real git repository, from a clone of what is committed here."""

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


NOTES = """\
from mem0 import MemoryClient

client = MemoryClient()


def remember(text):
    result = client.add(text, user_id="me")
    return result["results"][0]["id"]


def language():
    return "en"
"""
REPAIRED = NOTES.replace('user_id="me")', 'user_id="me", async_mode=False)')
EITHER = """\
import os

from mem0 import Memory, MemoryClient


def get_client():
    return MemoryClient() if "MEM0_API_KEY" in os.environ else Memory()
"""


def git(*arguments: str, directory: Path = ROOT) -> str:
    command = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps the hooks' environment, so that it is installed once."""
    return tmp_path_factory.mktemp("pre-commit")


def configure(directory: Path, hooks: str) -> None:
    """Make a repository there with these hooks, written as below `hooks:`."""
    git("init", "--quiet", directory=directory)
    head = f"repos:\n- repo: {ROOT.as_uri()}\n  rev: {git('rev-parse', 'HEAD')}\n  hooks:\n"
    write(directory, {".pre-commit-config.yaml": head + hooks})


def write(directory: Path, files: dict[str, str]) -> None:
    """Write files, and stage them."""
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8", newline="")
    git("add", *files, directory=directory)


def texts(directory: Path, *names: str) -> list[str]:
    return [(directory / name).read_text(encoding="utf-8") for name in names]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the hook `mem0-migrate`, where all is well: its client is the open-source one."""
    configure(tmp_path, "  - id: mem0-migrate\n")
    write(tmp_path, {"api.py": API, "deps.py": OSS})
    return tmp_path


@pytest.fixture
def repairing(tmp_path: Path) -> Path:
    """A repository with the hook `mem0-migrate-fix` and a manifest, both committed."""
    configure(tmp_path, "  - id: mem0-migrate-fix\n")
    write(tmp_path, {"requirements.txt": "mem0ai>=1,<2\n"})
    git("commit", "--quiet", "--message", "Begin", directory=tmp_path)
    return tmp_path


def pre_commit(repository: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-m", "pre_commit", *arguments], repository, home)


def run(command: list[str], repository: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MEM0_MIGRATE_"))}
    return subprocess.run(
        command,
        cwd=repository,
        env={**environment, "PRE_COMMIT_HOME": str(home), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def run_hook(repository: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return pre_commit(repository, home, "run", "--color", "never", "mem0-migrate")


def run_fix(repository: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pre_commit(repository, home, "run", "--color", "never", "mem0-migrate-fix", *arguments)


def test_all_is_well(repository: Path, home: Path) -> None:
    result = run_hook(repository, home)
    assert (result.returncode, "Passed" in result.stdout) == (0, True), result.stdout + result.stderr


def test_an_edit_of_one_file_that_breaks_another(repository: Path, home: Path) -> None:
    git("commit", "--quiet", "--no-verify", "--message", "All is well", directory=repository)
    write(repository, {"deps.py": HOSTED})
    result = run_hook(repository, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "api.py:5:14: MEM101 " in result.stdout


def test_what_is_excluded_stays_so(repository: Path, home: Path) -> None:
    write(repository, {"deps.py": HOSTED, "pyproject.toml": '[tool.mem0-migrate]\nextend-exclude = ["api.py"]\n'})
    result = run_hook(repository, home)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_file_that_cannot_be_read_fails_the_commit(repository: Path, home: Path) -> None:
    write(repository, {"old.py": "import mem0\nprint 'hello'\n"})
    result = run_hook(repository, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "old.py:2:" in result.stdout


def test_a_change_without_python_does_not_run_it(repository: Path, home: Path) -> None:
    git("commit", "--quiet", "--no-verify", "--message", "All is well", directory=repository)
    write(repository, {"README.md": "# Read me\n"})
    result = run_hook(repository, home)
    assert (result.returncode, "Skipped" in result.stdout) == (0, True), result.stdout + result.stderr


# -- mem0-migrate-fix ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"plain.py": "print('hello')\n"},
        {"api.py": API, "deps.py": OSS},
        {"notes.py": REPAIRED},
        {"notes.py": NOTES, "pyproject.toml": '[tool.mem0-migrate]\nextend-exclude = ["notes.py"]\n'},
        {"notes.py": NOTES.replace('"me")', '"me")  # mem0-migrate: ignore[MEM101]')},
        {"pyproject.toml": "[project]\nname = 'notes'\nversion = '1'\ndependencies = ['mem0ai>=1,<2']\n"},
    ],
    ids=["no mem0", "open source", "repaired", "excluded", "suppressed", "manifest"],
)
def test_nothing_to_repair(repairing: Path, home: Path, files: dict[str, str]) -> None:
    write(repairing, files)
    result = run_fix(repairing, home)
    assert (result.returncode, "Passed" in result.stdout) == (0, True), result.stdout + result.stderr
    assert texts(repairing, *files) == list(files.values())


def test_what_is_neither_python_nor_toml_does_not_run_it(repairing: Path, home: Path) -> None:
    write(repairing, {"README.md": "from mem0 import MemoryClient\n"})
    result = run_fix(repairing, home)
    assert (result.returncode, "Skipped" in result.stdout) == (0, True), result.stdout + result.stderr


def test_a_staged_file_is_repaired_the_commit_stops_and_the_next_one_passes(repairing: Path, home: Path) -> None:
    assert pre_commit(repairing, home, "install").returncode == 0
    write(repairing, {"notes.py": NOTES})
    commit = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "commit", "--message", "Remember"]
    result = run(commit, repairing, home)
    assert (result.returncode, "files were modified by this hook" in result.stderr) == (1, True), result.stdout + result.stderr
    assert texts(repairing, "notes.py", "requirements.txt") == [REPAIRED, "mem0ai>=1,<2\n"]
    assert git("show", ":notes.py", directory=repairing) == NOTES.strip()
    git("add", "notes.py", directory=repairing)
    result = run(commit, repairing, home)
    assert result.returncode == 0, result.stdout + result.stderr
    assert git("show", "HEAD:notes.py", directory=repairing) == REPAIRED.strip()


def test_a_partly_staged_file_keeps_what_is_not_staged(repairing: Path, home: Path) -> None:
    write(repairing, {"notes.py": NOTES})
    (repairing / "notes.py").write_text(NOTES.replace('"en"', '"de"'), encoding="utf-8")
    result = run_fix(repairing, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert texts(repairing, "notes.py") == [REPAIRED.replace('"en"', '"de"')]
    assert git("show", ":notes.py", directory=repairing) == NOTES.strip()


def test_unstaged_work_on_the_same_line_is_not_lost(repairing: Path, home: Path) -> None:
    mine = NOTES.replace('"me")', '"you")')
    write(repairing, {"notes.py": NOTES})
    (repairing / "notes.py").write_text(mine, encoding="utf-8")
    result = run_fix(repairing, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert texts(repairing, "notes.py") == [mine]


def test_a_file_elsewhere_that_a_staged_one_breaks_is_named_with_the_command(repairing: Path, home: Path) -> None:
    write(repairing, {"api.py": API, "deps.py": OSS, "notes.py": NOTES})
    git("commit", "--quiet", "--message", "All but the notes is well", directory=repairing)
    write(repairing, {"deps.py": HOSTED})
    result = run_fix(repairing, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "api.py:5:14: MEM101 " in result.stdout
    assert "`mem0-migrate fix --unsafe-fixes api.py`\n" in result.stdout
    assert "notes.py" not in result.stdout
    assert texts(repairing, "api.py", "deps.py", "notes.py") == [API, HOSTED, NOTES]


def test_an_origin_in_a_file_that_is_not_staged_is_named_with_the_command(repairing: Path, home: Path) -> None:
    write(repairing, {"deps.py": EITHER})
    git("commit", "--quiet", "--message", "One or the other", directory=repairing)
    write(repairing, {"api.py": API})
    result = run_fix(repairing, home)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "files were modified by this hook" not in result.stdout
    assert texts(repairing, "api.py", "deps.py") == [API, EITHER]
    assert "`mem0-migrate fix deps.py`\n" in result.stdout
    done = run([sys.executable, "-m", "mem0_migrate", "fix", "deps.py"], repairing, home)
    assert done.returncode == 0, done.stdout
    assert "mem0_shim.wrap(MemoryClient()" in texts(repairing, "deps.py")[0]
    git("add", "deps.py", directory=repairing)
    result = run_fix(repairing, home)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_manifest_is_edited_if_it_is_staged_too(repairing: Path, home: Path) -> None:
    git("rm", "--quiet", "requirements.txt", directory=repairing)
    manifest = "[project]\nname = 'notes'\nversion = '1'\ndependencies = ['mem0ai>=2']\n"
    write(repairing, {"pyproject.toml": manifest})
    git("commit", "--quiet", "--message", "Move", directory=repairing)
    write(repairing, {"notes.py": NOTES})
    result = run_fix(repairing, home)
    assert "Add mem0-shim to pyproject.toml, beside mem0ai" in result.stdout
    assert texts(repairing, "pyproject.toml") == [manifest]
    write(repairing, {"notes.py": NOTES, "pyproject.toml": f"# the notes\n{manifest}"})
    result = run_fix(repairing, home)
    assert "mem0-shim" in texts(repairing, "pyproject.toml")[0], result.stdout
    assert "mem0_shim.wrap(" in texts(repairing, "notes.py")[0]


def test_requirements_files_as_documented(repairing: Path, home: Path) -> None:
    blocks = (ROOT / "docs" / "hook.md").read_text(encoding="utf-8").split("```yaml\n")
    (block,) = [
        yaml for block in blocks for yaml in [block.partition("```")[0]] if "mem0-migrate-fix" in yaml and "requirements" in yaml
    ]
    configure(repairing, block)
    write(repairing, {"notes.py": NOTES, "requirements.txt": "mem0ai>=2\n", "README.md": "from mem0 import MemoryClient\n"})
    result = run_fix(repairing, home)
    assert texts(repairing, "requirements.txt") == ["mem0ai>=2\nmem0-shim\n"], result.stdout
    assert "mem0_shim.wrap(" in texts(repairing, "notes.py")[0]


def test_more_files_than_one_command_line_holds(repairing: Path, home: Path) -> None:
    """Split at 128 KiB, the first part holds the origins, the last one the sites."""
    spacers = {f"m{number:04}_{'x' * 200}.py": "" for number in range(700)}
    removal = API.replace('user_id="me")', 'user_id="me", async_mode=False)')
    write(repairing, {"a_deps.py": EITHER, "b_deps.py": EITHER, **spacers})
    write(repairing, {"x_api.py": API.replace("deps", "a_deps"), "y_api.py": removal.replace("deps", "b_deps")})
    before = texts(repairing, "b_deps.py", "x_api.py", "y_api.py")
    result = run_fix(repairing, home)
    assert (result.returncode, result.stdout.count("in 704 files")) == (1, 2), result.stdout + result.stderr
    assert "mem0_shim.wrap(MemoryClient()" in texts(repairing, "a_deps.py")[0]
    assert texts(repairing, "b_deps.py", "x_api.py", "y_api.py") == before
    assert result.stdout.count("`mem0-migrate fix b_deps.py y_api.py`\n") == 2
