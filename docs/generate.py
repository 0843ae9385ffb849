"""Write the pages of the rules below `docs/rules/` from the docstrings of the rules; with `--check`, only tell what is stale."""
# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import sys
from pathlib import Path

from mem0_migrate.output.page import markdown
from mem0_migrate.rules.registry import all_rules

RULES = Path(__file__).parent / "rules"


def pages() -> dict[Path, str]:
    """The text of every generated file, by its path."""
    found = {RULES / f"{rule.code}.md": markdown(rule) for rule in all_rules()}
    rows = []
    for rule in all_rules():
        cells = (
            f"[{rule.code}]({rule.code}.md)",
            rule.name,
            rule.summary.rstrip("."),
            rule.severity,
            "on" if rule.enabled else "off",
        )
        rows.append(f"| {' | '.join(cells)} |")
    head = ["# Rules", "", "| code | name | says | severity | by default |", "| --- | --- | --- | --- | --- |"]
    found[RULES / "README.md"] = "\n".join([*head, *rows]) + "\n"
    return found


def stale() -> list[Path]:
    """The files that are not as they would be written, and those that belong to no rule any more."""
    expected = pages()
    wrong = [path for path, text in expected.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return sorted([*wrong, *(path for path in RULES.glob("*.md") if path not in expected)])


def main() -> int:
    """Write the files, or with `--check` name the stale ones; returns 1 if there are any."""
    if "--check" in sys.argv[1:]:
        for path in stale():
            print(f"{path.name} is not what the rules say. Run: python docs/generate.py")  # noqa: T201 - a script speaks
        return int(bool(stale()))
    RULES.mkdir(exist_ok=True)
    expected = pages()
    for path in stale():
        if path in expected:
            path.write_text(expected[path], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
