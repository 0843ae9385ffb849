"""A handle on an ``add`` whose memories do not exist yet."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from collections.abc import Generator
from typing import Any, Final
from urllib.parse import quote

from mem0_shim import polling, reads, reports
from mem0_shim.callsite import UNKNOWN, Site
from mem0_shim.patching import SETTINGS, process
from mem0_shim.receipt import plain, receipt_of
from mem0_shim.settings import Settings, read_settings
from mem0_shim.shapes import TERMINAL, event_ids, outcome, with_memory

_TOKEN_VERSION: Final = 1


class PendingAdd:
    """An ``add`` that mem0 has accepted and not finished.

    Attributes:
        event_ids: The events that carry it out, each once.
    """

    __slots__ = ("_added_at", "_bare_list", "_client", "_relations", "_settings", "event_ids")

    def __init__(
        self,
        client: Any,
        event_ids: tuple[str, ...],
        *,
        bare_list: bool,
        relations: bool,
        added_at: Site | str,
        settings: Settings,
    ) -> None:
        self._client = client
        self._bare_list = bare_list
        self._relations = relations
        self._settings = settings
        self.event_ids = event_ids
        self._added_at = added_at

    @classmethod
    def of(cls, client: Any, answer: Any, added_at: Site | str, settings: Settings) -> PendingAdd:
        """The handle for a plain answer that is a receipt."""
        relations = isinstance(answer, dict) and "relations" in answer
        shape = {"bare_list": isinstance(answer, list), "relations": relations}
        return cls(client, event_ids(answer), added_at=added_at, settings=settings, **shape)

    def __repr__(self) -> str:
        return f"<PendingAdd {', '.join(self.event_ids) or 'without an event id'}, added at {self.added_at}>"

    @property
    def added_at(self) -> str:
        """``file:line`` of the ``add``, where it is known."""
        return str(self._added_at)

    @property
    def client(self) -> Any:
        """The client that is asked."""
        return self._client

    @property
    def token(self) -> str:
        """Text that resumes the wait in any process. It holds the host and the event ids, and no API key."""
        content = {
            "v": _TOKEN_VERSION,
            "host": polling.host_of(self._client),
            "ids": self.event_ids,
            "list": self._bare_list,
            "relations": self._relations,
            "at": self.added_at,
        }
        return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str, client: Any) -> PendingAdd:
        """The handle that a `token` was taken from.

        Args:
            token: Of `token`, or of `PendingTimeout`.
            client: A client of mem0ai for the same host and account.

        Raises:
            ValueError: It is no token, one of a later version of this package, or one for another host.
        """
        try:
            content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            version, host, ids = content["v"], content["host"], content["ids"]
            shape: dict[str, Any] = {
                "bare_list": bool(content["list"]),
                "relations": bool(content["relations"]),
                "added_at": str(content["at"]),
            }
        except (ValueError, TypeError, KeyError):
            raise ValueError("this is not a token of mem0_shim") from None
        if version != _TOKEN_VERSION or not isinstance(ids, list) or not all(isinstance(i, str) for i in ids):
            raise ValueError(f"this token is of version {version!r}; this mem0_shim reads version {_TOKEN_VERSION}")
        if host != polling.host_of(client):
            raise ValueError(f"this token is for the host {host!r}, and the client talks to {polling.host_of(client)!r}")
        return cls(client, tuple(ids), settings=read_settings(), **shape)

    def status(self) -> str:
        """Ask the platform once: ``PENDING``, ``RUNNING``, ``SUCCEEDED``, ``FAILED`` or a status that mem0 may add.

        Of several events it is a failure if there is one, else what is not finished.

        Raises:
            mem0's own errors, for what the platform refuses; httpx.TransportError, if it cannot be reached.
        """
        found = []
        with polling.sync_http(self._checked_client()) as http:
            for event_id in self.event_ids:
                response = http.get(f"/v1/event/{quote(event_id, safe='')}/")
                if response.is_error:
                    raise refusal(response)
                found.append(str(response.json().get("status", "")).upper())
        return next((s for s in found if s == "FAILED"), next((s for s in found if s not in TERMINAL), "SUCCEEDED"))

    def done(self) -> bool:
        """Ask the platform once whether the background work has ended, in success or failure. Errors as of `status`."""
        return self.status() in TERMINAL

    def result(self, timeout: float | None = None) -> Any:
        """Wait in this thread for the memories.

        Args:
            timeout: Seconds; None is the setting (60 by default).

        Returns:
            What the synchronous ``add`` returned: ``{"results": [{"id", "memory", "event", …}]}``, or a bare list where the
            receipt was one. Empty results are a success: there was nothing new to remember.

        Raises:
            PendingTimeout: The memories do not exist yet; the write was accepted.
            ExtractionFailed: The background work has failed.
            PendingUnavailable: The client is closed, or the receipt has no event id.
            mem0's own errors, for what the platform refuses.
        """
        client, seconds = self._checked_client(), self._seconds(timeout)
        try:
            found = polling.wait(client, self.event_ids, self._settings, seconds)
        except BaseException as error:
            self._translated(error, seconds)
            raise
        return self._memories(found)

    async def aresult(self, timeout: float | None = None) -> Any:
        """As `result`, on the running event loop of asyncio or trio."""
        client, seconds = self._checked_client(), self._seconds(timeout)
        try:
            found = await polling.wait_async(client, self.event_ids, self._settings, seconds)
        except BaseException as error:
            self._translated(error, seconds)
            raise
        return self._memories(found)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.aresult().__await__()

    def _seconds(self, timeout: float | None) -> float:
        return self._settings.timeout if timeout is None else timeout

    def _checked_client(self) -> Any:
        if not self.event_ids:
            raise reports.PendingUnavailable(f"the receipt of add() at {self.added_at} has no event id to ask for", self.token)
        if self._client is None:
            raise reports.PendingUnavailable("there is no client to ask with: call pending(answer, client)", "", self.event_ids)
        return self._client

    def _translated(self, error: BaseException, seconds: float) -> None:
        accepted = f"add() at {self.added_at} was accepted by mem0; do not add again"
        if not isinstance(error, Exception):  # cancelled, or Ctrl-C: nobody gets the answer, the log has to remember
            with contextlib.suppress(Exception):  # a handler of the application may fail: the cancellation counts
                extra = {"mem0_event_ids": self.event_ids, "mem0_token": self.token}
                reports.log.info("a wait was given up: %s; token: %s", accepted, self.token, extra=extra)
        if isinstance(error, reports.WaitExpired):
            resume = "PendingAdd.from_token(error.token, client) resumes"
            text = f"the memories do not exist after {seconds:g} seconds: {accepted}; {resume}"
            raise reports.PendingTimeout(text, self.token, self.event_ids) from None
        if isinstance(error, reports.PollRefused):
            raise refusal(error.response) from None
        if type(error) is RuntimeError and "closed" in str(error):  # httpx has no class of its own for it
            raise reports.PendingUnavailable(f"the client is closed: {accepted}", self.token, self.event_ids) from error

    def _memories(self, events: list[dict[str, Any]]) -> Any:
        reads.forget(self.event_ids)
        if process.ledger:
            from mem0_shim import ledger

            for event in events:
                ledger.record("finish", (str(event.get("id")),), str(event.get("status", "")).upper())
        for event in events:
            if str(event.get("status", "")).upper() == "FAILED":
                why = event.get("error") or event.get("message") or "mem0 gives no reason"
                text = f"mem0 could not extract memories for add() at {self.added_at}: {why}"
                raise reports.extraction_failed()(text, self.event_ids, event)
        items = [with_memory(item) for event in events for item in event.get("results") or ()]
        if self._bare_list:
            return items
        return {"results": items, "relations": []} if self._relations else {"results": items}


def refusal(response: Any) -> Exception:
    """The error that the installed mem0ai raises for an HTTP response with an error status."""
    handler = getattr(sys.modules.get("mem0.client.main"), "api_error_handler", None)
    try:
        (handler(response.raise_for_status) if handler else response.raise_for_status)()
    except Exception as error:  # it is returned
        return error
    return RuntimeError(f"mem0 answered {response.status_code} to {response.request.url}")


def pending(answer: Any, client: Any = None) -> PendingAdd | None:
    """The handle for an answer of ``add``.

    Args:
        answer: What ``add`` returned: tracked, or plain, or loaded from JSON.
        client: The client to ask with; a tracked answer knows its own.

    Returns:
        The handle, or None if the answer is no receipt.
    """
    content = plain(answer)
    if outcome(content) != "receipt":
        return None
    receipt = receipt_of(answer)
    added_at = UNKNOWN
    if receipt is not None:
        receipt.acknowledge()
        client = receipt.client if client is None else client
        added_at = receipt.added_at
    return PendingAdd.of(client, content, added_at, getattr(client, SETTINGS, None) or process.settings or read_settings())
