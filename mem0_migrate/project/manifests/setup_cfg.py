"""setup.cfg: `install_requires` and `extras_require` of setuptools.

Source: https://setuptools.pypa.io/en/latest/userguide/declarative_config.html.
"""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Problem, Rows, Statement, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator


def statements(text: str) -> Iterator[Statement]:
    """Yield what a setup.cfg states about mem0ai."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        row = getattr(error, "lineno", None) or next((at for at, _ in getattr(error, "errors", ())), None)
        yield Problem(row, f"not a valid configuration file: {str(error).splitlines()[0]}")
        return
    rows = Rows(text)
    extras = parser.items("options.extras_require") if parser.has_section("options.extras_require") else []
    always = parser.get("options", "install_requires", fallback="")
    for environment, value in [("", always), *((f"extra {name}", value) for name, value in extras)]:
        for line in value.split("\n") if "\n" in value else value.split(";"):
            words = line.partition(" #")[0].strip()
            yield from requirement(words, rows.of_text(words) if "mem0" in words.lower() else None, environment)
