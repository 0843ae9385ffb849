"""Files that a generator wrote: as long, as deep, as repetitive as they come; none takes more than a few seconds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mem0_migrate import Settings, check
from mem0_migrate.tracking import texts

HEAD = "from mem0 import MemoryClient\nclient = MemoryClient()\n"
PATIENCE = 20  # seconds: several times what it takes, hundreds of times less than what it took where there was something to mend


def many(number: int, *lines: str) -> str:
    return "".join("".join(lines).format(i=i, before=i - 1) for i in range(number))


CLASSES = "class C0:\n    def __init__(self, c):\n        self.client = c\n" + "".join(
    f"class C{i}(C{i - 1}):\n    def go{i}(self, m):\n        return self.client.add(m)['id']\n" for i in range(1, 200)
)
FILES: dict[str, tuple[str, int]] = {
    "a chain of 1,000 links": ("x = client" + ".with_x(1)" * 1_000 + "\nclient.add(x)\n", 1),
    "a sum of 2,000 terms": ("x = " + " + ".join(["'a'"] * 2_000) + "\nclient.add(x)\n", 1),
    "a dict of 20,000 entries": ("x = {" + many(20_000, "'k{i}': {i}, ") + "}\nclient.add('m', **x)\n", 1),
    "1 MB of text": ('x = """' + "a b c\n" * 180_000 + '"""\nclient.add(x)["id"]\n', 1),
    "1 MB of numbers": (f"x = {list(range(150_000))}\nclient.add(x)['id']\n", 1),
    "1,000 functions that use one client": (many(1_000, "def f{i}(m):\n    r = client.add(m)\n    return r['id']\n"), 1_000),
    "500 adds in a function": ("def f(m):\n" + many(500, "    r{i} = client.add(m)\n    print(r{i}['id'])\n"), 500),
    "500 adds and searches": ("def f(m):\n" + many(500, "    client.add(m)\n    client.search(m)\n"), 500),
    "300 adds, 1,000 calls, 300 searches": (
        "def f(m):\n" + "    client.add(m)\n" * 300 + "    log(m)\n" * 1_000 + "    client.search(m)\n" * 300, 300,
    ),
    "200 classes derived from one another": (CLASSES + "C199(client).go4('x')\n", 199),
    "1,500 branches": ("def f(m):\n" + many(1_500, "    if m == {i}:\n        x{i} = client.add(m)\n"), 1_500),
    "1,000 early returns": ("def f(m):\n" + many(1_000, "    if m == {i}:\n        return client.add(m)\n"), 1_000),
    "18 loops in loops": ("".join(f"{' ' * i}for x{i} in y:\n" for i in range(18)) + f"{' ' * 18}client.add(x0)\n", 1),
    "18 loops while loops": ("".join(f"{' ' * i}while x{i}:\n" for i in range(18)) + f"{' ' * 18}client.add(x0)\n", 1),
    "90 blocks in blocks": ("".join(f"{' ' * i}if x{i}:\n" for i in range(90)) + f"{' ' * 90}client.add(x0)\n", 1),
    "500 mappings spread one into the next": (
        "d0 = {}\n" + "".join(f"d{i} = {{**d{i - 1}, 'a': 1}}\n" for i in range(1, 500)) + "client.add('m', **d499)\n", 1,
    ),
    "200 mappings spread twice into the next": (
        "d0 = {}\n" + "".join(f"d{i} = {{**d{i - 1}, **d{i - 1}}}\n" for i in range(1, 200)) + "client.add('m', **d199)\n", 1,
    ),
    "a client handed down 500 calls": (
        "".join(f"def f{i}(c):\n    return f{i + 1}(c)\n" for i in range(500))
        + "def f500(c):\n    return c.add(1)\nf0(client)['id']\n", 1,
    ),
    "300 partials of partials": (
        "from functools import partial\np0 = partial(client.add)\n"
        + "".join(f"p{i} = partial(p{i - 1}, x={i})\n" for i in range(1, 300)) + "p299('m')\nclient.add('m')\n", 1,
    ),
    "1,000 decorators": ("@d\n" * 1_000 + "def f(m):\n    return client.add(m)\n", 1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "sites"), FILES.values(), ids=FILES.keys())
def test_size_costs_little(text: str, sites: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.py").write_text(HEAD + text, encoding="utf-8")
    begin = time.process_time()
    report = check(["."], Settings(mem0ai="<3"))
    assert time.process_time() - begin < PATIENCE
    assert report.incomplete == ()
    assert len(report.sites) >= sites


@pytest.mark.parametrize("expression", ["-" * 10_000 + "x", "x" + ".y" * 10_000, "x" + "(1)" * 10_000, " + ".join("x" * 5_000)])
def test_what_is_nested_too_deeply_is_named(expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.py").write_text(f"{HEAD}{expression}\n", encoding="utf-8")
    (problem,) = check(["."], Settings()).incomplete
    assert problem.filename == "x.py"
    assert "nested" in problem.reason


def test_requests_that_could_not_be_followed_make_the_run_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["import requests", 'BASE = "https://api.mem0.ai"']
    lines += [f'requests.post(BASE + "/v1/memories/", json={{"messages": m{number}}})' for number in range(200)]
    (tmp_path / "many.py").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    whole = check(["."], Settings())
    assert len(whole.sites) == 200
    assert not whole.incomplete
    monkeypatch.setattr(texts, "_ALLOWANCE", 1_000)
    partial = check(["."], Settings())
    assert 0 < len(partial.sites) < 200
    assert [problem.filename for problem in partial.incomplete] == ["many.py"]
