"""Judge each site: who receives, with which mode, what becomes of the answer, and what that means in each admitted era."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mem0_migrate.model import ERAS, AsyncMode, Declaration, Era, Form, Receiver, Site, Span, Step, Use, Verdict
from mem0_migrate.sdk import answers as shapes
from mem0_migrate.sdk import surface
from mem0_migrate.tracking import evidence
from mem0_migrate.usage.answers import AnswerUse, collect
from mem0_migrate.usage.kinds import CATEGORIES, PHRASES
from mem0_migrate.usage.modes import ModeReader
from mem0_migrate.usage.reads import StaleRead, stale_reads
from mem0_migrate.usage.waiting import WaitingClients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.records import SiteRecord
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.summary import Place
    from mem0_migrate.tracking.tracker import Tracked
    from mem0_migrate.tracking.values import Value


@dataclass(frozen=True, slots=True)
class JudgedSite:
    """A site with all that rules need to know of it. Rules only choose and phrase; what is true is decided here.

    `number` is that of the site's record in the solver. `options` are the calls of AddMemoryOptions that are given an
    `async_mode`. `waits`: mem0-shim makes every hosted client of the site wait.
    """

    number: int
    site: Site
    text: str
    worst: Use | None
    stale: StaleStep | None
    never_awaited: bool
    misspelt: str | None
    options: tuple[OptionsCall, ...]
    may_be_oss: bool
    waits: bool

    @property
    def implicit(self) -> bool:
        """Whether a hosted client receives the call and the default of the SDK or the platform decides."""
        return self.hosted and self.site.async_mode in ("absent", "none") and not self.waits

    @property
    def hosted(self) -> bool:
        """Whether a hosted client can receive the call."""
        return self.site.receiver != "oss"

    @property
    def aware(self) -> bool:
        """Whether the code knows about receipts."""
        return self.site.verdict == "receipt-aware"

    def category(self) -> str:
        """The category of the worst use: memories, escapes, truth, logged or neutral."""
        return CATEGORIES[self.worst.kind] if self.worst else "neutral"


@dataclass(frozen=True, slots=True)
class OptionsCall:
    """A call that puts `async_mode` where it has no effect: its file, and its place as `ast` counts."""

    filename: str
    place: Place


@dataclass(frozen=True, slots=True)
class StaleStep:
    """A read after a site: what it is, where, and the sleep between them if there is one."""

    span: Span
    method: str
    text: str
    steps: tuple[Step, ...]
    sleep: Span | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All sites of the code base, judged, in order of place."""

    sites: tuple[JudgedSite, ...]


_ORDER = ("memories", "truth", "escapes", "logged", "neutral")


def judge(tracked: Tracked, declared: Callable[[str], Declaration]) -> Judgement:
    """Judge every site that was tracked."""
    judge_of = _Judge(tracked, declared)
    found = [
        judge_of.site(record) for record in tracked.solver.site_list if record.filename in tracked.sources and not record.mocked
    ]
    return Judgement(tuple(sorted(found, key=lambda item: (item.site.span, item.site.form))))


class _Judge:
    def __init__(self, tracked: Tracked, declared: Callable[[str], Declaration]) -> None:
        self.solver: Solver = tracked.solver
        self.sources: Mapping[str, Source] = tracked.sources
        self.declared = declared
        self.uses = collect(self.solver)
        self.modes = ModeReader(self.solver)
        self.stale = stale_reads(self.solver)
        self.waiting = WaitingClients(self.solver)

    def site(self, record: SiteRecord) -> JudgedSite:
        """Judge one site."""
        clients = evidence.consistent_clients(self.solver, record)
        receiver = _receiver(clients, http=bool(record.url))
        declaration = self.declared(record.filename)
        mode, hosted_only = self._mode(record, clients)
        answer_uses = self.uses.get(record.number, []) if receiver != "oss" else []
        never_awaited = self._never_awaited(record, receiver, answer_uses)
        aware = any(CATEGORIES[use.kind] == "aware" for use in answer_uses)
        eras = [era for era in ERAS if era in declaration.eras]
        shape: Era | None = ("v2" if "/v3/" in record.url else "v1") if record.url else None  # by HTTP the address decides
        worst_raw = self._worst(answer_uses, eras)
        worst = self._use(worst_raw) if worst_raw else None
        if mode in ("dynamic", "mapping") and declaration.eras == {"v2"} and not record.url:
            mode = "absent"  # whatever it says, it has no effect there
        hosted = self.waiting.deciding(clients, record.filename)
        waits = bool(hosted) and mode != "true" and not record.url and all(client in self.waiting for client in hosted)
        stale = self._stale(record) if receiver != "oss" and not aware and not waits else None
        trail = evidence.trail(self.solver, self.sources, record, clients[0]) if clients else evidence.Trail((), "certain")
        verdict = _verdict(receiver, mode, worst, aware=aware, stale=stale, declaration=declaration, http=bool(record.url))
        if waits and receiver != "oss":
            verdict = "explicit"
        span = evidence.span_at(self.sources, record.filename, record.place)
        form: Form = "http" if record.url else "reference" if record.reference else "call"
        consequence = (
            self._consequence(worst_raw, worst, eras, answer_uses, shape)
            if verdict in ("breaks", "may-break", "no-visible-effect")
            else {}
        )
        site = Site(
            span,
            form,
            receiver,
            trail.confidence,
            mode,
            tuple(dict.fromkeys(self._use(use) for use in answer_uses)),
            "receipt-aware" if aware else worst.kind if worst else "discarded",
            trail.steps,
            declaration,
            verdict,
            consequence,
        )
        text = evidence.text_at(self.sources, record.filename, record.place)
        expected = bool(record.calls) and all(self.solver.calls[number].fact.type_error == "expected" for number in record.calls)
        oss = not expected and not hosted_only and any(not surface.is_hosted(client[1]) for client in clients)
        return JudgedSite(
            record.number,
            site,
            text,
            worst,
            stale,
            never_awaited,
            self.modes.misspelt(record),
            tuple(OptionsCall(made.filename, made.fact.place) for made in self.modes.options(record)),
            oss,
            waits,
        )

    def _mode(self, record: SiteRecord, clients: list[Value]) -> tuple[AsyncMode, bool]:
        if not record.url:
            return self.modes.of(record, clients)
        joined = self.solver.files[record.filename]
        for added in joined.summary.http_adds:
            if joined.summary.calls[added.call].place == record.place:
                return _literal_mode(added.mode), False
        return "absent", False

    def _never_awaited(self, record: SiteRecord, receiver: Receiver, uses: list[AnswerUse]) -> bool:
        """A hosted coroutine that is only thrown away, and never awaited by anyone."""
        if receiver != "hosted-async" or not record.waits:
            return False
        awaited = any(
            value[0] == "answer" and value[1] == record.number and value[2] == 0
            for held in self.solver.values.values()
            for value, _ in held
        )
        pending = [use for use in uses if use.waits]
        return not awaited and all(use.kind == "discarded" for use in pending)

    def _worst(self, uses: list[AnswerUse], eras: list[Era]) -> AnswerUse | None:
        """The use that says most.

        One that the old contract served before one that never worked; raising before silent; of those that raise, the first on
        the way, and of silent ones the deepest; what reads a value before what tests or passes it; earlier before later.
        """
        asked = {use.path for use in uses if use.kind == "type-tested"}  # `if hasattr(answer, "id")`: never true, of a dictionary
        ranked = [
            use
            for use in uses
            if CATEGORIES[use.kind] in _ORDER
            and (not use.waits or CATEGORIES[use.kind] == "escapes")
            and not (use.kind == "attribute" and use.path in asked)
        ]
        if not ranked:
            return None

        def key(use: AnswerUse) -> tuple[object, ...]:
            raising = sum(shapes.raises(era, use.path, use.kind, _tested(use, uses)) for era in eras)
            way = len(use.path) if raising else -len(use.path)
            rank = (
                _ORDER.index(CATEGORIES[use.kind]),
                not shapes.worked(use.path),
                -raising,
                way,
                raising and use.kind not in _READING,
            )
            return (*rank, use.filename, use.place)

        return min(ranked, key=key)

    def _use(self, use: AnswerUse) -> Use:
        span = evidence.span_at(self.sources, use.filename, use.place)
        return Use(use.kind, span, evidence.text_at(self.sources, use.filename, use.place))

    def _consequence(
        self, raw: AnswerUse | None, worst: Use | None, eras: list[Era], uses: list[AnswerUse], shape: Era | None
    ) -> dict[Era, str]:
        """What happens in each era; `shape` is the era whose receipt arrives whatever is installed."""
        category = CATEGORIES[worst.kind] if worst is not None else "neutral"
        if raw is not None and category in ("memories", "truth"):
            return {era: shapes.outcome(shape or era, raw.path, raw.kind, _tested(raw, uses)) for era in eras}
        if worst is not None and category == "escapes":
            return {era: f"{_shape(shape or era)} is {PHRASES[worst.kind]}" for era in eras}
        return dict.fromkeys(eras, "the write is only queued; nothing here depends on when it is done")

    def _stale(self, record: SiteRecord) -> StaleStep | None:
        found: StaleRead | None = self.stale.get(record.number)
        if found is None:
            return None
        read = self.solver.calls[found.read]
        if read.filename not in self.sources:
            return None
        steps = []
        for number, words in zip(found.through, ("first this", "then this"), strict=True):
            call = self.solver.calls[number]
            if call.filename in self.sources and number != found.read and call.fact.place != record.place:
                steps.append(Step(evidence.span_at(self.sources, call.filename, call.fact.place), words))
        sleep = None
        if found.sleep is not None:
            call = self.solver.calls[found.sleep]
            sleep = evidence.span_at(self.sources, call.filename, call.fact.place)
        span = evidence.span_at(self.sources, read.filename, read.fact.place)
        text = evidence.text_at(self.sources, read.filename, read.fact.callee_place)
        return StaleStep(span, found.method, text, tuple(steps), sleep)


_READING = frozenset(["subscript", "get", "attribute", "iterated", "unpacked", "counted"])
_NOWHERE = (shapes.OPTIONAL + "no such key",)


def _tested(use: AnswerUse, uses: list[AnswerUse]) -> tuple[tuple[str, ...], ...]:
    """The paths on the way to a use that the same file tests: what is below is only read where they hold something."""
    tests = {
        other for other in uses if other.kind in ("type-tested", "member-truth", "contains") and other.filename == use.filename
    }
    listed = use.path[:1] in ((shapes.INDEX,), (shapes.ELEMENT,)) and any(
        other.kind == "type-tested" and not other.path for other in tests
    )
    if listed:  # code for lists, beside code for dictionaries: a receipt is a dictionary, and never gets there
        return (_NOWHERE,)
    paths = {other.path for other in tests if other.path and _leads(other.path, use.path)}
    return tuple(sorted(paths, key=lambda path: (len(path), path[-1][0] != shapes.OPTIONAL, path)))


def _leads(prefix: tuple[str, ...], path: tuple[str, ...]) -> bool:
    bare = [step.lstrip(shapes.PREFIXES) for step in path]
    return [step.lstrip(shapes.PREFIXES) for step in prefix] == bare[: len(prefix)]


def _receiver(clients: list[tuple[object, ...]], *, http: bool) -> Receiver:
    kinds = {client[1] for client in clients}
    if http:
        return "hosted"
    hosted = {kind for kind in kinds if kind in ("hosted", "hosted-async")}
    if not hosted:
        return "oss"
    if kinds - hosted:
        return "either"
    return "hosted-async" if hosted == {"hosted-async"} else "hosted"


def _literal_mode(mode: str) -> AsyncMode:
    for known in ("absent", "false", "true", "none", "dynamic", "mapping"):
        if mode == known:
            return known
    return "dynamic"


def _shape(era: Era) -> str:
    return "a flat receipt (`event_id`, `status`)" if era == "v2" else "a receipt (one PENDING entry under `results`)"


def _verdict(
    receiver: Receiver,
    mode: AsyncMode,
    worst: Use | None,
    *,
    aware: bool,
    stale: StaleStep | None,
    declaration: Declaration,
    http: bool,
) -> Verdict:
    if receiver == "oss":
        return "oss"
    if mode == "true":
        return "explicit"
    if mode == "false" and (http or "v2" not in declaration.eras):
        return "explicit"
    if aware:
        return "receipt-aware"
    if mode in ("dynamic", "mapping"):
        return "undecided"
    category = CATEGORIES[worst.kind] if worst else "neutral"
    if category == "memories" or (stale is not None and stale.sleep is None):
        return "breaks"
    if category in ("escapes", "truth") or stale is not None:
        return "may-break"
    return "explicit" if mode == "false" else "no-visible-effect"
