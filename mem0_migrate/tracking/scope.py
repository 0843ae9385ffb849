"""Names of one scope: what each can hold at this point of the flow, and what it can ever hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mem0_migrate.tracking.summary import NOTHING, Guard, ParameterDefault

Nodes = frozenset[int]
Arm = tuple[int, int]


@dataclass(slots=True)
class Scope:
    """One function, class body or module while it is read.

    `now` maps a name, or a dotted path such as `self.client`, to the nodes it holds at this point; `cells` maps a name to the one
    node that stands for all it ever holds, which is what closures and other functions see.
    """

    kind: Literal["module", "function", "class"]
    qualname: str
    number: int
    parent: Scope | None = None
    function: int | None = None
    owner: int | None = None
    self_name: str | None = None
    now: dict[str, Nodes] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    arms: tuple[Arm, ...] = ()
    guards: tuple[Guard, ...] = ()
    order: int = 0
    type_error: str = ""
    defaults: dict[str, ParameterDefault] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    literals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pathed: set[str] = field(default_factory=set)
    mocked: bool = False  # a test has put mocks in place of the client classes

    def know(self, path: str, nodes: Nodes) -> None:
        """Keep what a name or a path holds from here on. `pathed` has the first names of all paths: few names have any."""
        self.now[path] = nodes
        if "." in path:
            self.pathed.add(path.partition(".")[0])

    def forget(self, name: str) -> None:
        """Drop what is known of the paths that start at `name`."""
        if name.partition(".")[0] not in self.pathed:
            return
        prefix = name + "."
        for path in [path for path in self.now if path.startswith(prefix)]:
            del self.now[path]

    def forget_empty_paths(self) -> None:
        """Drop paths that were reset to nothing: a method called now may fill them."""
        if not self.pathed:
            return
        for path in [path for path, nodes in self.now.items() if "." in path and nodes == EMPTY]:
            del self.now[path]


EMPTY: Nodes = frozenset({NOTHING})


def join(first: dict[str, Nodes], second: dict[str, Nodes]) -> dict[str, Nodes]:
    """What holds where two flows meet. A path known on one side only is not known any more."""
    if first == second:
        return first
    merged = {}
    for name, nodes in first.items():
        other = second.get(name)
        if other is not None:
            merged[name] = nodes if nodes == other else nodes | other
        elif "." not in name:
            merged[name] = nodes
    return merged | {name: nodes for name, nodes in second.items() if name not in first and "." not in name}
