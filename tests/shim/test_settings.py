"""Settings from arguments and the environment: what is refused, by name, and what wins."""

from __future__ import annotations

from typing import Any

import mem0_shim
import pytest
from mem0_shim.settings import disabled, parse_policy, read_settings


@pytest.mark.parametrize(
    ("environment", "options", "text"),
    [
        ({}, {"policy": "wran"}, "policy: 'wran' is no policy"),
        ({}, {"policy": "warn,app.billing=wiat"}, "'app.billing=wiat' is no policy"),
        ({}, {"policy": "=wait"}, "'=wait' is no policy"),
        ({}, {"policy": 3}, "policy is 3"),
        ({}, {"modules": ()}, "modules is"),
        ({}, {"reads": "loud"}, "reads is 'loud'"),
        ({}, {"timeout": -1}, "timeout is -1"),
        ({}, {"timeout": "soon"}, "timeout is 'soon'"),
        ({}, {"timeout": float("inf")}, "timeout is inf"),
        ({}, {"timeout": float("nan")}, "timeout is nan"),
        ({}, {"factor": 0.5}, "factor is 0.5"),
        ({}, {"spread": 2}, "spread"),
        ({"MEM0_SHIM_POLICY": "loud"}, {}, "MEM0_SHIM_POLICY: 'loud'"),
        ({"MEM0_SHIM_READS": "loud"}, {}, "MEM0_SHIM_READS is 'loud'"),
        ({"MEM0_SHIM_TIMEOUT": "soon"}, {}, "MEM0_SHIM_TIMEOUT is 'soon'"),
    ],
)
def test_refused(environment: dict[str, str], options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_settings(environment, **options)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="no setting is called 'timout'"):
        mem0_shim.install(timout=3)


def test_arguments_win_over_the_environment() -> None:
    environment = {"MEM0_SHIM_POLICY": "warn,tests=raise", "MEM0_SHIM_TIMEOUT": "5", "MEM0_SHIM_READS": "off"}
    assert read_settings(environment).timeout == 5.0
    made = read_settings(environment, policy="wait", timeout=None, reads="barrier")
    assert (made.policy, made.modules, made.timeout, made.reads) == ("wait", (("tests", "raise"),), 5.0, "barrier")
    assert read_settings({}) == read_settings({"MEM0_SHIM_POLICY": "", "MEM0_SHIM_TIMEOUT": ""})


@pytest.mark.parametrize(
    ("module", "policy"),
    [("other", "warn"), ("app", "off"), ("application", "warn"), ("app.billing", "wait"), ("app.billing.invoices", "wait")],
)
def test_the_longest_prefix_decides(module: str, policy: str) -> None:
    assert read_settings({}, policy="warn, app.billing=wait ,app=off,").policy_of(module) == policy


def test_a_text_without_a_policy_of_its_own_keeps_the_default() -> None:
    assert parse_policy("tests=raise") == {"modules": (("tests", "raise"),)}
    assert parse_policy("") == {}


@pytest.mark.parametrize(
    ("value", "off"), [("", False), ("0", False), ("no", False), ("False", False), ("1", True), ("yes", True)]
)
def test_disabled(value: str, off: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM0_SHIM_DISABLE", value)
    assert disabled() is off
