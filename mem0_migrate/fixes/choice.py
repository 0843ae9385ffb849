"""Which strategy repairs a finding: per client the least invasive one that is provably right, and why a simpler one is not."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from mem0_migrate.fixes import keyword, shim
from mem0_migrate.fixes.code import Code
from mem0_migrate.fixes.removal import removal
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.usage.modes import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mem0_migrate.configuration import Choice
    from mem0_migrate.examination import Examined, Judged
    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.model import Applicability, Declaration, Finding
    from mem0_migrate.tracking.tracker import Tracked
    from mem0_migrate.tracking.values import Value
    from mem0_migrate.usage.judgement import JudgedSite

_WAITING = frozenset(["MEM101", "MEM102", "MEM103", "MEM104", "MEM106", "MEM107", "MEM109", "MEM111"])
_ALONE = frozenset(["MEM104", "MEM109"])  # for their sake alone, no client is wrapped


def choose(examined: Examined, strategy: Choice) -> list[Repair | None]:
    """A repair for each finding of a check, None where there is nothing to repair; `auto` chooses the strategy."""
    if strategy == "async":
        from mem0_migrate.fixes import adoption

        return adoption.repairs(examined.pairs, Code(examined.tracked), examined.declared, examined.files, examined.read)
    return _Chooser(examined.tracked, examined.declared, strategy).repairs(examined.pairs)


class _Chooser:
    def __init__(self, tracked: Tracked, declared: Callable[[str], Declaration], strategy: Choice) -> None:
        self._code = Code(tracked)
        self._declared = declared
        self._strategy = strategy

    def repairs(self, pairs: Sequence[Judged]) -> list[Repair | None]:
        """A repair for each finding."""
        wrapped = self._wrapped(pairs)
        return [self._repair(finding, site, wrapped) for finding, site in pairs]

    def _repair(self, finding: Finding, site: JudgedSite | None, wrapped: Mapping[Value, str]) -> Repair | None:
        if finding.code == "MEM301":
            from mem0_migrate.fixes import narrowing

            return narrowing.propose(finding)
        if site is None or finding.code == "MEM105":
            return None
        if finding.code == "MEM201":
            from mem0_migrate.fixes import request

            return _shown(request.propose(site, self._code))
        if finding.code == "MEM109" and not any(client in wrapped for client in self._code.unwaiting(site)):
            from mem0_migrate.fixes import completion

            return _shown(completion.propose(site, self._code, self._declared))
        if finding.code == "MEM110":
            from mem0_migrate.fixes import awaiting

            return _shown(awaiting.propose(site, self._code))
        return self._waiting(finding, site, wrapped) if finding.code in _WAITING else None

    # -- add() waits again -------------------------------------------------------------------------------------------------------

    def _wrapped(self, pairs: Sequence[Judged]) -> dict[Value, str]:
        """The clients that have to be wrapped because one of their sites needs it, each with the reason.

        Remarks do not count, since nothing depends on them, nor does a sleep, which can become a wait by itself.
        """
        sites = [site for finding, site in pairs if site is not None and finding.code in _WAITING - _ALONE]
        found: dict[Value, str] = {}
        if self._strategy != "auto":
            return found
        for site in sites:
            simple = keyword.propose(site, self._code)
            if isinstance(simple, Unsuitable):
                found.update(dict.fromkeys(self._code.unwaiting(site), simple.reason))
        growing = True
        while growing:  # two clients that meet at a site are treated alike
            growing = False
            for site in sites:
                clients = self._code.unwaiting(site)
                reason = next((found[client] for client in clients if client in found), None)
                if reason is not None and not found.keys() >= set(clients):
                    found.update(dict.fromkeys(clients, reason))
                    growing = True
        return found

    def _waiting(self, finding: Finding, site: JudgedSite, wrapped: Mapping[Value, str]) -> Repair:
        """The repair after which the `add` of a site waits."""
        if site.site.receiver == "oss":
            return self._without_keyword(site, "the open-source add() always waits")
        if site.site.async_mode == "true" or self._says_true(site):
            return _nothing(f"`{site.misspelt or KEYWORD}=True` asks for a receipt: decide what this code is to do")
        simple = (
            Unsuitable("the strategy `shim` was asked for") if self._strategy == "shim" else keyword.propose(site, self._code)
        )
        if self._strategy == "keyword":
            return _shown(simple)
        clients = self._code.unwaiting(site)
        if site.waits or not clients:
            return self._without_keyword(site, "the client waits by itself")
        shared = next((wrapped[client] for client in clients if client in wrapped), None)
        if isinstance(simple, Repair) and shared is None:
            return simple
        reason = simple.reason if isinstance(simple, Unsuitable) else f"at another call of this client, {shared}"
        wrapping = shim.propose(
            site, self._code, self._declared, "" if self._strategy == "shim" else f". A keyword would not do: {reason}"
        )
        if isinstance(wrapping, Repair):
            return self._without_dead_keyword(finding, site, replace(wrapping, by_hand=(*wrapping.by_hand, *self._others(site))))
        if isinstance(simple, Repair):
            return simple
        asked = self._strategy == "shim"
        return _nothing(_sentence(wrapping.reason if asked else f"{reason}; and {wrapping.reason}"), _EXAMPLE)

    def _others(self, site: JudgedSite) -> Iterator[str]:
        """What those have to do who pass a client of their own."""
        for name, filename, row in self._code.injected(site):
            yield f"Have those who pass a client as `{name}` ({filename}:{row}) wrap it: {_EXAMPLE}"

    def _says_true(self, site: JudgedSite) -> bool:
        """Whether a misspelt keyword is true."""
        for call in self._code.calls(site):
            node = self._code.tree(call.filename).at(call.fact.place, ast.Call)
            for given in node.keywords if node is not None else ():
                if (
                    given.arg is not None
                    and given.arg == site.misspelt
                    and not (isinstance(given.value, ast.Constant) and not given.value.value)
                ):
                    return True
        return False

    def _without_keyword(self, site: JudgedSite, why: str) -> Repair:
        changes = self._removals(site, KEYWORD)
        if not changes:
            return _nothing("Remove `async_mode` where it is put together")
        applicability: Applicability = "safe" if site.site.confidence == "certain" else "unsafe"
        return Repair("keyword", applicability, f"Remove `async_mode`: {why}", changes)

    def _without_dead_keyword(self, finding: Finding, site: JudgedSite, wrapping: Repair) -> Repair:
        """A keyword that has no effect, or must not be passed, gives way to the wrapper."""
        if finding.code == "MEM109" and site.stale is not None and site.stale.sleep is not None:
            slept = site.stale.sleep
            task = f"Remove the sleep at {slept.line}: the add() before it waits by itself now"
            return replace(wrapping, by_hand=(*wrapping.by_hand, task))
        if finding.code not in ("MEM106", "MEM107"):
            return wrapping
        changes = dict(wrapping.changes)
        for filename, removals in self._removals(site, site.misspelt or KEYWORD).items():
            changes[filename] = (*changes.get(filename, ()), *removals)
        return replace(wrapping, changes=changes)

    def _removals(self, site: JudgedSite, name: str) -> Mapping[str, tuple[Change, ...]]:
        """What takes a keyword away that is there for the `add` of a site alone."""
        found = removal(site, self._code, name)
        return found.changes if found.private else {}


_EXAMPLE = 'mem0_shim.wrap(client, policy="wait")'


def _shown(proposal: Repair | Unsuitable) -> Repair:
    return proposal if isinstance(proposal, Repair) else _nothing(_sentence(proposal.reason))


def _nothing(reason: str, code: str = "") -> Repair:
    """A repair that a person has to make; `code` is what to write."""
    return Repair("none", "display-only", f"{reason}. Write: {code}" if code else reason)


def _sentence(clause: str) -> str:
    return clause if clause.startswith("mem0ai") else clause[:1].upper() + clause[1:]
