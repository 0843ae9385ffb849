"""Waiting for events: what to ask next and when (no I/O), and one driver each for threads and for asyncio and trio.

All waits of a process for one account share their polls: an event is asked for once, however many wait for it, and when many
events are due they are looked up together in the list of events.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from mem0_shim.reports import PollRefused, WaitExpired
from mem0_shim.settings import Settings
from mem0_shim.shapes import TERMINAL

POLLS_PER_SECOND: Final = 8.0  # and two that may be under way: the platform never sees more than 10 within a second
_TOGETHER: Final = 3  # more due events than this are looked up in the list
_SLACK: Final = 0.25  # events due within this many seconds join a look-up; also how long before the deadline the last poll is
_MISSES: Final = 3  # an event may not be visible at once: so many 404 are waited out
_PAGES: Final = 20
_UNDER_WAY: Final = 2
_GUARD: Final = 5.0  # seconds until a waiter looks again after another one's poll, should nobody wake it
_ACCOUNTS: Final = 1000  # an application with an API key for each of its customers has more, but few that wait
_RETRYABLE: Final = frozenset((408, 425, 429))


@dataclass(frozen=True, slots=True)
class Poll:
    """A request to be sent now: GET `url`, which answers for `event_ids`; `page` of a list, from 1, or 0 for a single event."""

    url: str
    event_ids: tuple[str, ...]
    page: int = 0


class _Watch:
    """What is known of one event that somebody waits for."""

    __slots__ = ("alone", "body", "delay", "error", "in_flight", "misses", "next_at", "wakers")

    def __init__(self, delay: float, now: float) -> None:
        self.alone = False  # it was not in the list of events
        self.body: dict[str, Any] | None = None
        self.error: Any = None  # the HTTP response that ends the wait
        self.delay = delay
        self.in_flight = False
        self.misses = 0
        self.next_at = now + delay
        self.wakers: list[Callable[[], None]] = []


class _Pace:
    """At most so many polls a second, for the whole process, evenly spaced."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.free_at = 0.0
        self.under_way = 0

    def begin(self, now: float) -> float:
        """Seconds until a poll may be begun; 0.0 begins it, until `end`.

        Few may be under way: those that queue for a connection behind the application's own requests leave in a burst.
        """
        with self.lock:
            if self.under_way >= _UNDER_WAY:
                return 1 / POLLS_PER_SECOND
            pause = self._take(now)
            self.under_way += not pause
            return pause

    def go_on(self, now: float) -> float:
        """Seconds until a poll that is under way may ask for its next page; 0.0 takes the place."""
        with self.lock:
            return self._take(now)

    def end(self) -> None:
        """A poll is over."""
        with self.lock:
            self.under_way -= 1

    def _take(self, now: float) -> float:
        if now < self.free_at:
            return self.free_at - now
        self.free_at = now + 1 / POLLS_PER_SECOND
        return 0.0


class Account:
    """The outstanding events of one API key on one host, in this process. No I/O; methods may be called from several threads."""

    def __init__(self, settings: Settings, pace: _Pace) -> None:
        self.lock = threading.Lock()
        self.settings = settings
        self._pace = pace
        self.watches: dict[str, _Watch] = {}
        self._not_before = 0.0
        self._list_works = True

    def join(self, event_ids: Iterable[str], waker: Callable[[], None], settings: Settings) -> None:
        """Begin to wait for events; `waker` is called from any thread when there is news."""
        now = time.monotonic()
        with self.lock:
            self.settings = settings
            for event_id in event_ids:
                watch = self.watches.setdefault(event_id, _Watch(self._spread(settings.first_delay), now))
                watch.wakers.append(waker)

    def leave(self, event_ids: Iterable[str], waker: Callable[[], None]) -> None:
        """End a wait; an event that nobody waits for is forgotten."""
        with self.lock:
            for event_id in event_ids:
                watch = self.watches.get(event_id)
                if watch is not None and waker in watch.wakers:
                    watch.wakers.remove(waker)
                    if not watch.wakers:
                        del self.watches[event_id]

    def turn(self, event_id: str, deadline: float) -> dict[str, Any] | Poll | float:
        """What a waiter is to do now.

        Returns:
            The event's body when it has ended; a poll to be sent, to be given to `settle` or `release` afterwards; or the
            seconds to sleep, unless woken.

        Raises:
            PollRefused: The platform refuses to tell.
        """
        now = time.monotonic()
        with self.lock:
            watch = self.watches[event_id]
            if watch.error is not None:
                raise PollRefused(watch.error)
            if watch.body is not None:
                return watch.body
            if watch.in_flight:
                return _GUARD
            if watch.next_at >= deadline:
                watch.next_at = max(now, deadline - _SLACK)
            due_at = max(watch.next_at, self._not_before)
            if now < due_at:
                return due_at - now
            if pause := self._pace.begin(now):
                return pause
            due = [e for e, w in self.watches.items() if not (w.in_flight or w.body or w.alone) and w.next_at <= now + _SLACK]
            if self._list_works and len(due) > _TOGETHER and not watch.alone:
                poll = Poll("/v1/events/", tuple(due), 1)
            else:
                poll = Poll(f"/v1/event/{quote(event_id, safe='')}/", (event_id,))
            for asked in poll.event_ids:
                self.watches[asked].in_flight = True
            return poll

    def next_page_in(self) -> float:
        """Seconds until the next page of a list may be asked for; 0.0 takes the place."""
        return self._pace.go_on(time.monotonic())

    def release(self, poll: Poll) -> None:
        """A poll ended without an answer (cancelled, interrupted, the connection failed): others may poll."""
        self._pace.end()
        with self.lock:
            self._again(poll.event_ids)

    def settle(self, poll: Poll, status: int, headers: Mapping[str, str], body: Any, response: Any) -> Poll | None:
        """Take in an answer.

        Args:
            poll: What was asked.
            status: HTTP status.
            headers: HTTP headers, in a case-insensitive mapping.
            body: The decoded JSON body; None where it was none.
            response: What `PollRefused` is to carry.

        Returns:
            The poll for the next page, where the answer was a page of a list and events are still to be found.
        """
        following = self._settle(poll, status, headers, body, response)
        if following is None:
            self._pace.end()
        return following

    def _settle(self, poll: Poll, status: int, headers: Mapping[str, str], body: Any, response: Any) -> Poll | None:
        with self.lock:
            if status in _RETRYABLE or status >= 500:  # noqa: PLR2004 - the class of HTTP's server errors
                self._not_before = max(self._not_before, time.monotonic() + _retry_after(headers))
                self._again(poll.event_ids)
            elif poll.page:
                return self._settle_page(poll, status, body)
            elif status == 200 and isinstance(body, dict):  # noqa: PLR2004 - HTTP OK
                self._settle_event(poll.event_ids[0], body)
            elif status == 404 or status < 400:  # noqa: PLR2004 - not visible yet; or a page that is no JSON, as from a proxy
                watch = self.watches.get(poll.event_ids[0])
                if watch is not None:
                    watch.misses += status == 404  # noqa: PLR2004 - HTTP Not Found
                    watch.error = response if watch.misses > _MISSES else None
                self._again(poll.event_ids)
            else:
                for event_id in poll.event_ids:
                    if (watch := self.watches.get(event_id)) is not None:
                        watch.error = response
                self._again(poll.event_ids)
            return None

    def nudge(self) -> None:
        """Something has happened on the platform: ask for all outstanding events now."""
        with self.lock:
            now = time.monotonic()
            for watch in self.watches.values():
                watch.next_at = min(watch.next_at, now)
                _wake(watch)

    def _settle_page(self, poll: Poll, status: int, body: Any) -> Poll | None:
        results = body.get("results") if isinstance(body, dict) else None
        if status != 200 or not isinstance(results, list):  # noqa: PLR2004 - HTTP OK
            self._list_works = False
            self._again(poll.event_ids)
            return None
        wanted = dict.fromkeys(poll.event_ids)
        for event in results:
            if isinstance(event, dict) and event.get("id") in wanted:
                del wanted[event["id"]]
                self._settle_event(event["id"], event)
        following = body.get("next")
        if wanted and isinstance(following, str) and poll.page < _PAGES:
            parts = urlsplit(following)  # the host is the client's own: it may sit behind a proxy that the platform does not know
            return Poll(f"{parts.path}?{parts.query}", tuple(wanted), poll.page + 1)
        for event_id in wanted:
            if event_id in self.watches:
                self.watches[event_id].alone = True
        self._again(tuple(wanted))
        return None

    def _settle_event(self, event_id: str, body: dict[str, Any]) -> None:
        watch = self.watches.get(event_id)
        status = body.get("status")
        if watch is not None and isinstance(status, str) and status.upper() in TERMINAL:
            watch.body = body
            watch.in_flight = False
            _wake(watch)
        else:
            self._again((event_id,))

    def _again(self, event_ids: tuple[str, ...]) -> None:
        now = time.monotonic()
        for event_id in event_ids:
            watch = self.watches.get(event_id)
            if watch is not None:
                watch.in_flight = False
                watch.delay = min(watch.delay * self.settings.factor, self.settings.longest_delay)
                watch.next_at = now + self._spread(watch.delay)
                _wake(watch)

    def _spread(self, delay: float) -> float:
        share = self.settings.spread
        return delay * random.uniform(1 - share, 1 + share)  # noqa: S311 - spreads polls, no secret


def _wake(watch: _Watch) -> None:
    for waker in watch.wakers:
        waker()


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, a number or an HTTP date (RFC 9110, section 10.2.3); 0.0 without one."""
    text = headers.get("Retry-After", "")
    with contextlib.suppress(ValueError):
        return max(0.0, float(text))
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0


# -- accounts of this process

_lock = threading.Lock()
_accounts: Final[dict[tuple[str, str], Account]] = {}
_pace = _Pace()


def host_of(client: object) -> str:
    """The base URL of a client of any era, without a slash at the end."""
    return str(getattr(client, "host", "") or "").rstrip("/")


def account_key(client: object) -> tuple[str, str]:
    """What tells accounts apart: the host and a fingerprint of the API key, never the key."""
    return host_of(client), hashlib.sha256(str(getattr(client, "api_key", "")).encode()).hexdigest()[:16]


def account_of(client: object, settings: Settings) -> Account:
    """The account that a client belongs to; clients with the same host and API key share one."""
    key = account_key(client)
    with _lock:
        if key not in _accounts and len(_accounts) >= _ACCOUNTS:
            for idle in [known for known, account in _accounts.items() if not account.watches]:
                del _accounts[idle]
        return _accounts.setdefault(key, Account(settings, _pace))


def nudge_all() -> None:
    """Ask for all outstanding events of this process now."""
    with _lock:
        accounts = list(_accounts.values())
    for account in accounts:
        account.nudge()


def _forget_parent() -> None:
    """In a forked child: the waits, and locks that a thread of the parent may have held, are the parent's."""
    global _lock, _pace
    _lock, _pace = threading.Lock(), _Pace()
    _accounts.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


# -- drivers


def wait(client: Any, event_ids: tuple[str, ...], settings: Settings, timeout: float) -> list[dict[str, Any]]:
    """Wait in this thread until events have ended.

    Args:
        client: A client of mem0ai with an HTTP client for threads.
        event_ids: The events.
        settings: The schedule.
        timeout: Seconds for all of them.

    Returns:
        The bodies of the events, in the order of the ids.

    Raises:
        WaitExpired: They have not ended in time.
        PollRefused: The platform refuses to tell.
        RuntimeError: The client is closed, as of httpx.
    """
    account = account_of(client, settings)
    deadline = time.monotonic() + timeout
    news = threading.Event()
    account.join(event_ids, news.set, settings)
    try:
        with sync_http(client) as http:
            found = []
            for event_id in event_ids:
                while not isinstance(step := account.turn(event_id, deadline), dict):
                    if isinstance(step, Poll):
                        _ask(account, http, step, deadline)
                    else:
                        _pause(news, step, deadline)
                found.append(step)
            return found
    finally:
        account.leave(event_ids, news.set)


def _pause(news: threading.Event, seconds: float, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise WaitExpired
    news.wait(min(seconds, remaining))
    news.clear()


def _ask(account: Account, http: Any, poll: Poll, deadline: float) -> None:
    import httpx

    unanswered: Poll | None = poll
    try:
        while unanswered is not None:
            response = http.get(unanswered.url, timeout=_http_timeout(deadline))
            unanswered = account.settle(unanswered, response.status_code, response.headers, _json(response), response)
            while unanswered is not None and (seconds := account.next_page_in()):
                time.sleep(seconds)
    except httpx.TransportError:
        pass  # as a restart of the platform shows: it is asked again
    finally:
        if unanswered is not None:
            account.release(unanswered)


async def wait_async(client: Any, event_ids: tuple[str, ...], settings: Settings, timeout: float) -> list[dict[str, Any]]:
    """As `wait`, on the running event loop of asyncio or trio. A client for threads is asked in worker threads."""
    account = account_of(client, settings)
    deadline = time.monotonic() + timeout
    news = _AsyncNews()
    account.join(event_ids, news.wake, settings)
    try:
        found = []
        for event_id in event_ids:
            while not isinstance(step := account.turn(event_id, deadline), dict):
                if isinstance(step, Poll):
                    await _ask_async(account, client, step, deadline)
                else:
                    await news.pause(step, deadline)
            found.append(step)
        return found
    finally:
        account.leave(event_ids, news.wake)


async def _ask_async(account: Account, client: Any, poll: Poll, deadline: float) -> None:
    import anyio
    import httpx

    unanswered: Poll | None = poll
    try:
        while unanswered is not None:
            response = await _get(client, unanswered.url, _http_timeout(deadline))
            unanswered = account.settle(unanswered, response.status_code, response.headers, _json(response), response)
            while unanswered is not None and (seconds := account.next_page_in()):  # noqa: ASYNC110 - time is to pass
                await anyio.sleep(seconds)
    except httpx.TransportError:
        pass  # as a restart of the platform shows: it is asked again
    finally:
        if unanswered is not None:
            account.release(unanswered)


async def _get(client: Any, url: str, seconds: float) -> Any:
    import anyio

    http = getattr(client, "async_client", None)
    if http is not None:
        return await http.get(url, timeout=seconds)

    def ask() -> Any:
        with sync_http(client) as threaded:
            return threaded.get(url, timeout=seconds)

    return await anyio.to_thread.run_sync(ask)


class _AsyncNews:
    """An event for one task, set from any thread."""

    def __init__(self) -> None:
        import anyio

        self._event = anyio.Event()
        try:
            self._schedule: Callable[[Callable[[], None]], object] = asyncio.get_running_loop().call_soon_threadsafe
        except RuntimeError:
            self._schedule = sys.modules["trio"].lowlevel.current_trio_token().run_sync_soon

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the waiter with it
            self._schedule(self._set)

    def _set(self) -> None:
        self._event.set()

    async def pause(self, seconds: float, deadline: float) -> None:
        import anyio

        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise WaitExpired
        with anyio.move_on_after(min(seconds, remaining)):
            await self._event.wait()
        if self._event.is_set():
            self._event = anyio.Event()


@contextlib.contextmanager
def sync_http(client: Any) -> Iterator[Any]:
    """The HTTP client for threads of a `MemoryClient`; for an `AsyncMemoryClient` one of its own, with the same headers."""
    http = getattr(client, "client", None)
    if http is not None:
        yield http
        return
    import httpx

    asynchronous = client.async_client
    with httpx.Client(base_url=asynchronous.base_url, headers=asynchronous.headers) as made:
        yield made


def _http_timeout(deadline: float) -> float:
    return min(10.0, max(1.0, deadline - time.monotonic()))


def _json(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
