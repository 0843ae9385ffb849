"""The LibCST commands: each alone on a module, and all of a repository by LibCST's own command line, as `fix` would."""

# ruff: noqa: D102 - the names of these tests are their documentation

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import libcst
import pytest
from libcst import tool
from libcst.codemod import CodemodContext, CodemodTest, SkipFile

from mem0_migrate.codemods import AddAsyncMode, AdoptAsync, WrapClient
from mem0_migrate.engine import fix
from mem0_migrate.settings import SettingsError, load

FIXTURES = Path(__file__).parents[2] / "fixtures"
FLOWS = sorted(path.name for path in (FIXTURES / "flows").iterdir() if path.is_dir())
READS = sorted((FIXTURES / "rules" / "receipt-read-as-memories").glob("*.py"))[::3]

HEAD = """\
from mem0 import MemoryClient

client = MemoryClient()
"""
READ = (
    HEAD
    + """\
print(client.add("m", user_id="u")["results"])
"""
)
INSTALL = "To do by hand: Install mem0-shim where the code runs: pip install mem0-shim"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: no configuration, no manifest."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestAddAsyncMode(CodemodTest):
    """`async_mode=False`, and where it is not right, why."""

    TRANSFORM = AddAsyncMode

    def test_no_mem0(self) -> None:
        code = 'print(client.add("m", user_id="u")["results"])\n'
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_open_source(self) -> None:
        code = READ.replace("MemoryClient", "Memory")
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_explicit(self) -> None:
        code = READ.replace('"u"', '"u", async_mode=False')
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_suppressed(self) -> None:
        code = READ.replace(")\n", ")  # mem0-migrate: ignore[MEM101]\n").replace("()  # mem0-migrate: ignore[MEM101]", "()")
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_nothing_depends_on_it(self) -> None:
        code = HEAD + 'client.add("m", user_id="u")\n'
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_a_client_from_a_module_that_is_not_there(self) -> None:
        code = 'from deps import client\n\nprint(client.add("m", user_id="u")["results"])\n'
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_mem0ai_2_is_not_excluded(self) -> None:
        why = "mem0ai 2.x, which nothing here excludes, ignores `async_mode`"
        self.assertCodemod(READ, READ, expected_warnings=[f"{SAID_OF_2}. Not changed: {why}"])

    def test_a_receiver_that_may_be_open_source(self) -> None:
        code = HEAD.replace("import", "import Memory,").replace("()", "() if hosted else Memory()")
        code += 'print(client.add("m", user_id="u")["results"])\n'
        why = "The receiver may be the open-source Memory, whose add() accepts no `async_mode`"
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[f"{SAID}. Not changed: {why}"])

    def test_an_inferred_receiver(self) -> None:
        code = HEAD.replace("client = MemoryClient()", "def connect():\n    return MemoryClient()\n\n\nclient = connect()")
        code += 'print(client.add("m", user_id="u")["results"])\n'
        offer = "Pass `async_mode=False` here: add() waits again, and answers with the memories (with --unsafe-fixes)"
        warning = f"{SAID.replace('4:7', '8:7')}. Not changed: {offer}"
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[warning])
        changed = code.replace('"u")', '"u", async_mode=False)')
        self.assertCodemod(code, changed, unsafe_fixes=True, mem0ai="<2", expected_warnings=[])

    def test_at_the_call(self) -> None:
        changed = READ.replace('"u"', '"u", async_mode=False')
        self.assertCodemod(READ, changed, mem0ai="<2", expected_warnings=[])

    def test_in_the_dictionary_that_is_spread(self) -> None:
        code = HEAD + 'options = {"user_id": "u"}\nprint(client.add("m", **options)["results"])\n'
        self.assertCodemod(code, code.replace('"u"}', '"u", "async_mode": False}'), mem0ai="<2", expected_warnings=[])

    def test_the_manifest_of_the_working_directory(self) -> None:
        Path("requirements.txt").write_text("mem0ai==1.0.3\n", encoding="utf-8")
        self.assertCodemod(READ, READ.replace('"u"', '"u", async_mode=False'), expected_warnings=[])

    def test_the_configuration_of_the_working_directory(self) -> None:
        Path("pyproject.toml").write_text("[tool.mem0-migrate]\nmem0ai = '<2'\n", encoding="utf-8")
        self.assertCodemod(READ, READ.replace('"u"', '"u", async_mode=False'), expected_warnings=[])

    def test_other_files_of_the_working_directory_are_no_part_of_a_module_without_a_name(self) -> None:
        Path("deps.py").write_text(HEAD, encoding="utf-8")
        code = 'from deps import client\n\nprint(client.add("m", user_id="u")["results"])\n'
        self.assertCodemod(code, code, mem0ai="<2", expected_warnings=[])

    def test_other_files_of_the_repository_are_part_of_a_module_with_one(self) -> None:
        Path("deps.py").write_text(HEAD, encoding="utf-8")
        code = 'from deps import client\n\nprint(client.add("m", user_id="u")["results"])\n'
        changed = code.replace('"u"', '"u", async_mode=False')
        for name in ("api.py", str(Path("api.py").absolute())):  # it is not on the disk
            context = CodemodContext(filename=name)
            self.assertCodemod(code, changed, mem0ai="<2", context_override=context, expected_warnings=[])

    def test_a_folder_that_does_not_exist(self) -> None:
        context = CodemodContext(filename="nowhere/api.py")
        changed = READ.replace('"u"', '"u", async_mode=False')
        self.assertCodemod(READ, changed, mem0ai="<2", context_override=context, expected_warnings=[])


class TestWrapClient(CodemodTest):
    """The client wrapped where it is constructed."""

    TRANSFORM = WrapClient

    def test_open_source(self) -> None:
        code = READ.replace("MemoryClient", "Memory")
        self.assertCodemod(code, code, expected_warnings=[])

    def test_wrapped(self) -> None:
        code = READ.replace("MemoryClient()", 'mem0_shim.wrap(MemoryClient(), policy="wait")')
        code = f"import mem0_shim\n{code}"
        self.assertCodemod(code, code, expected_warnings=[])

    def test_a_client_from_elsewhere(self) -> None:
        code = 'from mem0 import MemoryClient\n\n\ndef f(client: MemoryClient):\n    return client.add("m")["id"]\n'
        context = CodemodContext()
        self.assertCodemod(code, code, context_override=context)
        (warning,) = context.warnings
        assert warning.startswith("5:12: MEM101 ")
        assert "here the client is constructed is not seen (it is declared at module.py:4)" in warning

    def test_the_construction(self) -> None:
        changed = "import mem0_shim\n" + READ.replace("MemoryClient()", 'mem0_shim.wrap(MemoryClient(), policy="wait")')
        self.assertCodemod(READ, changed, expected_warnings=[INSTALL])


class TestAdoptAsync(CodemodTest):
    """The keyword goes."""

    TRANSFORM = AdoptAsync

    def test_open_source(self) -> None:
        code = READ.replace("MemoryClient", "Memory")
        self.assertCodemod(code, code, unsafe_fixes=True, expected_warnings=[])

    def test_what_reads_memories_is_left_unless_asked_for_what_is_unsafe(self) -> None:
        code = READ.replace('"u")', '"u", async_mode=False)')
        self.assertCodemod(code, code, mem0ai="<2")

    def test_the_keyword_goes_and_a_receiver_is_missing(self) -> None:
        code = HEAD + 'client.add("m", user_id="u", async_mode=False)\n'
        context = CodemodContext()
        changed = AdoptAsync(context, unsafe_fixes=True, mem0ai="<2").transform_module(libcst.parse_module(code)).code
        assert 'client.add("m", user_id="u")\n' in changed
        assert "ensure_webhook(" in changed
        (warning,) = [text for text in context.warnings if text.startswith("To do by hand: make mem0_webhook.py, ")]
        compile(warning.partition("It holds:\n")[2], "mem0_webhook.py", "exec")
        assert not Path("mem0_webhook.py").exists()


SAID = (
    '4:7: MEM101 `client.add("m", user_id="u")["results"]` gives a receipt instead of memories: add() now answers with a receipt'
)
SAID_OF_2 = SAID.replace("gives a receipt instead of memories", "raises KeyError: 'results' with mem0ai 2.x")


def test_a_configuration_that_cannot_be_used_is_an_error() -> None:
    Path("pyproject.toml").write_text("[tool.mem0-migrate]\nselekt = []\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="selekt"):
        AddAsyncMode(CodemodContext()).transform_module(libcst.parse_module(READ))


def test_what_libcst_cannot_hold_is_skipped() -> None:
    module = libcst.parse_module("\x0c" + READ)
    assert module.code == READ  # if this fails, LibCST can hold it
    assert AddAsyncMode(CodemodContext(), mem0ai="<2").transform_module(module).code != READ  # nor do we know any better
    Path("api.py").write_text("\x0c" + READ, encoding="utf-8", newline="")
    assert run("AddAsyncMode", ".") == 0
    assert Path("api.py").read_bytes() == b"\x0c" + READ.encode()


def run(command: str, *arguments: str) -> int:
    """LibCST's command line in this process."""
    options = ["-x", "--no-format", "--hide-progress"]
    code: int = tool.main("libcst.tool", ["codemod", *options, f"mem0_migrate.codemods.{command}", "-j", "1", *arguments])
    return code


def contents(directory: Path) -> dict[str, bytes]:
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*.py")}


def fixed(directory: Path, strategy: str) -> dict[str, bytes]:
    """The Python files as `fix` leaves them."""
    overrides = {"strategy": strategy, "unsafe_fixes": True, "mem0ai": "<2"}
    report = fix(["."], load(overrides=overrides), write=False)
    rewritten = {rewrite.filename: rewrite.after for rewrite in report.rewrites if rewrite.filename.endswith(".py")}
    return {**contents(directory), **{name: after for name, after in rewritten.items() if (directory / name).exists()}}


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize(("command", "strategy"), [("AddAsyncMode", "keyword"), ("WrapClient", "shim"), ("AdoptAsync", "async")])
def test_a_command_makes_of_a_repository_what_fix_makes_of_it(directory: Path, name: str, command: str, strategy: str) -> None:
    shutil.copytree(FIXTURES / "flows" / name, directory, dirs_exist_ok=True)
    expected = fixed(directory, strategy)
    assert run(command, "--unsafe-fixes", "--mem0ai", "<2", ".") == 0
    assert contents(directory) == expected


@pytest.mark.parametrize("path", READS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("command", "strategy"), [(AddAsyncMode, "keyword"), (WrapClient, "shim")])
def test_a_command_makes_of_a_module_what_fix_makes_of_it(
    directory: Path, path: Path, command: type[AddAsyncMode], strategy: str
) -> None:
    shutil.copyfile(path, directory / "case.py")
    expected = fixed(directory, strategy)["case.py"]
    (directory / "case.py").unlink()
    module = libcst.parse_module(path.read_bytes())
    assert command(CodemodContext(), unsafe_fixes=True, mem0ai="<2").transform_module(module).bytes == expected


REPOSITORY = {
    "deps.py": "from mem0 import MemoryClient\n\n\ndef get_client():\n    return MemoryClient()\n",
    "api.py": "from deps import get_client\n\nprint(get_client().add('m', user_id='u')['results'])\n",
    "windows.py": READ.replace("\n", "\r\n"),
    "feed.py": f"\x0c{READ}",
    "odd/pages.py": "\x0cprint('nothing of ours')\n",
    "made.py": f"# @generated by a program\n{READ}",
    "made_too.py": f"# Code generated by a program. DO NOT EDIT.\n{READ}",
    ".venv/lib/client.py": READ,
    "tests/test_api.py": READ,
    "setup.cfg": "[options]\ninstall_requires =\n    mem0ai>=1,<2\n",
}


@pytest.fixture
def repository(directory: Path) -> Path:
    """A repository in git, with files that a codemod meets."""
    for name, text in REPOSITORY.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8", newline="")
    subprocess.run(["git", "init", "--quiet"], cwd=directory, check=True)
    subprocess.run(["git", "add", "."], cwd=directory, check=True)
    return directory


def changed(repository: Path) -> set[str]:
    return {name for name, text in REPOSITORY.items() if (repository / name).read_bytes() != text.encode()}


def codemod(repository: Path, *arguments: str, **attributes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "libcst.tool", "codemod", "--hide-progress", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, **attributes)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_command_line_of_libcst(repository: Path, jobs: str) -> None:
    done = codemod(repository, "-x", "--no-format", "mem0_migrate.codemods.AddAsyncMode", "--unsafe-fixes", "-j", jobs, ".")
    assert done.returncode == 0, done.stderr
    assert changed(repository) == {"api.py", "windows.py", "tests/test_api.py"}
    assert "add('m', user_id='u', async_mode=False)['results']" in (repository / "api.py").read_text(encoding="utf-8")
    windows = REPOSITORY["windows.py"].replace('"u"', '"u", async_mode=False')
    assert (repository / "windows.py").read_bytes() == windows.encode()
    assert "Failed to codemod 0 files" in done.stderr
    for name in ("feed.py", "odd/pages.py"):
        assert f"{name}: LibCST would change other characters of this file" in done.stderr
    generated = next(part for part in done.stderr.split("Codemodding ") if "made_too.py\n" in part.partition("WARNING")[0] + "\n")
    assert "it is generated: change what generates it" in generated


def test_the_files_named_bound_what_is_edited_and_not_what_is_known(repository: Path) -> None:
    done = codemod(repository, "-x", "--no-format", "mem0_migrate.codemods.WrapClient", "api.py")
    assert (done.returncode, changed(repository)) == (0, set()), done.stderr
    assert "deps.py: it is not among the files named: `mem0-migrate fix --strategy shim deps.py`" in done.stderr
    done = codemod(repository, "-x", "--no-format", "mem0_migrate.codemods.WrapClient", "deps.py")
    assert (done.returncode, changed(repository)) == (0, {"deps.py"}), done.stderr
    assert "WARNING: To do by hand: Add mem0-shim to setup.cfg, beside mem0ai" in done.stderr


def test_a_configuration_of_libcst(repository: Path) -> None:
    (repository / ".libcst.codemod.yaml").write_text("modules: [mem0_migrate]\nformatter: []\n", encoding="utf-8")
    done = codemod(repository, "--no-format", "codemods.AddAsyncMode", "windows.py")
    assert (done.returncode, changed(repository)) == (0, {"windows.py"}), done.stderr


def test_standard_input(repository: Path) -> None:
    code = REPOSITORY["tests/test_api.py"]
    done = codemod(repository, "-x", "--no-format", "mem0_migrate.codemods.AddAsyncMode", "-", input=code)
    assert done.stdout == code.replace('"u"', '"u", async_mode=False') + "\n", done.stderr
    assert changed(repository) == set()


def test_a_diff(repository: Path) -> None:
    done = codemod(repository, "-x", "--no-format", "mem0_migrate.codemods.AddAsyncMode", "-u", "1", "tests")
    assert '+print(client.add("m", user_id="u", async_mode=False)["results"])\n' in done.stdout
    assert changed(repository) == set()


def test_an_option_that_cannot_be_used(repository: Path) -> None:
    done = codemod(repository, "-x", "mem0_migrate.codemods.AddAsyncMode", "--mem0ai", "<<2", ".")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("libcst.tool codemod: error: --mem0ai: '<<2' is no version of mem0ai")


@pytest.mark.parametrize("command", ["AddAsyncMode", "WrapClient", "AdoptAsync"])
def test_the_help_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "mem0's hosted client" in " ".join(printed.split())
    assert "--unsafe-fixes" in printed
    assert "--mem0ai SPEC" in printed


def test_a_file_that_was_changed_since_is_left(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mem0_migrate.codemods import planning

    kept = planning.Plan({planning.key("windows.py"): planning.Outcome(b"other", b"text")})
    manager = libcst.metadata.FullRepoManager(".", {"windows.py"}, AddAsyncMode.METADATA_DEPENDENCIES)
    monkeypatch.setattr(manager, "_cache", {AddAsyncMode.PROVIDER: kept})
    module = libcst.parse_module((repository / "windows.py").read_bytes())
    context = CodemodContext(filename="windows.py", metadata_manager=manager)
    with pytest.raises(SkipFile, match="changed since it was analysed"):
        AddAsyncMode(context).transform_module(module)
