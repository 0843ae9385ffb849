"""Read one file, statement by statement, into a summary."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking import mocks
from mem0_migrate.tracking import summary as facts
from mem0_migrate.tracking.definitions import DefinitionReader
from mem0_migrate.tracking.recorder import dotted, item_key, mode_of, place
from mem0_migrate.tracking.scope import Nodes, join
from mem0_migrate.tracking.summary import NOTHING, Guard, Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mem0_migrate.project.source import Source

_LOOPS_READ_TWICE = 5  # loops in loops: each doubles how often the innermost is read
_CROWD = 8
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def _catches_type_error(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is for TypeError in particular."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(item, ast.Name) and item.id == "TypeError" for item in caught)


def _exits(statement: ast.stmt) -> bool:
    """Whether a statement ends the process."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and dotted(call.func) in ("sys.exit", "exit", "quit", "os._exit")


def summarise(source: Source) -> Summary:
    """All facts of one file. Raises RecursionError for a file that is nested too deeply."""
    return Summariser(source).run()


class Summariser(DefinitionReader):
    """Drives the reader through the statements of a file. Bodies of functions are read after the scope that holds them."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._statements: dict[type, Callable[[ast.stmt], None]] = {}
        self._arm_facts: dict[tuple[int, int], list[Guard]] = {}
        self._left: set[ast.stmt] = set()

    def run(self) -> Summary:
        """Read the whole file."""
        self.block(self.source.tree.body)
        while self._deferred:
            pending, self._deferred = self._deferred, []
            for body in pending:
                body()
        for call in self.summary.calls:
            for arm in call.arms:
                call.guards = (*call.guards, *self._arm_facts.get(arm, ()))
        self.summary.http_exhausted = self._requests is not None and self._requests.exhausted
        return self.summary

    # -- flow --------------------------------------------------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt]) -> bool:
        """Read statements in order; True when the flow does not reach their end."""
        for statement in body:
            kind = type(statement)
            handler = self._statements.get(kind)
            if handler is None:
                handler = self._statements[kind] = getattr(self, "_" + kind.__name__, self._other_statement)
            handler(statement)
            if isinstance(statement, _LEAVES) or _exits(statement):
                return True
            if statement in self._left:
                return True
        return False

    def meet(self, first: dict[str, Nodes], second: dict[str, Nodes]) -> dict[str, Nodes]:
        """What holds where two flows meet; one node stands for a name that many flows have written."""
        met = join(first, second)
        crowded = [name for name, nodes in met.items() if len(nodes) > _CROWD]
        return met | {name: frozenset({self.join_nodes(met[name])}) for name in crowded} if crowded else met

    def arm(self, branch: int, number: int, body: Sequence[ast.stmt], test: ast.expr | None = None, holds: bool = True) -> bool:
        """Read one arm of a branch; True when it leaves."""
        scope = self.scope
        arms, guards = scope.arms, scope.guards
        scope.arms = (*arms, (branch, number))
        if test is not None:
            self.assume(test, holds)
        left = self.block(body)
        if left:
            self.summary.leaving.add((branch, number))
        scope.arms, scope.guards = arms, guards
        return left

    def _other_statement(self, node: ast.stmt) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.read(child)
            elif isinstance(child, ast.stmt):
                self.block([child])

    def _If(self, node: ast.If) -> None:  # noqa: N802
        self.use(node.test, self.read(node.test), "truth")
        scope = self.scope
        before = dict(scope.now)
        branch = self.new_branch()
        left_body = self.arm(branch, 0, node.body, node.test)
        after_body = scope.now
        scope.now = dict(before)
        left_else = self.arm(branch, 1, node.orelse, node.test, holds=False)
        if left_body and left_else:
            self._left.add(node)
        elif left_body:  # what follows runs under the negated condition
            self.assume(node.test, holds=False)
        elif left_else:
            scope.now = after_body
            self.assume(node.test, holds=True)
        else:
            scope.now = self.meet(after_body, scope.now)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        scope = self.scope
        before = dict(scope.now)
        branch = self.new_branch()
        self.summary.loops.add(branch)
        around = sum(inner in self.summary.loops for inner, _ in scope.arms)
        for _ in range(2 if around < _LOOPS_READ_TWICE else 1):
            if isinstance(node, ast.While):
                arms, scope.arms = scope.arms, (*scope.arms, (branch, 0))
                self.use(node.test, self.read(node.test), "truth")
                scope.arms = arms
            else:
                self.iterate(node.iter, node.target)
            guards = scope.guards
            self.arm(branch, 0, node.body, node.test if isinstance(node, ast.While) else None)
            scope.guards = guards
            scope.now = self.meet(before, scope.now)
        self.summary.leaving.discard((branch, 0))
        self.block(node.orelse)

    def _For(self, node: ast.For) -> None:  # noqa: N802
        self._loop(node)

    def _AsyncFor(self, node: ast.AsyncFor) -> None:  # noqa: N802
        self._loop(node)

    def _While(self, node: ast.While) -> None:  # noqa: N802
        self._loop(node)

    def _Try(self, node: ast.Try) -> None:  # noqa: N802
        scope = self.scope
        before = dict(scope.now)
        branch = self.new_branch()
        expected, scope.type_error = (
            scope.type_error,
            "expected" if any(_catches_type_error(item) for item in node.handlers) else "",
        )
        left = self.arm(branch, 0, node.body)
        self.summary.leaving.discard((branch, 0))
        after = scope.now
        scope.now = self.meet(before, after)
        start = dict(scope.now)
        ends = []
        for number, handler in enumerate(node.handlers, 1):
            scope.now = dict(start)
            if handler.type is not None:
                self.read(handler.type)
            if handler.name:
                self.assign(handler.name, NOTHING)
            scope.type_error = "caught" if _catches_type_error(handler) else expected
            if not self.arm(branch, number, handler.body):
                ends.append(scope.now)
        scope.now, scope.type_error = after, expected
        if node.orelse:
            left = self.block(node.orelse) or left
        for end in [] if left and not ends else ends:
            scope.now = self.meet(scope.now, end)
        if self.block(node.finalbody) or (left and not ends):
            self._left.add(node)

    _TryStar = _Try

    def _With(self, node: ast.With | ast.AsyncWith) -> None:  # noqa: N802
        mocked = self.scope.mocked
        for item in node.items:
            value = self.read(item.context_expr)
            if item.optional_vars is not None:
                entered = self.node_for((item.context_expr, "enter"))
                self._load(value, facts.ENTER, entered, item.context_expr)
                self.bind(item.optional_vars, entered)
        if self.block(node.body):
            self._left.add(node)
        self.scope.mocked = mocked

    _AsyncWith = _With

    def _Match(self, node: ast.Match) -> None:  # noqa: N802
        subject = self.read(node.subject)
        scope = self.scope
        before = dict(scope.now)
        ends = []
        branch = self.new_branch()
        for number, case in enumerate(node.cases):
            scope.now = dict(before)
            self._pattern(case.pattern, subject, node.subject)
            if case.guard is not None:
                self.use(case.guard, self.read(case.guard), "truth")
            if not self.arm(branch, number, case.body):
                ends.append(scope.now)
        scope.now = before
        for end in ends:
            scope.now = self.meet(scope.now, end)

    def _pattern(self, pattern: ast.pattern, subject: int, expression: ast.expr) -> None:
        if isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self._pattern(pattern.pattern, subject, expression)
            if pattern.name:
                self.assign(pattern.name, subject)
        elif isinstance(pattern, ast.MatchOr):
            for option in pattern.patterns:
                self._pattern(option, subject, expression)
        elif isinstance(pattern, ast.MatchMapping):
            for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
                part = self.node_for(inner)
                if isinstance(key, ast.Constant) and isinstance(key.value, (str, int)):
                    matched = item_key(key.value)
                    matched = matched.replace("[", facts.MATCHED_KEY, 1) if isinstance(key.value, str) else matched
                    self._load(subject, matched, part, pattern)
                self._pattern(inner, part, expression)
        elif isinstance(pattern, ast.MatchSequence):
            for inner in pattern.patterns:
                part = self.node_for(inner)
                self._load(subject, facts.MATCHED_ELEMENT, part, pattern)
                self._pattern(inner, part, expression)
        elif isinstance(pattern, ast.MatchClass):
            narrowed = self.node_for((pattern, "narrowed"))
            self.summary.narrows.append(
                facts.Narrow(subject, narrowed, (self.read(pattern.cls),), (), positive=True, place=place(pattern))
            )
            path = dotted(expression)
            if path is not None:
                self.scope.know(path, frozenset({narrowed}))
        elif isinstance(pattern, ast.MatchStar) and pattern.name:
            self.assign(pattern.name, NOTHING)

    # -- simple statements -------------------------------------------------------------------------------------------------------

    def _Expr(self, node: ast.Expr) -> None:  # noqa: N802
        value = self.read(node.value)
        inner = node.value.value if isinstance(node.value, ast.Await) else node.value
        if value != NOTHING and isinstance(inner, ast.Call):
            self.use(node.value, value, "discarded")

    def _Assign(self, node: ast.Assign) -> None:  # noqa: N802
        value = self.read(node.value)
        for target in node.targets:
            once = isinstance(target, ast.Name) and target.id not in self.scope.cells
            self.bind(target, value)
            self._written(target, node.value)
            if once and isinstance(target, ast.Name) and isinstance(node.value, ast.Constant):
                self.scope.constants[target.id] = node.value.value

    def _written(self, target: ast.expr, value: ast.expr) -> None:
        """Keep what an assignment tells beside its value: `async_mode` in a dictionary, a flag set in one arm of a branch."""
        if isinstance(target, ast.Attribute) and target.attr == surface.ADD and mocks.is_mock(value):
            self.summary.mocks.append(self.read(target.value))
        elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and target.slice.value == "async_mode":
            self.mode_write(self.read(target.value), mode_of(value), display=False)
        elif isinstance(target, (ast.Name, ast.Attribute)) and isinstance(value, (ast.Call, ast.Compare)):
            self.remember_condition(target, value)
        elif isinstance(target, ast.Attribute) and isinstance(value, ast.Name):
            path = dotted(target)
            if path is not None:
                self.scope.aliases[value.id] = path
        elif isinstance(target, ast.Name) and isinstance(value, ast.Attribute):
            path = dotted(value)
            if path is not None:
                self.scope.aliases[target.id] = path
        elif self.scope.arms and isinstance(value, ast.Constant) and isinstance(target, (ast.Name, ast.Attribute)):
            subject = self.subject(target)
            if subject is not None:
                if value.value is None or isinstance(value.value, bool):
                    guard = Guard(subject, None, bool(value.value))
                else:
                    guard = Guard(subject, repr(value.value), holds=True)
                told = self._arm_facts.setdefault(self.scope.arms[-1], [])
                if guard not in told:
                    told.append(guard)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: N802
        value = self.read(node.value)
        if node.value is not None:
            self.bind(node.target, value)
            self._written(node.target, node.value)
        elif isinstance(node.target, ast.Name) and self.scope.kind != "class":
            return
        target = self.node_for((node, "annotated"))
        if isinstance(node.target, ast.Name):
            if self.scope.kind == "class" and self.scope.owner is not None:
                owner = self.summary.classes[self.scope.owner]
                if node.target.id not in owner.fields:
                    owner.fields.append(node.target.id)
                self._annotate(node.annotation, target, weak=False)
                self._store(owner.value, "." + node.target.id, target, node.target)
            else:
                self._annotate(node.annotation, target, weak=True)
                self.flow(
                    (target,),
                    self.cell(self.module_scope() if node.target.id in self.scope.globals else self.scope, node.target.id),
                )
                self.scope.now[node.target.id] = frozenset({value, target})
        elif isinstance(node.target, ast.Attribute):
            self._annotate(node.annotation, target, weak=True)
            base = self.read(node.target.value)
            self._store(base, "." + node.target.attr, target, node.target)

    def _AugAssign(self, node: ast.AugAssign) -> None:  # noqa: N802
        value = self.read(node.value)
        old = self.read(node.target)
        self.use(node.value, value, "combined")
        if isinstance(node.op, ast.BitOr):
            self.summary.spreads.append((old, value))
        if isinstance(node.target, ast.Name) and value != NOTHING:
            self.assign(node.target.id, self.join_nodes((old, value)))

    def _Return(self, node: ast.Return) -> None:  # noqa: N802
        value = self.read(node.value)
        if self.scope.function is not None:
            returned = self.summary.functions[self.scope.function].returned
            target = self.node_for((node, "return"))
            if node.value is not None:
                self.summary.places.setdefault(target, place(node.value))
            self.flow((value,), target)
            self.flow((target,), returned)

    def _Delete(self, node: ast.Delete) -> None:  # noqa: N802
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.now.pop(target.id, None)
                self.scope.forget(target.id)
            elif isinstance(target, ast.Subscript):
                base = self.read(target.value)
                if isinstance(target.slice, ast.Constant) and target.slice.value == "async_mode":
                    self.mode_write(base, "deleted", display=False)

    def _Assert(self, node: ast.Assert) -> None:  # noqa: N802
        self.use(node.test, self.read(node.test), "truth")
        self.assume(node.test, holds=True)
        self.read(node.msg)

    def _Raise(self, node: ast.Raise) -> None:  # noqa: N802
        self.read(node.exc)
        self.read(node.cause)

    def _Global(self, node: ast.Global) -> None:  # noqa: N802
        self.scope.globals.update(node.names)

    def _Nonlocal(self, node: ast.Nonlocal) -> None:  # noqa: N802
        self.scope.nonlocals.update(node.names)

    def _Import(self, node: ast.Import) -> None:  # noqa: N802
        for alias in node.names:
            target = self.node_for(alias)
            module = alias.name if alias.asname else alias.name.partition(".")[0]
            self.summary.imports.append(facts.Import(target, module, 0, None, place(node)))
            if not alias.asname and module != alias.name:
                self.summary.imports.append(facts.Import(self.node_for((alias, "all")), alias.name, 0, None, place(node)))
            self.assign(alias.asname or module, target)

    def _ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: N802
        for alias in node.names:
            if alias.name == "*":
                self.summary.stars.append((node.module or "", node.level))
                continue
            target = self.node_for(alias)
            self.summary.imports.append(facts.Import(target, node.module or "", node.level, alias.name, place(node)))
            self.assign(alias.asname or alias.name, target)

    # -- annotations -------------------------------------------------------------------------------------------------------------
