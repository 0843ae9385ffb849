"""Literals that a call passes by keyword, directly or by a name that stands for one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking.recorder import mode_of

if TYPE_CHECKING:
    from mem0_migrate.tracking.scope import Scope


def keyword_constants(keywords: list[ast.keyword], scope: Scope) -> dict[str, object]:
    """The keywords that are passed as literals, or as a name that stands for one."""
    found: dict[str, object] = {}
    for keyword in keywords:
        value = keyword.value
        while isinstance(value, ast.IfExp) and mode_of(value) != "dynamic":
            value = value.body
        if keyword.arg and isinstance(value, ast.Constant):
            found[keyword.arg] = value.value
        elif keyword.arg and isinstance(value, ast.Name):
            named = constant_named(value.id, scope)
            if named is not ...:
                found[keyword.arg] = named
        elif keyword.arg == "filters" and isinstance(value, ast.Dict):
            found.update(_filtered_entities(value))
    return found


def constant_named(name: str, scope: Scope) -> object:
    """What a name stands for if it is bound once, to a literal; a parameter with its default; Ellipsis where neither."""
    if name in scope.defaults:
        return scope.defaults[name]
    current: Scope | None = scope
    while current is not None:
        if name in current.constants:
            return current.constants[name]
        if name in current.cells:
            return ...
        current = current.parent
    return ...


def _filtered_entities(filters: ast.Dict) -> dict[str, object]:
    """The scope that filters name by literals, alone or below AND."""
    found: dict[str, object] = {}
    for key, value in zip(filters.keys, filters.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) else None
        if name in surface.ENTITIES and isinstance(value, ast.Constant):
            found[str(name)] = value.value
        elif name == "AND" and isinstance(value, ast.List):
            for inner in value.elts:
                found.update(_filtered_entities(inner) if isinstance(inner, ast.Dict) else {})
    return found
