"""Outstanding events in a SQLite file, so that a receipt survives the process that has received it.

Switched on by ``MEM0_SHIM_LEDGER=FILE``. The file holds host, event ids, a fingerprint of the API key and the line of the
``add``; never the key, and nothing of what was to be remembered.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mem0_shim import polling
from mem0_shim.reports import internal_error

if TYPE_CHECKING:
    from mem0_shim.handle import PendingAdd

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event(
  event_id TEXT PRIMARY KEY, host TEXT NOT NULL, key_fingerprint TEXT NOT NULL, token TEXT NOT NULL, added_at TEXT NOT NULL,
  created REAL NOT NULL, finished REAL, status TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outstanding ON event(created) WHERE finished IS NULL;
PRAGMA user_version = 1;
"""
_KEPT: Final = 7 * 86_400.0  # seconds that a finished event is remembered


@dataclass(frozen=True, slots=True)
class Entry:
    """One event; `created` is in seconds since the epoch, `added_at` is ``file:line``."""

    event_id: str
    host: str
    key_fingerprint: str
    token: str
    added_at: str
    created: float
    status: str


class Ledger:
    """The events of one file; several threads and processes may use it at once.

    Args:
        path: The file; it is created, readable by its owner alone.

    Raises:
        sqlite3.Error: It is no SQLite file, or cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._local = threading.local()
        self._connection()

    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread of this process: SQLite forbids to carry one over a fork."""
        if getattr(self._local, "pid", None) != os.getpid():
            if not self.path.exists():
                self.path.touch(mode=0o600)
            connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
            self._local.connection, self._local.pid = connection, os.getpid()
        found: sqlite3.Connection = self._local.connection
        return found

    def add(self, pending: PendingAdd) -> None:
        """Write the events of an unfinished ``add`` down."""
        host, fingerprint = polling.account_key(pending.client)
        rows = [(i, host, fingerprint, pending.token, pending.added_at, time.time(), "PENDING") for i in pending.event_ids]
        statement = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, NULL, ?)"
        self._connection().executemany(statement, rows)

    def finish(self, event_ids: tuple[str, ...], status: str) -> None:
        """Note that events have ended, with the status of the platform; forget those that ended a week ago."""
        now, connection = time.time(), self._connection()
        connection.executemany(
            "UPDATE event SET finished = ?, status = ? WHERE event_id = ?", [(now, status, i) for i in event_ids]
        )
        connection.execute("DELETE FROM event WHERE finished < ?", (now - _KEPT,))

    def outstanding(self) -> list[Entry]:
        """The events that are not known to have ended, oldest first."""
        columns = "event_id, host, key_fingerprint, token, added_at, created, status"
        rows = self._connection().execute(f"SELECT {columns} FROM event WHERE finished IS NULL ORDER BY created")  # noqa: S608 - constant
        return [Entry(*row) for row in rows]


@functools.cache
def _open(path: str) -> Ledger | None:
    try:
        return Ledger(path)
    except (OSError, sqlite3.Error):
        internal_error(f"the ledger {path} cannot be used")
        return None


def ledger() -> Ledger | None:
    """The ledger that ``MEM0_SHIM_LEDGER`` names; None without one, or if it cannot be used, which is logged once."""
    path = os.environ.get("MEM0_SHIM_LEDGER")
    return _open(path) if path else None


def record(method: str, *arguments: Any) -> None:
    """Call a method of the ledger, if there is one; what goes wrong is logged, once."""
    try:
        if (found := ledger()) is not None:
            getattr(found, method)(*arguments)
    except (OSError, sqlite3.Error):
        internal_error("the ledger was not written")
