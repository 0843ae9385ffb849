"""The strategies of `mem0-migrate fix` as LibCST codemods, for those who run LibCST pipelines of their own.

    python -m libcst.tool codemod -x --no-format mem0_migrate.codemods.AddAsyncMode src

`-x` says that the command is no module of LibCST's own; without `--no-format`, LibCST hands each changed file to `black`. The
working directory decides which `[tool.mem0-migrate]` holds. What changes is what `mem0-migrate fix --strategy …` changes in the
files named, byte for byte, and is proven in the same way; what is left is a warning of its file. LibCST writes Python files
only: what a manifest needs is a warning too.
"""

from __future__ import annotations

from mem0_migrate.codemods.commands import AddAsyncMode, AdoptAsync, WrapClient

__all__ = ["AddAsyncMode", "AdoptAsync", "WrapClient"]
