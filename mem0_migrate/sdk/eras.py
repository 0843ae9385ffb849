"""Which era of mem0ai a version belongs to, and which eras a range of versions admits.

What `add` does is the same within an era (recorded request bodies of 116 releases): v0 is 0.0.9 to 0.1.118, v1 is 1.x, v2 is
2.x and whatever follows it. Two groups belong to none, because the remedy of the era they are next to does not work there:
0.0.1 to 0.0.8 (no hosted client before 0.0.5, then an `add` whose closed signature rejects `async_mode`) and the
pre-releases of 1.0.0 (1.0.0b0 silently overwrites `async_mode=False` with true).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS, Declaration, Era
from mem0_migrate.sdk.releases import releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version


def era_of(version: Version) -> Era | None:
    """Return the era of a version, by its number alone: it need not have been released.

    None for 0.0.1 to 0.0.8 and for the pre-releases of 1.0.0: see the head of this module.
    """
    from packaging.version import Version

    if version.major == 0:
        return "v0" if version >= Version("0.0.9") else None
    if version.major == 1:
        return "v1" if version >= Version("1.0.0") else None
    return "v2"


def eras_admitted(specifier: SpecifierSet) -> frozenset[Era]:
    """Return the eras of the releases of mem0ai that a range admits.

    Of a range that no known release fits, the versions that it names count by their number: '==0.1.105' is v0, '>=3' is
    v2. Pre-releases count only where the range names one, as in pip. Empty where nothing fits ('<1,>=2') and where only
    versions of no era do ('==0.0.8').
    """
    return eras_admitted_together([[specifier]])


def eras_admitted_together(requirements: Sequence[Sequence[SpecifierSet]]) -> frozenset[Era]:
    """Return the eras of the releases that every requirement admits, each by any one of its ranges; see `eras_admitted`."""
    specifiers = [specifier for ranges in requirements for specifier in ranges]
    prereleases = any(specifier.prereleases for specifier in specifiers)

    def admitted(version: Version) -> bool:
        return all(any(specifier.contains(version, prereleases=prereleases) for specifier in ranges) for ranges in requirements)

    fitting = [release.version for release in releases() if admitted(release.version)]
    fitting = fitting or [version for specifier in specifiers for version in _named(specifier) if admitted(version)]
    return frozenset(era for version in fitting if (era := era_of(version)) is not None)


def _named(specifier: SpecifierSet) -> Iterator[Version]:
    """Yield the versions that a range names, each with one just above it, for ranges such as '>2.5'."""
    from packaging.version import InvalidVersion, Version

    for part in specifier:
        try:
            version = Version(part.version.removesuffix(".*"))
        except InvalidVersion:  # '===' takes any text
            continue
        yield version
        yield Version(f"{version.base_version}.1")


def parse_assumption(text: str) -> Declaration:
    """Return what the option `--mem0ai` asks to assume instead of what the manifests declare.

    Args:
        text: A range ('<2', '==1.0.*', '>=1,<2'), a version ('1.0.3'), eras ('v1', 'v0,v1'), with or without the name
            of the package in front ('mem0ai<2').

    Raises:
        ValueError: The text is none of these, or no version with a usable hosted client fits it. The message says what to write.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    written = re.sub(r"^\s*mem0ai\b\s*", "", text).strip()
    words = {word.strip() for word in written.split(",")}
    if words <= set(ERAS):
        return Declaration(eras=frozenset(era for era in ERAS if era in words), requirement=f"mem0ai {written}")
    specifier = f"=={written}" if written[:1].isdecimal() else written
    try:
        eras = eras_admitted(SpecifierSet(specifier)) if specifier else None
    except InvalidSpecifier:
        eras = None
    if eras is None:
        raise ValueError(f"{text!r} is no version of mem0ai: write a range ('<2'), a version ('1.0.3', '1.0.*') or an era ('v1')")
    if not eras:
        usable = "0.0.9 to 0.1.118, 1.0.0 to 1.0.11, 2.0.0 and later"
        raise ValueError(f"{text!r} admits no release of mem0ai that has a usable hosted client: those are {usable}")
    return Declaration(eras=eras, requirement=f"mem0ai{specifier}")
