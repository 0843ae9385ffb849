"""Which calls are taken for an add over HTTP: `fixtures/http/`, one file per case, `# expect:` on the row where the call starts.

In `fixtures/http/answers/`, `# answer:` names the deepest path of keys below the platform's answer that is known on that row, `.`
for the answer itself.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mem0_migrate.project.modules import Modules
from mem0_migrate.project.source import Source, parse
from mem0_migrate.tracking.http import Requests
from mem0_migrate.tracking.joining import join
from mem0_migrate.tracking.solver import Solver
from mem0_migrate.tracking.statements import summarise

ROOT = Path(__file__).parents[2] / "fixtures" / "http"
CASES = sorted(ROOT.rglob("*.py"))
_ANSWER = re.compile(r"# answer: (\S+)")
_EXPECTED = re.compile(r"# expect: add((?: \w+=\S+)*)")


def _expected(text: str) -> dict[int, dict[str, str]]:
    found = {}
    for row, line in enumerate(text.splitlines(), 1):
        told = _EXPECTED.search(line)
        if told is not None:
            found[row] = {"waits": "0", **dict(item.split("=", 1) for item in told[1].split())}
    return found


def _source(path: Path) -> Source:
    source = parse(_name(path), path.read_bytes())
    assert isinstance(source, Source)
    return source


def _found(path: Path) -> dict[int, dict[str, str]]:
    summary = summarise(_source(path))
    return {
        summary.calls[added.call].place[0]: {"mode": added.mode, "waits": str(added.waits), "url": added.url}
        for added in summary.http_adds
    }


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CASES, ids=_name)
def test_case(path: Path) -> None:
    expected, found = _expected(path.read_text()), _found(path)
    for row, told in expected.items():
        found[row] = {key: found[row][key] for key in told} if row in found else {}
    assert found == expected


@pytest.mark.parametrize("path", sorted((ROOT / "answers").glob("*.py")), ids=_name)
def test_answer(path: Path) -> None:
    solver = Solver(Modules([_name(path)]))
    join(solver, summarise(_source(path)))
    solver.run()
    found: dict[int, str] = {}
    for node, (_, place) in solver.places.items():
        for value, _ in solver.values.get(node, ()):
            if value[0] == "answer":
                reached = ".".join(value[3]) or "."
                found[place[0]] = max(found.get(place[0], ""), reached, key=len)
    rows = enumerate(path.read_text().splitlines(), 1)
    assert found == {row: told[1] for row, line in rows if (told := _ANSWER.search(line))}


def test_site() -> None:
    path = ROOT / "httpx_async_client.py"
    solver = Solver(Modules([_name(path)]))
    join(solver, summarise(_source(path)))
    solver.run()
    sites = [(site.filename, site.place[0], site.url, site.waits, site.reference) for site in solver.site_list]
    assert sites == [
        (path.name, 9, "https://api.mem0.ai/v1/memories/", 1, False),
        (path.name, 14, "https://api.mem0.ai/v1/memories/", 1, False),
    ]


_NAMES = ["URL", "host", "self", "self.base", "Api.base", "Api", "body", "path", "requests", "make", "options", "p"]
_LITERALS = ['"https://api.mem0.ai"', '"/v1/memories/"', "'%s/%(x)s/%'", '"{}{x}{0"', '"async_mode"', "None", "0x" + "f" * 9999]
_LEAVES = st.sampled_from(_NAMES + _LITERALS)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    forms = [
        "({} + {})", "({} % ({},))", "({} % {})", "({} / {})", "({} | {})", "({} or {})", "({} if {} else host)",
        "(lambda p: {})({})", "{}.format({}, x={})", "{}.rstrip({}, {})", "{}.replace({}, {})", "{}.join([{}, {}])",
        "urljoin({}, {})", "{}[{}]", "{}.post({}, json={})", "{{{}: {}, **{}}}", "{{{}: {} for p in {}.items()}}",
        "[p for p in {}]", "make({}, p={})", "dict({}, async_mode={}, **{})", "os.getenv({}, {})", "{}.get({}, {})",
        "requests.Request({}, {}, {})", "(path := {})", "{}.update({})", "Api({}, base={})", "{}.pop({}, {})",
        "{}.encode({})", "requests.request({}, {}, data={})", "{}.post(url={}, **{})", "json.dumps({})",
    ]  # fmt: skip
    return st.tuples(st.sampled_from(forms), inner, inner, inner).map(lambda drawn: drawn[0].format(*drawn[1:]))


@settings(max_examples=60, deadline=None)
@given(*[st.recursive(_LEAVES, _compound, max_leaves=12)] * 4)
def test_any_expression_is_read(first: str, second: str, third: str, fourth: str) -> None:
    text = f"""
import requests, os, json  # mem0
URL = {first}

class Api:
    base = {second}
    def __init__(self, host=URL, **options):
        self.base = {third}
        host += self.base
        self._call(host, {fourth})

    def _call(self, path, body):
        if path:
            body["async_mode"] = {second}
        return requests.post(self.base + path, json=body)

    def add(self, body):
        return self._call("/memories/", {third})

def make(p, path={fourth}):
    for p in {first}:
        body = p
    return requests.post({third}, json={fourth}) or make({second})
"""
    source = parse("a.py", text.encode())
    assert isinstance(source, Source)
    requests = Requests(source)
    for number, node in enumerate(node for node in ast.walk(source.tree) if isinstance(node, ast.Call)):
        added = requests.add(node, number)
        if added is not None:
            assert re.match(r"\*|https://api\.mem0\.ai/v1/memories", added.url)
            assert added.mode in {"absent", "false", "true", "none", "dynamic", "mapping"}


def test_most_cases_are_negative() -> None:
    negative = [path for path in CASES if not _expected(path.read_text())]
    assert len(negative) > len(CASES) / 2
    assert all(_name(path).startswith("no_") for path in negative)
