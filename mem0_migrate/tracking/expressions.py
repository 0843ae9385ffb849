"""Read expressions of one file into facts: each expression becomes a node that stands for all its values."""

from __future__ import annotations

import ast

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import mocks
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.constants import keyword_constants
from mem0_migrate.tracking.recorder import KEEPING, Recorder, dotted, item_key, mode_of, place
from mem0_migrate.tracking.summary import NOTHING

_STANDING_FOR = frozenset(["Annotated", "Optional", "Union", "Provide", "Closing"])  # aliases of a type, injected dependencies


class ExpressionReader(Recorder):
    """Turns expressions into nodes and facts; `statements.Summariser` drives it through a file."""

    # -- expressions -------------------------------------------------------------------------------------------------------------

    def read(self, node: ast.expr | None) -> int:
        """The node that stands for the values of an expression."""
        if node is None:
            return NOTHING
        kind = type(node)
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = getattr(self, "_" + kind.__name__, self._other)
        return handler(node)

    def _other(self, node: ast.expr) -> int:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.read(child)
        return NOTHING

    def _Constant(self, node: ast.Constant) -> int:  # noqa: ARG002, N802
        return NOTHING

    def _Name(self, node: ast.Name) -> int:  # noqa: N802
        target = self.node_for(node)
        sources = self.lookup(node.id)
        scope = self.scope
        if node.id in scope.now or node.id in scope.cells or scope.parent is None:
            self.flow(sources, target)
        else:
            self.summary.captures.update((source, target) for source in sources)
        return target

    def _Attribute(self, node: ast.Attribute) -> int:  # noqa: N802
        path = dotted(node)
        if path is not None:
            known = self.scope.now.get(path)
            if known is not None:
                target = self.node_for(node)
                self.summary.places.setdefault(target, place(node))
                self.flow(known, target)
                return target
        base = self.read(node.value)
        target = self.node_for(node)
        self._load(base, "." + node.attr, target, node)
        self._may_be_kept(node, target)
        return target

    def _Subscript(self, node: ast.Subscript) -> int:  # noqa: N802
        if (dotted(node.value) or "").rpartition(".")[2] in _STANDING_FOR:
            target = self.node_for(node)
            elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            self.flow([self.read(element) for element in elements], target)
            return target
        base = self.read(node.value)
        target = self.node_for(node)
        index = node.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, (str, int)):
            self._load(base, item_key(index.value), target, node)
        elif isinstance(index, ast.Slice):
            self.read(index)
            self.flow((base,), target)
            self.use(node.value, base, "iterated", whole=node)
        elif isinstance(index, ast.UnaryOp) and isinstance(index.operand, ast.Constant):
            self._load(base, facts.ANY_ITEM, target, node)
        else:
            self.read(index)
            keys = self.scope.literals.get(index.id) if isinstance(index, ast.Name) else None
            for key in keys or ():
                self._load(base, f"[{key}", target, node)
            if not keys:
                self._load(base, facts.ANY_ITEM, target, node)
        self._may_be_kept(node, target)
        return target

    def _Slice(self, node: ast.Slice) -> int:  # noqa: N802
        for part in (node.lower, node.upper, node.step):
            self.read(part)
        return NOTHING

    def _Await(self, node: ast.Await) -> int:  # noqa: N802
        target = self.node_for(node)
        self._load(self.read(node.value), facts.AWAIT, target, node)
        return target

    def _Starred(self, node: ast.Starred) -> int:  # noqa: N802
        return self.read(node.value)

    def _NamedExpr(self, node: ast.NamedExpr) -> int:  # noqa: N802
        value = self.read(node.value)
        self.assign(node.target.id, value)
        return value

    def _BoolOp(self, node: ast.BoolOp) -> int:  # noqa: N802
        saved, guards = self.scope.now, self.scope.guards
        self.scope.now = dict(saved)
        operands = []
        for number, operand in enumerate(node.values):
            operands.append(self.read(operand))
            if number + 1 < len(node.values):
                self.use(operand, operands[-1], "truth")
                self.assume(operand, isinstance(node.op, ast.And))
        walrus = {name: nodes for name, nodes in self.scope.now.items() if "." not in name and name not in saved}
        self.scope.now, self.scope.guards = {**saved, **walrus}, guards
        return self.join_nodes(operands)

    def _IfExp(self, node: ast.IfExp) -> int:  # noqa: N802
        self.use(node.test, self.read(node.test), "truth")
        saved, guards, arms = self.scope.now, self.scope.guards, self.scope.arms
        branch = self.new_branch()
        values = []
        for arm, (value, holds) in enumerate(((node.body, True), (node.orelse, False))):
            self.scope.now, self.scope.guards, self.scope.arms = dict(saved), guards, (*arms, (branch, arm))
            self.assume(node.test, holds)
            values.append(self.read(value))
        self.scope.now, self.scope.guards, self.scope.arms = saved, guards, arms
        return self.join_nodes(values)

    def _UnaryOp(self, node: ast.UnaryOp) -> int:  # noqa: N802
        operand = self.read(node.operand)
        if isinstance(node.op, ast.Not):
            self.use(node.operand, operand, "truth")
        return NOTHING

    def _BinOp(self, node: ast.BinOp) -> int:  # noqa: N802
        left, right = self.read(node.left), self.read(node.right)
        if isinstance(node.op, ast.Mod) and isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            self.use(node.right, right, "formatted")
            return NOTHING
        if isinstance(node.op, (ast.BitOr, ast.Add)):
            if isinstance(node.op, ast.BitOr):  # two dictionaries merged
                target = self.container(node)
                self.summary.spreads += [(target, value) for value in (left, right) if value != NOTHING]
            else:
                target = self.node_for(node)
            self.flow((left, right), target)
            self.use(node.left, left, "combined")
            self.use(node.right, right, "combined")
            return target
        return NOTHING

    def _Compare(self, node: ast.Compare) -> int:  # noqa: N802
        operands = [node.left, *node.comparators]
        values = [self.read(operand) for operand in operands]
        for number, operator in enumerate(node.ops):
            right = operands[number + 1]
            if isinstance(operator, (ast.In, ast.NotIn)):
                left = operands[number]
                key = left.value if isinstance(left, ast.Constant) and isinstance(left.value, str) else ""
                self.use(right, values[number + 1], "contains", key, node)
            elif isinstance(operator, (ast.Is, ast.IsNot)):
                continue
            else:
                for side in (number, number + 1):
                    other = operands[2 * number + 1 - side]
                    if isinstance(other, ast.Constant) and other.value is None:
                        continue
                    text = other.value if isinstance(other, ast.Constant) and isinstance(other.value, str) else ""
                    self.use(operands[side], values[side], "compared", text, node)
        return NOTHING

    def _JoinedStr(self, node: ast.JoinedStr) -> int:  # noqa: N802
        target = self.node_for(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.read(part.value)
                self.use(part.value, value, "formatted")
                if value != NOTHING:
                    self.summary.texts.add((value, target))
        return target

    def _Tuple(self, node: ast.Tuple) -> int:  # noqa: N802
        return self._sequence(node, node.elts)

    def _List(self, node: ast.List) -> int:  # noqa: N802
        return self._sequence(node, node.elts)

    def _Set(self, node: ast.Set) -> int:  # noqa: N802
        return self._sequence(node, node.elts)

    def _sequence(self, node: ast.expr, elements: list[ast.expr]) -> int:
        target = self.container(node)
        precise = not any(isinstance(element, ast.Starred) for element in elements)
        for number, element in enumerate(elements):
            value = self.read(element)
            if isinstance(element, ast.Starred):
                item = self.node_for((element, "*"))
                self._load(value, facts.ITERATE, item, element)
                self._store(target, facts.ANY_ITEM, item, element)
            else:
                self._store(target, f"[{number}" if precise else facts.ANY_ITEM, value, element)
        return target

    def _Dict(self, node: ast.Dict) -> int:  # noqa: N802
        target = self.container(node)
        for key, value in zip(node.keys, node.values, strict=True):
            held = self.read(value)
            if key is None:
                self.summary.spreads.append((target, held))
                self.use(value, held, "spread")
            elif isinstance(key, ast.Constant) and isinstance(key.value, (str, int)):
                if key.value == "async_mode":
                    self.mode_write(target, mode_of(value), display=True)
                self._store(target, item_key(key.value), held, value)
            else:
                self._store(target, facts.ANY_ITEM, self.read(key), key)
                if not self._enumerated_keys(key):
                    self.summary.spreads.append((target, NOTHING))
                self._store(target, facts.ANY_ITEM, held, value)
        return target

    def _enumerated_keys(self, key: ast.expr) -> bool:
        """Whether the key runs over literals of the source that do not include `async_mode`."""
        keys = self.scope.literals.get(key.id) if isinstance(key, ast.Name) else None
        return bool(keys) and "async_mode" not in (keys or ())

    def _Lambda(self, node: ast.Lambda) -> int:  # noqa: N802
        raise NotImplementedError

    def _ListComp(self, node: ast.ListComp) -> int:  # noqa: N802
        return self._comprehension(node, node.generators, node.elt)

    def _SetComp(self, node: ast.SetComp) -> int:  # noqa: N802
        return self._comprehension(node, node.generators, node.elt)

    def _GeneratorExp(self, node: ast.GeneratorExp) -> int:  # noqa: N802
        return self._comprehension(node, node.generators, node.elt)

    def _DictComp(self, node: ast.DictComp) -> int:  # noqa: N802
        return self._comprehension(node, node.generators, node.value, node.key)

    def _comprehension(
        self, node: ast.expr, generators: list[ast.comprehension], element: ast.expr, key: ast.expr | None = None
    ) -> int:
        saved, guards, literals = self.scope.now, self.scope.guards, self.scope.literals
        self.scope.now, self.scope.literals = dict(saved), dict(literals)
        for generator in generators:
            self.iterate(generator.iter, generator.target)
            for test in generator.ifs:
                self.use(test, self.read(test), "truth")
                self.assume(test, holds=True)
        target = self.container(node)
        if key is not None:
            self._store(target, facts.ANY_ITEM, self.read(key), key)
            if not self._filtered_copy(generators, key, element) and not self._enumerated_keys(key):
                self.summary.spreads.append((target, NOTHING))
        self._store(target, facts.ANY_ITEM, self.read(element), element)
        if key is not None and isinstance(element, ast.Name):
            for generator in generators:
                if self._filtered_copy(generators, key, element):
                    inner = generator.iter
                    assert isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute)  # noqa: S101, PT018 (shown by _filtered_copy)
                    self.summary.spreads.append((target, self.read(inner.func.value)))
        self.scope.now, self.scope.guards, self.scope.literals = saved, guards, literals
        return target

    @staticmethod
    def _filtered_copy(generators: list[ast.comprehension], key: ast.expr, element: ast.expr) -> bool:
        """`{k: v for k, v in d.items() if …}`: no key that `d` has not."""
        if len(generators) != 1:
            return False
        inner, target = generators[0].iter, generators[0].target
        return (
            isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Attribute)
            and inner.func.attr == "items"
            and isinstance(target, ast.Tuple)
            and len(target.elts) == 2  # noqa: PLR2004 (key and value)
            and isinstance(key, ast.Name)
            and isinstance(target.elts[0], ast.Name)
            and key.id == target.elts[0].id
            and isinstance(element, ast.expr)
        )

    def _Yield(self, node: ast.Yield) -> int:  # noqa: N802
        value = self.read(node.value)
        if self.scope.function is not None:
            function = self.summary.functions[self.scope.function]
            self.flow((value,), function.yielded)
            function.is_generator = True
        return NOTHING

    def _YieldFrom(self, node: ast.YieldFrom) -> int:  # noqa: N802
        value = self.read(node.value)
        if self.scope.function is not None:
            function = self.summary.functions[self.scope.function]
            self._load(value, facts.ITERATE, function.yielded, node)
            function.is_generator = True
        return NOTHING

    # -- calls -------------------------------------------------------------------------------------------------------------------

    def _Call(self, node: ast.Call) -> int:  # noqa: N802
        func = node.func
        callee = self.read(func)
        arguments = self._arguments(node)
        keywords = tuple((keyword.arg, self.read(keyword.value)) for keyword in node.keywords)
        target = self.node_for(node)
        scope = self.scope
        if id(node) not in self._seen_calls:
            self._seen_calls.add(id(node))
            scope.order += 1
            self.summary.calls.append(
                facts.Call(
                    callee=callee,
                    arguments=arguments,
                    keywords=keywords,
                    target=target,
                    place=place(node),
                    callee_place=place(func),
                    text=self._callee_text(func),
                    scope=scope.number,
                    order=scope.order,
                    arms=scope.arms,
                    guards=scope.guards,
                    constants=tuple(
                        item.value if isinstance(item, ast.Constant) and isinstance(item.value, (str, int)) else None
                        for item in node.args
                    ),
                    keyword_constants=keyword_constants(node.keywords, scope),
                    type_error=scope.type_error,
                )
            )
            self.summary.places.setdefault(target, place(node))
            self._keeping_call(node, func, arguments, target)
            self._mocking_call(node, target)
            self._dictionary_call(node, func, target)
            added = self._requests.add(node, len(self.summary.calls) - 1) if self._requests is not None else None
            if added is not None:
                self.summary.http_adds.append(added)
            if isinstance(func, ast.Name) and func.id == "super" and scope.owner is not None:
                self.summary.supers.append((target, scope.owner))
        scope.forget_empty_paths()
        return target

    def _arguments(self, node: ast.Call) -> tuple[tuple[int, bool], ...]:
        """The positional arguments. Those of `gather` run at the same time: none comes after another."""
        concurrent = (dotted(node.func) or "").rpartition(".")[2] == "gather"
        arms, branch = self.scope.arms, self.new_branch() if concurrent else 0
        found = []
        for number, item in enumerate(node.args):
            self.scope.arms = (*arms, (branch, number)) if concurrent else arms
            found.append((self.read(item), isinstance(item, ast.Starred)))
        self.scope.arms = arms
        return tuple(found)

    def _mocking_call(self, node: ast.Call, target: int) -> None:
        """Note a client that is constructed where its class is a mock, and one whose `add` becomes one."""
        if self.scope.mocked:
            self.summary.mocks.append(target)
        found = mocks.replaced(node)
        if found is not None and found[0] in surface.KINDS and self.scope.kind == "function":
            self.scope.mocked = True  # from here on
        elif found is not None and found[0] == surface.ADD and found[1] is not None:
            self.summary.mocks.append(self.read(found[1]))

    def _keeping_call(self, node: ast.Call, func: ast.expr, arguments: tuple[tuple[int, bool], ...], target: int) -> None:
        """`session.get("client")`, `session.set("client", …)`, and `getattr` and `setattr` of an object with a name."""
        if isinstance(func, ast.Attribute) and func.attr in KEEPING:
            if func.attr != "set":
                self._may_be_kept(node, target)
            if func.attr in ("set", "setdefault") and len(arguments) > 1:
                self._keep(node, node, arguments[1][0])
        elif isinstance(func, ast.Name) and func.id in ("getattr", "setattr") and len(arguments) > 1:
            key = node.args[1]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                member = ast.copy_location(ast.Attribute(node.args[0], key.value), node)
                if func.id == "getattr":
                    self._may_be_kept(member, target)
                elif len(arguments) > 2:  # noqa: PLR2004 (object, name, value)
                    self._keep(node, member, arguments[2][0])

    def _dictionary_call(self, node: ast.Call, func: ast.expr, target: int) -> None:
        """`dict(a=1, **b)`, `d.update(…)`, `d.pop("async_mode")`, `d.setdefault("async_mode", …)`: what they do to the keys."""
        if isinstance(func, ast.Name) and func.id == "dict":
            self.summary.containers.setdefault(target, place(node))
            for item in node.args:
                self.summary.spreads.append((target, self.read(item)))
            self._keyword_keys(node, target)
        elif isinstance(func, ast.Attribute) and func.attr == "update" and len(node.args) <= 1:
            base = self.read(func.value)
            for item in node.args:
                self.summary.spreads.append((base, self.read(item)))
            self._keyword_keys(node, base, display=False)
        elif isinstance(func, ast.Attribute) and func.attr in ("pop", "setdefault") and node.args:
            key = node.args[0]
            if isinstance(key, ast.Constant) and key.value == "async_mode":
                base = self.read(func.value)
                default = node.args[1] if len(node.args) > 1 else None
                self.mode_write(base, "deleted" if func.attr == "pop" or default is None else mode_of(default), display=False)

    def _keyword_keys(self, node: ast.Call, base: int, *, display: bool = True) -> None:
        for keyword in node.keywords:
            if keyword.arg is None:
                self.summary.spreads.append((base, self.read(keyword.value)))
            elif keyword.arg == "async_mode":
                self.mode_write(base, mode_of(keyword.value), display=display)
            else:
                self._store(base, f"[{keyword.arg}", self.read(keyword.value), keyword.value)

    def _callee_text(self, func: ast.expr) -> str:
        path = dotted(func)
        if path is not None:
            return path
        if isinstance(func, ast.Attribute):
            called = dotted(func.value.func) if isinstance(func.value, ast.Call) else None
            return f"{called or ''}(…).{func.attr}"
        return "(…)"

    # -- what is shared with statements ------------------------------------------------------------------------------------------

    def iterate(self, iterable: ast.expr, target: ast.expr) -> None:
        """Bind `target` to the elements of `iterable`."""
        item = self.node_for((iterable, "item"))
        self._load(self.read(iterable), facts.ITERATE, item, iterable)
        literals = self._literal_strings(iterable)
        self.bind(target, item)
        name = target
        if isinstance(target, ast.Tuple) and target.elts:
            name = target.elts[0]
        if isinstance(name, ast.Name) and literals:
            self.scope.literals[name.id] = literals

    def _literal_strings(self, iterable: ast.expr) -> tuple[str, ...]:
        """The strings that a display of literals, or of pairs that start with one, runs over."""
        if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Attribute) and iterable.func.attr == "items":
            iterable = iterable.func.value
        if isinstance(iterable, ast.Dict):
            elements: list[ast.expr | None] = list(iterable.keys)
        elif isinstance(iterable, (ast.List, ast.Tuple, ast.Set)):
            elements = [item.elts[0] if isinstance(item, ast.Tuple) and item.elts else item for item in iterable.elts]
        else:
            return ()
        found = [item.value for item in elements if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        return tuple(found) if len(found) == len(elements) else ()

    def bind(self, target: ast.expr, value: int) -> None:
        """Assign `value` to a target of any form."""
        if isinstance(target, ast.Name):
            self.assign(target.id, value)
        elif isinstance(target, ast.Attribute):
            base = self.read(target.value)
            self._store(base, "." + target.attr, value, target)
            own = self.scope.owner
            if (
                own is not None
                and value != NOTHING
                and isinstance(target.value, ast.Name)
                and target.value.id == self.scope.self_name
            ):
                self.summary.classes[own].assigned.add(target.attr)
            path = dotted(target)
            if path is not None:
                self.scope.forget(path)
                self.scope.know(path, frozenset({value}))
            self._keep(target, target, value)
        elif isinstance(target, ast.Subscript):
            self._keep(target, target, value)
            self._bind_item(target, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            starred = any(isinstance(element, ast.Starred) for element in target.elts)
            for number, element in enumerate(target.elts):
                part = self.node_for((element, "part"))
                inner = element.value if isinstance(element, ast.Starred) else element
                self._load(value, facts.ANY_ITEM if starred else f"[{number}", part, element)
                self.bind(inner, part)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)

    def _bind_item(self, target: ast.Subscript, value: int) -> None:
        base = self.read(target.value)
        index = target.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, (str, int)):
            self._store(base, item_key(index.value), value, target)
            return
        self.read(index)
        if not self._enumerated_keys(index):
            self.summary.spreads.append((base, NOTHING))
        self._store(base, facts.ANY_ITEM, value, target)

    def assume(self, test: ast.expr, holds: bool) -> None:
        """Narrow what is known to the case that `test` holds, or does not. See `conditions`."""
        raise NotImplementedError
