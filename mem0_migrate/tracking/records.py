"""What the solver keeps of files, calls and sites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mem0_migrate.tracking import summary as facts
    from mem0_migrate.tracking.values import Context, Value


@dataclass(slots=True)
class JoinedFile:
    """A file that takes part: its summary, and the number of its node 0."""

    summary: facts.Summary
    base: int


@dataclass(slots=True)
class SolvedCall:
    """A call with its nodes numbered over all files, and what it was found to call.

    `partials` are the calls of `functools.partial` that were unpacked to get here, by number.
    """

    number: int
    filename: str
    fact: facts.Call
    callee: int
    arguments: tuple[tuple[int, bool], ...]
    keywords: tuple[tuple[str | None, int], ...]
    target: int
    functions: set[tuple[str, int]] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    followed: bool = False
    partials: tuple[int, ...] = ()


@dataclass(slots=True)
class SiteRecord:
    """A site while it is solved: the clients that reach it, and the calls that make the `add`.

    `calls` maps their numbers to how many arguments come before those of `add`, and the context.
    """

    number: int
    filename: str
    reference: bool
    place: facts.Place
    receiver: int
    clients: dict[Value, Context] = field(default_factory=dict)
    calls: dict[int, tuple[int, Context]] = field(default_factory=dict)
    handed_to: list[int] = field(default_factory=list)
    waits: int = 0
    url: str = ""
    mocked: bool = False
