"""The commands themselves: one for each strategy."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import libcst
from libcst.codemod import CodemodCommand, SkipFile

from mem0_migrate.codemods.planning import ASKED, NOTHING, Options, Outcome, Plan, PlanProvider, key, outcome
from mem0_migrate.configuration import SettingsError, checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst.codemod import CodemodContext

_UNFAITHFUL = (
    "LibCST would change other characters of this file (form feeds, bare carriage returns, blanks at its end); "
    "mem0-migrate fix would not"
)


class _Ask(argparse.Action):
    """Stores an option for the command, and for the plan that is made before there is one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        del option_string
        value: Any = self.const if self.nargs == 0 else values
        if self.dest == "mem0ai":
            try:
                value = checked(self.dest, value, f"--{self.dest}")
            except SettingsError as error:
                parser.error(str(error))
        setattr(namespace, self.dest, value)
        asked: dict[str, Any] = {self.dest: value}
        ASKED.set(replace(ASKED.get(), **asked))


class _Rewriting(CodemodCommand):
    """A command that gives files the content that the engine decided on."""

    PROVIDER: ClassVar[type[PlanProvider]]

    def __init__(self, context: CodemodContext, unsafe_fixes: bool | None = None, mem0ai: str | None = None) -> None:
        """`unsafe_fixes`, `mem0ai`: as of `mem0_migrate.Settings`; None for what the configuration says."""
        super().__init__(context)
        self._options = Options(unsafe_fixes, mem0ai)

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """Add `--unsafe-fixes` and `--mem0ai`."""
        ASKED.set(Options())
        arg_parser.add_argument(
            "--unsafe-fixes",
            action=_Ask,
            nargs=0,
            const=True,
            help="Make fixes too that rest on what was inferred, or that change more than add() itself.",
        )
        arg_parser.add_argument(
            "--mem0ai",
            action=_Ask,
            metavar="SPEC",
            help="The mem0ai to assume instead of what manifests and locks say: a version or a range, such as 1.0.3 or '<2'.",
        )

    def transform_module_impl(self, tree: libcst.Module) -> libcst.Module:
        """The module after the repairs; the very same one if there are none.

        Raises:
            SkipFile: LibCST cannot hold the file as it is, or it was changed since it was analysed.
            SettingsError: The configuration cannot be used.
        """
        decided = self._outcome(tree.bytes)
        for warning in decided.warnings:
            self.warn(warning)
        if decided.after is None:
            return tree
        made = libcst.parse_module(decided.after, config=tree.config_for_parsing)
        if made.bytes != decided.after:
            raise SkipFile(_UNFAITHFUL)
        return made

    def _outcome(self, data: bytes) -> Outcome:
        filename, manager = self.context.filename, self.context.metadata_manager
        plan = manager.cache.get(self.PROVIDER) if manager is not None else None
        if not filename or not isinstance(plan, Plan) or plan.options != self._options:
            return outcome(filename, data, self.PROVIDER.strategy, self._options)
        decided = plan.get(key(filename), NOTHING)
        if Path(filename).read_bytes() != data:
            raise SkipFile(_UNFAITHFUL)
        if decided.before not in (None, data):
            raise SkipFile("it was changed since it was analysed; run again")
        return decided


class _KeywordPlan(PlanProvider):
    strategy = "keyword"


class AddAsyncMode(_Rewriting):
    """Passes `async_mode=False` where that is right: `mem0-migrate fix --strategy keyword`."""

    DESCRIPTION = (
        "Pass async_mode=False to the add() of mem0's hosted client, so that it waits for the memories again, where every "
        "mem0ai that the project admits honours it and nothing else can receive the call."
    )
    METADATA_DEPENDENCIES = (_KeywordPlan,)
    PROVIDER = _KeywordPlan


class _ShimPlan(PlanProvider):
    strategy = "shim"


class WrapClient(_Rewriting):
    """Wraps the client where it is constructed: `mem0-migrate fix --strategy shim`."""

    DESCRIPTION = (
        'Wrap mem0\'s hosted client where it is constructed, mem0_shim.wrap(MemoryClient(...), policy="wait"), so that its add() '
        "waits for the memories again, with every mem0ai. The project then needs mem0-shim."
    )
    METADATA_DEPENDENCIES = (_ShimPlan,)
    PROVIDER = _ShimPlan


class _AsyncPlan(PlanProvider):
    strategy = "async"


class AdoptAsync(_Rewriting):
    """Adopts asynchronous writes: `mem0-migrate fix --strategy async`."""

    DESCRIPTION = (
        "Adopt the asynchronous add() of mem0's hosted client: explicit async_mode=False goes, and a webhook is registered where "
        "the client is constructed. What must be redesigned is listed, not touched."
    )
    METADATA_DEPENDENCIES = (_AsyncPlan,)
    PROVIDER = _AsyncPlan
