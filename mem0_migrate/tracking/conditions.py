"""What a condition tells about the values below it: instance checks narrow a client, other tests become guards."""

from __future__ import annotations

import ast

from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.expressions import ExpressionReader
from mem0_migrate.tracking.recorder import dotted, place
from mem0_migrate.tracking.summary import Guard


class ConditionReader(ExpressionReader):
    """Adds `assume` to the expression reader."""

    def assume(self, test: ast.expr, holds: bool) -> None:
        """Narrow what is known to the case that `test` holds, or does not."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self.assume(test.operand, not holds)
        elif isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.And) == holds:
                for operand in test.values:
                    self.assume(operand, holds)
        elif isinstance(test, ast.NamedExpr):
            self.assume(test.target, holds)
        elif isinstance(test, ast.Call):
            self._assume_call(test, holds)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1:
            self._assume_comparison(test, holds)
        else:
            self._guard(test, None, holds)

    def _assume_call(self, test: ast.Call, holds: bool) -> None:
        name = test.func.id if isinstance(test.func, ast.Name) else None
        if name in ("isinstance", "issubclass") and len(test.args) == 2:  # noqa: PLR2004 (the value and the classes)
            self._narrow(test.args[0], test.args[1], (), holds, test)
        elif name == "bool" and len(test.args) == 1:
            self.assume(test.args[0], holds)
        elif isinstance(test.func, ast.Attribute) and not test.args and not test.keywords:
            self._guard(test.func, None, holds)

    def _assume_comparison(self, test: ast.Compare, holds: bool) -> None:
        operator, left, right = test.ops[0], test.left, test.comparators[0]
        if isinstance(operator, (ast.NotEq, ast.IsNot, ast.NotIn)):
            holds = not holds
        if isinstance(left, ast.Constant) and not isinstance(operator, (ast.In, ast.NotIn)):
            left, right = right, left
        if not isinstance(operator, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)):
            return
        named = self._class_name_of(left)
        if named is not None:
            names = self._strings(right)
            if names:
                self._narrow(named, None, names, holds, test)
            return
        if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id == "type" and len(left.args) == 1:
            self._narrow(left.args[0], right, (), holds, test)
            return
        if isinstance(right, ast.Constant) and not isinstance(operator, (ast.In, ast.NotIn)):
            if right.value is None:
                self._guard(left, None, not holds)  # `x is None` is the same guard as `not x`
            elif isinstance(right.value, bool):
                self._guard(left, None, right.value == holds)
            else:
                self._guard(left, repr(right.value), holds)

    @staticmethod
    def _class_name_of(node: ast.expr) -> ast.expr | None:
        """`x` of `type(x).__name__` and `x.__class__.__name__`."""
        if not (isinstance(node, ast.Attribute) and node.attr in ("__name__", "__qualname__")):
            return None
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "__class__":
            return inner.value
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "type" and inner.args:
            return inner.args[0]
        return None

    @staticmethod
    def _strings(node: ast.expr) -> tuple[str, ...]:
        elements = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
        found = tuple(item.value for item in elements if isinstance(item, ast.Constant) and isinstance(item.value, str))
        return found if len(found) == len(elements) else ()

    def _narrow(
        self, subject: ast.expr, classes: ast.expr | None, names: tuple[str, ...], positive: bool, test: ast.expr
    ) -> None:
        path = dotted(subject)
        if path is None:
            return
        elements: list[ast.expr] = []
        if classes is not None:
            elements = list(classes.elts) if isinstance(classes, ast.Tuple) else [classes]
            while any(isinstance(item, ast.BinOp) for item in elements):
                elements = [
                    part for item in elements for part in ((item.left, item.right) if isinstance(item, ast.BinOp) else (item,))
                ]
        source = self.read(subject)
        target = self.node_for((test, path, positive))
        if (test, path, positive, "narrowed") not in self._nodes:
            self._nodes[test, path, positive, "narrowed"] = target
            self.summary.narrows.append(
                facts.Narrow(source, target, tuple(self.read(item) for item in elements), names, positive, place(test))
            )
        self.scope.know(path, frozenset({target}))
        checked = [name for name in map(dotted, elements) if name] or list(names)
        key = self.subject(subject)
        if key is not None and len(checked) == max(len(elements), len(names)):
            classes_named = "|".join(sorted(name.rpartition(".")[2] for name in checked))
            self.scope.guards = (*self.scope.guards, Guard(f"class of {key}", classes_named, positive))
            alias = self.scope.aliases.get(path)
            other = self.subject(ast.parse(alias, mode="eval").body) if alias is not None else None
            if other is not None:
                self.scope.guards = (*self.scope.guards, Guard(f"class of {other}", classes_named, positive))

    def _guard(self, subject: ast.expr, literal: str | None, holds: bool) -> None:
        key = self.subject(subject)
        if key is not None:
            self.scope.guards = (*self.scope.guards, Guard(key, literal, holds))
        if literal is None:
            for told in self._conditions.get(key or "", ()):
                self.scope.guards = (*self.scope.guards, Guard(told.subject, told.literal, told.holds == holds))
        alias = self.scope.aliases.get(subject.id) if isinstance(subject, ast.Name) else None
        if alias is not None:  # `self.mode = mode` before `if mode == …`
            self._guard(ast.parse(alias, mode="eval").body, literal, holds)

    def remember_condition(self, target: ast.expr, value: ast.expr) -> None:
        """`self.hosted = isinstance(client, MemoryClient)`: what holds where the attribute is true."""
        key = self.subject(target)
        if key is None:
            return
        now, guards = self.scope.now, self.scope.guards
        self.scope.now = dict(now)
        self.assume(value, holds=True)
        told = self.scope.guards[len(guards) :]
        self.scope.now, self.scope.guards = now, guards
        if len(told) <= 2:  # noqa: PLR2004 (the condition, and the same of an alias)
            self._conditions[key] = told

    def subject(self, node: ast.expr) -> str | None:
        """The name of a condition's subject, qualified by where it lives: its class for `self.x`, its function, or the module."""
        path = dotted(node)
        if path is None:
            return None
        head, _, rest = path.partition(".")
        scope = self.scope
        if rest and head == scope.self_name and scope.owner is not None:
            return f"{self.summary.classes[scope.owner].name}.{rest}"
        while scope.parent is not None and head not in scope.cells and head not in scope.now:
            if rest and head == scope.self_name and scope.owner is not None:
                return f"{self.summary.classes[scope.owner].name}.{rest}"
            scope = scope.parent
        return f"{scope.qualname}:{path}"
