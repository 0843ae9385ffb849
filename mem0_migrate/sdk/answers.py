"""What `add` answers, and what code that expects memories makes of a receipt: computed on the real shapes, not remembered.

Sources: the answer of v0 and v1 with `output_format="v1.1"` (what 0.1.82 and later send) is the nested receipt of October 2025;
2.x posts to `/v3/memories/add/`, which answers with the flat one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from mem0_migrate.model import Era

NESTED: dict[str, Any] = {"results": [{"message": "queued", "status": "PENDING", "event_id": "…"}]}
FLAT: dict[str, Any] = {"message": "queued", "status": "PENDING", "event_id": "…"}

RECEIPTS: dict[Era, dict[str, Any]] = {"v0": NESTED, "v1": NESTED, "v2": FLAT}

# What the old contract answered with: since 0.1.82, and a bare list before.
_MEMORY: dict[str, Any] = {
    "id": "…", "memory": "…", "data": {"memory": "…"}, "event": "ADD", "hash": "…", "metadata": {}, "score": 1, "categories": [],
    "user_id": "…", "agent_id": "…", "app_id": "…", "run_id": "…", "created_at": "…", "updated_at": "…",
}  # fmt: skip
MEMORIES: tuple[Any, ...] = ({"results": [_MEMORY], "relations": []}, [_MEMORY])

# Keys that only a receipt has: reading one means that the code knows about receipts.
RECEIPT_KEYS = frozenset(["event_id", "eventId", "status"])
STATUSES = frozenset(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "PROCESSING", "QUEUED", "SUCCESS"])

ELEMENT = "*"  # a path step: what iterating gives
INDEX = "#"  # a path step: an element by its position
TOLERANT = "?"  # prefix of a path step: `.get(key, default)`
OPTIONAL = "~"  # prefix of a path step: `.get(key)`
MATCHED = "="  # prefix of a path step: a key, or `*` for an element, that a pattern of a `match` asks for
FIELD = "."  # prefix of a path step: a field of what is built by `Model(**answer)`
PREFIXES = TOLERANT + OPTIONAL + MATCHED + FIELD


_NONE_FOUND = "finds no memories, and goes on as if none had been stored"


class _AbsentError(Exception):
    """There is nothing where the code looks, and it says what to take instead."""


class _UnmatchedError(Exception):
    """A pattern does not match what it is given."""


class _UnbuiltError(Exception):
    """An object cannot be built, for want of a field."""


class _NeverReachedError(Exception):
    """The loop that would read this runs over nothing."""


def outcome(era: Era, path: tuple[str, ...], kind: str, tested: Collection[tuple[str, ...]] = ()) -> str:
    """What happens in an era when the answer is read along `path` and then used as `kind` says, in words.

    A path is a sequence of keys; see ELEMENT and those below it for what is not a plain subscript. `tested` are the paths
    that the code tests before (`if result.get("results")`, `isinstance(items, list)`, `"results" in result`).
    """
    try:
        if not all(_walk(RECEIPTS[era], prefix) for prefix in tested):
            return _NONE_FOUND
        return _used(_walk(RECEIPTS[era], path), kind)
    except _AbsentError:
        return _NONE_FOUND
    except _UnbuiltError as missing:
        return f"raises an error: a receipt has no {str(missing)!r}"
    except _UnmatchedError:
        return "matches no more"
    except _NeverReachedError:
        return "the loop over the memories never runs, although the write was accepted"
    except (LookupError, TypeError, AttributeError) as error:
        return f"raises {type(error).__name__}: {error}"


def worked(path: tuple[str, ...]) -> bool:
    """Whether there was something along a path in an answer of the old contract; else the code had nothing to lose there."""
    for memories in MEMORIES:
        try:
            if _walk(memories, path) not in (None, []):
                return True
        except (_AbsentError, _UnbuiltError, _UnmatchedError, _NeverReachedError, LookupError, TypeError, AttributeError):
            continue
    return False


def raises(era: Era, path: tuple[str, ...], kind: str, tested: Collection[tuple[str, ...]] = ()) -> bool:
    """Whether that raises."""
    return outcome(era, path, kind, tested).startswith("raises ")


def _walk(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if step == ELEMENT:
            value = _element(value)
        elif step == INDEX:
            if value == []:  # the default of `.get("results", …)`, which need not be empty
                raise _AbsentError
            value = value[0]
        elif step == MATCHED + ELEMENT:
            if not isinstance(value, list) or not value:
                raise _UnmatchedError
            value = value[0]
        elif step[:1] == FIELD:
            if step[1:] not in value:
                raise _UnbuiltError(step[1:])
            value = value[step[1:]]
        elif step[:1] == MATCHED:
            if not isinstance(value, dict) or step[1:] not in value:
                raise _UnmatchedError
            value = value[step[1:]]
        elif step[:1] in (TOLERANT, OPTIONAL):
            value = value.get(step[1:], [] if step[0] == TOLERANT else None)
        else:
            value = value[step]
    return value


def _element(value: Any) -> Any:
    for element in value:
        return element
    raise _NeverReachedError


def _used(value: Any, kind: str) -> str:
    if kind == "counted":
        count = len(value)
        return f"counts {count}, although nothing is stored yet" if count else "counts 0, although the write was accepted"
    if kind in ("truth", "member-truth"):
        return "is true, although nothing is stored yet" if value else "is false, although the write was accepted"
    if kind in ("iterated", "unpacked"):
        if isinstance(value, dict):
            return f"runs over the keys of the receipt ({', '.join(repr(key) for key in value)}), not over memories"
        if isinstance(value, list) and not value:
            raise _NeverReachedError
        iter(value)
        return "runs once, over a receipt instead of a memory"
    if kind == "contains":
        return "looks into a receipt, which holds no memory"
    if value is None:
        return "gives None"
    if value == []:
        return "gives an empty list, as if nothing had been stored"
    if isinstance(value, str):
        return f"gives {value!r} of the receipt"
    return "gives a receipt instead of memories"
