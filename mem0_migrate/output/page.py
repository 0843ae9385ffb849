"""The page of a rule, as Markdown: the same text on the terminal and in `docs/rules/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.output.view import View
    from mem0_migrate.rules.registry import Rule


def markdown(rule: Rule) -> str:
    """The page of a rule, ending in a newline."""
    default = "on by default" if rule.enabled else f"off by default; turn it on with `--extend-select {rule.code}`"
    return f"# {rule.name} ({rule.code})\n\nSeverity: {rule.severity}, {default}.\n\n{rule.page}\n"


def render(rule: Rule, view: View) -> Iterator[str]:
    """Yield the lines of the page, its headings and code in colour."""
    in_code = False
    for line in markdown(rule).splitlines():
        fence = line.startswith("```")
        if fence or in_code:
            yield view.paint(line, "cyan")
        elif line.startswith("#"):
            yield view.paint(line, "bold")
        else:
            yield line
        in_code ^= fence


def as_json(rule: Rule) -> dict[str, Any]:
    """What a program may want to know of a rule."""
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "severity": rule.severity,
        "default": rule.enabled,
        "page": markdown(rule),
        "url": rule.url,
    }
