"""The files of a code base: what git knows, what a walk finds, what is excluded, and what is reported on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mem0_migrate.project import git
from mem0_migrate.project.discovery import Discovery, MissingPathError, discover

WITHOUT_GIT = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture(params=["git", "walk", "git that refuses"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Inside a work tree, without one, and inside one that git will not read."""
    if request.param != "walk":
        run("init", "-q")
    if request.param == "git that refuses":
        monkeypatch.setattr(git, "list_files", lambda *_: None)
    return request.param  # type: ignore[no-any-return]


def run(*arguments: str, cwd: str | Path = ".") -> None:
    subprocess.run(["git", *arguments], cwd=cwd, env=WITHOUT_GIT | IDENTITY, check=True, capture_output=True)


def touch(*names: str, text: str = "") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def files(*paths: str, **options: object) -> list[str]:
    return list(found(*paths, **options).files)


def found(*paths: str, **options: object) -> Discovery:
    result = discover(paths, **options)  # type: ignore[arg-type]
    assert list(result.files) == sorted(set(result.files))
    again = discover(paths, **options)  # type: ignore[arg-type]
    assert again == result
    return result


@pytest.mark.usefixtures("way")
def test_python_files_and_notebooks_are_found() -> None:
    touch("a.py", "b.pyi", "c.pyw", "d.ipynb", "e.txt", "f", "g.pyc", "h.PY", "x/y/z.py", ".hidden/i.py")
    assert files(".") == files() == [".hidden/i.py", "a.py", "b.pyi", "c.pyw", "d.ipynb", "x/y/z.py"]


@pytest.mark.usefixtures("way")
def test_an_empty_code_base() -> None:
    result = found(".")
    assert (result.files, result.reported, result.problems) == ((), None, ())


@pytest.mark.usefixtures("way")
def test_ignored_files_are_left_out() -> None:
    touch("keep.py", "out/a.py", "x/gen_a.py", "x/gen_b.py", "x/deep/no.py", "y/no.py")
    touch(".gitignore", text="/out/\ngen_*.py\n\\\n!\n")
    touch("x/.gitignore", text="!gen_b.py\nno.py\n")
    assert files(".") == ["keep.py", "x/gen_b.py", "y/no.py"]
    assert files("x") == (["x/gen_b.py"] if Path(".git").exists() else ["x/gen_a.py", "x/gen_b.py"])
    assert "out/a.py" in files(".", respect_gitignore=False)
    assert len(files(".", respect_gitignore=False)) == 6


@pytest.mark.usefixtures("way")
def test_an_ignored_directory_that_is_asked_for_is_looked_at() -> None:
    touch("a.py", "out/b.py", "out/sub/c.py", "out/.venv/d.py")
    touch(".gitignore", text="out\n")
    if Path(".git").exists():
        assert files("out") == ["out/b.py", "out/sub/c.py"]
        assert files("out/sub") == ["out/sub/c.py"]
        assert files(".", "out") == ["a.py", "out/b.py", "out/sub/c.py"]
        assert files("out", force_exclude=True) == []
    assert files(".") == ["a.py"]


@pytest.mark.usefixtures("way")
def test_default_excludes() -> None:
    touch(
        "a.py", ".venv/b.py", "node_modules/x/c.py", "x/site-packages/d.py", "__pypackages__/e.py", "dist/f.py", "distance/g.py"
    )
    assert files(".") == ["a.py", "distance/g.py"]
    assert files(".", exclude=["distance"]) != []
    assert ".venv/b.py" in files(".", exclude=["distance"])
    assert files(".", extend_exclude=["distance"]) == ["a.py"]
    assert files(".", extend_exclude=["*.py"]) == []


@pytest.mark.usefixtures("way")
def test_what_lies_above_the_root_excludes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer = tmp_path / "build" / "venv"
    outer.mkdir(parents=True)
    Path.cwd().rename(outer / "project")
    monkeypatch.chdir(outer / "project")
    touch("a.py", "src/b.py")
    assert files(".") == ["a.py", "src/b.py"]
    assert files(str(outer / "project" / "src")) == ["src/b.py"]


def test_a_build_directory_that_git_tracks_is_source_code() -> None:
    run("init", "-q")
    touch("build/a.py", "dist/b.py", ".venv/c.py", "x/build/d.py")
    run("add", "-A")
    touch("build/untracked.py", "e.py")
    assert files(".") == ["build/a.py", "dist/b.py", "e.py", "x/build/d.py"]
    assert files(".", extend_exclude=["x"]) == ["build/a.py", "dist/b.py", "e.py"]
    assert files(".", exclude=["build", "dist"]) == [".venv/c.py", "e.py"]


@pytest.mark.usefixtures("way")
def test_an_excluded_directory_that_is_asked_for_is_looked_at() -> None:
    touch("a.py", ".venv/lib/b.py", ".venv/lib/node_modules/c.py")
    assert files(".venv") == [".venv/lib/b.py"]
    assert files(".venv/lib") == [".venv/lib/b.py"]
    assert files(".", ".venv") == [".venv/lib/b.py", "a.py"]
    assert files(".", ".venv", force_exclude=True) == ["a.py"]
    assert files(".venv/lib", force_exclude=True) in ([], [".venv/lib/b.py"])


def test_tracked_and_untracked_and_deleted() -> None:
    run("init", "-q")
    touch("a.py", "b.py", "c.py", "sub/d.py")
    run("add", "-A")
    Path("b.py").unlink()
    Path("sub/d.py").unlink()
    Path("sub").rmdir()
    touch("sub")
    touch("e.py")
    assert files(".") == ["a.py", "c.py", "e.py"]


def test_a_conflict_is_one_file() -> None:
    run("init", "-q", "-b", "main")
    touch("a.py", text="1")
    run("add", "-A")
    run("commit", "-qm", "1")
    for branch in ("one", "two"):
        run("checkout", "-qb", branch, "main")
        touch("a.py", text=branch)
        run("commit", "-qam", branch)
    with pytest.raises(subprocess.CalledProcessError):
        run("merge", "one")
    assert files(".") == ["a.py"]


def test_submodules_and_nested_repositories() -> None:
    run("init", "-q", "../library")
    touch("../library/lib.py", "../library/gen.py", "../library/.venv/x.py")
    touch("../library/.gitignore", text="gen.py\n")
    run("add", "-A", cwd="../library")
    run("commit", "-qm", "1", cwd="../library")
    run("init", "-q")
    run("-c", "protocol.file.allow=always", "submodule", "add", "-q", "../library", "sub module")
    run("init", "-q", "nested/repo")
    touch("nested/repo/n.py", "nested/repo/build/no.py", "nested/o.py", "a.py", "node_modules/repo/p.py", "sub module/gen.py")
    run("init", "-q", "node_modules/repo")
    with Path(".gitmodules").open("a") as modules:
        modules.write('[submodule "not checked out"]\n\tpath = gone\n\turl = ../library\n')
    expected = ["a.py", "nested/o.py", "nested/repo/n.py", "sub module/lib.py"]
    assert files(".") == expected
    assert files("nested") == ["nested/o.py", "nested/repo/n.py"]
    assert files("sub module") == ["sub module/lib.py"]
    assert found("sub module").root == Path("sub module").resolve()
    assert files("nested/repo/n.py") == ["nested/repo/n.py"]


def test_the_environment_of_a_hook_does_not_mislead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run("init", "-q", str(tmp_path / "other"))
    run("init", "-q")
    touch("a.py")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / ".git" / "index"))
    assert files(".") == ["a.py"]


def test_git_runs_no_program_of_the_repository() -> None:
    run("init", "-q")
    touch("a.py")
    run("add", "-A")
    run("config", "core.fsmonitor", "touch ran;")
    assert files(".") == ["a.py"]
    assert not Path("ran").exists()


@pytest.mark.parametrize("content", [None, "nonsense"])
def test_a_git_directory_that_is_none(content: str | None) -> None:
    if content is None:
        Path(".git").mkdir()
    else:
        Path(".git").write_text(content)
    touch("a.py", "x/b.py")
    touch(".gitignore", text="x")
    assert files(".") == ["a.py"]


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", "-q")
    touch("a.py", "b.py", "c.py")
    touch(".git/info/exclude", text="b.py\n")
    touch(".gitignore", text="c.py\n")
    monkeypatch.setenv("PATH", "")
    assert files(".") == ["a.py"]


def test_the_root() -> None:
    touch("x/a.py", "x/y/b.py", "z/c.py")
    cwd = Path.cwd()
    assert found("x").root == cwd / "x"
    assert found("x/y", "x/a.py").root == cwd / "x"
    assert found("x/y/b.py").root == cwd / "x" / "y"
    assert found("x", "z").root == cwd
    run("init", "-q", "x")
    assert found("x/y").root == cwd / "x"
    assert found("x/y/b.py").root == cwd / "x"
    assert found("x/y", "z").root == cwd


@pytest.mark.usefixtures("way")
def test_names_are_relative_to_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    touch("a.py", "x/b.py", "x/y/c.py", "xy/d.py")
    monkeypatch.chdir("x")
    assert files(".") == ["b.py", "y/c.py"]
    assert files("..") == ["../a.py", "../xy/d.py", "b.py", "y/c.py"]
    monkeypatch.chdir("y")
    assert files("../..") == ["../../a.py", "../../xy/d.py", "../b.py", "c.py"]
    assert files("../../xy") == ["../../xy/d.py"]
    assert files(str(Path("../b.py").resolve())) == (["../b.py", "c.py"] if not Path("../../.git").exists() else files("../.."))


def test_a_file_makes_its_code_base_the_scope_and_is_what_is_reported() -> None:
    run("init", "-q")
    touch("a.py", "x/b.py", "x/c.py", "tool", "out/d.py", ".gitignore")
    touch(".gitignore", text="out\n")
    everything = ("a.py", "x/b.py", "x/c.py")
    assert found("x/b.py").files == everything
    assert found("x/b.py").reported == {"x/b.py"}
    assert found("x/b.py", "x/b.py", "./x/b.py", str(Path("x/b.py").resolve())).reported == {"x/b.py"}
    assert found("a.py", "x").reported == set(everything)
    assert found("a.py", "x").files == everything
    assert found("a.py", ".").reported == set(everything)
    assert found("tool").files == (*everything[:1], "tool", *everything[1:])
    assert found("tool").reported == {"tool"}
    assert found("out/d.py").files == ("a.py", "out/d.py", *everything[1:])


def test_a_file_without_git_makes_its_directory_the_scope() -> None:
    touch("a.py", "x/b.py", "x/y/c.py")
    assert found("x/b.py").files == ("x/b.py", "x/y/c.py")
    assert found("x/b.py").reported == {"x/b.py"}
    assert found("a.py", "x/y/c.py").files == ("a.py", "x/b.py", "x/y/c.py")


def test_files_that_are_excluded() -> None:
    run("init", "-q")
    touch("a.py", ".venv/b.py", "out/c.py", "tool", "gen/d.py", "gen/tool")
    touch(".gitignore", text="out\n")
    assert found(".venv/b.py").reported == {".venv/b.py"}
    assert found(".venv/b.py").files == (".venv/b.py", "a.py", "gen/d.py")
    forced = found("a.py", ".venv/b.py", "out/c.py", "tool", "gen/d.py", "gen/tool", force_exclude=True, extend_exclude=["gen"])
    assert forced.reported == {"a.py", "tool"}
    assert forced.files == ("a.py", "tool")
    nothing = found(".venv/b.py", force_exclude=True)
    assert nothing.reported == frozenset()
    assert nothing.files == ()


def test_a_missing_path() -> None:
    touch("a.py")
    with pytest.raises(MissingPathError, match=r"^no such dir/x\.py: no such file or directory$") as caught:
        discover(["a.py", "no such dir/x.py"])
    assert caught.value.filename == "no such dir/x.py"
    assert isinstance(caught.value, FileNotFoundError)


ODD = ["a b.py", "{a,b}.py", "[a].py", "*.py", "new\nline.py", "-n.py", "é.py", "'q'.py", "$HOME.py", "a\\b.py", "x/:(top).py"]


@pytest.mark.usefixtures("way")
@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
def test_odd_names() -> None:
    touch(*ODD)
    raw = os.fsdecode(b"caf\xe9.py")
    os.close(os.open(os.fsencode(raw), os.O_CREAT | os.O_WRONLY))
    assert files(".") == sorted([*ODD, raw])
    for name in [*ODD, raw]:
        assert found(f"./{name}").reported == {name}
        repr(found(f"./{name}")).encode("utf-8", "backslashreplace")
    assert files("x") == ["x/:(top).py"]


@pytest.mark.usefixtures("way")
def test_links() -> None:
    touch("real.py", "x/a.py", "../outside/b.py")
    Path("loop").symlink_to(".")
    Path("x/up").symlink_to("..")
    Path("out").symlink_to("../outside")
    Path("link.py").symlink_to("real.py")
    Path("self.py").symlink_to("self.py")
    Path(".#lock.py").symlink_to("somebody@host.1234")
    assert files(".") == ["link.py", "real.py", "self.py", "x/a.py"]
    assert files("x") == files("loop/x") == ["x/a.py"]
    assert files("out") == ["../outside/b.py"]
    assert found("link.py").reported == {"link.py"}


@pytest.mark.usefixtures("way")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_not_a_file_is_found_only_if_it_is_asked_for() -> None:
    os.mkfifo("fifo.py")
    Path("dir.py").mkdir()
    assert files(".") == []
    assert found("fifo.py").reported == {"fifo.py"}
    assert found("fifo.py", force_exclude=True).reported == {"fifo.py"}


def test_overlapping_paths() -> None:
    touch("x/a.py", "x/y/b.py", "c.py")
    for _ in range(2):
        assert files("x", "x/y", "x/../x") == ["x/a.py", "x/y/b.py"]
        assert files("x/y", ".", "x") == ["c.py", "x/a.py", "x/y/b.py"]
        run("init", "-q")


PROBE = """
import os, sys
import mem0_migrate.project.discovery as discovery
import mem0_migrate.project.git, mem0_migrate.project.walk, subprocess, pathspec
os.chdir(sys.argv[1])
os.environ |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
os.setuid(65534)
result = discovery.discover(["."])
print(result.files, [(problem.filename, problem.reason) for problem in result.problems])
"""


def let_in(directory: Path) -> None:
    """Let others into a directory of pytest's: each of several processes has one more above its own."""
    for above in (Path.cwd(), directory, *directory.parents):
        if above.stat().st_mode & 0o777 == 0o700:
            above.chmod(0o755)


@pytest.mark.usefixtures("way")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_directory_that_cannot_be_read(tmp_path: Path) -> None:
    touch("a.py", "closed/b.py")
    let_in(tmp_path)
    Path("closed").chmod(0)
    output = subprocess.run([sys.executable, "-c", PROBE, str(Path.cwd())], capture_output=True, text=True, check=True).stdout
    assert output == "('a.py',) [('closed', 'permission denied')]\n"


def test_a_tracked_file_in_a_closed_directory_is_not_lost(tmp_path: Path) -> None:
    run("init", "-q")
    touch("a.py", "closed/b.py")
    run("add", "-A")
    assert git.list_files(str(Path.cwd()), [], list) is not None
    if os.geteuid() == 0:
        let_in(tmp_path)
        Path("closed").chmod(0)
        output = subprocess.run([sys.executable, "-c", PROBE, str(Path.cwd())], capture_output=True, text=True, check=True).stdout
        assert output.startswith("('a.py', 'closed/b.py')")
