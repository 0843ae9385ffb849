"""setup.py: what `install_requires=` and `extras_require=` of the call to setup() are given, as far as it is literal.

Nothing is executed. Strings, lists, dicts and their sums are read, also through names that the file binds to them.
"""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING

from mem0_migrate.project.manifests.statement import Problem, Statement, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    Bindings = defaultdict[str, list[ast.expr]]


def statements(text: str) -> Iterator[Statement]:
    """Yield what a setup.py states about mem0ai."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the user's strings
            tree = ast.parse(text)
        found = list(_requirements(tree))
    except SyntaxError as error:
        yield Problem(error.lineno, f"not valid Python: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, or nested too deeply
        yield Problem(None, f"not readable as Python: {error}")
    else:
        for environment, string in found:
            yield from requirement(str(string.value), string.lineno, environment)


def _requirements(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    bindings: Bindings = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _bind(bindings, target, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            _bind(bindings, node.target, node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg in ("install_requires", "extras_require"):
                    yield from _strings(keyword.value, bindings, "", frozenset())


def _bind(bindings: Bindings, target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        bindings[target.id].append(value)
    elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):  # extras["mem0"] = [...]
        bindings[target.value.id].append(ast.Dict(keys=[target.slice], values=[value]))


def _strings(node: ast.expr, bindings: Bindings, environment: str, seen: frozenset[str]) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the strings of a literal, each with the extra it stands under."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield environment, node
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for item in node.elts:
            yield from _strings(item, bindings, environment, seen)
    elif isinstance(node, ast.Starred):
        yield from _strings(node.value, bindings, environment, seen)
    elif isinstance(node, ast.BinOp):
        yield from _strings(node.left, bindings, environment, seen)
        yield from _strings(node.right, bindings, environment, seen)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            extra = f"extra {key.value}" if isinstance(key, ast.Constant) and isinstance(key.value, str) else environment
            yield from _strings(value, bindings, extra, seen)
    elif isinstance(node, ast.Name) and node.id not in seen:
        for value in bindings[node.id]:
            yield from _strings(value, bindings, environment, seen | {node.id})
