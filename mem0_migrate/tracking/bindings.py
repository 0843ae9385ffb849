"""What the names of one file are bound to: by scope, in order, and as members of classes."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
ScopeNode = ast.Module | ast.ClassDef | FunctionNode
Value = ast.expr | ast.stmt | ast.arg | ast.alias

_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_RUN_THROUGH = (ast.With, ast.AsyncWith, ast.Try)  # what their bodies bind holds after them


@dataclass(frozen=True, slots=True)
class Binding:
    """A name gets a value (or an element of it) at a node; None is a value that is not followed."""

    at: ast.AST
    value: Value | None
    form: Literal["value", "element"] = "value"


@dataclass(frozen=True, slots=True)
class Write:
    """A node that changes the dictionary that a name is bound to."""

    at: ast.AST
    node: ast.Call | ast.Subscript
    value: ast.expr | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, its default, and whether it is `*args` or `**kwargs`."""

    function: FunctionNode
    node: ast.arg
    default: ast.expr | None
    variadic: bool = False


class Bindings:
    """Every binding of a file, found in one walk that does not recurse."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.parameters: dict[FunctionNode, dict[str, Parameter]] = {}
        self.functions: list[FunctionNode] = []
        self.calls: dict[str, list[ast.Call]] = defaultdict(list)
        self._scopes: dict[ast.AST, ScopeNode] = {}
        self._blocks: dict[ast.AST, list[ast.AST]] = {}  # the list of statements that holds a statement
        self._bound: dict[ScopeNode, dict[str, list[Binding]]] = defaultdict(lambda: defaultdict(list))
        self._writes: dict[ScopeNode, dict[str, list[Write]]] = defaultdict(lambda: defaultdict(list))
        self._attributes: dict[ast.ClassDef, dict[str, list[Value]]] = defaultdict(lambda: defaultdict(list))
        self._returns: dict[FunctionNode, list[ast.expr]] = defaultdict(list)
        self._globals: dict[ScopeNode, set[str]] = defaultdict(set)
        self._classes: dict[str, ast.ClassDef] = {}
        self._derived: dict[str, list[ast.ClassDef]] = defaultdict(list)
        self._stored: list[tuple[ast.Name, str, ast.expr]] = []
        self._walk()
        for holder, name, value in self._stored:
            owner = self.own_class(holder)
            if owner is not None:
                self._attributes[owner][name].append(value)

    # -- questions ---------------------------------------------------------------------------------------------------------------

    def scope(self, node: ast.AST) -> ScopeNode:
        """The function, class body or module that a node is in."""
        return self._scopes.get(node, self.tree)

    def reaching(self, name: ast.Name) -> tuple[ScopeNode | None, list[Binding]]:
        """The scope that a name is bound in and the bindings that can reach this use of it, latest first."""
        scope: ScopeNode | None = self.scope(name)
        use: ast.AST | None = name
        while scope is not None:
            known = self._bound.get(scope, {}).get(name.id)
            if known and name.id not in self._globals[scope] and (use is not None or not isinstance(scope, ast.ClassDef)):
                return scope, self._before(known, use) if use is not None else list(known)
            use = None
            scope = None if isinstance(scope, ast.Module) else self._outer(scope)
        return None, []

    def writes(self, name: ast.Name) -> Iterator[tuple[Write, bool]]:
        """What changes the dictionary of this name before this use in its own scope, in order; and whether it surely does."""
        for write in self._writes.get(self.scope(name), {}).get(name.id, ()):
            if _position(write.at) < _position(name) and not self._apart(write.at, name):
                yield write, self._dominates(write.at, name)

    def own_class(self, name: ast.Name) -> ast.ClassDef | None:
        """The class, for `self` or `cls` in one of its methods."""
        scope: ScopeNode = self.scope(name)
        while isinstance(scope, FunctionNode):
            parameters = self.parameters[scope]
            if name.id in parameters:
                owner = self.owner(scope)
                first = next(iter(parameters))
                return owner if first == name.id and not self.is_static(scope) else None
            scope = self._outer(scope)
        return None

    def owner(self, function: FunctionNode) -> ast.ClassDef | None:
        """The class that a function is a method of."""
        outer = self._outer(function)
        return outer if isinstance(outer, ast.ClassDef) else None

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class that a node is in."""
        scope = self.scope(node)
        while not isinstance(scope, (ast.Module, ast.ClassDef)):
            scope = self._outer(scope)
        return scope if isinstance(scope, ast.ClassDef) else None

    @staticmethod
    def is_static(function: FunctionNode) -> bool:
        """Whether a function is a `@staticmethod`."""
        return "staticmethod" in _decorators(function)

    @staticmethod
    def is_property(function: FunctionNode) -> bool:
        """Whether a method is read like an attribute."""
        return bool({"property", "cached_property", "computed_field"} & _decorators(function))

    def members(self, owner: ast.ClassDef, name: str) -> list[Value]:
        """What an attribute of a class or its instances is bound to: by the nearest of its bases, and by classes below it."""
        found: list[Value] = []
        pending, seen = [owner], {owner}
        while pending and not found:
            current = pending.pop(0)
            found = self._own_members(current, name)
            for base in current.bases:
                known = self._classes.get(dotted_tail(base))
                if known is not None and known not in seen:
                    seen.add(known)
                    pending.append(known)
        for below in self._derived.get(owner.name, ()):
            found = [*found, *self._own_members(below, name)]
        return found

    def _own_members(self, owner: ast.ClassDef, name: str) -> list[Value]:
        found = [binding.value for binding in self._bound.get(owner, {}).get(name, ()) if binding.value is not None]
        if name in self._attributes.get(owner, {}) and not any(isinstance(value, FunctionNode) for value in found):
            found += self._attributes[owner][name]
        if any(isinstance(item, ast.AnnAssign) and dotted_tail(item.target) == name for item in owner.body):
            made = self.calls.get(owner.name, ())
            found += [keyword.value for call in made for keyword in call.keywords if keyword.arg == name]
        return found

    def constructions(self, function: FunctionNode) -> Sequence[ast.Call]:
        """The calls in this file that construct the class of this `__init__`, told by its name; none for other functions."""
        owner = self.owner(function)
        if owner is None or isinstance(function, ast.Lambda) or function.name != "__init__":
            return ()
        return self.calls.get(owner.name, ())

    def returned(self, function: FunctionNode) -> list[ast.expr]:
        """The expressions that a function returns."""
        return [function.body] if isinstance(function, ast.Lambda) else self._returns.get(function, [])

    # -- order -------------------------------------------------------------------------------------------------------------------

    def _before(self, bindings: Sequence[Binding], use: ast.AST) -> list[Binding]:
        """Bindings that reach a use in the same scope: back to the first that is always run. All, if none comes before."""
        found = []
        position = _position(use)
        for number in range(bisect_left(bindings, position, key=lambda binding: _position(binding.at)) - 1, -1, -1):
            binding = bindings[number]
            if isinstance(binding.value, ast.arg):
                found.append(binding)
            elif not self._inside(use, binding.at) and not self._apart(binding.at, use):
                found.append(binding)
                if self._dominates(binding.at, use):
                    break
        return found or list(bindings)

    def _inside(self, node: ast.AST, statement: ast.AST) -> bool:
        """Whether a node is part of the assignment itself: `url = url + "/"` reads the one before."""
        return isinstance(statement, ast.stmt) and not hasattr(statement, "body") and self._statement(node) is statement

    def _statement(self, node: ast.AST) -> ast.AST:
        while not isinstance(node, (ast.stmt, ast.Module)):
            node = self.parents.get(node, self.tree)  # a node made here has none
        return node

    def _dominates(self, at: ast.AST, use: ast.AST) -> bool:
        """Whether a statement is always run before a use that comes later."""
        statement = self._statement(at)
        parent = self.parents.get(statement)
        while isinstance(parent, _RUN_THROUGH) and not isinstance(statement, ast.ExceptHandler):
            statement, parent = parent, self.parents.get(parent)
        if parent is None:
            return True
        block = self._blocks.get(statement)
        node: ast.AST | None = use
        while node is not None and self.parents.get(node) is not parent:
            node = self.parents.get(node)
        return node is not None and block is not None and self._blocks.get(node) is block

    def _apart(self, at: ast.AST, use: ast.AST) -> bool:
        """Whether two nodes lie in different arms of one branch, or the first in an arm that leaves."""
        around: dict[ast.AST, ast.AST] = {}
        node: ast.AST = use
        while node in self.parents:
            around[self.parents[node]] = node
            node = self.parents[node]
        node = self._statement(at)
        while node in self.parents:
            parent = self.parents[node]
            block = self._blocks.get(node)
            if parent in around:
                other = around[parent]
                if isinstance(parent, ast.If):
                    return (block is None or self._blocks.get(other) is not block) and other is not parent.test
                return isinstance(parent, ast.Match) and other is not node
            if block and isinstance(block[-1], _LEAVES):
                return True
            node = parent
        return False

    # -- the walk ----------------------------------------------------------------------------------------------------------------

    def _outer(self, scope: ast.ClassDef | FunctionNode) -> ScopeNode:
        return self._scopes[scope]

    def _walk(self) -> None:
        stack: list[tuple[ast.AST, ScopeNode]] = [(self.tree, self.tree)]
        while stack:
            node, scope = stack.pop()
            self._scopes[node] = scope
            self._enter(node, scope)
            inner: ScopeNode = node if isinstance(node, ScopeNode) else scope
            for name in ("body", "orelse", "finalbody", "handlers", "cases"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    self._blocks.update(dict.fromkeys(block, block))
            children = list(ast.iter_child_nodes(node))
            for child in reversed(children):
                self.parents[child] = node
                outside = isinstance(node, (ast.ClassDef, FunctionNode)) and not isinstance(child, ast.stmt)
                outside = outside and child is not getattr(node, "body", None)  # of a lambda
                stack.append((child, scope if outside else inner))

    def _enter(self, node: ast.AST, scope: ScopeNode) -> None:
        bound = self._bound[scope]
        if isinstance(node, FunctionNode):
            self._function(node)
            if not isinstance(node, ast.Lambda):
                bound[node.name].append(Binding(node, node))
        elif isinstance(node, ast.ClassDef):
            bound[node.name].append(Binding(node, node))
            self._classes.setdefault(node.name, node)
            for base in node.bases:
                self._derived[dotted_tail(base)].append(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value, node, scope)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            if node.value is not None:
                self._bind(node.target, node.value, node, scope)
        elif isinstance(node, ast.AugAssign):
            if isinstance(node.target, (ast.Name, ast.Attribute)):
                combined = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
                self._scopes[combined] = scope
                self._bind(node.target, combined, node, scope)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._bind(node.target, node.iter, node, scope, "element")
        elif isinstance(node, ast.comprehension):
            self._bind(node.target, node.iter, node.iter, scope, "element")
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    self._bind(item.optional_vars, item.context_expr, node, scope)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                bound[alias.asname or alias.name.partition(".")[0]].append(Binding(node, self._qualified(node, alias)))
        elif isinstance(node, ast.Global):
            self._globals[scope].update(node.names)
        elif isinstance(node, ast.Return):
            if isinstance(scope, FunctionNode) and node.value is not None:
                self._returns[scope].append(node.value)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Subscript):
                    self._write(target, target.value, None, scope)
        elif isinstance(node, ast.Call):
            self.calls[dotted_tail(node.func)].append(node)
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("update", "setdefault", "pop"):
                self._write(node, node.func.value, None, scope)

    def _qualified(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.alias:
        name = alias.name if isinstance(node, ast.Import) else f"{'.' * node.level}{node.module or ''}.{alias.name}"
        return ast.copy_location(ast.alias(name=name), alias)

    def _function(self, node: FunctionNode) -> None:
        self.functions.append(node)
        arguments = node.args
        ordered = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [None] * (len(ordered) - len(arguments.defaults))
        defaults += arguments.defaults
        parameters = {item.arg: Parameter(node, item, default) for item, default in zip(ordered, defaults, strict=True)}
        named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        parameters.update({item.arg: Parameter(node, item, default) for item, default in named})
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                parameters[rest.arg] = Parameter(node, rest, None, variadic=True)
        self.parameters[node] = parameters
        for name, parameter in parameters.items():
            self._bound[node][name].append(Binding(parameter.node, parameter.node))

    def _bind(
        self, target: ast.expr, value: ast.expr | None, at: ast.AST, scope: ScopeNode, form: Literal["value", "element"] = "value"
    ) -> None:
        if isinstance(target, ast.Name):
            home = self.tree if target.id in self._globals[scope] else scope
            self._bound[home][target.id].append(Binding(at, value, form))
        elif isinstance(target, (ast.Tuple, ast.List)):
            paired = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) and form == "value"
            for number, element in enumerate(target.elts):
                part = value.elts[number] if paired and isinstance(value, (ast.Tuple, ast.List)) else None
                self._bind(element, None if isinstance(element, ast.Starred) else part, at, scope)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and value is not None and form == "value":
            self._stored.append((target.value, target.attr, value))
        elif isinstance(target, ast.Subscript):
            self._write(target, target.value, value if form == "value" else None, scope)

    def _write(self, node: ast.Call | ast.Subscript, held: ast.expr, value: ast.expr | None, scope: ScopeNode) -> None:
        if isinstance(held, ast.Name):
            self._writes[scope][held.id].append(Write(node, node, value))


def dotted_tail(node: ast.expr) -> str:
    """The last name of `a.b.c`, or of the class in `A[B]`; empty for anything else."""
    if isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _decorators(function: FunctionNode) -> set[str]:
    if isinstance(function, ast.Lambda):
        return set()
    return {dotted_tail(item.func if isinstance(item, ast.Call) else item) for item in function.decorator_list}


def _position(node: ast.AST) -> tuple[int, int]:
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
