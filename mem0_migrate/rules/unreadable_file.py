"""A file could not be read or parsed: the run is incomplete."""

from __future__ import annotations

from mem0_migrate.model import Severity

CODE = "MEM901"
SEVERITY: Severity = "error"
ENABLED = True
