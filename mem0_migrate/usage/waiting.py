"""Which clients mem0-shim makes wait: their `add` answers with memories, whatever the platform does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking.frameworks import SHIM_INSTALL, SHIM_WRAP
from mem0_migrate.tracking.summary import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.tracking.records import SolvedCall
    from mem0_migrate.tracking.solver import Solver
    from mem0_migrate.tracking.values import Value

_WAIT = "wait"
_TEST = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*$|conftest\.py$)|_test\.py$")


class WaitingClients:
    """The clients that the code hands to `mem0_shim.wrap(…, policy="wait")`, or all of them after `install(policy="wait")`."""

    def __init__(self, solver: Solver) -> None:
        """Look once at every call of the shim."""
        self._solver = solver
        self._classes = {
            item.value + joined.base
            for joined in solver.files.values()
            for item in joined.summary.classes
            if item.value != NOTHING
        }
        told = [call for call in solver.calls if call.libraries & (SHIM_WRAP | SHIM_INSTALL) and _policy(call) == _WAIT]
        self._all = any(call.libraries & SHIM_INSTALL for call in told)
        wrapped = {node for call in told if call.libraries & SHIM_WRAP for node, _ in call.arguments[:1]}
        self._origins = {value[2] for node in wrapped for value, _ in solver.values.get(node, ()) if value[0] == "client"}
        classes = {value[1:] for node in wrapped for value, _ in solver.values.get(node, ()) if value[0] == "instance"}
        if classes:
            before = set().union(*map(solver.behind, wrapped))
            self._origins.update(
                solver.class_node(filename, index)
                for filename, index in classes
                if all(call.target in before for call in solver.constructions(filename, index))
            )

    def deciding(self, clients: Sequence[Value], filename: str) -> list[Value]:
        """The hosted clients whose construction decides about a site in a file.

        An annotation only says what arrives: where a construction is seen that arrives, it counts alone. One in a test does not,
        except for sites in tests, since others may construct the client elsewhere.
        """
        hosted = [client for client in clients if surface.is_hosted(client[1])]
        return [client for client in hosted if self._is_constructed(client, in_test=_is_test(filename))] or hosted

    def _is_constructed(self, client: Value, *, in_test: bool) -> bool:
        if self._solver.labels.get(client[2], ("",))[0] != "construct" and client[2] not in self._classes:
            return False
        return in_test or not _is_test(self._solver.places.get(client[2], ("",))[0])

    def __contains__(self, client: Value) -> bool:
        """Whether a hosted client waits."""
        return surface.is_hosted(client[1]) and (self._all or client[2] in self._origins)


def _is_test(filename: str) -> bool:
    return _TEST.search(filename) is not None


def _policy(call: SolvedCall) -> object:
    position = 1 if call.libraries & SHIM_WRAP else 0
    positional = call.fact.constants[position] if len(call.fact.constants) > position else None
    return call.fact.keyword_constants.get("policy", positional)
