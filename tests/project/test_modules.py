"""Which file an import means, for layouts as people have them. Each layout is a list of files; nothing is on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem0_migrate.project.modules import Modules

if TYPE_CHECKING:
    from pathlib import Path

FLAT = ["app.py", "deps.py", "helpers/__init__.py", "helpers/ids.py", "tests/test_app.py"]
SRC = [
    "src/app/__init__.py",
    "src/app/api.py",
    "src/app/memory/__init__.py",
    "src/app/memory/store.py",
    "tests/test_api.py",
    "setup.py",
]
NAMESPACE = ["ns/one/__init__.py", "ns/one/a.py", "ns/two/b.py", "run.py"]
MONOREPO = [
    *("services/a/src/app/__init__.py", "services/a/src/app/deps.py", "services/a/tests/test_app.py"),
    *("services/b/src/app/__init__.py", "services/b/src/app/deps.py", "services/b/tests/test_app.py"),
    *("libs/shared/python/shared/__init__.py", "libs/shared/python/shared/memory.py"),
]
STUBS = ["pkg/__init__.pyi", "pkg/a.pyi", "pkg/b.py", "pkg/b.pyi", "pkg/c.py", "pkg/c/__init__.py", "use.py"]
SHADOW = ["app/__init__.py", "app/main.py", "app/types.py", "app/deps.py", "lib/vendored/json.py", "lib/vendored/one/__init__.py"]

RESOLVED = [
    (FLAT, "app.py", "deps", 0, "deps.py"),
    (FLAT, "app.py", "helpers", 0, "helpers/__init__.py"),
    (FLAT, "app.py", "helpers.ids", 0, "helpers/ids.py"),
    (FLAT, "tests/test_app.py", "app", 0, "app.py"),
    (FLAT, "helpers/ids.py", "deps", 0, "deps.py"),
    (FLAT, "app.py", "helpers.nothing", 0, None),
    (FLAT, "app.py", "ids", 0, None),
    (FLAT, "app.py", "mem0", 0, None),
    (SRC, "tests/test_api.py", "app.api", 0, "src/app/api.py"),
    (SRC, "setup.py", "app.memory", 0, "src/app/memory/__init__.py"),
    (SRC, "src/app/api.py", "app.memory.store", 0, "src/app/memory/store.py"),
    (SRC, "src/app/api.py", "memory", 1, "src/app/memory/__init__.py"),
    (SRC, "src/app/memory/store.py", "api", 2, "src/app/api.py"),
    (SRC, "src/app/memory/store.py", None, 1, "src/app/memory/__init__.py"),
    (SRC, "src/app/memory/store.py", None, 2, "src/app/__init__.py"),
    (SRC, "src/app/memory/__init__.py", "store", 1, "src/app/memory/store.py"),
    (SRC, "src/app/memory/__init__.py", None, 1, "src/app/memory/__init__.py"),
    (SRC, "src/app/memory/store.py", "api", 9, None),
    (SRC, "tests/test_api.py", None, 1, None),
    (SRC, "tests/test_api.py", "", 0, None),
    (SRC, "tests/test_api.py", "src.app.api", 0, "src/app/api.py"),
    (NAMESPACE, "run.py", "ns", 0, None),
    (NAMESPACE, "run.py", "ns.one", 0, "ns/one/__init__.py"),
    (NAMESPACE, "run.py", "ns.two.b", 0, "ns/two/b.py"),
    (NAMESPACE, "ns/one/a.py", "ns.two.b", 0, "ns/two/b.py"),
    (NAMESPACE, "ns/one/a.py", "two.b", 2, "ns/two/b.py"),
    (NAMESPACE, "ns/two/b.py", None, 1, None),
    (NAMESPACE, "ns/two/b.py", "b", 1, "ns/two/b.py"),
    (MONOREPO, "services/a/tests/test_app.py", "app.deps", 0, "services/a/src/app/deps.py"),
    (MONOREPO, "services/b/tests/test_app.py", "app.deps", 0, "services/b/src/app/deps.py"),
    (MONOREPO, "services/b/src/app/deps.py", "app", 0, "services/b/src/app/__init__.py"),
    (MONOREPO, "services/a/src/app/deps.py", "shared.memory", 0, "libs/shared/python/shared/memory.py"),
    (MONOREPO, "libs/shared/python/shared/memory.py", "app.deps", 0, None),
    (STUBS, "use.py", "pkg", 0, "pkg/__init__.pyi"),
    (STUBS, "use.py", "pkg.a", 0, "pkg/a.pyi"),
    (STUBS, "use.py", "pkg.b", 0, "pkg/b.py"),
    (STUBS, "use.py", "pkg.c", 0, "pkg/c/__init__.py"),
    (SHADOW, "app/main.py", "deps", 0, "app/deps.py"),
    (SHADOW, "app/main.py", "types", 0, None),
    (SHADOW, "app/main.py", "types", 1, "app/types.py"),
    (SHADOW, "app/main.py", "json", 0, None),
    (SHADOW, "lib/vendored/one/__init__.py", "json", 0, "lib/vendored/json.py"),
]


@pytest.mark.parametrize(("files", "importer", "module", "level", "expected"), RESOLVED)
def test_resolve(files: list[str], importer: str, module: str | None, level: int, expected: str | None) -> None:
    for order in (files, files[::-1], sorted(files), sorted(files, key=len)):
        modules = Modules(order)
        assert modules.resolve(importer, module, level) == expected
        assert modules.resolve(importer, module, level) == expected


def test_the_nearest_of_several_candidates_and_none_of_two_as_near() -> None:
    files = ["x/one/app.py", "x/two/app.py", "y/three/app.py", "y/tests/t.py", "x/tests/t.py"]
    modules = Modules(files)
    assert modules.resolve("y/tests/t.py", "app", 0) == "y/three/app.py"
    assert modules.resolve("x/tests/t.py", "app", 0) is None


NAMES = [
    (FLAT, "deps.py", "deps"),
    (FLAT, "helpers/__init__.py", "helpers"),
    (FLAT, "helpers/ids.py", "helpers.ids"),
    (FLAT, "tests/test_app.py", "test_app"),
    (SRC, "src/app/memory/store.py", "app.memory.store"),
    (NAMESPACE, "ns/one/a.py", "one.a"),
    (STUBS, "pkg/a.pyi", "pkg.a"),
    (["a b/x-y.py"], "a b/x-y.py", "x-y"),
    (["notes.ipynb"], "notes.ipynb", "notes"),
]


@pytest.mark.parametrize(("files", "filename", "expected"), NAMES)
def test_name_of(files: list[str], filename: str, expected: str) -> None:
    assert Modules(files).name_of(filename) == expected


def test_submodule() -> None:
    modules = Modules([*SRC, "src/app/api/__init__.py"])
    assert modules.submodule("src/app/__init__.py", "api") == "src/app/api/__init__.py"
    assert modules.submodule("src/app/memory/__init__.py", "store") == "src/app/memory/store.py"
    assert modules.submodule("src/app/memory/__init__.py", "nothing") is None
    assert modules.submodule("src/app/memory/store.py", "store") is None


def test_a_package_around_the_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "pkg" / "sub")
    modules = Modules(["__init__.py", "a.py", "../__init__.py", "../b.py", "../../tests/t.py", "../../.hidden/c.py"])
    assert modules.name_of("__init__.py") == "pkg.sub"
    assert modules.name_of("a.py") == "pkg.sub.a"
    assert modules.resolve("a.py", "b", 2) == "../b.py"
    assert modules.resolve("a.py", "pkg.b", 0) == "../b.py"
    assert modules.resolve("../../tests/t.py", "pkg.sub.a", 0) == "a.py"
    assert modules.submodule("../__init__.py", "sub") == "__init__.py"
    assert modules.resolve("../../.hidden/c.py", "c", 1) == "../../.hidden/c.py"


def test_nothing_is_computed_before_the_first_question() -> None:
    class Untouched(list[str]):
        def __iter__(self) -> object:  # type: ignore[override]
            pytest.fail("the files were looked at")

    Modules(Untouched(["a.py"]))
    assert Modules([]).resolve("a.py", "a", 0) is None


PARTS = st.sampled_from(["a", "b", "src", "__init__"])
PATHS = st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".py")


@given(st.lists(PATHS, unique=True, max_size=12), st.data())
def test_the_order_of_files_does_not_matter(files: list[str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(files))
    importer = data.draw(PATHS)
    module = data.draw(st.lists(PARTS, max_size=3).map(".".join))
    level = data.draw(st.integers(0, 3))
    answer = Modules(files).resolve(importer, module or None, level)
    assert answer == Modules(shuffled).resolve(importer, module or None, level)
    assert answer is None or answer in files


@given(st.lists(PATHS, unique=True, min_size=1, max_size=12))
def test_a_module_is_found_by_its_own_name(files: list[str]) -> None:
    modules = Modules(files)
    for filename in files:
        found = modules.resolve(filename, modules.name_of(filename), 0)
        assert found is not None
        assert modules.name_of(found) == modules.name_of(filename)
