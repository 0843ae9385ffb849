"""`mem0-migrate rule`: the page of a rule."""

from __future__ import annotations

import click

from mem0_migrate.cli.failures import Failure
from mem0_migrate.cli.terminal import in_color, say


@click.command()
@click.argument("code", required=False)
@click.option("--all", "every", is_flag=True, help="Show the pages of all rules.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours.")
def rule(code: str | None, every: bool, output_format: str, color: str) -> None:
    """Explain a rule, or all of them.

    CODE is a rule's code, such as MEM101, or its name.
    """
    import difflib
    import json

    from mem0_migrate.output import page
    from mem0_migrate.output.view import View
    from mem0_migrate.rules.registry import all_rules

    if every == (code is not None):
        raise click.UsageError("Name one rule, or pass --all.")
    rules = [found for found in all_rules() if code is None or code.casefold() in (found.code.casefold(), found.name)]
    if code is not None and not rules:
        names = [name for found in all_rules() for name in (found.code, found.name)]
        close = difflib.get_close_matches(code.upper() if code.upper().startswith("MEM") else code, names, n=1, cutoff=0.7)
        hint = f" Did you mean {close[0]}?" if close else " `mem0-migrate rule --all` lists them all."
        raise Failure(f"no rule is called {code!r}.{hint}")
    if output_format == "json":
        content = [page.as_json(found) for found in rules]
        say([json.dumps(content if every else content[0], indent=2)], color=False)
        return
    view = View(color=in_color(color))
    lines: list[str] = []
    for found in rules:
        lines += ["", *page.render(found, view)] if lines else page.render(found, view)
    say(lines, color=view.color)
