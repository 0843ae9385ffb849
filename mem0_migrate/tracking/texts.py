"""Which texts an expression can be: literals, and what they are bound to and put together from, within one file.

A text holds unknown parts as `UNKNOWN` marks around the words that the source has for them: the name of a parameter, of an
environment variable, of a setting. Evaluation is bounded: what takes too long or has too many outcomes is unknown.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from mem0_migrate.tracking.bindings import Bindings, FunctionNode, Parameter, dotted_tail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OPEN, CLOSE = "\ue000", "\ue001"  # private use: they do not occur in sources
UNKNOWN = re.compile(f"{OPEN}[^{CLOSE}]*{CLOSE}")

_ALTERNATIVES = 8
_STEPS = 3_000  # of one question
_ALLOWANCE = 100_000  # of one file: about a second
_PARTS = 100
_DEPTH = 30
_CONVERSION = re.compile(r"%(?:\((\w+)\))?[#0\- +]*(?:\*|\d+)?(?:\.\d+)?[sdrif]")
_LONGEST = 2_000
_ARGUMENTS = {"strip": (0, 1), "rstrip": (0, 1), "lstrip": (0, 1), "removesuffix": (1,), "removeprefix": (1,), "replace": (2,)}
_SAME = frozenset(["as_uri", "encode", "decode", "geturl", "human_repr", "unicode_string", "get_secret_value", "lower"])


@dataclass(frozen=True, slots=True)
class Frame:
    """A call of a function of this file: what its parameters are, each with the frame that its expression is read in."""

    function: FunctionNode
    arguments: dict[str, tuple[ast.expr, Frame | None]] = field(default_factory=dict)


Node = ast.expr | ast.stmt | ast.arg | ast.alias
Found = tuple[Node, Frame | None]


class Texts:
    """Evaluates expressions of one file; `refill` its budget before each question."""

    def __init__(self, tree: ast.Module) -> None:
        self.bindings = Bindings(tree)
        self._steps = 0
        self._allowance = _ALLOWANCE
        self._busy: set[tuple[int, int]] = set()

    @property
    def exhausted(self) -> bool:
        """Whether the file has used up all its steps: questions from here on were not answered in full."""
        return self._allowance <= 0

    def refill(self) -> None:
        """Allow the next question its own number of steps, as long as there are any left for the file."""
        self._steps = min(_STEPS, self._allowance)

    def spend(self) -> bool:
        """Take one step; False if there is none left."""
        self._steps -= 1
        self._allowance -= 1
        return self._steps >= 0

    # -- what a name means -------------------------------------------------------------------------------------------------------

    def resolve(self, node: Node, frame: Frame | None = None, depth: int = 0) -> list[Found]:
        """The expressions, definitions or imports that an expression stands for; itself where that is not known."""
        key = (id(node), id(frame))
        if not self.spend() or depth > _DEPTH or key in self._busy:
            return [(node, frame)]
        self._busy.add(key)
        try:
            found = self._followed(node, frame, depth + 1)
        finally:
            self._busy.discard(key)
        return found[:_ALTERNATIVES]

    def _followed(self, node: Node, frame: Frame | None, depth: int) -> list[Found]:
        if isinstance(node, ast.Name):
            return self._name(node, frame, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, frame, depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, frame, depth)
        if isinstance(node, ast.IfExp):
            return [*self.resolve(node.body, frame, depth), *self.resolve(node.orelse, frame, depth)]
        if isinstance(node, ast.BoolOp):
            values = node.values if isinstance(node.op, ast.Or) else node.values[-1:]
            return [found for value in values for found in self.resolve(value, frame, depth) if not _empty(found[0])]
        if isinstance(node, (ast.NamedExpr, ast.Await)):
            return self.resolve(node.value, frame, depth)
        if isinstance(node, ast.Call):
            return self._returned(node, frame, depth) or [(node, frame)]
        return [(node, frame)]

    def _name(self, node: ast.Name, frame: Frame | None, depth: int) -> list[Found]:
        found: list[Found] = []
        scope, reaching = self.bindings.reaching(node)
        for binding in reaching:
            value = binding.value
            if value is None:
                found.append((node, frame))
            elif binding.form == "element":
                found += self._elements(value, frame, depth) or [(node, frame)]
            elif isinstance(value, ast.arg):
                assert isinstance(scope, FunctionNode)  # noqa: S101 (only a function has parameters)
                found += self._parameter(self.bindings.parameters[scope][node.id], frame, depth)
            else:
                found += self.resolve(value, frame if frame and scope is frame.function else None, depth)
        return found or [(node, frame)]

    def _parameter(self, parameter: Parameter, frame: Frame | None, depth: int) -> list[Found]:
        """An argument of the call that is looked into; else the default and what constructions in this file pass."""
        if frame is not None and frame.function is parameter.function:
            passed = frame.arguments.get(parameter.node.arg)
            if passed is not None:
                return self.resolve(*passed, depth)
        found: list[Found] = []
        if parameter.default is not None and not _empty(parameter.default):
            found += self.resolve(parameter.default, None, depth)
        if frame is None or frame.function is not parameter.function:
            for call in self.bindings.constructions(parameter.function):
                passed = self.arguments(call, parameter.function, None).get(parameter.node.arg)
                if passed is not None:
                    found += self.resolve(*passed, depth)
        return found or [(parameter.node, None)]

    def arguments(self, call: ast.Call, function: FunctionNode, frame: Frame | None) -> dict[str, tuple[ast.expr, Frame | None]]:
        """What a call passes for the parameters of a function of this file, by name."""
        names = [name for name, parameter in self.bindings.parameters.get(function, {}).items() if not parameter.variadic]
        if self.bindings.owner(function) is not None and not self.bindings.is_static(function):
            names = names[1:]
        passed: dict[str, tuple[ast.expr, Frame | None]] = {}
        for name, argument in zip(names, call.args, strict=False):
            if isinstance(argument, ast.Starred):
                break
            passed[name] = (argument, frame)
        for keyword in call.keywords:
            if keyword.arg is not None:
                passed[keyword.arg] = (keyword.value, frame)
        return passed

    def _elements(self, iterable: ast.expr | ast.stmt | ast.arg | ast.alias, frame: Frame | None, depth: int) -> list[Found]:
        found: list[Found] = []
        for node, inner in self.resolve(iterable, frame, depth):
            if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
                found += [item for element in node.elts for item in self.resolve(element, inner, depth)]
        return found

    def _attribute(self, node: ast.Attribute, frame: Frame | None, depth: int) -> list[Found]:
        found: list[Found] = []
        for owner in self.classes(node.value, frame, depth):
            for value in self.bindings.members(owner, node.attr):
                if isinstance(value, FunctionNode):
                    if self.bindings.is_property(value):
                        found += self.returns(value, Frame(value), depth)
                    else:
                        found.append((value, None))
                elif not _empty(value):
                    found += self.resolve(value, None, depth)
        if not found and node.attr == "value":  # of a member of an enumeration
            found = [item for item in self.resolve(node.value, frame, depth) if isinstance(item[0], ast.Constant)]
        return found or [(node, frame)]

    def classes(self, node: ast.expr, frame: Frame | None, depth: int = 0) -> list[ast.ClassDef]:
        """The classes of this file that a value may be an instance of, or that it is."""
        if isinstance(node, ast.Name):
            own = self.bindings.own_class(node)
            if own is not None:
                return [own]
        found = []
        for value, inner in self.resolve(node, frame, depth):
            named: list[Found] = [(value, inner)]
            if isinstance(value, ast.Call):
                named = self.resolve(value.func, inner, depth + 1)
            elif isinstance(value, ast.arg) and value.annotation is not None:
                named = self.resolve(_class_expression(value.annotation), None, depth + 1)
            found += [item for item, _ in named if isinstance(item, ast.ClassDef)]
        return found

    def _subscript(self, node: ast.Subscript, frame: Frame | None, depth: int) -> list[Found]:
        found: list[Found] = []
        for held, inner in self.resolve(node.value, frame, depth):
            if isinstance(held, ast.Dict):
                wanted = set(self.texts(node.slice, frame, depth))
                for key, value in zip(held.keys, held.values, strict=True):
                    if isinstance(key, ast.Constant) and wanted.issuperset(_constant(key.value) or [OPEN]):
                        found += self.resolve(value, inner, depth)
            elif isinstance(held, (ast.List, ast.Tuple)) and isinstance(node.slice, ast.Constant):
                number = node.slice.value
                if isinstance(number, int) and -len(held.elts) <= number < len(held.elts):
                    found += self.resolve(held.elts[number], inner, depth)
        return found or [(node, frame)]

    def called(self, call: ast.Call, frame: Frame | None, depth: int = 0) -> Iterator[FunctionNode]:
        """The functions of this file that a call may run."""
        if isinstance(call.func, (ast.Name, ast.Attribute)):
            for function, _ in self.resolve(call.func, frame, depth):
                if isinstance(function, FunctionNode):
                    yield function

    def _returned(self, call: ast.Call, frame: Frame | None, depth: int) -> list[Found]:
        found: list[Found] = []
        for function in self.called(call, frame, depth):
            found += self.returns(function, Frame(function, self.arguments(call, function, frame)), depth)
        return found

    def returns(self, function: FunctionNode, frame: Frame, depth: int = 0) -> list[Found]:
        """What a function of this file returns."""
        values = [value for value in self.bindings.returned(function) if not _empty(value)]
        return [found for value in values for found in self.resolve(value, frame, depth)]

    # -- texts -------------------------------------------------------------------------------------------------------------------

    def texts(self, node: ast.expr, frame: Frame | None = None, depth: int = 0) -> list[str]:
        """The texts that an expression can be, at most a few; an unknown one where nothing is known."""
        found: dict[str, None] = {}
        for value, inner in self.resolve(node, frame, depth):
            found.update(dict.fromkeys(self._spelt(value, inner, depth + 1)))
        return list(found)[:_ALTERNATIVES] or [unknown(node)]

    def _spelt(self, node: Node, frame: Frame | None, depth: int) -> Iterable[str]:
        if self._steps < 0 or depth > _DEPTH:
            return [unknown(node)]
        if isinstance(node, ast.Constant):
            return _constant(node.value)
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
            return self._joined(parts, frame, depth)
        if isinstance(node, ast.BinOp):
            return self._combined(node, frame, depth)
        if isinstance(node, ast.Call):
            return self._call(node, frame, depth)
        return [unknown(node)]

    def _joined(self, parts: Sequence[ast.expr], frame: Frame | None, depth: int, glue: str = "") -> list[str]:
        known = [self.texts(part, frame, depth) for part in parts]
        return _product(known, glue)

    def _combined(self, node: ast.BinOp, frame: Frame | None, depth: int) -> Iterable[str]:
        if isinstance(node.op, ast.Mod):
            values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            found: list[str] = []
            for pattern in self.texts(node.left, frame, depth):
                named = self._keys(node.right, frame, depth) if isinstance(node.right, ast.Dict) else None
                found += self._filled(_CONVERSION, pattern, values, named or {}, frame, depth)
            return found
        parts: list[ast.expr] = []
        spine: ast.expr = node
        while isinstance(spine, ast.BinOp) and type(spine.op) is type(node.op):
            parts.append(spine.right)
            spine = spine.left
        parts.append(spine)
        parts.reverse()
        if len(parts) > _PARTS:
            return [unknown(node)]
        if isinstance(node.op, ast.Add):
            return self._joined(parts, frame, depth)
        if isinstance(node.op, ast.Div):  # yarl.URL, pathlib
            known = [[text.strip("/") if number else text.rstrip("/") for text in self.texts(part, frame, depth)]
                     for number, part in enumerate(parts)]  # fmt: skip
            return _product(known, "/")
        return [unknown(node)]

    def _keys(self, node: ast.Dict, frame: Frame | None, depth: int) -> dict[str, list[str]]:
        pairs = zip(node.keys, node.values, strict=True)
        return {text: self.texts(value, frame, depth) for key, value in pairs if key and (text := _spelt_out(key))}

    def _filled(
        self, holes: re.Pattern[str], pattern: str, values: Sequence[ast.expr], named: dict[str, list[str]], frame: Frame | None,
        depth: int,
    ) -> list[str]:  # fmt: skip
        """The pattern with its holes filled, by name or in order."""
        parts: list[list[str]] = []
        position = number = 0
        for hole in holes.finditer(pattern):
            parts.append([pattern[position : hole.start()]])
            position = hole.end()
            name = hole.group(1) or str(number)
            if name in named:
                parts.append(named[name])
            elif name.isdigit() and int(name) < len(values):
                parts.append(self.texts(values[int(name)], frame, depth))
            else:
                parts.append([f"{OPEN}{name}{CLOSE}"])
            number += not hole.group(1)
        parts.append([pattern[position:]])
        return _product(parts, "")

    def _call(self, node: ast.Call, frame: Frame | None, depth: int) -> Iterable[str]:
        tail = dotted_tail(node.func)
        arguments = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
        if isinstance(node.func, ast.Attribute):
            found = self._method(node, node.func, tail, arguments, frame, depth)
            if found is not None:
                return found
        if tail == "urljoin" and len(arguments) > 1:
            return [_url_joined(*pair) for pair in product(*(self.texts(argument, frame, depth) for argument in arguments[:2]))]
        if tail in ("getenv", "get") and len(arguments) > 1 and not _empty(arguments[1]):
            return self.texts(arguments[1], frame, depth)
        given = [*arguments, *(keyword.value for keyword in node.keywords)]
        addresses = [text for argument in given for text in self.texts(argument, frame, depth) if "://" in text]
        return addresses or [unknown(node)]  # URL(…), Field(default=…), env(…, default=…): the address in it

    def _method(
        self, node: ast.Call, func: ast.Attribute, tail: str, arguments: list[ast.expr], frame: Frame | None, depth: int
    ) -> list[str] | None:
        """A method of a text, or None."""
        if tail in _ARGUMENTS:
            given = [text for argument in arguments if (text := _spelt_out(argument)) and len(text) < _PARTS]
            if len(given) == len(arguments) and len(given) in _ARGUMENTS[tail] and not node.keywords:
                return [getattr(text, tail)(*given) for text in self.texts(func.value, frame, depth)]
        elif tail in _SAME:
            return self.texts(func.value, frame, depth)
        elif tail == "format":
            named = {keyword.arg: self.texts(keyword.value, frame, depth) for keyword in node.keywords if keyword.arg}
            patterns = self.texts(func.value, frame, depth)
            return [text for pattern in patterns for text in self._filled(_HOLE, pattern, arguments, named, frame, depth)]
        elif tail == "join" and len(arguments) == 1 and isinstance(arguments[0], (ast.List, ast.Tuple)):
            glues = self.texts(func.value, frame, depth)
            return [text for glue in glues for text in self._joined(arguments[0].elts, frame, depth, glue)]
        return None


_HOLE = re.compile(r"\{(\w*)[^{}]*\}")


def unknown(node: Node) -> str:
    """The mark of an expression that is not known, with the words that the source has for it."""
    return f"{OPEN}{words(node)}{CLOSE}"


def words(node: Node) -> str:
    """Names and literal keys that an expression is made of: `os.environ["A"]` gives `os.environ.A`."""
    parts: list[str] = []
    current: Node = node
    for _ in range(_DEPTH):
        if isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        elif isinstance(current, ast.Subscript):
            parts += filter(None, [_spelt_out(current.slice)])
            current = current.value
        elif isinstance(current, ast.Call):
            parts += filter(None, map(_spelt_out, reversed(current.args)))
            current = current.func
        else:
            break
    if isinstance(current, ast.Name):
        parts.append(current.id)
    elif isinstance(current, ast.arg):
        parts.append(current.arg)
    elif isinstance(current, ast.alias):
        parts.append(current.name)
    return ".".join(reversed(parts))


def _spelt_out(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _class_expression(annotation: ast.expr) -> ast.expr:
    """The class in `X`, `"X"`, `X | None`, `Optional[X]`."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _class_expression(annotation.left)
    if isinstance(annotation, ast.Subscript):
        return _class_expression(annotation.slice)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str) and annotation.value.isidentifier():
        return ast.copy_location(ast.Name(annotation.value, ast.Load()), annotation)
    return annotation


def _empty(node: Node) -> bool:
    """Whether an expression is `None` or an empty text, which only stands in for another."""
    return isinstance(node, ast.Constant) and node.value in (None, "")


def _constant(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    return [str(value)] if isinstance(value, int) and value.bit_length() < 64 else []  # noqa: PLR2004 (an ordinary number)


def _product(parts: Sequence[Sequence[str]], glue: str) -> list[str]:
    """Every way to choose one text of each part, joined; the first few."""
    found = [""]
    for number, choices in enumerate(parts):
        found = [text + (glue if number else "") + choice for text in found for choice in choices][:_ALTERNATIVES]
        found = [text if len(text) < _LONGEST else OPEN + CLOSE for text in found]
    return found


def _url_joined(base: str, url: str) -> str:
    mark = UNKNOWN.match(base)
    if mark is not None:
        return f"{mark.group()}/{url.lstrip('/')}" if url else base
    try:
        return urljoin(base, url)
    except ValueError:  # not addresses
        return OPEN + CLOSE
