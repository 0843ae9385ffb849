"""The strategy `async`: a code base that adopts queued writes.

Every explicit `async_mode=False` goes; for each construction of a client mem0 is told, once, where to deliver; deliveries get in
by a receiver, mounted in the web application that is there or generated; consumers that only need an acknowledgement read
`event_id`; and what must be redesigned is named, with every read that says so, and not touched.

Applicability. Taking a keyword away is `safe` where the client is certain, the keyword is written there for this call alone, and
nothing reads the memories, or no admitted mem0ai honours it anyway. Everything else is `unsafe`: after it, code that read
memories gets receipts (it is named), a client that is constructed makes a request and needs `MEM0_WEBHOOK_URL`, a receiver needs
`MEM0_WEBHOOK_TOKEN`, and a test that meant "was anything stored?" means "was it taken?".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mem0_migrate.fixes import awaiting, completion
from mem0_migrate.fixes.acknowledgement import acknowledging
from mem0_migrate.fixes.receivers import receiver
from mem0_migrate.fixes.receivers.mounting import PREFIX, TOKEN, Files, is_test
from mem0_migrate.fixes.registration import EXAMPLE, URL, Registrations
from mem0_migrate.fixes.removal import removal
from mem0_migrate.fixes.repair import Repair, Unsuitable
from mem0_migrate.usage.answers import collect
from mem0_migrate.usage.kinds import CATEGORIES, PHRASES
from mem0_migrate.usage.modes import KEYWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mem0_migrate.examination import Judged
    from mem0_migrate.fixes.changes import Change
    from mem0_migrate.fixes.code import Code
    from mem0_migrate.fixes.receivers.mounting import Receiver
    from mem0_migrate.model import Declaration, Era, Finding
    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.usage.answers import AnswerUse
    from mem0_migrate.usage.judgement import JudgedSite

    Changes = Mapping[str, tuple[Change, ...]]

_KEYWORD_GOES = frozenset(["MEM106", "MEM107", "MEM108"])
_QUEUED = frozenset(["MEM101", "MEM102", "MEM103", "MEM104", "MEM111", "MEM201"])
_REMARK = "MEM104"
_NEED_MEMORIES = frozenset(["memories", "escapes"])

_ADDRESS = f"Set {URL}, wherever a client is constructed, to where mem0 reaches the receiver: https://YOUR-HOST{PREFIX}/TOKEN"
_SECRET = f"Set {TOKEN}, for the receiver, to that TOKEN: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
_OLDEST = "Webhooks need mem0ai 0.1.45 or newer"


def repairs(
    pairs: Sequence[Judged],
    code: Code,
    declared: Callable[[str], Declaration],
    files: Sequence[str] = (),
    read: Callable[[str], bytes] | None = None,
) -> list[Repair | None]:
    """A repair for each finding, None where there is nothing to repair.

    Args:
        pairs: Findings, each with its site; None where it is about something else.
        code: The code base.
        declared: The declaration that holds for a file.
        files: All files of the code base, also those that have nothing to do with mem0: a web application may be among them.
        read: The content of one of these, as it is now; raises OSError.
    """
    return _Adoption(pairs, code, declared, files, read).repairs()


class _Adoption:
    def __init__(
        self,
        pairs: Sequence[Judged],
        code: Code,
        declared: Callable[[str], Declaration],
        files: Sequence[str],
        read: Callable[[str], bytes] | None,
    ) -> None:
        self._pairs = pairs
        self._code = code
        self._declared = declared
        self._files = Files(files or sorted(code.tracked.sources), read or self._tracked)
        self._uses = collect(code.solver)
        self._registrations = Registrations(code)
        self._receiver: tuple[Receiver | None] | None = None

    def repairs(self) -> list[Repair | None]:
        """A repair for each finding."""
        carriers = self._carriers()
        found = [self._repair(finding, site) if site is not None else None for finding, site in self._pairs]
        return [
            self._with_registration(repair, site, carriers[number]) if site is not None and number in carriers else repair
            for number, (repair, (_, site)) in enumerate(zip(found, self._pairs, strict=True))
        ]

    def _tracked(self, filename: str) -> bytes:
        source = self._code.source(filename)
        return source.text.encode(source.encoding)

    def _repair(self, finding: Finding, site: JudgedSite) -> Repair | None:
        if finding.code in _KEYWORD_GOES:
            return self._without_keyword(finding, site)
        if finding.code == "MEM109":
            return _shown(completion.propose(site, self._code, self._declared))
        if finding.code == "MEM110":
            return _shown(awaiting.propose(site, self._code))
        return self._queued(finding, site) if finding.code in _QUEUED else None

    # -- the keyword goes --------------------------------------------------------------------------------------------------------

    def _without_keyword(self, finding: Finding, site: JudgedSite) -> Repair:
        name = site.misspelt or KEYWORD
        found = removal(site, self._code, name)
        if not found.changes or found.elsewhere:
            where = f" ({', '.join(dict.fromkeys(found.elsewhere))})" if found.elsewhere else ""
            return _by_hand(f"Remove `{name}` where it is put together{where}: how is not seen from here")
        dead = finding.code == "MEM107" or self._eras(site) <= {"v2"} or name != KEYWORD
        reads = [] if dead else self._reads(site)
        message = f"Remove `{name}`: the write is queued, as mem0 does by default now"
        if dead:
            message = (
                f"Remove `{name}`, which has no effect" if finding.code != "MEM107" else f"Remove `{name}`: OSS memory has none"
            )
        if reads:
            demand = self._demand(site)
            message += f". Before, {demand[:1].lower()}{demand[1:]}: {_listed(reads)}"
        certain = site.site.confidence == "certain" and found.private and not reads
        return Repair("async", "safe" if certain else "unsafe", message, found.changes)

    # -- queued adds -------------------------------------------------------------------------------------------------------------

    def _queued(self, finding: Finding, site: JudgedSite) -> Repair | None:
        if finding.code == _REMARK:
            unseen = self._registrations.unseen(site) and _registers(site.site.span.filename)
            return _by_hand(f"Register the webhook where the client is constructed. Write: {EXAMPLE}") if unseen else None
        asked = self._acknowledging(site)
        if asked is not None:
            message = "Ask whether the write was taken: a receipt has an `event_id`; what will be stored is not known yet"
            shims = {name: self._declared(name) for name in asked} if self._eras(site) != {"v2"} else {}
            return Repair("async", "unsafe", message, asked, shims=shims)
        reads = self._reads(site)
        if not reads:
            return None
        return _by_hand(f"{self._demand(site)}: {_listed(reads)}. Keep `event_id`, and look when the memories are there")

    def _demand(self, site: JudgedSite) -> str:
        """What has to happen to the code that gets the answer of a site."""
        needed = any(CATEGORIES[use.kind] == "memories" for use in self._uses.get(site.number, []))
        return (
            "Redesign what needs the memories at once" if needed or site.stale is not None else "Redesign what gets the receipt"
        )

    def _eras(self, site: JudgedSite) -> frozenset[Era]:
        """The eras whose receipts a site can get; where it is no call of the SDK, the address decides."""
        return frozenset(["v2"]) if "/v3/" in self._code.record(site).url else site.site.declaration.eras

    def _acknowledging(self, site: JudgedSite) -> Changes | None:
        """The changes by which a site whose answer is only an acknowledgement reads `event_id`."""
        if site.stale is not None:
            return None
        return acknowledging(self._uses.get(site.number, []), self._eras(site), self._code)

    def _reads(self, site: JudgedSite, *, rows: bool = True) -> list[str]:
        """What needs the memories that an `add` used to answer with, each with its place."""
        needing: dict[str, AnswerUse] = {}
        for use in self._uses.get(site.number, []):
            if CATEGORIES[use.kind] in _NEED_MEMORIES and use.filename in self._code.tracked.sources:
                where = self._code.line(use.filename, use.place)
                known = needing.get(where)
                if known is None or _weight(use) > _weight(known):
                    needing[where] = use
        found = [f"{self._phrase(use)} ({where if rows else use.filename})" for where, use in needing.items()]
        if site.stale is not None:
            span = site.stale.span
            where = span.line if rows else span.filename
            found.append(f"`{site.stale.text}()` looks for what was just added ({where})")
        return list(dict.fromkeys(found))

    def _phrase(self, use: AnswerUse) -> str:
        from mem0_migrate.tracking.evidence import text_at

        return f"`{text_at(self._code.tracked.sources, use.filename, use.place)}` is {PHRASES[use.kind]}"

    # -- the webhook -------------------------------------------------------------------------------------------------------------

    def _carriers(self) -> dict[int, list[SolvedCall]]:
        """Which findings bring a registration along, by number, with the constructions: each in one place.

        Rather those that say no more than that a write is queued, since they stay as they are. A finding about a keyword waits
        for the next round, in which its site is one of those, unless nothing will be found there any more.
        """
        chosen: dict[int, list[SolvedCall]] = {}
        taken: set[int] = set()
        for number in sorted(range(len(self._pairs)), key=self._rank):
            finding, site = self._pairs[number]
            if site is None or not site.hosted or site.site.form == "http" or not _registers(site.site.span.filename):
                continue
            if finding.code in _QUEUED or (finding.code in _KEYWORD_GOES and site.aware):
                missing = [made for made in self._registrations.missing(site) if _registers(made.filename)]
                if any(made.number not in taken for made in missing) or (missing and finding.code == _REMARK):
                    chosen[number] = missing
                    taken.update(made.number for made in missing)
        return chosen

    def _rank(self, number: int) -> tuple[bool, bool, int]:
        code = self._pairs[number][0].code
        return code != _REMARK, code in _KEYWORD_GOES, number

    def _with_registration(self, repair: Repair | None, site: JudgedSite, missing: Sequence[SolvedCall]) -> Repair:
        """A repair together with what registers the webhook for the clients of its site, and lets deliveries in."""
        changes: dict[str, list[Change]] = {}
        for made in missing:
            found = self._registrations.changes(made)
            if found is None:
                where = self._code.line(made.filename, made.fact.place)
                return repair or _by_hand(f"Register the webhook where the client is constructed ({where}). Write: {EXAMPLE}")
            changes.setdefault(made.filename, []).extend(found)
        letting = self._letting_in([made.filename for made in missing])
        mounted: Changes = letting.changes if letting is not None else {}
        for filename, group in (
            *mounted.items(),
            *(repair.changes.items() if repair is not None and _is_applied(repair) else ()),
        ):
            changes.setdefault(filename, []).extend(group)
        places = ", ".join(sorted({made.filename for made in missing}))
        message = f"Let mem0 deliver its events for the client that is constructed in {places}"
        if repair is not None and _is_applied(repair):
            message = f"{repair.message}. {message}"
        importing = {made.filename for made in missing} | set(letting.importing if letting is not None else ())
        return Repair(
            "async",
            "unsafe",
            message,
            {filename: tuple(dict.fromkeys(group)) for filename, group in changes.items()},
            dict(letting.creates) if letting is not None else {},
            {
                **(repair.shims if repair is not None else {}),
                **{filename: self._declared(filename) for filename in sorted(importing)},
            },
            by_hand=self._steps(letting, site),
        )

    def _letting_in(self, origins: Sequence[str]) -> Receiver | None:
        """The receiver, one for the whole code base."""
        if self._receiver is None:
            source = self._declared(origins[0]).source
            beside = source is not None and not source.endswith("/METADATA")  # what is installed is no place for it
            folder = source.rpartition("/")[0] if source is not None and beside else ""
            self._receiver = (receiver(origins, folder, self._files),)
        return self._receiver[0]

    def _steps(self, letting: Receiver | None, site: JudgedSite) -> tuple[str, ...]:
        """What is left for the user, in order."""
        steps = [_ADDRESS, _SECRET, *(letting.by_hand if letting is not None else ())]
        if "v0" in site.site.declaration.eras:
            steps.append(_OLDEST)
        sites = {
            item.number: item for finding, item in self._pairs if item is not None and finding.code in _QUEUED | _KEYWORD_GOES
        }
        for _, item in sorted(sites.items()):
            reads = self._reads(item, rows=False) if item.hosted and self._acknowledging(item) is None else []
            steps += [f"{self._demand(item)}: {read}" for read in reads]
        return tuple(dict.fromkeys(steps))


def _registers(filename: str) -> bool:
    """Whether a client of a file is one that mem0 should deliver for: tests and notebooks come and go."""
    return not is_test(filename) and not filename.endswith(".ipynb")


def _is_applied(repair: Repair) -> bool:
    return repair.applicability != "display-only"


def _weight(use: AnswerUse) -> tuple[bool, int, int]:
    """How much a use tells of what is needed: memories more than an answer that goes on, and more text more than less."""
    return CATEGORIES[use.kind] == "memories", use.place[2] - use.place[0], use.place[3] - use.place[1]


def _listed(reads: Sequence[str]) -> str:
    return "; ".join(reads)


def _shown(proposal: Repair | Unsuitable) -> Repair:
    if isinstance(proposal, Repair):
        return proposal
    return _by_hand(proposal.reason[:1].upper() + proposal.reason[1:])


def _by_hand(message: str) -> Repair:
    return Repair("none", "display-only", message)
