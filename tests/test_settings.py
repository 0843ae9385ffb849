"""Which rules a run reports where, and what is said about a setting that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem0_migrate.settings import Settings, SettingsError, SettingsFor, load


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(text: str, directory: str = ".") -> None:
    Path(directory).mkdir(parents=True, exist_ok=True)
    Path(directory, "pyproject.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "on", "off"),
    [
        pytest.param({}, ["MEM101", "MEM902"], ["MEM108"], id="what is on by default"),
        pytest.param({"select": ["MEM101"]}, ["MEM101"], ["MEM102", "MEM902"], id="one rule"),
        pytest.param({"select": ["MEM1"]}, ["MEM101", "MEM108"], ["MEM301"], id="a beginning selects what is off by default"),
        pytest.param({"select": ["ALL"]}, ["MEM101", "MEM108", "MEM301"], [], id="all"),
        pytest.param({"select": ["mem101"]}, ["MEM101"], ["MEM102"], id="lower case"),
        pytest.param({"ignore": ["MEM101"]}, ["MEM102"], ["MEM101"], id="ignore one"),
        pytest.param({"ignore": ["ALL"]}, [], ["MEM101", "MEM902"], id="ignore all"),
        pytest.param({"ignore": ["MEM1"]}, ["MEM301"], ["MEM101", "MEM108"], id="ignore a beginning"),
        pytest.param({"extend-select": ["MEM108"]}, ["MEM101", "MEM108"], [], id="one more"),
        pytest.param({"select": ["MEM101"], "ignore": ["MEM1"]}, ["MEM101"], ["MEM102"], id="the longer one wins, selected"),
        pytest.param({"select": ["MEM1"], "ignore": ["MEM101"]}, ["MEM102"], ["MEM101"], id="the longer one wins, ignored"),
        pytest.param({"select": ["MEM101"], "ignore": ["MEM101"]}, [], ["MEM101"], id="ignore wins a draw"),
        pytest.param({"extend-select": ["MEM108"], "ignore": ["MEM1"]}, ["MEM108"], ["MEM101"], id="one more, all others not"),
    ],
)
def test_selection(settings: dict[str, Any], on: list[str], off: list[str]) -> None:
    configure("[tool.mem0-migrate]\n" + "".join(f"{key} = {value!r}\n" for key, value in settings.items()))
    loaded = load()
    assert [code for code in on + off if loaded.enabled(code)] == on


@pytest.mark.parametrize(
    "settings", [{"select": ("MEM101",)}, {"ignore": ("ALL",)}, {"ignore": ("MEM9",)}, {"select": ("MEM1",)}]
)
def test_no_selection_hides_an_unreadable_file(settings: dict[str, Any]) -> None:
    assert load(overrides=settings).enabled("MEM901")


@pytest.mark.parametrize(
    ("file", "options", "on", "off"),
    [
        pytest.param(
            {"select": ["MEM1"], "ignore": ["MEM101"]},
            {"select": ("MEM101",)},
            ["MEM101"],
            ["MEM102"],
            id="select replaces it all",
        ),
        pytest.param({"select": ["MEM1"]}, {"ignore": ("MEM101",)}, ["MEM102"], ["MEM101"], id="ignore is added"),
        pytest.param(
            {"select": ["MEM101"]}, {"ignore": ("MEM1",)}, [], ["MEM101"], id="ignore wins over what is more specific below"
        ),
        pytest.param({"ignore": ["MEM101"]}, {"ignore": ("MEM102",)}, ["MEM103"], ["MEM101", "MEM102"], id="both ignores hold"),
        pytest.param(
            {"ignore": ["MEM108"]}, {"extend_select": ("MEM108",)}, ["MEM108"], [], id="extend-select wins over ignore below"
        ),
        pytest.param(
            {"ignore": ["MEM101"]},
            {"extend_select": ("MEM1",)},
            ["MEM101"],
            [],
            id="extend-select wins over what is more specific below",
        ),
        pytest.param({"ignore": ["MEM1"]}, {"extend_select": ("MEM101",)}, ["MEM101"], ["MEM102"], id="the rest stays ignored"),
        pytest.param(
            {"select": ["MEM101"]},
            {"extend_select": ("MEM3",)},
            ["MEM101", "MEM301"],
            ["MEM102"],
            id="extend-select is added to select",
        ),
    ],
)
def test_options_are_laid_over_the_file(file: dict[str, Any], options: dict[str, Any], on: list[str], off: list[str]) -> None:
    configure("[tool.mem0-migrate]\n" + "".join(f"{key} = {value!r}\n" for key, value in file.items()))
    loaded = load(overrides=options)
    assert [code for code in on + off if loaded.enabled(code)] == on


CODES = ["MEM101", "MEM102", "MEM103", "MEM108", "MEM301", "MEM902"]
PREFIXES = st.lists(st.sampled_from(["ALL", "MEM1", "MEM10", "MEM3", *CODES]), max_size=3).map(tuple)


@given(lower=st.tuples(st.none() | PREFIXES, PREFIXES, PREFIXES), upper=st.tuples(st.none() | PREFIXES, PREFIXES, PREFIXES))
def test_one_layer_over_another_is_what_applying_them_in_turn_gives(lower: tuple[Any, ...], upper: tuple[Any, ...]) -> None:
    """Ruff's order: within a layer from the general to the specific, selecting before ignoring; then the next layer."""
    expected = {code for code in CODES if Settings().enabled(code)}
    for select, extend_select, ignore in (lower, upper):
        if select is not None:
            expected = set()
        changes = [(len(code.replace("ALL", "")), False, code.replace("ALL", "")) for code in (*(select or ()), *extend_select)]
        changes += [(len(code.replace("ALL", "")), True, code.replace("ALL", "")) for code in ignore]
        for _, ignored, prefix in sorted(changes):
            covered = {code for code in CODES if code.startswith(prefix)}
            expected = expected - covered if ignored else expected | covered
    keys = ("select", "extend-select", "ignore")
    pairs = [f"{key} = {list(value)!r}" for key, value in zip(keys, lower, strict=True) if value is not None]
    names = ("select", "extend_select", "ignore")
    options = {name: value for name, value in zip(names, upper, strict=True) if value is not None}
    Path("layer.toml").write_text("\n".join(pairs), encoding="utf-8")
    loaded = load(config=["layer.toml"], overrides=options)
    assert {code for code in CODES if loaded.enabled(code)} == expected


def test_every_key() -> None:
    configure(
        """
[tool.mem0-migrate]
select = ["MEM1"]
ignore = ["MEM104"]
extend-select = ["MEM3"]
exclude = ["generated"]
extend-exclude = ["vendor/"]
force-exclude = true
respect-gitignore = false
mem0ai = ">=1,<2"
fail-on = "error"
allow-incomplete = true
output-format = "json"

[tool.mem0-migrate.per-file-ignores]
"tests/**" = ["MEM1"]
"""
    )
    here = Path.cwd()
    assert load() == Settings(
        select=("MEM1",),
        ignore=("MEM104",),
        extend_select=("MEM3",),
        per_file_ignores=(("tests/**", ("MEM1",)),),
        exclude=("generated",),
        extend_exclude=("vendor/",),
        force_exclude=True,
        respect_gitignore=False,
        mem0ai=">=1,<2",
        fail_on="error",
        allow_incomplete=True,
        output_format="json",
        directory=here,
        source=here / "pyproject.toml",
        hierarchical=True,
    )


KEYS = (
    "`allow-incomplete`, `exclude`, `extend-exclude`, `extend-select`, `fail-on`, `fixable`, `force-exclude`, `ignore`, "
    "`mem0ai`, `output-format`, `per-file-ignores`, `respect-gitignore`, `select`, `strategy`, `unfixable` and `unsafe-fixes`"
)
NO_VERSION = "'latest' is no version of mem0ai: write a range ('<2'), a version ('1.0.3', '1.0.*') or an era ('v1')"
NOT_IGNORED = "MEM901 cannot be ignored, since a file that was not read may hold any error; see allow-incomplete"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.mem0-migrate]\n\nselct = ['MEM1']\n", "pyproject.toml:3: unknown setting `selct`; did you mean `select`?"),
        (
            "[tool.mem0-migrate]\nzzz = 1\n",
            "pyproject.toml:2: unknown setting `zzz`; there are " + KEYS,
        ),
        ("[tool.mem0-migrate]\nselect = 'MEM1'\n", "pyproject.toml:2: select: must be a list of strings, not a string"),
        (
            "[tool.mem0-migrate]\nselect = ['MEM1', 2]\n",
            "pyproject.toml:2: select: must be a list of strings, and one of its items is a number",
        ),
        (
            "[tool.mem0-migrate]\nselect = ['MEM3011']\n",
            "pyproject.toml:2: select: no rule has a code that starts with `MEM3011`; did you mean `MEM301`?",
        ),
        (
            "[tool.mem0-migrate]\nselect = ['E501']\n",
            "pyproject.toml:2: select: no rule has a code that starts with `E501`; `mem0-migrate rule --all` lists them",
        ),
        (
            "[tool.mem0-migrate]\nselect = ['']\n",
            "pyproject.toml:2: select: no rule has a code that starts with ``; `mem0-migrate rule --all` lists them",
        ),
        (
            "[tool.mem0-migrate]\nignore = ['MEM901']\n",
            "pyproject.toml:2: ignore: " + NOT_IGNORED,
        ),
        ("[tool.mem0-migrate]\nforce-exclude = 1\n", "pyproject.toml:2: force-exclude: must be true or false, not a number"),
        (
            "[tool.mem0-migrate]\nfail-on = 'fatal'\n",
            "pyproject.toml:2: fail-on: `fatal` is not one of `error`, `warning` and `info`",
        ),
        (
            "[tool.mem0-migrate]\nfail-on = true\n",
            "pyproject.toml:2: fail-on: must be one of `error`, `warning` and `info`, not true or false",
        ),
        (
            "[tool.mem0-migrate]\nextend-exclude = ['a', '!']\n",
            "pyproject.toml:2: extend-exclude: cannot exclude '!': it is not a pattern as in .gitignore",
        ),
        (
            "[tool.mem0-migrate]\nmem0ai = 'latest'\n",
            "pyproject.toml:2: mem0ai: " + NO_VERSION,
        ),
        (
            "[tool.mem0-migrate]\nmem0ai = 1.0\n",
            "pyproject.toml:2: mem0ai: must be a version or a range in a string, not a number",
        ),
        (
            "[tool.mem0-migrate]\nper-file-ignores = ['MEM1']\n",
            'pyproject.toml:2: per-file-ignores: must be a table of lists, such as {"tests/**" = ["MEM104"]}, not a list',
        ),
        (
            "[tool.mem0-migrate.per-file-ignores]\n'tests/**' = 'MEM1'\n",
            "pyproject.toml:1: per-file-ignores: must be a list of strings, not a string",
        ),
        ("[tool]\nmem0-migrate.selct = []\n", "pyproject.toml:2: unknown setting `selct`; did you mean `select`?"),
        ("[tool]\nmem0-migrate = { selct = [] }\n", "pyproject.toml:2: unknown setting `selct`; did you mean `select`?"),
        ("[tool]\nmem0-migrate = 1\n", "pyproject.toml: tool.mem0-migrate is a number; write a table [tool.mem0-migrate]."),
        (
            "[project]\nname = 'mem0-migrate'\nselct = 1\n[tool.mem0-migrate]\nselct = []\n",
            "pyproject.toml:5: unknown setting `selct`; did you mean `select`?",
        ),
        (
            "[tool.mem0-migrate]\nselect = [\n",
            "pyproject.toml: is not valid TOML: Invalid value (at end of document).",
        ),
        ("[tool.mem0-migrate]\nselect = =\n", "pyproject.toml:2: is not valid TOML: Invalid value."),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(text: str, message: str) -> None:
    configure(text)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value) == message


def test_a_file_that_is_not_utf_8(project: Path) -> None:
    (project / "pyproject.toml").write_bytes(b"[tool.mem0-migrate]\nextend-exclude = ['caf\xe9']\n")
    with pytest.raises(SettingsError, match=r"^pyproject.toml:2: is not UTF-8, which TOML files are\.$"):
        load()


def test_a_broken_file_without_our_table_is_none_of_our_business() -> None:
    configure("[tool.other\n")
    assert load().source is None


def test_a_byte_order_mark(project: Path) -> None:
    (project / "pyproject.toml").write_bytes(b"\xef\xbb\xbf[tool.mem0-migrate]\nfail-on = 'info'\n")
    assert load().fail_on == "info"


def test_a_wrong_option_is_named_with_its_twin_in_the_environment() -> None:
    with pytest.raises(SettingsError) as caught:
        load(overrides={"extend_select": ("MEM3011",)})
    assert str(caught.value) == (
        "--extend-select (or MEM0_MIGRATE_EXTEND_SELECT): no rule has a code that starts with `MEM3011`; did you mean `MEM301`?"
    )


def test_the_closest_file_with_our_table_wins_and_is_not_merged(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("[tool.mem0-migrate]\nfail-on = 'error'\nallow-incomplete = true\n")
    configure("[tool.mem0-migrate]\nfail-on = 'info'\n", "a")
    configure("[project]\nname = 'b'\n", "a/b")
    monkeypatch.chdir("a/b")
    loaded = load()
    assert (loaded.source, loaded.directory) == (project / "a/pyproject.toml", project / "a")
    assert (loaded.fail_on, loaded.allow_incomplete) == ("info", False)


def test_isolated_reads_no_file() -> None:
    configure("[tool.mem0-migrate]\nfail-on = 'error'\n")
    configure("[tool.mem0-migrate]\nselect = ['MEM301']\n", "package")
    loaded = load(isolated=True)
    assert (loaded.fail_on, loaded.source) == ("warning", None)
    assert SettingsFor(loaded).of("package/a.py") is loaded


def test_config_names_a_file_that_holds_for_all_packages() -> None:
    configure("[tool.mem0-migrate]\nfail-on = 'error'\n")
    configure("[tool.mem0-migrate]\nfail-on = 'error'\n", "package")
    Path("strict.toml").write_text("fail-on = 'info'\n", encoding="utf-8")
    loaded = load(config=["strict.toml"])
    assert (loaded.fail_on, loaded.directory) == ("info", Path.cwd())
    assert SettingsFor(loaded).of("package/a.py") is loaded


def test_config_names_a_pyproject() -> None:
    configure("[tool.mem0-migrate]\nfail-on = 'info'\n", "elsewhere")
    assert load(config=["elsewhere/pyproject.toml"]).fail_on == "info"


def test_config_sets_one_key_over_the_file() -> None:
    configure("[tool.mem0-migrate]\nfail-on = 'error'\nallow-incomplete = true\n")
    loaded = load(config=["fail-on = 'info'", "per-file-ignores.'tests/**' = ['MEM1']"])
    assert (loaded.fail_on, loaded.allow_incomplete, loaded.per_file_ignores) == ("info", True, (("tests/**", ("MEM1",)),))


def test_an_option_wins_over_config() -> None:
    assert load(config=["fail-on = 'info'"], overrides={"fail_on": "error"}).fail_on == "error"


@pytest.mark.parametrize(
    ("config", "isolated", "message"),
    [
        (["missing.toml"], False, "missing.toml: cannot be read: No such file or directory"),
        (["empty/pyproject.toml"], False, "empty/pyproject.toml: has no table [tool.mem0-migrate]."),
        (["a.toml", "b.toml"], False, "--config names 2 files: a.toml, b.toml. Name one."),
        (["a.toml"], True, "--isolated reads no configuration file, and --config names a.toml. Use one of them."),
        (["selct = 1"], False, "--config 'selct = 1': unknown setting `selct`; did you mean `select`?"),
        (["fail-on = 1"], False, "--config 'fail-on = 1': must be one of `error`, `warning` and `info`, not a number"),
    ],
)
def test_config_that_cannot_be_used(config: list[str], isolated: bool, message: str) -> None:
    configure("", "empty")
    for name in ("a.toml", "b.toml"):
        Path(name).touch()
    with pytest.raises(SettingsError) as caught:
        load(config=config, isolated=isolated)
    assert str(caught.value) == message


def test_config_that_is_neither_a_file_nor_toml() -> None:
    with pytest.raises(SettingsError, match=r"^--config 'fail-on = info' is neither a file nor a TOML pair `key = value`: "):
        load(config=["fail-on = info"])


def test_a_package_with_its_own_table_decides_for_its_files() -> None:
    configure("[tool.mem0-migrate]\nignore = ['MEM101']\n")
    configure("[tool.mem0-migrate]\nignore = ['MEM102']\n", "packages/a")
    configure("[project]\nname = 'b'\n", "packages/b")
    settings = SettingsFor(load())
    assert [settings.reports("MEM101", name) for name in ("x.py", "packages/a/src/x.py", "packages/b/x.py")] == [
        False,
        True,
        False,
    ]
    assert [settings.reports("MEM102", name) for name in ("x.py", "packages/a/src/x.py", "packages/b/x.py")] == [
        True,
        False,
        True,
    ]


def test_the_command_line_is_laid_over_each_of_them() -> None:
    configure("[tool.mem0-migrate]\nselect = ['MEM101']\n", "packages/a")
    settings = SettingsFor(load(overrides={"extend_select": ("MEM108",)}))
    assert [settings.reports(code, "packages/a/x.py") for code in ("MEM101", "MEM102", "MEM108")] == [True, False, True]


def test_what_a_package_excludes_is_not_reported() -> None:
    configure("[tool.mem0-migrate]\nextend-exclude = ['vendor']\n", "packages/a")
    settings = SettingsFor(load())
    assert [settings.reports("MEM101", f"{name}/x.py") for name in ("vendor", "packages/a", "packages/a/vendor/b")] == [
        True,
        True,
        False,
    ]


def test_what_is_excluded_is_reported_where_it_is_named() -> None:
    configure("[tool.mem0-migrate]\nextend-exclude = ['vendor/b']\n", "a")
    name = "a/vendor/b/x.py"
    loaded = load()
    assert not SettingsFor(loaded, ["."]).reports("MEM101", name)
    assert not SettingsFor(loaded, ["a", "a/vendor", "a/vendor/b/y.py"]).reports("MEM101", name)
    assert SettingsFor(loaded, [name]).reports("MEM101", name)
    assert SettingsFor(loaded, ["a/vendor/b"]).reports("MEM101", name)
    forced = load(overrides={"force_exclude": True})
    assert not SettingsFor(forced, [name]).reports("MEM101", name)


def test_patterns_to_exclude_are_relative_to_their_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure("[tool.mem0-migrate]\nexclude = ['tests/data']\n")
    Path("a").mkdir()
    monkeypatch.chdir("a")
    settings = SettingsFor(load())
    assert settings.base.directory == project
    assert [settings.reports("MEM101", name) for name in ("../tests/data/x.py", "tests/data/x.py")] == [False, True]


def test_per_file_ignores_are_relative_to_their_file() -> None:
    configure("[tool.mem0-migrate.per-file-ignores]\n'tests/*.py' = ['MEM1']\n'conftest.py' = ['MEM102']\n", "packages/a")
    settings = SettingsFor(load())
    assert [
        settings.reports("MEM101", name)
        for name in ("tests/x.py", "packages/a/tests/x.py", "packages/a/x/tests/x.py", "packages/a/x/conftest.py")
    ] == [True, False, True, True]
    assert not settings.reports("MEM102", "packages/a/x/conftest.py")
    assert settings.reports("MEM301", "packages/a/tests/x.py")


def test_an_unreadable_file_is_reported_wherever_it_is() -> None:
    configure("[tool.mem0-migrate]\nextend-exclude = ['*']\n[tool.mem0-migrate.per-file-ignores]\n'*' = ['ALL']\n", "a")
    assert SettingsFor(load()).reports("MEM901", "a/x.py")


def test_files_outside_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    configure("[tool.mem0-migrate]\nignore = ['MEM101']\n", "a")
    Path("b").mkdir()
    monkeypatch.chdir("b")
    assert [SettingsFor(load()).reports("MEM101", name) for name in ("../a/x.py", "x.py")] == [False, True]


def test_a_broken_table_is_an_error_only_for_its_own_files() -> None:
    configure("[tool.mem0-migrate]\nselct = []\n", "a")
    settings = SettingsFor(load())
    assert settings.reports("MEM101", "b/x.py")
    with pytest.raises(SettingsError, match=r"^a/pyproject.toml:2: unknown setting `selct`; did you mean `select`\?$"):
        settings.reports("MEM101", "a/x.py")
