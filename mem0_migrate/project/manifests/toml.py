"""TOML documents of unknown shape."""

from __future__ import annotations

import re
import sys
from typing import Any

from mem0_migrate.project.manifests.statement import Problem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def load(text: str) -> dict[str, Any] | Problem:
    """Return the document, or what is wrong with the text."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        return Problem(int(place[1]) if place else text.count("\n") + 1, f"not valid TOML: {error}")
    except (ValueError, RecursionError) as error:  # too deeply nested, or a number too long for Python
        return Problem(None, f"not valid TOML: {error}")


def table(document: object, *keys: str) -> dict[str, Any]:
    """Return the table at these keys, an empty one if there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def strings(value: object) -> list[str]:
    """Return the strings of a list, none if it is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
