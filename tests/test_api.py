"""The package from Python: documented names, no printing, no exit, exceptions of its own, any thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mem0_migrate
from mem0_migrate import Finding, FixReport, MissingPathError, Report, Settings, SettingsError, Site, check, fix

BREAKS = 'from mem0 import MemoryClient\nclient = MemoryClient()\nclient.add("m")["id"]\n'


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one site that breaks, the working directory."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "x.py").write_text(BREAKS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_documented_use(capfd: pytest.CaptureFixture[str]) -> None:
    report = check(["src"], Settings(mem0ai="<2"))
    assert isinstance(report, Report)
    (finding,) = report.findings
    (site,) = report.sites
    assert isinstance(finding, Finding)
    assert isinstance(site, Site)
    start = finding.span.start
    assert (finding.span.filename, start.row, start.column, finding.code, finding.severity) == (
        "src/x.py", 3, 1, "MEM101", "error",
    )  # fmt: skip
    assert "KeyError: 'id'" in finding.message
    assert site.declaration.eras == {"v0", "v1"}
    assert (report.files, report.analysed, report.suppressed, report.incomplete) == (1, 1, 0, ())
    assert capfd.readouterr() == ("", "")


def test_fixing(repository: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = Settings(mem0ai="<2")
    assert [item.filename for item in fix(["src"], settings, write=False).rewrites] == ["src/x.py"]
    assert (repository / "src/x.py").read_text(encoding="utf-8") == BREAKS
    done = fix(["src"], settings)
    assert isinstance(done, FixReport)
    assert [finding.code for finding in done.fixed] == ["MEM101"]
    assert (done.left, done.failed, done.by_hand, done.after.findings) == ((), (), (), ())
    assert (repository / "src/x.py").read_text(encoding="utf-8") == BREAKS.replace('"m"', '"m", async_mode=False')
    assert fix(["src"], settings).rewrites == ()
    assert capfd.readouterr() == ("", "")


def test_a_report_is_a_value() -> None:
    report = check(["src"], Settings())
    assert report == check(["src"], Settings())
    with pytest.raises(AttributeError):
        report.findings = ()  # type: ignore[misc]


def test_names_are_relative_to_the_working_directory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.span.filename for finding in check([str(repository)], Settings()).findings] == ["src/x.py"]
    monkeypatch.chdir("src")
    assert [finding.span.filename for finding in check(["."], Settings()).findings] == ["x.py"]
    (repository / "elsewhere").mkdir()
    monkeypatch.chdir(repository / "elsewhere")
    assert [finding.span.filename for finding in check(["../src"], Settings()).findings] == ["../src/x.py"]


def test_a_file_alone_brings_the_manifest_that_decides_for_it_and_no_other(repository: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    for name in ("one", "two"):
        (repository / name).mkdir()
        (repository / name / "app.py").write_text(BREAKS.replace('["id"]', '["results"][0]["id"]'), encoding="utf-8")
        (repository / name / "requirements.txt").write_text("mem0ai>=1\n", encoding="utf-8")

    def found(path: str) -> set[str]:
        return {finding.span.filename for finding in check([path], Settings()).findings}

    assert found("one/app.py") == {"one/app.py", "one/requirements.txt"}
    assert found("two/requirements.txt") == {"two/requirements.txt"}
    (repository / "one/app.py").write_text("", encoding="utf-8")
    assert found("one/app.py") == set()


def test_what_cannot_be_done_is_raised(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingPathError, match="nowhere: no such file or directory") as missing:
        check(["nowhere"], Settings())
    assert isinstance(missing.value, FileNotFoundError)
    assert missing.value.filename == "nowhere"
    Path("src/pyproject.toml").write_text("[tool.mem0-migrate]\nselekt = []\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="selekt"):
        check(["."], Settings(hierarchical=True))
    assert capfd.readouterr() == ("", "")


def test_what_a_file_holds_is_never_raised() -> None:
    Path("src/broken.py").write_bytes(b"import mem0\n(\n\0")
    report = check(["."], Settings())
    assert [(problem.filename, problem.row) for problem in report.incomplete] == [("src/broken.py", 3)]
    assert len(report.findings) == 1


def test_threads_do_not_disturb_one_another() -> None:
    Path("src/deep.py").write_text(BREAKS + "x = " + "a(" * 80 + ")" * 80 + "\ny = z" + ".w(1)" * 700 + "\n", encoding="utf-8")
    expected = check(["src"], Settings())
    assert len(expected.findings) == 2
    found: list[Report] = []
    threads = [threading.Thread(target=lambda: found.append(check(["src"], Settings()))) for _ in range(4)]
    limit = sys.getrecursionlimit()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
    assert sys.getrecursionlimit() == limit


def test_every_public_name_is_there_and_nothing_else() -> None:
    assert [name for name in mem0_migrate.__all__ if not hasattr(mem0_migrate, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        mem0_migrate.chekc  # noqa: B018


def modules_after(code: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_the_import_alone_loads_next_to_nothing() -> None:
    new = modules_after("import mem0_migrate") - modules_after("")
    assert {name for name in new if name.partition(".")[0] == "mem0_migrate"} == {"mem0_migrate"}
    heavy = {"ast", "click", "dataclasses", "importlib.metadata", "json", "libcst", "pathlib", "subprocess", "tomllib"}
    assert new.isdisjoint(heavy - modules_after(""))


def test_a_check_loads_neither_the_codemod_nor_what_tests_use() -> None:
    code = "from mem0_migrate import check, Settings\nassert check(['src'], Settings()).findings"
    loaded = {name.partition(".")[0] for name in modules_after(code)}
    assert loaded.isdisjoint({"libcst", "hypothesis", "hypothesmith", "jsonschema", "pytest", "click", "httpx", "mem0", "yaml"})
