"""What can be adjusted on the emulated platform while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_type_hints

Mode = Literal["queued", "sync"]
Shape = Literal["auto", "message", "nested", "list", "flat-message", "flat"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The next requests that are answered with an error instead of being served.

    Attributes:
        count: How many requests are still to be refused.
        status: The HTTP status of the refusals, 400 to 599.
        retry_after: Seconds for the ``Retry-After`` header; None sends no such header.
        path: Only requests whose path starts with this are refused.
    """

    count: int = 0
    status: int = 429
    retry_after: float | None = None
    path: str = "/v"


@dataclass(frozen=True, slots=True)
class Knobs:
    """The behaviour of the emulated platform.

    Attributes:
        mode: What ``add`` does when the request does not say: ``queued`` is today's default, ``sync`` the one of before.
        shape: The shape of a receipt; ``auto`` is the platform's own choice by endpoint and ``output_format``.
        honours_async_mode: Whether ``async_mode`` in a v1 request decides. v3 has no such field and always ignores it.
        latency: Seconds from the receipt to the end of the background work.
        jitter: Share by which the latency of each event varies around `latency`, 0 to 1.
        failure_rate: Share of events that end as FAILED, 0 to 1.
        empty: Every extraction ends SUCCEEDED with ``results: []``.
        entries: Receipts of nested or list shape repeat their entry, with the same event id, this many times.
        page_size: Events on one page of ``GET /v1/events/``.
        refuse: Requests to be refused (a storm of 429, an outage with 503 ...).
        seed: Ids, failures and latencies are a function of the seed and of the order of requests.
    """

    mode: Mode = "queued"
    shape: Shape = "auto"
    honours_async_mode: bool = True
    latency: float = 0.3
    jitter: float = 0.0
    failure_rate: float = 0.0
    empty: bool = False
    entries: int = 1
    page_size: int = 100
    refuse: Refusal = field(default_factory=Refusal)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ValueError(f"mode is {self.mode!r}: use one of {', '.join(get_args(Mode))}")
        if self.shape not in get_args(Shape):
            raise ValueError(f"shape is {self.shape!r}: use one of {', '.join(get_args(Shape))}")
        for name in ("jitter", "failure_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}: use a share from 0 to 1")
        if self.latency < 0 or self.entries < 1 or self.page_size < 1:
            raise ValueError("latency is at least 0, entries and page_size at least 1")
        if not 400 <= self.refuse.status <= 599:  # noqa: PLR2004 - the range of HTTP's error statuses
            raise ValueError(f"refuse.status is {self.refuse.status}: use an HTTP error status, 400 to 599")

    def adjusted(self, **changes: Any) -> Knobs:
        """These knobs with some of them set anew.

        Args:
            changes: Values by knob name; ``refuse`` also takes a mapping of the fields of `Refusal`.

        Raises:
            ValueError: An unknown knob, a value of another type, or one out of range.
        """
        types = get_type_hints(Knobs)
        for name, value in changes.items():
            if name not in types:
                raise ValueError(f"no knob is called {name!r}: use one of {', '.join(f.name for f in fields(self))}")
            if name == "refuse":
                changes[name] = _refusal(value)
            elif types[name] in (int, float, bool) and not _fits(value, types[name]):
                raise ValueError(f"{name} is {value!r}: it takes a value of type {types[name].__name__}")
        return replace(self, **changes)


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    return isinstance(value, int) or (kind is float and isinstance(value, float))


def _refusal(value: object) -> Refusal:
    if isinstance(value, Refusal):
        return value
    known = {f.name for f in fields(Refusal)}
    if not isinstance(value, dict) or not set(value) <= known:
        raise ValueError(f"refuse takes a mapping with {', '.join(sorted(known))}, not {value!r}")
    made = Refusal(**value)
    if not (_fits(made.count, int) and _fits(made.status, int) and isinstance(made.path, str)):
        raise ValueError(f"refuse takes whole numbers for count and status and text for path, not {value!r}")
    if made.retry_after is not None and not _fits(made.retry_after, float):
        raise ValueError(f"refuse.retry_after is {made.retry_after!r}: it takes seconds")
    return made
