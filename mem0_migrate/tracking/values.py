"""What a node can hold. Values are plain tuples whose first element names their kind, so that they hash and sort fast.

| value | meaning |
| --- | --- |
| ("library", dotted) | a module, or a member of one, that is not in the code base |
| ("module", filename) | a module of the code base |
| ("sdk", class name) | a client class of mem0ai |
| ("build", class name) | a class method of it that builds a client |
| ("client", kind, origin node) | a client, and where it was constructed or annotated |
| ("method", client, name, reference node) | a bound method of a client |
| ("function", filename, index), ("bound", filename, index) | a function; one whose first parameter is bound |
| ("class", filename, index), ("instance", filename, index) | a class, and all its instances |
| ("super", filename, index) | `super()` in a class |
| ("container", node), ("entries", node), ("entry", node) | a display or dict() call; its items(), one of its (key, value) pairs |
| ("operation", container, name) | a method of a container |
| ("generator", filename, index) | what calling a generator function gives |
| ("partial", call) | functools.partial |
| ("answer", site, waits, path) | what `add` returned, `waits` awaits away, below the keys of `path` |
| ("reading", answer, name) | a method of an answer, such as `get` |
| ("response", site, waits) | an HTTP response that carries an answer |
"""

from __future__ import annotations

from typing import Any

Value = tuple[Any, ...]
Context = tuple[int, ...]

PATH_DEPTH = 4

# Kinds of edges: as it is; into a function, out of a function (both of a call); without context.
PLAIN, ENTER, EXIT, CLEAR = range(4)

# How many calls a value remembers on its way into functions. What says something about a client remembers most; what only helps
# to find out which function is called gets by with one or none.
_DEPTH = {
    "function": 1,
    "bound": 1,
    "class": 1,
    "instance": 1,
    "library": 0,
    "module": 0,
    "generator": 0,
    "super": 0,
    "operation": 0,
}
_FULL_DEPTH = 2

# Values that are, hold or build a client or an answer.
DIRECT = frozenset(["client", "method", "answer", "response", "reading", "sdk", "build"])


def entered(value: Value, context: Context, call: int) -> Context:
    """The context of a value that goes into a function as an argument of `call`."""
    depth = _DEPTH.get(value[0], _FULL_DEPTH)
    return (*context, call)[-depth:] if depth else ()


def client(kind: str, origin: int) -> Value:
    """A client constructed at node `origin`."""
    return ("client", kind, origin)


def answer(site: int, waits: int, path: tuple[str, ...] = ()) -> Value:
    """The answer of a site, `waits` awaits away."""
    return ("answer", site, waits, path)
