"""How deliveries of mem0 get in: by the receiver of mem0-shim, mounted in the application that is there, or on its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.fixes.receivers import asgi, django, flask, standalone
from mem0_migrate.fixes.receivers.mounting import PREFIX, Receiver, is_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.fixes.receivers.mounting import Application, Files

_RECEIVING = re.compile(rb"\b(?:asgi_app|wsgi_app|Receiver)\b")
_FRAMEWORKS = (asgi, flask, django)


def receiver(origins: Sequence[str], folder: str, files: Files) -> Receiver | None:
    """What lets deliveries in; None where something does already.

    It is mounted in the application whose file is nearest to where the clients are constructed, those of tests left out.

    Args:
        origins: The files in which the clients are constructed.
        folder: Where a program of its own would go: the project's, `""` for the working directory.
        files: The code base.
    """
    if any(_receives(files.read(name)) for name in files.names):
        return None
    found: list[Application] = [
        application
        for name in files.names
        if name.endswith(".py") and not is_test(name)
        for framework in _FRAMEWORKS
        if any(word in files.read(name) for word in framework.WORDS)
        for application in framework.applications(name, files)
    ]
    if not found:
        return standalone.generated(folder)
    return min(found, key=lambda application: _distance(application, origins)).receiver


def _receives(data: bytes) -> bool:
    return PREFIX.encode() in data or (b"mem0_shim" in data and _RECEIVING.search(data) is not None)


def _distance(application: Application, origins: Sequence[str]) -> tuple[int, int, str, int]:
    """How far an application is from the nearest origin, by folders; then how deep it lies."""
    parts = application.filename.split("/")[:-1]
    steps = []
    for origin in origins:
        other = origin.split("/")[:-1]
        shared = next(
            (at for at, (one, two) in enumerate(zip(parts, other, strict=False)) if one != two), min(len(parts), len(other))
        )
        steps.append(len(parts) + len(other) - 2 * shared)
    return min(steps, default=0), len(parts), application.filename, application.row
