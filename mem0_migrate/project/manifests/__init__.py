"""The files in which a project declares its dependencies: one module per format.

Each module offers `statements(text)`, which yields what the file states about mem0ai. They are imported when a file of
their format is met that can matter, so that a project that does not name mem0ai in its manifests costs a byte search.
"""

from __future__ import annotations

import codecs
import fnmatch
import re
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mem0_migrate.project.manifests.statement import Statement

REQUIREMENTS = "requirements"
METADATA = "metadata"
ENVIRONMENT_YML = "environment_yml"
SCRIPT = "script"
LOCKS = ("lock", "pipfile_lock")

_FORMATS = tuple(
    (re.compile(fnmatch.translate(pattern)).match, module)
    for pattern, module in (
        ("pyproject.toml", "pyproject"),
        ("*requirements*.txt", REQUIREMENTS),
        ("*requirements*.in", REQUIREMENTS),
        ("setup.cfg", "setup_cfg"),
        ("setup.py", "setup_py"),
        ("Pipfile", "pipfile"),
        ("Pipfile.lock", "pipfile_lock"),
        ("poetry.lock", "lock"),
        ("uv.lock", "lock"),
        ("pdm.lock", "lock"),
        ("pylock.toml", "lock"),
        ("pylock.*.toml", "lock"),
        ("environment*.yml", ENVIRONMENT_YML),
        ("environment*.yaml", ENVIRONMENT_YML),
    )
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_INCLUDES = re.compile(r"(?m)^\s*(?:-\s+)?['\"]?-[-rc]")


def format_of(name: str) -> str | None:
    """Return the format of a file by its name (without directories), None if it is no manifest and no lock."""
    return next((module for matches, module in _FORMATS if matches(name)), None)


def read_manifest(data: bytes, manifest_format: str) -> tuple[Statement, ...]:
    """Return what the content of a manifest or lock states about mem0ai; nothing that is in it makes this raise."""
    text = _decode(data)
    if "mem0" not in text.lower() and not (manifest_format in (REQUIREMENTS, ENVIRONMENT_YML) and _INCLUDES.search(text)):
        return ()
    return tuple(import_module(f"{__name__}.{manifest_format}").statements(text))


def _decode(data: bytes) -> str:
    """Return the text: by its byte order mark, else UTF-8, else Latin-1; every kind of line end becomes a line feed."""
    for mark, encoding in _BYTE_ORDER_MARKS:  # `pip freeze > requirements.txt` in PowerShell writes UTF-16
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
