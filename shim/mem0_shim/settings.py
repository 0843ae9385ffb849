"""Policies and figures, from arguments and from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast, get_args

Policy = Literal["off", "warn", "raise", "wait"]
Reads = Literal["off", "warn", "barrier"]

_NUMBERS: Final = ("timeout", "first_delay", "factor", "longest_delay", "spread", "stale_seconds")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the shim does, for the process or for one client.

    Attributes:
        policy: What happens to a receipt that the application reads as memories.
        modules: Policies for the modules under a dotted prefix; the longest prefix decides, by the module that calls ``add``.
        reads: What happens to a read of a scope whose ``add`` is not finished.
        timeout: Seconds that ``wait`` waits for one ``add``.
        first_delay: Seconds before the first poll.
        factor: Each further delay is the last one times this, 1 or more.
        longest_delay: No delay is longer than this many seconds.
        spread: Each delay varies by this share around its value, 0 to 1.
        stale_seconds: Seconds after an ``add`` in which a read of its scope is stale.
    """

    policy: Policy = "warn"
    modules: tuple[tuple[str, Policy], ...] = ()
    reads: Reads = "warn"
    timeout: float = 60.0
    first_delay: float = 0.5
    factor: float = 1.3
    longest_delay: float = 5.0
    spread: float = 0.2
    stale_seconds: float = 5.0

    def policy_of(self, module: str) -> Policy:
        """The policy for calls of ``add`` from a module, by its dotted name."""
        chosen, length = self.policy, -1
        for prefix, policy in self.modules:
            if len(prefix) > length and (module == prefix or module.startswith(prefix + ".")):
                chosen, length = policy, len(prefix)
        return chosen


def parse_policy(text: str, origin: str = "policy") -> dict[str, Any]:
    """Read a policy and those of modules, as in ``"warn,app.billing=wait,tests=raise"``.

    Args:
        text: A policy, ``prefix=policy`` pairs, or both, separated by commas.
        origin: Where the text comes from, for the error's text.

    Returns:
        Values for the fields ``policy`` (if the text has one) and ``modules`` of `Settings`.

    Raises:
        ValueError: A word that is no policy.
    """
    found: dict[str, Any] = {}
    modules = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        prefix, equals, policy = (piece.strip() for piece in part.rpartition("="))
        if policy not in get_args(Policy) or (equals and not prefix):
            raise ValueError(f"{origin}: {part!r} is no policy: use off, warn, raise or wait, or MODULE=POLICY")
        if equals:
            modules.append((prefix, cast("Policy", policy)))
        else:
            found["policy"] = policy
    if modules:
        found["modules"] = tuple(modules)
    return found


def read_settings(environment: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """The settings of the environment, overridden by arguments.

    Args:
        environment: Variables; None is the process's environment. Read are ``MEM0_SHIM_POLICY``, ``MEM0_SHIM_READS`` and
            ``MEM0_SHIM_TIMEOUT`` (seconds).
        options: Values by field of `Settings`; ``policy`` may be a text for `parse_policy`. None counts as not given.

    Raises:
        ValueError: A value that a setting does not take; the text names the argument or the variable.
        TypeError: An argument that is no setting.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    if policy := environment.get("MEM0_SHIM_POLICY"):
        values |= parse_policy(policy, "MEM0_SHIM_POLICY")
    if reads := environment.get("MEM0_SHIM_READS"):
        values["reads"] = _one_of(reads, "MEM0_SHIM_READS")
    if timeout := environment.get("MEM0_SHIM_TIMEOUT"):
        values["timeout"] = _number(timeout, "MEM0_SHIM_TIMEOUT")
    for name, value in options.items():
        if value is None:
            continue
        if name == "policy" and isinstance(value, str):
            values |= parse_policy(value)
        elif name == "reads":
            values[name] = _one_of(value, name)
        elif name in _NUMBERS:
            values[name] = _number(value, name)
        elif name in ("policy", "modules"):
            raise ValueError(f"{name} is {value!r}: give policy a text such as 'warn' or 'warn,app.billing=wait'")
        else:
            raise TypeError(f"no setting is called {name!r}: use policy, reads, {', '.join(_NUMBERS)}")
    made = replace(Settings(), **values)
    if made.factor < 1 or made.spread > 1:
        raise ValueError(f"factor is {made.factor} and spread {made.spread}: factor is at least 1, spread at most 1")
    return made


def disabled() -> bool:
    """Whether ``MEM0_SHIM_DISABLE`` switches the shim off (any value but empty, 0, false or no)."""
    return os.environ.get("MEM0_SHIM_DISABLE", "").strip().lower() not in ("", "0", "false", "no")


def _one_of(value: object, origin: str) -> Reads:
    if value not in get_args(Reads):
        raise ValueError(f"{origin} is {value!r}: use one of {', '.join(get_args(Reads))}")
    return cast("Reads", value)


def _number(value: object, origin: str) -> float:
    try:
        number = float(cast("Any", value))
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ValueError(f"{origin} is {value!r}: use a number that is 0 or more")
    return number
