"""Read definitions: functions, lambdas, classes, and what annotations say."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.tracking import mocks
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.conditions import ConditionReader
from mem0_migrate.tracking.recorder import dotted, place
from mem0_migrate.tracking.scope import Scope
from mem0_migrate.tracking.summary import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mem0_migrate.project.source import Source

_TRANSPARENT = frozenset(
    ["Optional", "Union", "Annotated", "Awaitable", "Coroutine", "ClassVar", "Final", "Type", "type", "Required", "NotRequired"]
)


_YIELDING = frozenset(["Generator", "AsyncGenerator", "Iterator", "AsyncIterator", "Iterable", "AsyncIterable"])


_CONTAINERS = frozenset(
    [
        "ContextVar",
        "Queue",
        "list",
        "List",
        "dict",
        "Dict",
        "set",
        "Set",
        "tuple",
        "Tuple",
        "Sequence",
        "Mapping",
        "MutableMapping",
        "deque",
        "defaultdict",
    ]
)


_NOT_HELD = frozenset(["Callable", "Literal", "Type", "type", "Generic", "TypeGuard", "TypeIs"])  # no instance of what they name


def _delegate(node: ast.AST) -> str | None:
    """`client` of a `__getattr__` that returns `getattr(self.client, name)`."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "getattr" and call.args:
            path = (dotted(call.args[0]) or "").split(".")
            if path[0] == "self" and len(path) == 2:  # noqa: PLR2004 (self, attribute)
                return path[1]
    return None


class DefinitionReader(ConditionReader):
    """Adds functions, classes and annotations. Bodies of functions are put off until the scope that holds them is read."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._deferred: list[Callable[[], None]] = []

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Read statements in order; True when the flow does not reach their end. See `statements`."""
        raise NotImplementedError

    def _FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:  # noqa: N802
        index = self._declare(node, node.name, node.args, node)
        function = self.summary.functions[index]
        value = function.value
        names = []
        for decorator in reversed(node.decorator_list):
            applied = self.read(decorator)
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = dotted(called) or ""
            names.append(name)
            value = self._decorate(decorator, applied, value, name)
            self._annotate_self(decorator, function)
        function.decorators = tuple(reversed(names))
        function.kind = self._kind(function)
        if node.returns is not None:
            self._annotate_return(node.returns, function)
        if self.scope.kind == "class" and self.scope.owner is not None:
            self.summary.classes[self.scope.owner].methods[node.name] = index
            if node.name == "__getattr__":
                self.summary.classes[self.scope.owner].delegate = _delegate(node)
            if function.kind != "property":
                self.assign(node.name, value)
        else:
            self.assign(node.name, value)

    _AsyncFunctionDef = _FunctionDef

    def _decorate(self, decorator: ast.expr, applied: int, value: int, name: str) -> int:
        """The decorated value: the function itself, which decorators hand through or call."""
        if name.rpartition(".")[2] in (
            "property",
            "cached_property",
            "setter",
            "getter",
            "staticmethod",
            "classmethod",
            "overload",
        ):
            return value
        target = self.node_for((decorator, "decorated"))
        self.flow((value,), target)
        if id(decorator) not in self._seen_calls and applied != NOTHING:
            self._seen_calls.add(id(decorator))
            result = self.node_for((decorator, "result"))  # not followed: its wrapper would mix all that it decorates
            self.summary.calls.append(
                facts.Call(
                    callee=applied,
                    arguments=((value, False),),
                    keywords=(),
                    target=result,
                    place=place(decorator),
                    callee_place=place(decorator),
                    text=name,
                    scope=-1,
                    order=0,
                    arms=(),
                    guards=(),
                    constants=(None,),
                    keyword_constants={},
                )
            )
        return target

    def _annotate_self(self, decorator: ast.expr, function: facts.Function) -> None:
        """`@app.task(bind=True, base=ClientTask)` of Celery: the first parameter is an instance of the base."""
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) and function.parameters else ():
            if keyword.arg == "base":
                self._annotate(keyword.value, function.parameters[0][1], weak=True)

    @staticmethod
    def _kind(function: facts.Function) -> str:
        tails = {name.rpartition(".")[2] for name in function.decorators}
        if tails & {"property", "cached_property", "setter", "getter", "hybrid_property", "computed_field"}:
            return "property"
        if "staticmethod" in tails:
            return "static"
        if "classmethod" in tails or (
            function.owner is not None and function.name in ("__new__", "__init_subclass__", "__class_getitem__")
        ):
            return "class"
        return "method" if function.owner is not None else "function"

    def _declare(  # noqa: PLR0915 (every kind of parameter)
        self, key: ast.AST, name: str, arguments: ast.arguments, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    ) -> int:
        """Make the nodes of a function and put off reading its body."""
        scope = self.scope
        index = len(self.summary.functions)
        known = self._nodes.get((key, "function"))
        if known is not None:
            return known
        self._nodes[key, "function"] = index
        qualname = f"{scope.qualname}.{name}" if scope.qualname else name
        owner = scope.owner if scope.kind == "class" else None
        function = facts.Function(name, qualname, place(node), owner)
        function.is_async = isinstance(node, ast.AsyncFunctionDef)
        function.value, function.returned, function.yielded = self.fresh(), self.fresh(), self.fresh()
        self.summary.functions.append(function)
        self.summary.labels[function.returned] = ("return", qualname)
        self.summary.labels[function.yielded] = ("yield", qualname)
        self.scopes += 1
        inner = Scope("function", qualname, self.scopes, scope, function=index, owner=scope.owner)
        inner.guards = scope.guards
        inner.mocked = scope.mocked or any(map(mocks.replaces_class, getattr(node, "decorator_list", ())))
        function.outer = scope.function
        self.summary.scope_functions[inner.number] = index
        defaults: list[tuple[ast.arg, ast.expr | None]] = []
        ordered = [*arguments.posonlyargs, *arguments.args]
        missing = len(ordered) - len(arguments.defaults)
        defaults += [
            (argument, None if number < missing else arguments.defaults[number - missing])
            for number, argument in enumerate(ordered)
        ]
        defaults += list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
        for argument, default in defaults:
            cell = self.fresh()
            inner.cells[argument.arg] = cell
            inner.now[argument.arg] = frozenset({cell})
            function.parameters.append((argument.arg, cell))
            self.summary.labels[cell] = ("parameter", f"{argument.arg} of {qualname}")
            self.summary.places[cell] = place(argument)
            if default is not None:
                self.flow((self.read(default),), cell)
                if isinstance(default, ast.Constant):
                    position = len(function.parameters) - 1 - (owner is not None)
                    inner.defaults[argument.arg] = facts.ParameterDefault(argument.arg, default.value, position)
            if argument.annotation is not None:
                self._annotate(argument.annotation, cell, weak=False)
        for argument_or_none, attribute in ((arguments.vararg, "variadic"), (arguments.kwarg, "keyword_variadic")):
            if argument_or_none is not None:
                cell = self.fresh()
                inner.cells[argument_or_none.arg] = cell
                inner.now[argument_or_none.arg] = frozenset({cell})
                setattr(function, attribute, cell)
                self.summary.labels[cell] = ("parameter", f"{argument_or_none.arg} of {qualname}")
        if owner is not None and ordered:
            decorators = {dotted(item) for item in getattr(node, "decorator_list", ())}
            if "staticmethod" not in decorators:
                inner.self_name = ordered[0].arg
        elif scope.kind == "function":
            inner.self_name = scope.self_name if scope.self_name not in inner.cells else None
        if isinstance(node, ast.Lambda):
            self._lambda_body(node, inner, function)
        else:
            self._deferred.append(lambda: self._function_body(node.body, inner))
        return index

    def _lambda_body(self, node: ast.Lambda, inner: Scope, function: facts.Function) -> None:
        outer = self.scope
        inner.now = {**outer.now, **inner.now}
        inner.pathed = set(outer.pathed)
        self.scope = inner
        self.flow((self.read(node.body),), function.returned)
        self.scope = outer

    def _function_body(self, body: Sequence[ast.stmt], inner: Scope) -> None:
        self.scope = inner
        self.block(body)
        while inner.parent is not None:
            inner = inner.parent
        self.scope = inner

    def _Lambda(self, node: ast.Lambda) -> int:  # noqa: N802
        index = self._declare(node, "<lambda>", node.args, node)
        return self.summary.functions[index].value

    def _ClassDef(self, node: ast.ClassDef) -> None:  # noqa: N802
        index = len(self.summary.classes)
        declared = facts.Class(node.name, place(node), [self.read(base) for base in node.bases], value=self.fresh())
        self.summary.classes.append(declared)
        for keyword in node.keywords:
            self.read(keyword.value)
        for decorator in node.decorator_list:
            self.read(decorator)
        outer = self.scope
        self.scopes += 1
        qualname = f"{outer.qualname}.{node.name}" if outer.qualname else node.name
        self.scope = Scope("class", qualname, self.scopes, outer, owner=index, guards=outer.guards)
        self.scope.mocked = outer.mocked or any(map(mocks.replaces_class, node.decorator_list))
        self.block(node.body)
        self.scope = outer
        self.assign(node.name, declared.value)

    def _annotate_return(self, annotation: ast.expr, function: facts.Function) -> None:
        if isinstance(annotation, ast.Subscript) and (dotted(annotation.value) or "").rpartition(".")[2] in _YIELDING:
            inner = annotation.slice
            self._annotate(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner, function.yielded, weak=True)
            return
        self._annotate(annotation, function.returned, weak=True)

    def _annotate(self, annotation: ast.expr, target: int, *, weak: bool, held: facts.Held = "itself") -> None:
        """Record every class that an annotation names: through Optional, unions, strings, Annotated; inside containers too."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                parsed = ast.parse(annotation.value.strip(), mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return
            for part in ast.walk(parsed):
                ast.copy_location(part, annotation)
            self._annotate(parsed, target, weak=weak, held=held)
        elif isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            self._annotate(annotation.left, target, weak=weak, held=held)
            self._annotate(annotation.right, target, weak=weak, held=held)
        elif isinstance(annotation, ast.Subscript):
            name = (dotted(annotation.value) or "").rpartition(".")[2]
            inner = annotation.slice
            elements = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
            if name in _TRANSPARENT:
                for element in elements[:1] if name == "Annotated" else elements:
                    self._annotate(element, target, weak=weak, held=held)
                if name == "Annotated":
                    for element in elements[1:]:
                        self.flow((self.read(element),), target)  # Annotated[X, Depends(f)]
            elif name in _CONTAINERS:
                for element in elements:
                    self._annotate(element, target, weak=weak, held="elements")
            elif name not in _NOT_HELD and isinstance(annotation.value, (ast.Name, ast.Attribute)):
                self._annotate(annotation.value, target, weak=weak, held=held)
                for element in elements:  # RunContext[Deps] has an attribute that is a Deps
                    self._annotate(element, target, weak=weak, held="attributes")
        elif isinstance(annotation, (ast.Name, ast.Attribute)):
            node = self._late(annotation)
            self.summary.annotations.append(facts.Annotation(node, target, weak, place(annotation), held))

    def _late(self, annotation: ast.Name | ast.Attribute) -> int:
        """Read an annotation's name once the module is read: it may be defined further down."""
        target = self.fresh()
        module = self.module_scope()
        scope = self.scope

        def look_up() -> None:
            saved, self.scope = self.scope, scope if scope.kind != "module" else module
            self.flow((self.read(annotation),), target)
            self.scope = saved

        self._deferred.append(look_up)
        return target
