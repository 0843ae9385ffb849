"""What the messages of several rules share: a finding made of a judged site, and the advice that is right for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS, Era, Finding, Severity, Step
from mem0_migrate.usage.kinds import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mem0_migrate.usage.judgement import JudgedSite

ERA_NAMES: dict[Era, str] = {"v0": "mem0ai 0.x", "v1": "mem0ai 1.x", "v2": "mem0ai 2.x"}
_LIMIT = 70


def shortened(text: str, limit: int = _LIMIT) -> str:
    """Source text on one line, not longer than a message can bear."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def admitted(judged: JudgedSite) -> list[Era]:
    """The eras that the project admits, oldest first."""
    return [era for era in ERAS if era in judged.site.declaration.eras]


def site_finding(
    module: str,
    code: str,
    severity: Severity,
    judged: JudgedSite,
    message: str,
    *,
    advice: str,
    marks: Sequence[Step] = (),
    related: Sequence[Step] = (),
    consequence: Mapping[Era, str] | None = None,
) -> Finding:
    """A finding about a site; `module` is the rule's own `__name__`."""
    site = judged.site
    return Finding(
        code=code,
        name=module.rpartition(".")[2].replace("_", "-"),
        severity=severity,
        message=message,
        span=site.span,
        receiver=site.receiver,
        confidence=site.confidence,
        async_mode=site.async_mode,
        usage=site.usage,
        consequence=site.consequence if consequence is None else consequence,
        evidence=site.evidence,
        marks=tuple(marks),
        related=tuple(related),
        advice=advice,
    )


def use_mark(judged: JudgedSite) -> tuple[Step, ...]:
    """The line where the answer is misused."""
    worst = judged.worst
    if worst is None or CATEGORIES[worst.kind] in ("neutral", "logged"):
        return ()
    words = {"memories": "read as memories here", "truth": "tested here", "escapes": f"{worst.kind} here"}[CATEGORIES[worst.kind]]
    return (Step(worst.span, words),)


def repair(judged: JudgedSite) -> str:
    """What to do to have the old answer back, and only what can be right here."""
    eras = admitted(judged)
    wait = "keep `event_id` of the receipt and wait until `GET /v1/event/<event_id>/` says SUCCEEDED"
    if judged.site.receiver == "either":
        return "The receiver may also be the open-source Memory, whose add() accepts no async_mode: do not pass it here. " + (
            f"On the hosted branch, {wait}." if "v2" in eras else f"On the hosted branch alone, pass it, or {wait}."
        )
    if "v2" in eras and len(eras) == 1:
        return f"mem0ai 2.x has no way to make add() wait: {wait}, and read the memories then."
    if "v2" in eras:
        return f"Pin `mem0ai<2` and pass `async_mode=False` to keep the old answer; for mem0ai 2.x, which ignores that, {wait}."
    return f"Pass `async_mode=False` to keep the old answer, or {wait}."
