"""The emulated platform as an HTTP server on loopback, and its control endpoints under ``/_emulator/``."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from mem0_shim.testing.endpoints import answer
from mem0_shim.testing.knobs import Knobs
from mem0_shim.testing.platform import Memory, Platform

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self  # comes with pydantic, and is never imported at run time

_log = logging.getLogger("mem0_shim.testing")
_LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request that the emulator has received; `at` is seconds on the monotonic clock, `status` its answer."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    at: float
    status: int


class Mem0Emulator:
    """mem0's hosted platform on 127.0.0.1, for tests.

    ::

        with Mem0Emulator(latency=0.2) as platform:
            client = MemoryClient(api_key="any", host=platform.url)

    Any API key is accepted and is an account of its own, except keys that start with ``invalid``.

    Args:
        port: TCP port; 0 takes a free one.
        knobs: As the attributes of `Knobs`.
    """

    def __init__(self, *, port: int = 0, **knobs: Any) -> None:
        self.platform = Platform(Knobs().adjusted(**knobs))
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._serving = threading.Lock()
        self._requests: list[RecordedRequest] = []

    @property
    def url(self) -> str:
        """The base URL for ``host=``, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def knobs(self) -> Knobs:
        """The knobs in force; `adjust` sets them."""
        return self.platform.knobs

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The requests received since the start or the last `reset`, oldest first, control requests left out."""
        return tuple(self._requests)

    @property
    def memories(self) -> tuple[Memory, ...]:
        """The memories stored now, of all accounts, oldest first."""
        with self.platform.lock:
            self.platform.complete_due()
            return tuple(self.platform.memories.values())

    def adjust(self, **changes: Any) -> Knobs:
        """Set knobs anew while running, as ``PATCH /_emulator/knobs`` does.

        Raises:
            ValueError: An unknown knob or a value out of range.
        """
        return self.platform.adjust(**changes)

    def reset(self) -> None:
        """Forget memories, events, webhooks and recorded requests; the knobs stay."""
        self.platform.reset()
        self._requests.clear()

    def start(self) -> Self:
        """Begin to serve.

        Raises:
            OSError: The port is taken.
        """
        self._listen()
        self.platform.start()
        return self

    def stop(self) -> None:
        """End serving; open connections are closed."""
        self._hang_up()
        self.platform.stop()

    def restart(self, downtime: float = 0.2) -> None:
        """Close the port and all connections for `downtime` seconds; background work goes on and nothing is forgotten."""
        with self._serving:
            self._hang_up()
            time.sleep(downtime)
            self._listen()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _listen(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        self.platform.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="mem0-emulator", daemon=True)
        self._thread.start()

    def _hang_up(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
            self._server.server_close()
            self._server.close_connections()
            self._server = None

    def respond(self, method: str, target: str, authorization: str, raw: bytes) -> tuple[int, Any, dict[str, str]]:
        """Answer one request: HTTP status, JSON body, further headers."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            return 400, {"error": "400 Bad Request", "details": {"message": "JSON parse error"}}, {}
        if parts.path.startswith("/_emulator/"):
            return *self._control(method, parts.path, body), {}
        # The oldest eras have "/v1" in their base URL and some clients write "api/v1" without a slash before it.
        path = "/" + parts.path.lstrip("/")
        refusal = self._refusal(path)
        headers: dict[str, str] = {}
        if refusal is None:
            status, document = answer(self.platform, method, path, authorization, query, body)
        else:
            status, headers = refusal
            document = {"detail": "Refused by the emulator's knobs."}
        self._requests.append(RecordedRequest(method, path, query, body, time.monotonic(), status))
        return status, document, headers

    def _refusal(self, path: str) -> tuple[int, dict[str, str]] | None:
        with self.platform.lock:
            refuse = self.platform.knobs.refuse
            if refuse.count < 1 or not path.startswith(refuse.path):
                return None
            self.platform.adjust(refuse=replace(refuse, count=refuse.count - 1))
        return refuse.status, {} if refuse.retry_after is None else {"Retry-After": f"{refuse.retry_after:g}"}

    def _control(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        action = (method, path.removeprefix("/_emulator/").rstrip("/"))
        options = body if isinstance(body, dict) else {}
        if action == ("PATCH", "knobs"):
            try:
                self.adjust(**options)
            except (TypeError, ValueError) as error:
                return 400, {"error": str(error)}
        elif action == ("POST", "reset"):
            self.reset()
        elif action == ("POST", "restart"):
            downtime = options.get("downtime", 0.2)
            if isinstance(downtime, bool) or not isinstance(downtime, int | float) or not 0 <= downtime <= 60:  # noqa: PLR2004
                return 400, {"error": "downtime takes seconds, 0 to 60"}
            threading.Thread(target=self.restart, args=(downtime,), daemon=True).start()
        elif action == ("GET", "requests"):
            return 200, [asdict(request) for request in self._requests]
        elif action == ("GET", "deliveries"):
            return 200, self.platform.delivered
        elif action != ("GET", "knobs"):
            return 404, {"error": "use GET or PATCH knobs, POST reset, POST restart, GET requests, GET deliveries"}
        return 200, asdict(self.knobs)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], emulator: Mem0Emulator) -> None:
        self.emulator = emulator
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was faster

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the standard library's signature
        _log.debug("connection of %s ended", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    server: _Server

    def _serve(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= _LARGEST_BODY:
            self.close_connection = True
            self._send(400, {"detail": "Content-Length is missing its number or is larger than 16 MiB"}, {})
            return
        raw = self.rfile.read(length)
        self._send(*self.server.emulator.respond(self.command, self.path, self.headers.get("Authorization", ""), raw))

    def _send(self, status: int, document: Any, headers: dict[str, str]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        """Every method is served the same way: the endpoints say which one they know."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        _log.debug(format, *args)
