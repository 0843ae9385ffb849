"""What one file says, as facts over numbered nodes: a pure function of the file's bytes.

A node stands for "every value this expression, parameter, variable or return can have". Node 0 is `NOTHING`: a value that is of
no interest (a number, None). The facts say how values move between nodes; who they are is the solver's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

NOTHING = 0

# Keys of `Load` and `Store` beside ".name" (attribute), "[name" (constant subscript, also integers):
ANY_ITEM = "[*"  # an element whose key is not known
MATCHED_KEY = "[="  # before the key that a pattern of a `match` asks for
BUILT_FIELD = "[."  # before the key that becomes a field of what `Model(**mapping)` builds
MATCHED_ELEMENT = "match *"
ITERATE = "<iter>"
PARSE = "<parse>"  # the value that a text of JSON stands for
AWAIT = "<await>"
ENTER = "<enter>"
DEFER = "<defer>"  # the same, one await or .result() away

Arm = tuple[int, int]  # the number of a branch, and of one of its arms
Held = Literal["itself", "elements", "attributes"]
Place = tuple[int, int, int, int]  # ast's lineno, col_offset, end_lineno, end_col_offset


@dataclass(slots=True)
class Load:
    """`target` gets what `base` holds under `key`."""

    base: int
    key: str
    target: int
    place: Place


@dataclass(slots=True)
class Store:
    """`base` holds `value` under `key`."""

    base: int
    key: str
    value: int
    place: Place


@dataclass(slots=True)
class Call:
    """A call. `constants` are the literal positional arguments (None where not a literal string or integer).

    `order` and `arms` place it in the control flow of its scope: it can run after an earlier call unless the two lie in different
    arms of one branch, or the earlier lies in an arm that leaves. `guards` are the conditions that hold where it runs.
    """

    callee: int
    arguments: tuple[tuple[int, bool], ...]
    keywords: tuple[tuple[str | None, int], ...]
    target: int
    place: Place
    callee_place: Place
    text: str
    scope: int
    order: int
    arms: tuple[tuple[int, int], ...]
    guards: tuple[Guard, ...]
    constants: tuple[str | int | None, ...]
    keyword_constants: dict[str, object]
    type_error: str = ""  # "expected" in a `try` that catches TypeError, "caught" in its handler


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition known to hold: `subject` (a dotted name, qualified by its scope) is true, false, or (un)equal to a literal."""

    subject: str
    literal: str | None
    holds: bool

    def contradicts(self, other: Guard) -> bool:
        """Whether both cannot hold at once."""
        if self.subject != other.subject:
            return False
        if self.literal == other.literal:
            return self.holds != other.holds
        return self.literal is not None and other.literal is not None and self.holds and other.holds


@dataclass(frozen=True, slots=True)
class ParameterDefault:
    """A keyword that passes on a parameter of the function, which has a literal default and so many parameters before it."""

    name: str
    default: object
    position: int


@dataclass(slots=True)
class Narrow:
    """`target` gets the values of `source` that are (or are not) instances of `classes`, or of a class so named."""

    source: int
    target: int
    classes: tuple[int, ...]
    names: tuple[str, ...]
    positive: bool
    place: Place


@dataclass(slots=True)
class Annotation:
    """`target` is annotated with `cls`. A weak one only counts where no client is known to arrive.

    The target is an instance of the class, holds some as its elements (`list[X]`), or has one somewhere among its attributes
    (`RunContext[X]`, a class of a library).
    """

    cls: int
    target: int
    weak: bool
    place: Place
    held: Held = "itself"


@dataclass(slots=True)
class Usage:
    """Something done with the value of a node that is neither a load, a store nor a call: a truth test, a comparison …."""

    node: int
    kind: str
    place: Place
    detail: str = ""


@dataclass(slots=True)
class Function:
    """A function or lambda. `parameters` in order (without * and **), `positional_only` how many of them take no keyword."""

    name: str
    qualname: str
    place: Place
    owner: int | None
    parameters: list[tuple[str, int]] = field(default_factory=list)
    variadic: int | None = None
    keyword_variadic: int | None = None
    returned: int = NOTHING
    yielded: int = NOTHING
    is_async: bool = False
    is_generator: bool = False
    kind: str = "function"  # function, method, static, class, property
    decorators: tuple[str, ...] = ()
    outer: int | None = None
    value: int = NOTHING


@dataclass(slots=True)
class Class:
    """A class: its base expressions, its methods, and the names annotated in its body in order (fields of a dataclass)."""

    name: str
    place: Place
    bases: list[int] = field(default_factory=list)
    methods: dict[str, int] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    assigned: set[str] = field(default_factory=set)  # attributes that its methods assign to self, not counting None
    delegate: str | None = None  # the attribute that `__getattr__` asks
    value: int = NOTHING


@dataclass(slots=True)
class Import:
    """`node` is bound to a module (`name` None) or to a member of one. `module` may be empty for `from . import x`."""

    node: int
    module: str
    level: int
    name: str | None
    place: Place


@dataclass(slots=True)
class ModeWrite:
    """`async_mode` written into (or deleted from) the dictionary at `base`; `mode` as in `model.AsyncMode`, or "deleted".

    `display` tells a key of the dictionary's own display, which is there for certain.
    """

    base: int
    mode: str
    display: bool
    scope: int
    order: int
    arms: tuple[Arm, ...]
    guards: tuple[Guard, ...] = ()


@dataclass(slots=True)
class HttpAdd:
    """A call that posts to the platform's add endpoint without the SDK. `mode` is that of the JSON body.

    `call` counts the calls of the file from 0. In `url` a `*` stands for what is not known. `waits` is 1 where the call has to be
    awaited (or entered with `async with`). `parsed` tells a function that gives the decoded answer from a library's call, which
    gives a response. `body` is the display that is sent as JSON, where there is one and all of it is there.
    """

    call: int
    mode: str
    url: str
    waits: int = 0
    parsed: bool = False
    body: Place | None = None


@dataclass(slots=True)
class Summary:
    """All facts of one file. Nodes are numbered from 1; `places` and `labels` describe those worth naming."""

    filename: str
    nodes: int = 1
    flows: set[tuple[int, int]] = field(default_factory=set)
    captures: set[tuple[int, int]] = field(default_factory=set)
    loads: list[Load] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    narrows: list[Narrow] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    stars: list[tuple[str, int]] = field(default_factory=list)
    containers: dict[int, Place] = field(default_factory=dict)
    spreads: list[tuple[int, int]] = field(default_factory=list)
    mode_writes: list[ModeWrite] = field(default_factory=list)
    http_adds: list[HttpAdd] = field(default_factory=list)
    http_exhausted: bool = False  # more requests than could be followed
    scope_functions: dict[int, int] = field(default_factory=dict)
    supers: list[tuple[int, int]] = field(default_factory=list)
    mocks: list[int] = field(default_factory=list)  # nodes that hold clients which a test has replaced
    globals: dict[str, int] = field(default_factory=dict)
    unresolved: dict[str, int] = field(default_factory=dict)
    labels: dict[int, tuple[str, str]] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    leaving: set[Arm] = field(default_factory=set)
    texts: set[tuple[int, int]] = field(default_factory=set)
    loops: set[int] = field(default_factory=set)
