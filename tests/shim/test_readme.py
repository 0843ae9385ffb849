"""The examples of shim/README.md run, with the installed mem0ai, against the emulated platform."""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mem0_shim import client, reads, receipt, reports
from mem0_shim.testing import Mem0Emulator

README = (Path(__file__).parents[2] / "shim" / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def items(answer: Any) -> Any:
    return answer["results"] if isinstance(answer, dict) else answer


def search(client: Any, query: str, user_id: str) -> Any:
    if "options" in inspect.signature(client.search).parameters:
        return client.search(query, filters={"user_id": user_id})
    return client.search(query, user_id=user_id)


@pytest.mark.mem0ai
@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: str(README[: README.index(code)].count("\n") + 1))
def test_example(code: str, platform: Mem0Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    import mem0
    import mem0_shim

    client_class = mem0.MemoryClient
    monkeypatch.setattr(mem0, "MemoryClient", functools.partial(client_class, api_key="key", host=platform.url))
    module = ModuleType("example")
    vars(module).update(items=items, search=search, mem0_shim=mem0_shim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, str(Path("shim/README.md")), "exec"), vars(module))  # noqa: S102 - the project's own example
        for name, test in list(vars(module).items()):
            if name.startswith("test_"):
                test(platform, mem0.MemoryClient())
        receipt.judge_all()


def test_every_code_is_explained() -> None:
    codes = {
        value.code
        for module in (reports, client, reads)
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, reports.PendingMemoryWarning)
        and value is not reports.PendingMemoryWarning
    }
    headings = set(re.findall(r"^#### (\S+)$", README, re.MULTILINE))
    assert headings == codes
