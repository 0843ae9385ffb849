"""Find the code that an asynchronous mem0 `add()` breaks, say what to do about it, and do it.

    from mem0_migrate import Settings, check

    report = check(["src"], Settings(mem0ai="<2"))
    for finding in report.findings:
        print(finding.span.filename, finding.span.start.row, finding.code, finding.message)

    done = fix(["src"], Settings(unsafe_fixes=True))
    for task in done.by_hand:
        print(task)

`check` and `fix` raise `MissingPathError` for a path that does not exist and `SettingsError` for a configuration that cannot be
used; what a file of the user holds never raises: it is listed in `report.incomplete`, what cannot be written in `done.failed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mem0_migrate.engine import check, fix
    from mem0_migrate.model import Finding, FixReport, Report, Site
    from mem0_migrate.project.discovery import MissingPathError
    from mem0_migrate.settings import Settings, SettingsError

__version__ = "0.1.0"
__all__ = [
    "Finding",
    "FixReport",
    "MissingPathError",
    "Report",
    "Settings",
    "SettingsError",
    "Site",
    "__version__",
    "check",
    "fix",
]

_HOMES = {
    "check": "engine",
    "fix": "engine",
    "Finding": "model",
    "FixReport": "model",
    "Report": "model",
    "Site": "model",
    "MissingPathError": "project.discovery",
    "Settings": "settings",
    "SettingsError": "settings",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are asked for: the command line starts without them."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
