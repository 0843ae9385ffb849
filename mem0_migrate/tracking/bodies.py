"""Which `async_mode` the JSON body of a request says: read off dictionaries, within one file."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from mem0_migrate.tracking.bindings import FunctionNode, Write, dotted_tail
from mem0_migrate.tracking.texts import Frame, Texts

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY = "async_mode"
ABSENT, OPEN = "absent", "mapping"
_WORDS = {False: "false", True: "true", None: "none"}
_PACKERS = frozenset(["dumps", "bytes", "urlencode", "jsonable_encoder", "dict", "copy", "deepcopy", "asdict", "JSONBody", "str"])
_SAME = frozenset(["encode", "decode", "copy", "model_dump", "model_dump_json", "dict", "json", "getvalue"])
_PLAIN_BASES = frozenset(["BaseModel", "object", "TypedDict", ""])
_DEPTH = 12


class Bodies:
    """Reads bodies of one file."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._bindings = texts.bindings

    def mode(self, bodies: Iterable[tuple[ast.expr, Frame | None]]) -> str:
        """The `async_mode` of what is sent, as `model.AsyncMode` spells it."""
        found = [self._mode(body, frame, 0) for body, frame in bodies]
        return _merged(found) if found else ABSENT

    def display(self, bodies: Iterable[tuple[ast.expr, Frame | None]]) -> ast.Dict | None:
        """The one display that is sent, where it can be seen to be one."""
        nodes = [node for node, _ in bodies]
        for _ in range(_DEPTH):
            if len(nodes) != 1:
                return None
            node = nodes[0]
            if isinstance(node, ast.Dict):
                return node
            if isinstance(node, ast.Name):
                bindings = self._bindings.reaching(node)[1]
                nodes = [item.value for item in bindings if isinstance(item.value, ast.expr) and item.form == "value"]
                if len(nodes) != len(bindings):
                    return None
            elif isinstance(node, ast.Call) and dotted_tail(node.func) == "dumps":
                nodes = node.args[:1]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "encode":
                nodes = [node.func.value]
            else:
                return None
        return None

    def _mode(self, node: ast.expr, frame: Frame | None, depth: int) -> str:
        if depth > _DEPTH:
            return OPEN
        depth += 1
        if isinstance(node, ast.Dict):
            return self._display(node, frame, depth)
        if isinstance(node, ast.Name):
            return self._name(node, frame, depth)
        if isinstance(node, ast.Call):
            return self._call(node, frame, depth)
        if isinstance(node, ast.DictComp):
            return self._comprehension(node, frame, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return _over(self._mode(node.left, frame, depth), self._mode(node.right, frame, depth))
        if isinstance(node, ast.IfExp):
            return _merged([self._mode(node.body, frame, depth), self._mode(node.orelse, frame, depth)])
        if isinstance(node, ast.BoolOp):
            return _merged([self._mode(value, frame, depth) for value in node.values])
        if isinstance(node, ast.Constant):
            return _constant(node.value)
        if isinstance(node, (ast.List, ast.Tuple)):
            return ABSENT
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return self._held(node, frame, depth)
        return OPEN

    def _display(self, node: ast.Dict, frame: Frame | None, depth: int) -> str:
        mode = ABSENT
        for key, value in zip(node.keys, node.values, strict=True):
            mode = self._keyed(mode, key, value, frame) if key else _over(mode, self._mode(value, frame, depth))
        return mode

    def _keyed(self, mode: str, key: ast.expr, value: ast.expr | None, frame: Frame | None) -> str:
        """The mode after one more key is set."""
        if isinstance(key, ast.Constant):
            return _of_value(value) if key.value == KEY else mode
        texts = self._texts.texts(key, frame)
        if KEY in texts:
            return _merged([mode, _of_value(value)])
        return mode if all(text.isidentifier() for text in texts) else OPEN

    def _name(self, node: ast.Name, frame: Frame | None, depth: int) -> str:
        scope, reaching = self._bindings.reaching(node)
        found = []
        for binding in reaching:
            value = binding.value
            if isinstance(value, ast.arg):
                passed = frame.arguments.get(node.id) if frame is not None and scope is frame.function else None
                found.append(self._mode(*passed, depth) if passed is not None else OPEN)
            elif isinstance(value, ast.expr) and binding.form == "value":
                found.append(self._mode(value, frame if frame and scope is frame.function else None, depth))
            else:
                found.append(OPEN)
        mode = _merged(found) if found else OPEN
        if scope is not self._bindings.scope(node):
            return mode
        for write, surely in self._bindings.writes(node):
            if not self._texts.spend():
                return OPEN
            after = self._written(mode, write, frame, depth)
            mode = after if surely else _merged([mode, after])
        return mode

    def _written(self, mode: str, write: Write, frame: Frame | None, depth: int) -> str:
        node = write.node
        if isinstance(node, ast.Subscript):
            if write.value is None and isinstance(node.ctx, ast.Del):
                return ABSENT if isinstance(node.slice, ast.Constant) and node.slice.value == KEY else mode
            return self._keyed(mode, node.slice, write.value, frame)
        name = dotted_tail(node.func)
        if name == "update":
            for argument in node.args:
                mode = _over(mode, self._mode(argument, frame, depth))
            return self._keywords(mode, node, frame, depth)
        if not node.args or not isinstance(node.args[0], ast.Constant) or node.args[0].value != KEY:
            return mode
        if name == "pop":
            return ABSENT
        default = node.args[1] if len(node.args) > 1 else None
        return _of_value(default) if mode == ABSENT else mode if mode != OPEN else "dynamic"

    def _keywords(self, mode: str, node: ast.Call, frame: Frame | None, depth: int) -> str:
        for keyword in node.keywords:
            if keyword.arg is None:
                mode = _over(mode, self._mode(keyword.value, frame, depth))
            elif keyword.arg == KEY:
                mode = _of_value(keyword.value)
        return mode

    def _call(self, node: ast.Call, frame: Frame | None, depth: int) -> str:
        functions = list(self._texts.called(node, frame))
        if functions:
            return _merged([mode for function in functions for mode in self._returned(function, node, frame, depth)] or [OPEN])
        tail = dotted_tail(node.func)
        built = self._model(node, frame)
        if built is not None:
            return built
        if isinstance(node.func, ast.Attribute) and (tail == "encode" or (tail in _SAME and not node.args)):
            return self._mode(node.func.value, frame, depth)
        if tail in _PACKERS:
            mode = self._mode(node.args[0], frame, depth) if node.args else ABSENT
            return self._keywords(mode, node, frame, depth) if tail == "dict" else mode
        return OPEN

    def _returned(self, function: FunctionNode, node: ast.Call, frame: Frame | None, depth: int) -> list[str]:
        inner = Frame(function, self._texts.arguments(node, function, frame))
        return [self._mode(value, inner, depth) for value in self._bindings.returned(function)]

    def _model(self, node: ast.Call, frame: Frame | None) -> str | None:
        """The mode of an instance of a class of this file, as its fields and the arguments say."""
        for known, _ in self._texts.resolve(node.func, frame):
            if isinstance(known, ast.ClassDef):
                if any(dotted_tail(base) not in _PLAIN_BASES for base in known.bases):
                    return OPEN
                passed = self._keywords(ABSENT, node, frame, _DEPTH)
                fields = {dotted_tail(item.target): item.value for item in known.body if isinstance(item, ast.AnnAssign)}
                if KEY not in fields:
                    return ABSENT
                return _of_value(fields[KEY]) if passed == ABSENT else passed
        return None

    def _comprehension(self, node: ast.DictComp, frame: Frame | None, depth: int) -> str:
        """`{k: v for k, v in d.items() if …}` says what `d` says; other comprehensions may say anything."""
        source = node.generators[0].iter
        if len(node.generators) == 1 and isinstance(source, ast.Call) and dotted_tail(source.func) == "items":
            assert isinstance(source.func, ast.Attribute)  # noqa: S101 (shown by its tail and by having no plain name)
            return self._mode(source.func.value, frame, depth)
        return OPEN

    def _held(self, node: ast.Attribute | ast.Subscript, frame: Frame | None, depth: int) -> str:
        """What an attribute or an element is bound to, if that is a display that nothing can have changed since."""
        found = self._texts.resolve(node, frame)
        if isinstance(node, ast.Attribute) or any(value is node or not isinstance(value, ast.Dict) for value, _ in found):
            return OPEN
        return _merged([self._mode(value, inner, depth) for value, inner in found if isinstance(value, ast.expr)])


def _of_value(value: ast.expr | None) -> str:
    if isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool)):
        return _WORDS[value.value]
    return "dynamic"


def _constant(value: object) -> str:
    """A body that is spelt out, or no body."""
    if isinstance(value, (str, bytes)):
        try:
            spelt = json.loads(value)
        except (ValueError, RecursionError):
            return OPEN
        if isinstance(spelt, dict) and KEY in spelt:
            said = spelt[KEY]
            return _WORDS[said] if said is None or isinstance(said, bool) else "dynamic"
    return ABSENT


def _over(below: str, above: str) -> str:
    """Two mappings merged: what the later says counts, unless it says nothing."""
    return below if above == ABSENT else above


def _merged(modes: list[str]) -> str:
    """One of several: the same, or open if one is, else decided at run time."""
    first = modes[0]
    if all(mode == first for mode in modes):
        return first
    return OPEN if OPEN in modes else "dynamic"
