"""Make repairs in memory, round by round until nothing is left to repair, and prove each file that comes of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mem0_migrate.fixes.changes import UnchangeableError
from mem0_migrate.fixes.choice import choose
from mem0_migrate.fixes.requirements import follow
from mem0_migrate.fixes.verification import CHECKS, disproof
from mem0_migrate.model import Finding, Fix, FixReport, Rewrite, Unfixed, Unreadable
from mem0_migrate.project.reading import explain
from mem0_migrate.project.source import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mem0_migrate.examination import Examined
    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.repair import Repair
    from mem0_migrate.model import Edit
    from mem0_migrate.project.source import Source
    from mem0_migrate.settings import Settings

_PLACES = 5  # that one line names
_ROUNDS = 8
_SETTLED = "a second pass changes nothing"
_UNSAFE = "(with --unsafe-fixes)"


class Decision(Protocol):
    """Asked before a repair is made: the findings that it is for, and the files before and after it."""

    def __call__(self, findings: Sequence[Finding], repair: Repair, rewrites: Sequence[Rewrite]) -> bool:
        """Whether to make it."""


@dataclass(slots=True)
class _Unit:
    """A repair and all findings that it is for."""

    repair: Repair
    findings: list[Finding] = field(default_factory=list)
    by_hand: dict[str, None] = field(default_factory=dict)


class Application:
    """The repairs of one run."""

    def __init__(
        self,
        examine: Callable[[Mapping[str, bytes]], Examined],
        settings_of: Callable[[str], Settings],
        settings: Settings,
        decide: Decision | None,
        *,
        write: bool,
    ) -> None:
        """Take what examines the code base with files as they would be; `write` tells whether they will be written."""
        self._write = write
        self._examine = examine
        self._settings_of = settings_of
        self._settings = settings
        self._decide = decide
        self._contents: dict[str, bytes] = {}
        self._originals: dict[str, bytes] = {}
        self._edits: dict[str, list[tuple[Edit, ...]]] = {}
        self._messages: dict[str, dict[str, None]] = {}
        self._proofs: dict[str, tuple[str, ...]] = {}
        self._failed: dict[str, str] = {}
        self._fixed: list[Finding] = []
        self._by_hand: dict[str, None] = {}
        self._undone: dict[tuple[str, str, str], str] = {}
        self._unwritten: dict[tuple[str, str, str], Unfixed] = {}

    def run(self) -> FixReport:
        """Repair until there is nothing left to repair. Nothing is written."""
        for number in range(_ROUNDS):
            examined = self._examine(self._contents)
            units = self._units(examined)
            if number == 0 and not self._write:
                self._unwritten = {_key(item.finding): item for item in self._left(examined, units)}
            while (applied := [unit for unit in units if self._blocked(unit, examined) is None]) and not self._round(
                applied, examined
            ):
                pass  # a file turned out not to be provable: once more without it
            if not applied:
                return self._report(examined, units)
        self._failed.update(dict.fromkeys(self._contents, "its repairs would not come to rest; it stays as it was"))
        for table in (self._contents, self._edits, self._messages, self._by_hand):
            table.clear()
        self._fixed.clear()
        examined = self._examine({})
        return self._report(examined, self._units(examined))

    def _units(self, examined: Examined) -> list[_Unit]:
        repairs = choose(examined, self._settings.strategy)
        units: dict[object, _Unit] = {}
        for number, ((finding, _), repair) in enumerate(zip(examined.pairs, repairs, strict=True)):
            if repair is not None:
                unit = units.setdefault(_same(repair) or number, _Unit(repair))
                unit.findings.append(finding)
                unit.by_hand.update(dict.fromkeys(repair.by_hand))
        return list(units.values())

    # -- what is made and what not -----------------------------------------------------------------------------------------------

    def _blocked(self, unit: _Unit, examined: Examined) -> str | None:
        """Why a repair is not made now; None where it is."""
        repair = unit.repair
        if repair.applicability == "display-only" or not (repair.changes or repair.creates or repair.narrows):
            return repair.message
        wanted = [finding for finding in unit.findings if self._settings_of(finding.span.filename).fixes(finding)]
        if not wanted:
            option = "--extend-select" if self._settings.fixable is None else "--fixable"
            return f"not among the rules that are fixed; {option} {unit.findings[0].code} adds it"
        for filename in sorted(repair.changes):
            reason = self._uneditable(filename, repair, examined)
            if reason is not None:
                return f"{repair.message}. Not done: {filename}: {reason}"
        if repair.applicability == "unsafe" and not self._settings_of(wanted[0].span.filename).unsafe_fixes:
            return f"{repair.message} {_UNSAFE}"
        return next((self._undone[key] for finding in unit.findings if (key := _key(finding)) in self._undone), None)

    def _uneditable(self, filename: str, repair: Repair, examined: Examined) -> str | None:
        if filename in self._failed:
            return self._failed[filename]
        if examined.editable is not None and filename not in examined.editable:
            return f"it is not among the files named: `{_command(repair, self._settings)}`"
        return examined.protected(filename)

    # -- one round ---------------------------------------------------------------------------------------------------------------

    def _round(self, units: Sequence[_Unit], examined: Examined) -> bool:
        """Make repairs; False where a file could not be proven, which then counts as failed."""
        pinned = [unit for unit in units if unit.repair.narrows is not None]
        units = pinned or units  # what is right for the others depends on the requirement
        if self._decide is not None:
            units = [unit for unit in units if self._accepted(unit, self._decide, examined)]
        rewrites = self._rewritten([unit.repair for unit in units], examined)
        if rewrites is None:
            return False
        if not rewrites:
            self._undone.update((_key(finding), "it has to be done by hand") for unit in units for finding in unit.findings)
            return True
        for rewrite in rewrites:
            self._originals.setdefault(rewrite.filename, rewrite.before)
            self._contents[rewrite.filename] = rewrite.after
            self._proofs[rewrite.filename] = rewrite.proof
            self._edits.setdefault(rewrite.filename, []).append(rewrite.edits)
            self._messages.setdefault(rewrite.filename, {}).update(dict.fromkeys(rewrite.messages))
        for unit in units:
            self._fixed += [replace(finding, fix=_shown(unit.repair)) for finding in unit.findings]
            self._by_hand.update(unit.by_hand)
        return True

    def _accepted(self, unit: _Unit, decide: Decision, examined: Examined) -> bool:
        rewrites = self._rewritten([unit.repair], examined)
        if rewrites and decide(unit.findings, unit.repair, rewrites):
            return True
        self._undone.update((_key(finding), "declined") for finding in unit.findings)
        return False

    def _rewritten(self, repairs: Sequence[Repair], examined: Examined) -> list[Rewrite] | None:
        """The files that some repairs change, proven; None where a file could not be."""
        changes: dict[str, dict[Change, None]] = {}
        messages: dict[str, dict[str, None]] = {}
        for repair in repairs:
            for filename, group in repair.changes.items():
                changes.setdefault(filename, {}).update(dict.fromkeys(group))
                messages.setdefault(filename, {})[repair.message] = None
        found = []
        for filename in sorted(changes):
            source = examined.source(filename)
            made = (
                source.reason
                if isinstance(source, Unreadable)
                else _proven(source, examined.read(filename), list(changes[filename]))
            )
            if isinstance(made, str):
                self._failed[filename] = made
                return None
            edits, after = made
            if edits:
                found.append(Rewrite(filename, examined.read(filename), after, edits, tuple(messages[filename]), CHECKS))
        created = {name: text for repair in repairs for name, text in repair.creates.items() if not Path(name).exists()}
        found += [Rewrite(name, b"", text.encode(), (), ("Make a new file",), ()) for name, text in sorted(created.items())]
        return found + self._manifests(repairs, examined)

    def _manifests(self, repairs: Sequence[Repair], examined: Examined) -> list[Rewrite]:
        """The manifests that some repairs change."""
        told = follow(repairs, examined.read, lambda name: examined.editable is None or name in examined.editable)
        self._by_hand.update(dict.fromkeys(told.by_hand))
        return list(told.rewrites)

    # -- the end -----------------------------------------------------------------------------------------------------------------

    def _left(self, examined: Examined, units: Sequence[_Unit]) -> list[Unfixed]:
        """What is there and is not repaired, in order of place."""
        left = [
            Unfixed(replace(finding, fix=_shown(unit.repair)), reason, unsafe=reason.endswith(_UNSAFE))
            for unit in units
            for reason in [self._blocked(unit, examined) or ""]
            for finding in unit.findings
            if finding.severity != "info" or self._settings_of(finding.span.filename).fixes(finding)
        ]
        known = {id(finding) for unit in units for finding in unit.findings}
        without = [finding for finding, _ in examined.pairs if finding.severity != "info" and id(finding) not in known]
        left += [Unfixed(finding, finding.advice or "no repair is known") for finding in without]
        return sorted(left, key=lambda item: (item.finding.span, item.finding.code))

    def _report(self, examined: Examined, units: Sequence[_Unit]) -> FixReport:
        left = self._left(examined, units)
        if not self._write:  # by the places that the files have now
            left = [self._unwritten.get(_key(item.finding), item) for item in left]
        return FixReport(
            tuple(self._rewrites()),
            tuple(self._fixed),
            tuple(left),
            tuple(Unreadable(name, reason) for name, reason in sorted(self._failed.items())),
            (*self._by_hand, *self._expectations(examined)),
            examined.report,
        )

    def _expectations(self, examined: Examined) -> Iterator[str]:
        if any(finding.fix is not None and finding.fix.strategy == "keyword" for finding in self._fixed):
            from mem0_migrate.fixes.expectations import expecting

            places = expecting(examined.files, examined.read)
            if places:
                more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
                where = f"{', '.join(places[:_PLACES])}{more}"
                yield f"Expect `async_mode=False` too where tests assert the arguments of add(): {where}"

    def _rewrites(self) -> Iterator[Rewrite]:
        for filename, after in sorted(
            self._contents.items(), key=lambda item: (not item[0].endswith((".py", ".pyi", ".ipynb")), item[0])
        ):
            rounds = self._edits[filename]
            edits = rounds[0] if len(rounds) == 1 else ()
            messages = tuple(self._messages[filename])
            yield Rewrite(filename, self._originals[filename], after, edits, messages, (*self._proofs[filename], _SETTLED))


def _command(repair: Repair, settings: Settings) -> str:
    """The command that makes a repair whose files are not all among those named."""
    strategy = () if settings.strategy == "auto" else ("--strategy", settings.strategy)
    unsafe = ("--unsafe-fixes",) if repair.applicability == "unsafe" else ()
    return shlex.join(("mem0-migrate", "fix", *strategy, *unsafe, *sorted(repair.changes)))


def _shown(repair: Repair) -> Fix:
    return Fix(repair.strategy, repair.applicability, repair.message)


def _same(repair: Repair) -> object:
    """What is equal for repairs that edit the same; None where one edits nothing."""
    return (tuple(sorted(repair.changes.items())), tuple(sorted(repair.creates))) if repair.changes else None


def _key(finding: Finding) -> tuple[str, str, str]:
    """A finding, wherever the edits of other repairs have moved it."""
    return finding.code, finding.span.filename, finding.message


def written(report: FixReport) -> FixReport:
    """Write the rewritten files; one that cannot be written is among the `failed` instead."""
    from mem0_migrate.fixes.writing import WriteError, write

    done: list[Rewrite] = []
    failed = list(report.failed)
    for rewrite in report.rewrites:
        path = Path(rewrite.filename)
        try:
            if rewrite.before or path.exists():
                write(path, rewrite.before, rewrite.after)
            else:
                with path.open("xb") as file:
                    file.write(rewrite.after)
        except WriteError as error:
            failed.append(Unreadable(rewrite.filename, error.reason))
        except OSError as error:
            failed.append(Unreadable(rewrite.filename, f"not written: {explain(error)}"))
        else:
            done.append(rewrite)
    return replace(report, rewrites=tuple(done), failed=tuple(failed))


def _proven(source: Source, data: bytes, changes: Sequence[Change]) -> tuple[tuple[Edit, ...], bytes] | str:
    """The edits that make some changes in a file, and its new content; or why they are not proven to."""
    from mem0_migrate.fixes import rewriting

    try:
        edits = rewriting.edits(source, changes)
        after = _edited(source, data, edits)
    except UnchangeableError as error:
        return str(error)
    except UnicodeEncodeError:
        return f"{source.encoding} cannot hold what would be written"
    reread = parse(source.filename, after)
    if isinstance(reread, Unreadable):
        return f"it would not be Python any more: {reread.reason}"
    return disproof(source, changes, edits, reread) or (edits, after)


def _edited(source: Source, data: bytes, edits: Sequence[Edit]) -> bytes:
    from mem0_migrate.fixes import notebooks, rewriting

    if source.filename.endswith(".ipynb"):
        return notebooks.patched(data, source, edits)
    return rewriting.spliced(source, edits).encode(source.encoding)
