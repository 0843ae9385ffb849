"""Rewritten files as a unified diff, which `patch -p0` and `git apply -p0` take."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mem0_migrate.model import Rewrite
    from mem0_migrate.output.view import Paint, View

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")
_PAINTS: dict[str, Paint] = {"+": "green", "-": "red", "@": "cyan"}


def render(rewrites: Iterable[Rewrite], view: View) -> Iterator[str]:
    """Yield the lines of the diff, without their line feeds; carriage returns stay where they are."""
    for rewrite in rewrites:
        before, after = (
            [line.decode("utf-8", "surrogateescape") for line in _LINES.findall(text)] for text in (rewrite.before, rewrite.after)
        )
        for number, line in enumerate(difflib.unified_diff(before, after, rewrite.filename, rewrite.filename)):
            text = line.removesuffix("\n")
            heading = number < 2  # noqa: PLR2004 (the two names)
            yield view.paint(text, "bold") if heading else view.paint(text, *_paint(text))
            if not line.endswith("\n"):
                yield "\\ No newline at end of file"


def _paint(line: str) -> tuple[Paint, ...]:
    paint = _PAINTS.get(line[:1])
    return (paint,) if paint else ()
