"""The proof of an edited manifest: read again, it says what it said before, and what was to be added, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet

from mem0_migrate.fixes.manifests.entry import SHIM, ByHandError, apply
from mem0_migrate.fixes.manifests.pep508 import is_shim
from mem0_migrate.project.manifests import read_manifest
from mem0_migrate.project.manifests.statement import Member, Problem, Requirement
from mem0_migrate.project.manifests.toml import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mem0_migrate.fixes.manifests.entry import Splice
    from mem0_migrate.project.manifests.statement import Statement

    Ranges = tuple[SpecifierSet, ...]

_UNPROVEN = "the edited file would not say exactly what it should: edit it by hand"


def prove_added(text: str, splices: Sequence[Splice], manifest_format: str) -> None:
    """Prove that edits require mem0-shim where mem0ai is required, under the same conditions, and change nothing else.

    The readers know mem0ai alone. So they are given the new text with another spelling of mem0ai in the place of what is
    added, and must find one more requirement for any version of it in environments, and under markers, that were there.

    Raises:
        ByHandError: It is not so.
    """
    stand_in = "mem0-ai"
    while stand_in in text:
        stand_in = stand_in.replace("-", "--", 1)
    spelled = [replace(splice, content=splice.content.replace(SHIM, stand_in)) for splice in splices]
    old, new = _statements(text, manifest_format), _statements(apply(text, spelled), manifest_format)
    gone, come = old - new, new - old
    places = {_place(item) for item in old if isinstance(item, Requirement)}
    any_version = all(isinstance(item, Requirement) and set(item.ranges) == {SpecifierSet()} for item in come)
    if gone or not come or not any_version or not {_place(item) for item in come} <= places:
        raise ByHandError(_UNPROVEN)
    if manifest_format in ("pyproject", "pipfile") and _without_shim(load(text)) != _without_shim(load(apply(text, splices))):
        raise ByHandError(_UNPROVEN)


def prove_narrowed(text: str, new_text: str, manifest_format: str, ranges: Mapping[Ranges, Ranges]) -> None:
    """Prove that a new text requires other versions of mem0ai, and is the same in all else.

    Args:
        text: The old text.
        new_text: The new text.
        manifest_format: Their format.
        ranges: What was admitted where the text was changed, and what is admitted now.

    Raises:
        ByHandError: It is not so.
    """
    old, new = _statements(text, manifest_format), _statements(new_text, manifest_format)
    gone, come = old - new, new - old
    expected = Counter({(*_place(item), ranges.get(_ranges(item), ())): count for item, count in gone.items()})
    if not gone or expected != Counter({(*_place(item), _ranges(item)): count for item, count in come.items()}):
        raise ByHandError(_UNPROVEN)


def _statements(text: str, manifest_format: str) -> Counter[Statement]:
    """Return what a text states, rows left out: lines move."""
    found = read_manifest(text.encode(), manifest_format)
    return Counter(item if isinstance(item, Member) else replace(item, row=0) for item in found)


def _place(item: Statement) -> tuple[str, str]:
    return (item.environment, item.marker) if isinstance(item, Requirement) else ("", "")


def _ranges(item: Statement) -> Ranges:
    return item.ranges if isinstance(item, Requirement) else ()


def _without_shim(value: Any) -> Any:
    """Return a document without mem0-shim, as a key or as a requirement."""
    if isinstance(value, dict):
        return {key: _without_shim(item) for key, item in value.items() if not is_shim(key)}
    if isinstance(value, list):
        return [_without_shim(item) for item in value if not isinstance(item, str) or not is_shim(item.partition(";")[0].strip())]
    if isinstance(value, Problem):
        raise ByHandError(value.reason, value.row)
    return value
