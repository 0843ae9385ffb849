"""Eras of versions and of ranges, and the table of releases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mem0_migrate.model import ERAS
from mem0_migrate.sdk.eras import era_of, eras_admitted, eras_admitted_together, parse_assumption
from mem0_migrate.sdk.releases import releases

VERSIONS = [release.version for release in releases()]
version_numbers = st.lists(st.integers(0, 120), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


def test_releases_are_in_order_without_repetition_and_their_days_too() -> None:
    assert sorted(set(VERSIONS)) == VERSIONS
    days = [release.day for release in releases() if release.day is not None]
    assert sorted(days) == days
    assert len(days) > 60
    assert {"0.0.9", "0.1.118", "1.0.0b0", "1.0.0", "1.0.11", "2.0.0b2", "2.0.0", "2.2.1"} <= set(map(str, VERSIONS))


@pytest.mark.parametrize(
    ("version", "era"),
    [
        ("0.0.1", None),
        ("0.0.8", None),
        ("0.0.9", "v0"),
        ("0.1.118", "v0"),
        ("0.9", "v0"),
        ("1.0.0b0", None),
        ("1.0.0", "v1"),
        ("1.0.0.post1", "v1"),
        ("1.0.11", "v1"),
        ("1.7", "v1"),
        ("2.0.0b0", "v2"),
        ("2.2.1", "v2"),
        ("3.0", "v2"),
        ("2.2.1+local", "v2"),
    ],
)
def test_era_of(version: str, era: str | None) -> None:
    assert era_of(Version(version)) == era


@pytest.mark.parametrize(
    ("specifier", "eras"),
    [
        ("<1,>=2", ""),
        ("==0.0.8", ""),
        ("<0.0.9", ""),
        ("==1.0.0b0", ""),
        ("<1.0.0,>=1.0.0b0", ""),
        ("", "v0 v1 v2"),
        (">=0.1.94", "v0 v1 v2"),
        ("!=1.0.3", "v0 v1 v2"),
        ("~=0.1.94", "v0"),
        ("<0.2.0,>=0.1.54", "v0"),
        ("==0.1.105", "v0"),
        ("<=0.1.118", "v0"),
        ("<1.0.0rc1", "v0"),
        (">0.1.118,<1.0", "v0"),
        ("==1.*", "v1"),
        ("~=1.0", "v1"),
        (">=1,<2", "v1"),
        ("<2.0.0,>0.1.118", "v1"),
        (">1.0.11,<1.1", "v1"),
        ("===1.0.3", "v1"),
        (">=1.0.0b0", "v1 v2"),
        (">=1", "v1 v2"),
        ("!=1.*", "v0 v2"),
        (">=2", "v2"),
        (">=2.5", "v2"),
        (">2.5,<2.6", "v2"),
        ("==9.*", "v2"),
        (">=0.1.119", "v1 v2"),
        (">1.0.11", "v2"),
        (">2.2.1", "v2"),
        ("<4,>=3.1,!=3.1", "v2"),
        ("==2.0.0b1", "v2"),
        ("<2.0.0b1,>=1.1", "v2"),
        ("<2,>=1.1", "v1"),
    ],
)
def test_eras_admitted(specifier: str, eras: str) -> None:
    assert " ".join(era for era in ERAS if era in eras_admitted(SpecifierSet(specifier))) == eras


def test_every_release_is_admitted_by_naming_it() -> None:
    for version in VERSIONS:
        assert eras_admitted(SpecifierSet(f"=={version}")) == {era for era in [era_of(version)] if era is not None}


@given(version_numbers)
def test_a_version_that_was_never_released_counts_by_its_number(number: str) -> None:
    era = era_of(Version(number))
    assert eras_admitted(SpecifierSet(f"=={number}")) == {name for name in [era] if name is not None}


@given(st.sampled_from(VERSIONS), st.sampled_from(VERSIONS))
def test_a_narrower_range_never_admits_more(lower: Version, upper: Version) -> None:
    one, other = SpecifierSet(f">={lower}"), SpecifierSet(f"<={upper}")
    both = eras_admitted(one & other)
    assert both <= eras_admitted(one) & eras_admitted(other)
    assert eras_admitted_together([[one], [other]]) == both
    assert eras_admitted_together([[one, other]]) >= eras_admitted(one) | eras_admitted(other)


@pytest.mark.parametrize(
    "text", ["", "  ", "latest", "v3", "v1 v2", "mem0ai", "mem0", "<2,x", "1.0.x", "=<2", "httpx<2", "v1,<2"]
)
def test_an_assumption_that_means_nothing_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a range \('<2'\)"):
        parse_assumption(text)


@pytest.mark.parametrize("text", ["<1,>=2", "0.0.8", "==1.0.0b0"])
def test_an_assumption_that_nothing_fits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="admits no release of mem0ai"):
        parse_assumption(text)


@pytest.mark.parametrize(
    ("text", "eras", "requirement"),
    [
        ("<2", "v0 v1", "mem0ai<2"),
        (" >=1, <2 ", "v1", "mem0ai>=1, <2"),
        ("1.0.3", "v1", "mem0ai==1.0.3"),
        ("1.0.*", "v1", "mem0ai==1.0.*"),
        ("==1.0.*", "v1", "mem0ai==1.0.*"),
        ("2", "v2", "mem0ai==2"),
        ("mem0ai<2", "v0 v1", "mem0ai<2"),
        ("mem0ai >= 2", "v2", "mem0ai>= 2"),
        ("v1", "v1", "mem0ai v1"),
        ("v2, v0", "v0 v2", "mem0ai v2, v0"),
    ],
)
def test_assumptions(text: str, eras: str, requirement: str) -> None:
    found = parse_assumption(text)
    assert (" ".join(era for era in ERAS if era in found.eras), found.requirement) == (eras, requirement)
    assert (found.source, found.row, found.locked) == (None, None, False)
