"""Every rule: its code, name, severity and page, collected from the modules of this package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mem0_migrate import rules

if TYPE_CHECKING:
    from mem0_migrate.model import Severity

DOCUMENTATION = "docs/rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule is called and says of itself.

    A rule's module is named after the rule and defines `CODE`, `SEVERITY` (its highest) and `ENABLED` (on by default);
    its docstring is the rule's page: a first line, then Markdown sections.
    """

    code: str
    name: str
    severity: Severity
    enabled: bool
    page: str

    @property
    def summary(self) -> str:
        """The first line of the page."""
        return self.page.partition("\n")[0]

    @property
    def url(self) -> str:
        """Where the page is, below the root of this project."""
        return f"{DOCUMENTATION}/{self.code}.md"


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by code."""
    found = []
    for module in pkgutil.iter_modules(rules.__path__):
        loaded = importlib.import_module(f"{rules.__name__}.{module.name}")
        if hasattr(loaded, "CODE"):
            page = inspect.cleandoc(loaded.__doc__ or "")
            found.append(Rule(loaded.CODE, module.name.replace("_", "-"), loaded.SEVERITY, loaded.ENABLED, page))
    return tuple(sorted(found, key=lambda rule: rule.code))


def rule(code: str) -> Rule:
    """The rule with that code. Raises KeyError where there is none."""
    for candidate in all_rules():
        if candidate.code == code:
            return candidate
    raise KeyError(code)
