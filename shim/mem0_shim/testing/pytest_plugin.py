"""The pytest plugin: the emulated platform as fixtures, and tests that fail at receipts which were taken for memories.

It does nothing unless a fixture, ``--mem0-shim`` or the ini option ``mem0_shim`` asks for it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mem0_shim.callsite import Site, find

if TYPE_CHECKING:
    from mem0_shim.receipt import Receipt
    from mem0_shim.testing.server import Mem0Emulator

_POLICIES = ("raise", "warn", "strict")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register ``--mem0-shim`` and the ini option ``mem0_shim``."""
    text = "receipts of mem0's add() that are read as memories: raise or warn; strict also fails tests that leave one unread"
    parser.getgroup("mem0-shim").addoption("--mem0-shim", choices=_POLICIES, default=None, help=text)
    parser.addini("mem0_shim", text, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Install the shim for the whole run, if it is asked for.

    Raises:
        pytest.UsageError: The ini option has a value that it does not take.
    """
    policy = _policy(config)
    if policy:
        import mem0_shim

        mem0_shim.install("warn" if policy == "strict" else policy)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the shim out again."""
    if _policy(config):
        import mem0_shim

        mem0_shim.uninstall()


def _policy(config: pytest.Config) -> str:
    found = config.getoption("mem0_shim") or config.getini("mem0_shim")
    if found and found not in _POLICIES:
        raise pytest.UsageError(f"mem0_shim = {found} is none of {', '.join(_POLICIES)}")
    return str(found or "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge what a test has read of its receipts before the test is over, so that the report is the test's own."""
    policy = _policy(item.config)
    if not policy:
        return (yield)
    from mem0_shim import receipt

    unread: set[str] = set()

    def note(made: Receipt) -> None:
        died_at = find(sys._getframe(1))
        discarded = isinstance(died_at, Site) and str(died_at) == str(made.added_at)
        if not discarded:
            unread.add(str(made.added_at))

    receipt.listeners.append(note)
    before = set(receipt.unjudged)
    try:
        result = yield
        gc.collect()
        for key in set(receipt.unjudged) - before:
            if (kept := receipt.unjudged[key]()) is not None:
                kept.judge()
    finally:
        receipt.listeners.remove(note)
    if policy == "strict" and unread:
        lines = ", ".join(sorted(unread))
        pytest.fail(f"add() answered with a receipt that nobody looked at: {lines}", pytrace=False)
    return result


@pytest.fixture
def mem0_platform() -> Iterator[Mem0Emulator]:
    """mem0's hosted platform, emulated on loopback; background work takes 0.05 seconds, ``adjust()`` changes that."""
    from mem0_shim.testing.server import Mem0Emulator

    with Mem0Emulator(latency=0.05) as platform:
        yield platform


@pytest.fixture
def mem0_client(mem0_platform: Mem0Emulator) -> Iterator[Any]:
    """A `mem0.MemoryClient` of the installed mem0ai that talks to `mem0_platform`."""
    if "mem0" not in sys.modules:
        pytest.importorskip("mem0", reason="mem0ai is not installed")
    import mem0  # type: ignore[import-not-found,unused-ignore]

    client = mem0.MemoryClient(api_key="test", host=mem0_platform.url)
    yield client
    client.client.close()
