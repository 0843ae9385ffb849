"""Cases as data in fixtures/manifests (see its README), and what cannot be kept in a repository: bytes, links, rights."""

from __future__ import annotations

import codecs
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mem0_migrate.model import ERAS, Declaration
from mem0_migrate.project.declarations import UNDECLARED, Declarations
from mem0_migrate.project.manifests import format_of, read_manifest
from mem0_migrate.project.manifests.statement import Include, Problem, Requirement

CASES = Path(__file__).parents[2] / "fixtures" / "manifests"
MANIFESTS = (
    "pyproject.toml",
    "requirements.txt",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "Pipfile.lock",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "pylock.toml",
    "environment.yml",
)


def shown(name: str, found: Declaration) -> str:
    """Write a declaration as expected.txt writes it."""
    admitted = " ".join(era for era in ERAS if era in found.eras)
    if found.source is None:
        return f"{name} | {admitted} | {found.requirement or 'nothing declared'}"
    return f"{name} | {admitted} | {found.requirement} | {found.source}:{found.row}{' lock' if found.locked else ''}"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if path.is_dir()))
def test_case(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / case)
    lines = (CASES / case / "expected.txt").read_text("utf-8").splitlines()
    expected = [line.replace("\\|", "|") for line in lines if line and not line.startswith("#")]
    problems = [re.split(r"\s+\|\s+", line)[1:] for line in expected if line.startswith("problem ")]
    files = [line for line in expected if not line.startswith("problem ")]
    declarations = Declarations(CASES / case)
    assert files
    found = [shown(name, declarations.of(name)) for name in (line.split(" | ")[0].strip() for line in files)]
    assert found == [re.sub(r"\s+\|\s+", " | ", line) for line in files]
    reported = [(f"{problem.filename}:{problem.row}", problem.reason) for problem in declarations.problems]
    assert [place for place, _ in reported] == [place for place, _ in problems]
    assert all(part in reason for (_, part), (_, reason) in zip(problems, reported, strict=True)), reported


@pytest.mark.parametrize(
    "name",
    [
        "requirements.md",
        "pyproject.toml.orig",
        "constraints.txt",
        "my_setup.py",
        "Pipfile.toml",
        "cargo.lock",
        "environment.json",
    ],
)
def test_other_files_are_no_manifests(name: str) -> None:
    assert format_of(name) is None


@pytest.mark.parametrize(
    "name", [*MANIFESTS, "requirements_dev.in", "dev-requirements.txt", "pylock.test.toml", "environment-gpu.yaml"]
)
def test_manifests_are_recognised_by_name(name: str) -> None:
    assert format_of(name) is not None


@pytest.mark.parametrize("name", MANIFESTS)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(data=b"")
@example(data=b"\xff\xfemem0ai")
@example(data=b"mem0ai" + b"[" * 100_000)
@example(data=b"mem0ai = " + b"[" * 100_000 + b"]" * 100_000)
@example(data=b"mem0ai==" + b"1" * 5000)
@example(data=b"[packages]\nmem0ai = " + b"1" * 5000)
@example(data=b'{"default": {"mem0ai": {"version": ' + b"1" * 5000 + b"}}}")
@example(data=b'[[package]]\nname = "mem0ai"\nversion = "' + b"1" * 5000 + b'"')
@example(data=b"setup(install_requires=" + b"-" * 50_000 + b"'mem0ai')")
@example(data=b"setup(install_requires=['mem0ai<1'] + " + b"x+" * 20_000 + b"x)")
def test_no_content_makes_reading_raise(name: str, data: bytes) -> None:
    manifest_format = format_of(name)
    assert manifest_format is not None
    rows = (data.replace(b"\r", b"\n").count(b"\n") + 2) * 4
    for prefix in (b"", b"mem0ai\n", b"[project]\ndependencies = ['mem0ai<1']\n"):
        for item in read_manifest(prefix + data, manifest_format):
            if isinstance(item, (Requirement, Problem)):
                assert item.row is None or 1 <= item.row <= rows


@given(
    st.lists(
        st.sampled_from(["mem0ai<1", "mem0ai", "httpx", "# mem0ai>=2", "", "-r x.txt", "--hash=x", "mem0ai>=1 \\", "  --x=y"])
    )
)
def test_every_requirement_of_a_requirements_file_is_found_on_its_row(lines: list[str]) -> None:
    found = [item for item in read_manifest("\n".join(lines).encode(), "requirements") if isinstance(item, Requirement)]
    begins = [row for row, line in enumerate(lines, 1) if row == 1 or not lines[row - 2].endswith("\\")]
    assert [item.row for item in found] == [row for row in begins if lines[row - 1].startswith("mem0ai")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("requirements.txt", codecs.BOM_UTF16_LE + "httpx\r\nmem0ai==1.0.3\r\n".encode("utf-16-le")),
        ("requirements.txt", codecs.BOM_UTF16_BE + "httpx\nmem0ai==1.0.3".encode("utf-16-be")),
        ("requirements.txt", codecs.BOM_UTF32_LE + "httpx\nmem0ai==1.0.3".encode("utf-32-le")),
        ("requirements.txt", codecs.BOM_UTF8 + b"# caf\xc3\xa9\r\nmem0ai==1.0.3\r\n"),
        ("requirements.txt", b"# caf\xe9\rmem0ai==1.0.3"),
        ("requirements.txt", b"httpx\x0c\nmem0ai==1.0.3"),
        ("requirements.txt", b"\nmem0ai==1.0.3 \\\r\n  --hash=sha256:00"),
        ("pyproject.toml", codecs.BOM_UTF8 + b'project.name = "caf\xc3\xa9"\r\nproject.dependencies = ["mem0ai==1.0.3"]\r\n'),
        ("pyproject.toml", b'project.name = "caf\xe9"\nproject.dependencies = ["mem0ai==1.0.3"]'),
        ("setup.py", b"# -*- coding: latin-1 -*- \xe9\nsetup(name='\xe9', install_requires=['mem0ai==1.0.3'])"),
        ("setup.py", b"pattern = '\\d'\nsetup(install_requires=['mem0ai==1.0.3'])"),
        ("setup.cfg", codecs.BOM_UTF8 + b"[options]\r\ninstall_requires = mem0ai==1.0.3\r\n"),
        ("environment.yml", b"dependencies:\r\n- pip: # caf\xe9\r\n  - mem0ai==1.0.3\r\n"),
    ],
)
def test_encodings_and_line_ends(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    declarations = Declarations(tmp_path)
    found = declarations.of(str(tmp_path / "main.py"))
    assert (found.eras, found.requirement, declarations.problems) == ({"v1"}, "mem0ai==1.0.3", ())
    assert found.row == (3 if name == "environment.yml" else 2)


def test_a_lock_is_not_parsed_beyond_the_entries_that_matter(tmp_path: Path) -> None:
    entry = '[[package]]\nname = "p{}"\nversion = "1"\nwheels = [\n  <<<< no TOML\n]\n\n'
    lock = "".join(entry.format(i) for i in range(5000)) + '[[package]]\nname = "mem0ai"\nversion = "0.1.118"\n'
    (tmp_path / "uv.lock").write_text(lock)
    found = Declarations(tmp_path).of(str(tmp_path / "main.py"))
    assert (found.eras, found.row, found.locked) == ({"v0"}, 5000 * 7 + 2, True)


def test_nothing_above_the_root_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("mem0ai<1")
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "mem0ai"\nversion = "0.1.118"\n')
    root = tmp_path / "root"
    (root / "package").mkdir(parents=True)
    asked = []

    def read(path: Path) -> bytes:
        asked.append(path)
        return path.read_bytes()

    declarations = Declarations(root, read=read)
    for name in ("package/main.py", "main.py", "../main.py", "../other/main.py", "/main.py"):
        assert declarations.of(str(root / name)) == UNDECLARED
    assert asked == []
    assert declarations.problems == ()


def test_an_include_does_not_leave_the_root_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("mem0ai<1")
    root = tmp_path / "root"
    root.mkdir()
    (root / "inside.txt").symlink_to(tmp_path / "outside.txt")
    (root / "requirements.txt").write_text("-r inside.txt\n-c \x00\n-r " + "x" * 300)
    declarations = Declarations(root)
    assert declarations.of(str(root / "main.py")) == UNDECLARED
    assert [problem.row for problem in declarations.problems] == [2, 3]


def test_links_that_lead_back_end(tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "setup.py").symlink_to(tmp_path / "setup.py")
    (tmp_path / "uv.lock").symlink_to(tmp_path / "nowhere")
    (tmp_path / "requirements.txt").write_text("-r again/requirements.txt\n-r again/again/requirements.txt\nmem0ai<1")
    declarations = Declarations(tmp_path)
    assert declarations.of(str(tmp_path / "again/again/main.py")).eras == {"v0"}
    assert declarations.of(str(tmp_path / "main.py")).row == 3
    assert {problem.filename for problem in declarations.problems} <= {
        str(tmp_path / "setup.py"),
        str(tmp_path / "again/again/setup.py"),
    }


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    assert Declarations(tmp_path).of(str(tmp_path / "main.py")) == UNDECLARED


def test_a_manifest_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/pyproject.toml").write_text("[project]\ndependencies = ['mem0ai']")
    (tmp_path / "requirements.txt").write_text("mem0ai<1")

    def read(path: Path) -> bytes:
        if path.name == "pyproject.toml":
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    declarations = Declarations(Path(), read=read)
    assert declarations.of("app/main.py").source == "requirements.txt"
    assert [(problem.filename, problem.row) for problem in declarations.problems] == [("app/pyproject.toml", None)]
    assert "Permission denied" in declarations.problems[0].reason


def test_a_directory_that_cannot_be_listed_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: Path) -> os._ScandirIterator[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    declarations = Declarations(tmp_path)
    assert declarations.of(str(tmp_path / "main.py")) == UNDECLARED
    assert [problem.filename for problem in declarations.problems] == [tmp_path.as_posix()]


def test_of_many_files_every_directory_is_listed_and_every_manifest_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements.txt").write_text("-r common.txt\nmem0ai<2")
    (tmp_path / "common.txt").write_text("mem0ai>=1")
    (tmp_path / "requirements-dev.txt").write_text("-r common.txt")
    for name in ("a/b", "a/c", "d"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "pyproject.toml").write_text("[project]\ndependencies = ['mem0ai-tools']")
    listed: Counter[str] = Counter()
    read: Counter[str] = Counter()
    scandir = os.scandir

    def counted_scandir(path: Path) -> os._ScandirIterator[str]:
        listed[str(path)] += 1
        return scandir(str(path))

    def counted_read(path: Path) -> bytes:
        read[str(path)] += 1
        return path.read_bytes()

    monkeypatch.setattr(os, "scandir", counted_scandir)
    declarations = Declarations(tmp_path, read=counted_read)
    for number in range(50):
        for name in ("a/b", "a/c", "d", "missing", "a", "."):
            assert declarations.of(str(tmp_path / name / f"{number}.py")).eras == {"v1"}
    assert set(listed.values()) == {1}
    assert set(read.values()) == {1}
    assert len(read) == 6
    assert len(declarations.all()) == 1


def test_names_are_relative_to_the_working_directory_where_they_lie_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app/src").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("mem0ai<1")
    (tmp_path / "app/requirements.txt").write_text("mem0ai>=2")
    monkeypatch.chdir(tmp_path / "app")
    declarations = Declarations(tmp_path)
    assert declarations.of("src/main.py").source == "requirements.txt"
    assert declarations.of("../main.py").source == (tmp_path / "requirements.txt").as_posix()
    assert declarations.of(str(tmp_path / "app/main.py")).source == "requirements.txt"
    assert [found.requirement for found in declarations.all()] == ["mem0ai<1", "mem0ai>=2"]


def test_a_root_or_file_reached_through_a_link_is_the_same_project(tmp_path: Path) -> None:
    (tmp_path / "real/pkg").mkdir(parents=True)
    (tmp_path / "real/requirements.txt").write_text("mem0ai<1")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Declarations(tmp_path / "real").of(str(tmp_path / "link/pkg/main.py")).eras == {"v0"}
    assert Declarations(tmp_path / "link").of(str(tmp_path / "real/pkg/main.py")).eras == {"v0"}


def test_the_root_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("mem0ai<1")
    (tmp_path / "main.py").write_text("")
    assert Declarations(tmp_path / "main.py").of(str(tmp_path / "main.py")).eras == {"v0"}


def test_an_assumption_replaces_every_manifest(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("mem0ai=1")

    def read(path: Path) -> bytes:
        raise AssertionError(path)

    declarations = Declarations(tmp_path, assume="<2", read=read)
    found = declarations.of(str(tmp_path / "main.py"))
    assert found == Declaration(eras=frozenset({"v0", "v1"}), requirement="mem0ai<2")
    assert declarations.all() == (found,)
    with pytest.raises(ValueError, match="no version of mem0ai"):
        Declarations(tmp_path, assume="latest")


def test_order_of_the_questions_does_not_matter() -> None:
    case = CASES / "workspace"
    names = [str(case / name) for name in ("main.py", "packages/declares/a.py", "examples/demo/a.py", "packages/silent/a.py")]
    forwards, backwards = Declarations(case), Declarations(case)
    assert {name: forwards.of(name) for name in names} == {name: backwards.of(name) for name in reversed(names)}
    assert forwards.all() == backwards.all()


@pytest.mark.parametrize("value", ["app/base.txt", '"a b.txt"', "=base.txt"])
def test_spellings_of_an_include(value: str) -> None:
    for option in ("-r", "-r ", "--requirement ", "--requirement=", "-c ", "--constraint  "):
        (item,) = read_manifest(f"{option}{value.lstrip('=')}".encode(), "requirements")
        assert isinstance(item, Include)
        assert (item.path, item.constraint) == (value.strip('"='), "c" in option[:3])


def test_importing_costs_nothing_and_so_does_a_project_that_does_not_name_mem0ai() -> None:
    program = f"""
import sys
from pathlib import Path
from mem0_migrate.project.declarations import Declarations
late = {{"packaging", "tomllib", "tomli", "configparser", "json", "csv", "importlib.resources"}}
assert not late & set(sys.modules), late & set(sys.modules)
Declarations(Path({str(CASES / "toml-broken-elsewhere")!r})).of("main.py")
assert not late & set(sys.modules), late & set(sys.modules)
"""
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
