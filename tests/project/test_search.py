"""Which files mention a word, and which import a module."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mem0_migrate.model import Unreadable
from mem0_migrate.project import search, workers
from mem0_migrate.project.modules import Modules
from mem0_migrate.project.search import Importers, mentioning

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def in_a_new_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=[1, 3])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(workers, "_processes", lambda _count: request.param)
    return request.param  # type: ignore[no-any-return]


def write(root: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return sorted(files)


@pytest.mark.usefixtures("processes")
def test_mentioning(tmp_path: Path) -> None:
    files = write(tmp_path, {"a.py": "import mem0", "b.py": "x", "c d/é\n.py": "'mem0'", "d.py": "", "e.ipynb": '{"mem0"'})
    assert mentioning(files, b"mem0") == (["a.py", "c d/é\n.py", "e.ipynb"], [])
    assert mentioning([], b"mem0") == ([], [])


@pytest.mark.usefixtures("processes")
def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import mem0", "z.py": "mem0"})
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "dir.py").mkdir()
    found, problems = mentioning(["z.py", "loop.py", "gone.py", "dir.py", "a.py"], b"mem0")
    assert found == ["z.py", "a.py"]
    assert problems == [
        Unreadable("loop.py", "too many levels of symbolic links"),
        Unreadable("gone.py", "no such file or directory"),
        Unreadable("dir.py", "not a regular file"),
    ]


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    name = b"caf\xe9.py".decode("utf-8", "surrogateescape")
    (tmp_path / name).write_bytes(b"import mem0")
    assert mentioning([name], b"mem0") == ([name], [])
    assert Importers([name], Modules([name])).of(name) == []


PACKAGE = {
    "app/__init__.py": "",
    "app/deps.py": "def get_memory(): ...\ndef other(): ...",
    # importers, one per form
    "app/relative.py": "from .deps import get_memory",
    "app/sub/__init__.py": "",
    "app/sub/above.py": "from ..deps import (\n    other,\n    get_memory as g,\n)",
    "app/object.py": "from . import deps\ndeps.get_memory()",
    "absolute.py": "from app.deps import get_memory",
    "whole.py": "import app.deps\napp.deps.get_memory()",
    "alias.py": "import os, app.deps as d\nd.get_memory()",
    "from_package.py": "def f():\n    from app import deps\n    return deps.get_memory()",
    "dynamic.py": "import_module('app.deps').get_memory()",
    "typed.py": "if TYPE_CHECKING:\n    from app.deps import get_memory",
    "tests/test_it.py": "from app.deps import get_memory",
    "note.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": "%cd x\nfrom app.deps import x\nget_memory()"}]}),
    # hand it on without naming it
    "star.py": "from app.deps import *",
    "hub/__init__.py": "from app import deps",
    # not importers, or of something else
    "names_it.py": "get_memory()  # from app.deps",
    "imports_other.py": "from app.deps import other",
    "longer_word.py": "from app.deps import get_memory_2",
    "object_without.py": "from app import deps",
    "other/deps.py": "get_memory = 1",
    "other/user.py": "from deps import get_memory",
    "other/relative.py": "from .deps import get_memory",
    "stdlib.py": "import json\nget_memory = json.deps",
}
IMPORTERS = [
    *("absolute.py", "alias.py", "app/object.py", "app/relative.py", "app/sub/above.py", "dynamic.py", "from_package.py"),
    *("hub/__init__.py", "note.ipynb", "star.py", "tests/test_it.py", "typed.py", "whole.py"),
]


@pytest.mark.usefixtures("processes")
def test_importers_in_every_form(tmp_path: Path) -> None:
    files = sorted(write(tmp_path, PACKAGE), key=len)
    importers = Importers(files, Modules(files))
    assert importers.of("app/deps.py", {"get_memory"}) == IMPORTERS
    assert importers.of("app/deps.py", ["nothing", "get_memory"]) == IMPORTERS
    assert importers.of("app/deps.py", {"nothing"}) == ["hub/__init__.py", "star.py"]
    everyone = {*IMPORTERS, "imports_other.py", "longer_word.py", "object_without.py"}
    assert set(importers.of("app/deps.py")) == everyone
    assert importers.of("other/deps.py", {"get_memory"}) == ["other/relative.py", "other/user.py"]
    assert importers.problems == []


def test_importers_of_a_package(tmp_path: Path) -> None:
    files = write(
        tmp_path,
        {
            "pkg/__init__.py": "client = 1",
            "pkg/a.py": "from . import client",
            "pkg/sub/__init__.py": "from .. import client",
            "pkg/sub/b.py": "from ... import client\nfrom ..\\\n  import client",
            "pkg/sub/c.py": "from . import client",
            "use.py": "from pkg import client",
            "deeper.py": "import pkg.a\npkg.client",
            "not_it.py": "from pkg.a import client",
            "elsewhere/pkg.py": "client = 1",
            "elsewhere/use.py": "import pkg\npkg.client",
        },
    )
    importers = Importers(files, Modules(files))
    assert importers.of("pkg/__init__.py", {"client"}) == [
        "deeper.py",
        "pkg/a.py",
        "pkg/sub/__init__.py",
        "pkg/sub/b.py",
        "use.py",
    ]
    assert importers.of("pkg/sub/__init__.py", {"client"}) == ["pkg/sub/c.py"]
    assert importers.of("elsewhere/pkg.py", {"client"}) == ["elsewhere/use.py"]


def test_nothing_is_read_before_the_first_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write(tmp_path, PACKAGE)
    read: list[str] = []
    real = search.read
    monkeypatch.setattr(search, "read", lambda name: (read.append(name), real(name))[1])
    importers = Importers(files, Modules(files))
    assert read == []
    importers.of("stdlib.py", {"x"})
    assert sorted(read) == files


def test_a_file_that_disappears_is_told(tmp_path: Path) -> None:
    files = [*write(tmp_path, {"a.py": "x = 1", "b.py": "from a import x"}), "gone.py"]
    importers = Importers(files, Modules(files))
    assert importers.of("a.py", {"x"}) == ["b.py"]
    assert importers.problems == [Unreadable("gone.py", "no such file or directory")]
    (tmp_path / "b.py").unlink()
    assert importers.of("a.py", {"x"}) == []
    assert [problem.filename for problem in importers.problems] == ["b.py", "gone.py"]


DIRECTORIES = st.lists(st.sampled_from(["a", "b", "src", "a-1"]), max_size=3).map(
    lambda parts: "".join(f"{part}/" for part in parts)
)
MODULES = st.sampled_from(["a", "b", "__init__", "json"])
FILES = st.builds("{}{}.py".format, DIRECTORIES, MODULES)
DOTTED = st.lists(st.sampled_from(["a", "b", "src", "json"]), min_size=1, max_size=3).map(".".join)
IMPORTS = st.one_of(
    st.builds("import {}".format, DOTTED),
    st.builds(
        "from {}{} import {}".format, st.sampled_from(["", ".", "..", "..."]), DOTTED, st.sampled_from(["a", "b", "x", "*"])
    ),
    st.builds("from {} import {}".format, st.sampled_from([".", "..", "..."]), st.sampled_from(["a", "b", "x"])),
    st.builds("import_module('{}')".format, DOTTED),
)


@given(st.dictionaries(FILES, st.lists(IMPORTS, max_size=3).map("\n".join), min_size=1, max_size=14))
def test_no_importer_is_passed_over(code: dict[str, str]) -> None:
    files = sorted(code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "read", lambda name: code[name].encode())
        quick = Importers(files, Modules(files))
        thorough = Importers(files, Modules(files))
        patch.setattr(thorough, "_possible", lambda target: [name for name in files if name != target])
        for target in files:
            for names in ((), ("x",), ("nothing",)):
                assert quick.of(target, names) == thorough.of(target, names)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(order=st.permutations(sorted(PACKAGE)), count=st.integers(1, 3))
def test_neither_order_nor_processes_matter(tmp_path: Path, order: list[str], count: int) -> None:
    if not (tmp_path / "star.py").exists():
        write(tmp_path, PACKAGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "_processes", lambda _count: count)
        assert Importers(order, Modules(order)).of("app/deps.py", {"get_memory"}) == IMPORTERS
        assert mentioning(order, b"get_memory_2") == (["longer_word.py"], [])
