"""How a client came to a site: the steps from its origin, and how sure they are."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mem0_migrate.model import Confidence, Span, Step
from mem0_migrate.sdk import surface

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.records import SiteRecord
    from mem0_migrate.tracking.solver import Fact, Solver
    from mem0_migrate.tracking.summary import Guard, Place
    from mem0_migrate.tracking.values import Value

_INFERRING = frozenset(["return", "yield", "parameter"])
_WORDS = {
    "global": "kept in the module variable `{}`",
    "field": "kept in `{}`",
    "parameter": "passed as `{}`",
    "return": "returned by `{}`",
    "yield": "yielded by `{}`",
    "import": "imported from `{}`",
    "name-keyed": "taken for what was stored as `{}` elsewhere",
}


def span_at(sources: Mapping[str, Source], filename: str, place: Place) -> Span:
    """The span of a place as ast counts it."""
    anchor = ast.Pass(lineno=place[0], col_offset=place[1], end_lineno=place[2], end_col_offset=place[3])
    return sources[filename].span(anchor)


def place_of(node: ast.expr | ast.stmt | ast.ExceptHandler) -> Place:
    """The place of a node, as facts hold it."""
    return (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def text_at(sources: Mapping[str, Source], filename: str, place: Place) -> str:
    """The source text of a place, on one line."""
    anchor = ast.Pass(lineno=place[0], col_offset=place[1], end_lineno=place[2], end_col_offset=place[3])
    return " ".join(sources[filename].segment(anchor).split())


@dataclass(frozen=True, slots=True)
class Trail:
    """The evidence of a site and the confidence that follows from it."""

    steps: tuple[Step, ...]
    confidence: Confidence


def consistent_clients(solver: Solver, site: SiteRecord) -> list[Value]:
    """The clients of a site without those whose origin runs under a condition that excludes the site's, hosted ones first.

    `self.client = MemoryClient() if self.hosted else Memory()` and later `if self.hosted: self.client.add(…)`.
    """
    caught = bool(site.calls) and all(solver.calls[number].fact.type_error == "caught" for number in site.calls)
    if caught and any(not surface.is_hosted(client[1]) for client in site.clients):
        return [client for client in site.clients if not surface.is_hosted(client[1])]  # a hosted add() takes any keyword
    guards: dict[str, list[Guard]] = {}
    for number in site.calls:
        for guard in solver.calls[number].fact.guards:
            guards.setdefault(guard.subject, []).append(guard)
    classes = [guard for subject, told in guards.items() if subject.startswith("class of ") for guard in told]
    kept = []
    for client in site.clients:
        if any(not _admits(guard, client, solver, site) for guard in classes):
            continue
        origins = [
            guard for call in solver.call_of.get(client[2], ()) if call.filename == site.filename for guard in call.fact.guards
        ]
        if not any(guard.contradicts(origin) for origin in origins for guard in guards.get(origin.subject, ())):
            kept.append(client)
    return sorted(
        kept or site.clients, key=lambda client: (not surface.is_hosted(client[1]), solver.places.get(client[2], ("", (0,))))
    )


def _admits(guard: Guard, client: Value, solver: Solver, site: SiteRecord) -> bool:
    """Whether a client is of the class that a remembered check of the receiver asked for (`if self.is_hosted:`)."""
    if guard.literal is None:
        return True
    receivers = {solver.calls[number].fact.text.rpartition(".")[0].rpartition(".")[2] for number in site.calls}
    name = guard.subject.replace(":", ".").rpartition(".")[2]
    return name not in receivers or (_class_name(client[1]) in guard.literal.split("|")) == guard.holds


def trail(solver: Solver, sources: Mapping[str, Source], site: SiteRecord, client: Value) -> Trail:
    """The steps by which a client came to a site."""
    facts = _facts(solver, site.receiver, client)
    nodes = [fact[0] for fact in facts]
    inferred = site.reference or any(
        solver.labels.get(node, ("", ""))[0] in _INFERRING or node in solver.owner_of for node in nodes
    )
    guessed = any(_by_name(solver, node) for node in nodes) or _foreign(solver, site.receiver)
    confidence: Confidence = "possible" if guessed else "inferred" if inferred else "certain"
    return Trail(_steps(solver, sources, client, nodes), confidence)


def _by_name(solver: Solver, node: int) -> bool:
    """Whether a node, or an object that it is read from, is taken for what was stored under its name."""
    seen: set[int] = set()
    pending = [node]
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if solver.labels.get(node, ("", ""))[0] == "name-keyed":
            return True
        base = solver.load_of.get(node)
        if base is not None:
            pending += [base, *(source for source, _, _ in solver.incoming.get(base, ()))]
    return False


def _facts(solver: Solver, node: int, client: Value) -> list[Fact]:
    """The chain of facts from the origin to the receiver."""
    held = [key for key in solver.values.get(node, ()) if key[0] == client]
    if not held:
        return []
    fact: Fact | None = (node, *held[0])
    chain: list[Fact] = []
    seen = set()
    while fact is not None and fact not in seen:
        seen.add(fact)
        chain.append(fact)
        fact = solver.values[fact[0]].get((fact[1], fact[2]))
    return chain[::-1]


def _steps(solver: Solver, sources: Mapping[str, Source], client: Value, nodes: list[int]) -> tuple[Step, ...]:
    origin = client[2]
    steps: list[Step] = []
    last = solver.places.get(origin)
    if last is not None and last[0] in sources:
        label = solver.labels.get(origin, ("", ""))
        name = _class_name(client[1])
        declared = f"declared to be {'an' if name[0] in 'AEIOU' else 'a'} {name}"
        words = f"{label[1]} is constructed" if label[0] == "construct" else declared
        steps.append(Step(span_at(sources, *last), words))
    for node in nodes:
        label = solver.labels.get(node, ("", ""))
        last = solver.places.get(node, last)
        words = _WORDS.get(label[0], "")
        if not words or last is None or last[0] not in sources or (node == origin and label[0] != "import"):
            continue
        named = label[1].replace(" of ", "` of `") if label[0] == "parameter" else label[1]
        step = Step(span_at(sources, *last), words.format(named))
        if not steps or steps[-1] != step:
            steps.append(step)
    return tuple(steps)


def _class_name(kind: str) -> str:
    return next(name for name, known in surface.CLASSES.values() if known == kind)


def _foreign(solver: Solver, receiver: int) -> bool:
    """Whether the receiver can also be something else with an `add`: an instance of a class of the code base, a set."""
    for node in solver.behind(receiver):
        if any(
            library in ("builtins.set", "builtins.frozenset")
            for call in solver.call_of.get(node, ())
            for library in call.libraries
        ):
            return True
    for value, _ in solver.values.get(receiver, ()):
        if value[0] == "instance":
            for filename, index in solver.ancestors((value[1], value[2])):
                if surface.ADD in solver.files[filename].summary.classes[index].methods:
                    return True
    return False
