"""Edits of manifests: cases as data in fixtures/manifest_edits (see its README), and what must hold for all content."""

from __future__ import annotations

import codecs
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from mem0_migrate.fixes.manifests import ManifestEdit, Refused, add_shim, narrow
from mem0_migrate.fixes.manifests.entry import ByHandError, Splice
from mem0_migrate.fixes.manifests.proof import prove_added, prove_narrowed

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parents[2] / "fixtures" / "manifest_edits"
FILENAMES = {
    "pyproject": "pyproject.toml",
    "poetry": "pyproject.toml",
    "pipfile": "Pipfile",
    "requirements": "requirements.txt",
    "setup_cfg": "setup.cfg",
    "setup_py": "setup.py",
    "environment_yml": "environment.yml",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One file of fixtures/manifest_edits."""

    filename: str
    action: str
    row: int | None
    data: bytes
    outcome: Literal["output", "nothing to do", "refused"]
    output: bytes = b""
    refused_at: int | None = None
    reason: str = ""

    def edit(self, data: bytes) -> ManifestEdit | Refused | None:
        """Make the edit that the case is about, of its own content or another."""
        if self.action == "add":
            return add_shim(self.filename, data, self.row)
        bounds = dict(re.findall(r"(<|>=)([\w.]+)", self.action))
        assert bounds
        return narrow(self.filename, data, self.row, below=bounds.get("<"), at_least=bounds.get(">="))


def read_case(path: Path) -> Case:
    first, _, text = path.read_text("utf-8").partition("\n")
    assert first.startswith("# "), first
    action, *options = re.split(r"\s*;\s*", first[2:])
    before, what, at, reason, after = re.fullmatch(
        r"(?ms)(.*?)^# (output|nothing to do|refused)(?: at (\d+))?(?:: ([^\n]*))?\n(.*)", text
    ).groups()  # type: ignore[union-attr]
    named = {key: value for key, _, value in (option.partition(" ") for option in options)}
    assert set(options) <= {"crlf", "cr", "bom", "utf-16", "latin-1", "no final newline"} | {
        f"row {named.get('row')}",
        f"name {named.get('name')}",
    }, options
    assert what == "output" or not after
    return Case(
        filename=named.get("name", FILENAMES[path.parent.name]),
        action=action,
        row=int(named["row"]) if "row" in named else None,
        data=encoded(before, options),
        outcome=what,
        output=encoded(after, options),
        refused_at=int(at) if at else None,
        reason=reason or "",
    )


def encoded(text: str, options: list[str]) -> bytes:
    if "no final newline" in options:
        text = text.removesuffix("\n")
    text = text.replace("\n", "\r\n" if "crlf" in options else "\r" if "cr" in options else "\n")
    if "utf-16" in options:
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le")
    return (codecs.BOM_UTF8 if "bom" in options else b"") + text.encode("latin-1" if "latin-1" in options else "utf-8")


PATHS = sorted(path for path in CASES.glob("*/*") if path.is_file())
NO_EDIT = [path for path in PATHS if path.stem.startswith("no_")]
EDIT = [path for path in PATHS if not path.stem.startswith("no_")]


def name_of(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", NO_EDIT, ids=name_of)
def test_nothing_is_edited(path: Path) -> None:
    case = read_case(path)
    found = case.edit(case.data)
    if case.outcome == "nothing to do":
        assert found is None
    else:
        assert case.outcome == "refused"
        assert case.reason
        assert isinstance(found, Refused), found
        assert case.reason in found.reason
        assert found.row == case.refused_at
        assert found.filename == case.filename


@pytest.mark.parametrize("path", EDIT, ids=name_of)
def test_edit(path: Path) -> None:
    case = read_case(path)
    assert case.outcome == "output"
    found = case.edit(case.data)
    assert isinstance(found, ManifestEdit), found
    assert found.content.decode("latin-1") == case.output.decode("latin-1")
    assert found.message
    assert found.filename == case.filename


@pytest.mark.parametrize("path", [path for path in EDIT if read_case(path).row is None], ids=name_of)
def test_a_second_edit_has_nothing_to_do(path: Path) -> None:
    case = read_case(path)
    assert case.edit(case.output) is None


def test_every_format_has_cases_of_both_kinds() -> None:
    assert {path.parent.name for path in NO_EDIT} == {path.parent.name for path in EDIT} == set(FILENAMES)


TWO_LISTS = """[project]
keywords = ["mem0ai"]
dependencies = ["mem0ai>=0.1", "httpx"]
optional-dependencies.graph = ["mem0ai>=0.1"]
"""


@pytest.mark.parametrize(
    ("behind", "content"),
    [
        pytest.param('keywords = ["mem0ai"', ', "mem0-shim"', id="a list that requires nothing"),
        pytest.param('dependencies = ["mem0ai>=0.1"', ', "mem0-shim>=1"', id="a version"),
        pytest.param('dependencies = ["mem0ai>=0.1"', ", \"mem0-shim; python_version < '3'\"", id="other conditions"),
        pytest.param('dependencies = ["mem0ai>=0.1"', ' "mem0-shim"', id="two strings in a row"),
        pytest.param('dependencies = ["mem0ai>=0.1"', ', "mem0-shim", "redis"', id="another package too"),
        pytest.param('dependencies = ["mem0ai>=0.1"', ', "mem0-shim", "mem0ai<2"', id="another range too"),
        pytest.param("[project]\n", "# mem0-shim\n", id="a comment"),
        pytest.param("[project]\n", 'mem0-shim = "*"\n', id="a key of the project"),
    ],
)
def test_a_wrong_addition_is_not_proven(behind: str, content: str) -> None:
    at = TWO_LISTS.index(behind) + len(behind)
    with pytest.raises(ByHandError, match=r"would not say exactly what it should|not valid TOML"):
        prove_added(TWO_LISTS, [Splice(at, at, content)], "pyproject")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("keywords", "keyword", id="nothing is narrowed"),
        pytest.param(">=0.1", "<2", id="a bound is lost"),
        pytest.param("mem0ai>=0.1", "mem0ai>=0.1,<2; python_version > '3'", id="a marker is new"),
        pytest.param("mem0ai>=0.1", "mem0ai>=0.1,<3", id="another bound"),
        pytest.param('["mem0ai>=0.1"]', "[]", id="a requirement is lost"),
        pytest.param("graph = [", "vector = [", id="another extra"),
    ],
)
def test_a_wrong_range_is_not_proven(old: str, new: str) -> None:
    ranges = {(SpecifierSet(">=0.1"),): (SpecifierSet(">=0.1,<2"),)}
    with pytest.raises(ByHandError, match="would not say exactly what it should"):
        prove_narrowed(TWO_LISTS, TWO_LISTS.replace(old, new), "pyproject", ranges)
    prove_narrowed(TWO_LISTS, TWO_LISTS.replace(">=0.1", ">=0.1,<2"), "pyproject", ranges)


@pytest.mark.parametrize(
    "name",
    ["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "METADATA", "main.py", "Cargo.toml", "package.json"],
)
def test_other_files_are_refused(name: str) -> None:
    data = b'[[package]]\nname = "mem0ai"\nversion = "1.0.3"\n'
    for found in (add_shim(name, data, None), narrow(name, data, 3, below="2")):
        assert isinstance(found, Refused)
        assert found.filename == name


def test_the_refusal_of_a_lock_says_what_refreshes_it() -> None:
    found = add_shim("backend/uv.lock", b'[[package]]\nname = "mem0ai"\nversion = "1.0.3"\n', 2)
    assert isinstance(found, Refused)
    assert found.reason.endswith("then run `uv lock`")


def test_text_that_breaks_its_own_encoding_is_refused() -> None:
    found = add_shim("requirements.txt", codecs.BOM_UTF16_LE + "mem0ai\n".encode("utf-16-le") + b"\x00", None)
    assert isinstance(found, Refused)
    assert "not valid UTF-16-LE" in found.reason


def test_a_bound_that_is_no_version_is_an_error_of_the_caller() -> None:
    with pytest.raises(InvalidVersion):
        narrow("requirements.txt", b"mem0ai", None, below="two")


def test_no_bound_is_nothing_to_do() -> None:
    assert narrow("requirements.txt", b"mem0ai", None) is None


@pytest.mark.parametrize("name", sorted({*FILENAMES.values(), "uv.lock"}))
@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), row=st.none() | st.integers(1, 4))
@example(data=b"mem0ai" + b"[" * 20_000, row=None)
@example(data=b"mem0ai==" + b"1" * 5000, row=None)
@example(data=b"[packages]\nmem0ai = " + b"1" * 5000, row=2)
@example(data=b"setup(install_requires=" + b"-" * 50_000 + b"'mem0ai')", row=None)
@example(data=b"setup(install_requires=['mem0ai'] + " + b"x+" * 20_000 + b"x)", row=None)
@example(data=b"[project]\nmem0ai = 1\n[project]\n", row=None)
@example(data=b"tool.poetry.dependencies.mem0ai = []", row=None)
@example(data=b"tool.poetry.dependencies.mem0ai = {}", row=None)
@example(data=b"tool.poetry.dependencies.mem0ai = [[[]]]", row=None)
@example(data=b"[tool.poetry.dependencies.mem0ai]", row=None)
@example(data=b"[[tool.poetry.dependencies.mem0ai]]", row=None)
@example(data=b"[tool.poetry.dependencies.mem0ai.a]\nb = 1", row=None)
@example(data=b"tool.poetry.dependencies.mem0ai = {version = 1}", row=None)
@example(data=b'[tool.poetry]\nextras = {a = ["mem0ai", 1]}\ndependencies = {mem0ai = 5}', row=None)
@example(data=b'[tool.poetry.dependencies]\nmem0ai.version = "1"\n[tool.x]\n[tool.poetry.extras]\n', row=None)
@example(data=b"[packages.mem0ai]\nversion = '*'", row=None)
@example(data=b"[options]\ninstall_requires = mem0ai\n [x", row=None)
@example(data=b"dependencies:\n- mem0ai==1=x=\n- pip:\n- mem0ai", row=None)
def test_no_content_makes_an_edit_raise(name: str, data: bytes, row: int | None) -> None:
    for prefix in (b"", b"mem0ai\n", b'[project]\ndependencies = ["mem0ai"]\n'):
        for found in (add_shim(name, prefix + data, row), narrow(name, prefix + data, row, below="2", at_least="1")):
            assert found is None or isinstance(found, (ManifestEdit, Refused))


LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
OTHER_LINES = st.sampled_from(
    [
        "httpx",
        "httpx>=0.27  # web",
        "# mem0ai>=0.1",
        "",
        "-r base.txt",
        "  fastapi ; python_version > '3.9'",
        "-e .",
        "\tredis",
        "# \xe9",
    ]
)
SPECIFIERS = st.lists(
    st.sampled_from(
        [">=0.1", ">0.1.5", "!=1.0.1", "<3", "<=2.5", "<2.0.1", ">=1.0", "~=1.0", "==1.0.3", "==1.*", "==2.0.1", "<1.0.5"]
    ),
    max_size=3,
    unique=True,
)
MARKERS = st.sampled_from(["", "; python_version >= '3.10'", ' ;sys_platform == "linux"'])
REQUIREMENTS = st.builds(
    lambda name, extra, space, join, specifiers, marker: (
        f"{name}{extra}{space if specifiers else ''}{join.join(specifiers)}{marker}"
    ),
    st.sampled_from(["mem0ai", "Mem0_AI"]),
    st.sampled_from(["", "[graph]"]),
    st.sampled_from(["", " "]),
    st.sampled_from([",", ", ", " , "]),
    SPECIFIERS,
    MARKERS,
)
COMMENTS = st.sampled_from(["", "  # memory", "\t# ] , mem0-shim"])
VERSIONS = [
    *("0.0.9", "0.1", "0.1.5", "0.1.118", "1.0.0rc1", "1.0.0", "1.0.1", "1.0.3", "1.0.5", "1.9.9"),
    *("2.0.0a1", "2.0.0", "2.0.1", "2.5", "2.5.1", "3.0", "3.1"),
]


@settings(deadline=None)
@given(
    before=st.lists(OTHER_LINES, max_size=3),
    requirement=REQUIREMENTS,
    comment=COMMENTS,
    after=st.lists(OTHER_LINES, max_size=3),
    line_end=LINE_ENDS,
    last=st.booleans(),
)
def test_requirements_gain_one_line(
    before: list[str], requirement: str, comment: str, after: list[str], line_end: str, last: bool
) -> None:
    lines = [*before, requirement + comment, *after]
    data = (line_end.join(lines) + (line_end if last else "")).encode()
    row = len(before) + 1
    found = add_shim("requirements.txt", data, row)
    assert isinstance(found, ManifestEdit), found
    line_end = line_end if len(before + after) or last else "\n"  # of a single line, nothing tells how lines end
    new_lines = found.content.decode().split(line_end)
    added = Requirement(new_lines.pop(row))
    assert line_end.join(new_lines).encode() == data
    assert (added.name, str(added.specifier), added.marker) == ("mem0-shim", "", Requirement(requirement).marker)
    assert add_shim("requirements.txt", found.content, row) is None
    assert add_shim("requirements.txt", found.content, None) is None


@settings(deadline=None)
@given(
    before=st.lists(OTHER_LINES, max_size=3),
    requirement=REQUIREMENTS,
    comment=COMMENTS,
    line_end=LINE_ENDS,
    below=st.sampled_from([None, "1", "2"]),
    at_least=st.sampled_from([None, "0.1", "1"]),
)
def test_a_narrowed_range_is_the_old_one_within_the_bounds(
    before: list[str], requirement: str, comment: str, line_end: str, below: str | None, at_least: str | None
) -> None:
    def admitted(text: str) -> list[str]:
        return [version for version in VERSIONS if Requirement(text).specifier.contains(version, prereleases=True)]

    def within(version: str) -> bool:
        return (below is None or Requirement(f"x<{below}").specifier.contains(version, prereleases=True)) and (
            at_least is None or Requirement(f"x>={at_least}").specifier.contains(version, prereleases=True)
        )

    head, tail = line_end.join([*before, ""]).encode(), f"{comment}{line_end}httpx".encode()
    data = head + requirement.encode() + tail
    found = narrow("requirements.txt", data, len(before) + 1, below=below, at_least=at_least)
    if isinstance(found, Refused):
        assert "admits no version" in found.reason
        assert not any(map(within, admitted(requirement)))
    elif found is None:
        assert all(within(version) for version in admitted(requirement) if "rc" not in version)  # '==1.*' has 1.0.0rc1 too
    else:
        assert found.content.startswith(head)
        assert found.content.endswith(tail)
        narrowed = found.content[len(head) : len(found.content) - len(tail)].decode()
        assert admitted(narrowed) == [version for version in admitted(requirement) if within(version)]
        old, new = Requirement(requirement), Requirement(narrowed)
        assert (old.name, old.extras, old.marker) == (new.name, new.extras, new.marker)
        assert narrow("requirements.txt", found.content, None, below=below, at_least=at_least) is None


@st.composite
def arrays(draw: st.DrawFn) -> str:
    """Draw the text of a TOML array, in any layout, that holds mem0ai once."""
    items = draw(st.lists(st.sampled_from(['"httpx"', "'redis>=5'", '"fastapi[all]"', '{include-group = "x"}']), max_size=3))
    items.insert(
        draw(st.integers(0, len(items))),
        draw(st.sampled_from(['"mem0ai>=0.1"', "'mem0ai'", "\"mem0ai; python_version > '3.9'\""])),
    )
    gap = st.sampled_from(["", "", " ", "\n  ", "\n\t", ' # c, "x" ]\n    ', "\n# own line\n  "])
    text = "["
    for number, item in enumerate(items):
        text += draw(gap) + item + draw(gap)
        if number < len(items) - 1 or draw(st.booleans()):
            text += ","
    return text + draw(gap) + "]"


@settings(deadline=None, max_examples=50)
@given(array=arrays(), line_end=st.sampled_from(["\n", "\r\n"]), mark=st.sampled_from([b"", codecs.BOM_UTF8]))
@example(array='["mem0ai" # c\n,# d\n]', line_end="\n", mark=b"")
def test_an_array_gains_one_item_and_keeps_all_it_has(array: str, line_end: str, mark: bytes) -> None:
    data = mark + f"# mem0-shim? caf\xe9\n[dependency-groups]\nx = []\ndev = {array} # end\n".replace("\n", line_end).encode()
    found = add_shim("pyproject.toml", data, None)
    assert isinstance(found, ManifestEdit), found
    old, new = (tomllib.loads(content.decode("utf-8-sig"))["dependency-groups"]["dev"] for content in (data, found.content))
    at = next(number for number, item in enumerate(old) if "mem0ai" in item)
    assert new == [*old[: at + 1], old[at].replace("mem0ai", "mem0-shim").replace(">=0.1", ""), *old[at + 1 :]]
    characters = iter(found.content)
    assert all(byte in characters for byte in data)
    comments = re.compile(rb"#[^\r\n]*")
    assert comments.findall(found.content) == comments.findall(data)
    assert (b"\r\n" in data) is (b"\r\n" in found.content)
    assert found.content.count(b"\r\n") in (0, found.content.count(b"\n"))
    assert add_shim("pyproject.toml", found.content, None) is None
