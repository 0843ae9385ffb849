"""Poetry's version constraints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mem0_migrate.project.manifests.poetry import specifiers
from mem0_migrate.project.manifests.statement import Problem, required

version_numbers = st.lists(st.integers(0, 120), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@pytest.mark.parametrize(
    "constraint", ["", " ", "^", "latest", "^latest", ">=1,<", "1 || ", "^1.*", "~>1", ">=1.0 and <2", "1..0"]
)
def test_text_that_is_no_poetry_constraint(constraint: str) -> None:
    found, problem = required(f"mem0ai{constraint}", 3, specifiers(constraint))
    assert problem == Problem(3, f"the version in {f'mem0ai{constraint}'.strip()!r} cannot be read")
    assert found.ranges == (SpecifierSet(),)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [  # https://python-poetry.org/docs/dependency-specification/
        ("^1.2.3", ">=1.2.3,<2"),
        ("^1.2", ">=1.2,<2"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("*", ""),
        ("1.*", "==1.*"),
        ("1.x", "==1.*"),
        ("1.2.*", "==1.2.*"),
        ("1.2.3", "==1.2.3"),
        ("=1.2.3", "==1.2.3"),
        (">= 1.2, < 1.5", ">=1.2,<1.5"),
        (">=1.2 <1.5", ">=1.2,<1.5"),
        ("~=1.2", "~=1.2"),
        ("!=1.2", "!=1.2"),
        ("^0.1.94 || ^1.0", ">=0.1.94,<0.2 | >=1.0,<2"),
        ("<1|>=2", "<1 | >=2"),
    ],
)
def test_poetry_constraints(constraint: str, expected: str) -> None:
    found = [SpecifierSet(specifier) for specifier in specifiers(constraint)]
    assert found == [SpecifierSet(specifier) for specifier in expected.split(" | ")]


@given(st.sampled_from("^~"), version_numbers, version_numbers)
def test_caret_and_tilde_admit_the_version_they_name_and_nothing_below_or_of_the_next_major(
    operator: str, number: str, other: str
) -> None:
    (admitted,) = (SpecifierSet(specifier) for specifier in specifiers(f"{operator}{number}"))
    assert Version(number) in admitted
    assert Version(other) not in admitted or Version(other) >= Version(number)
    assert Version(f"{Version(number).major + 1}.0") not in admitted
