"""Whatever a file of Python holds, a check answers, and what it says lies inside the file."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mem0_migrate import Settings, check
from mem0_migrate.model import Unreadable
from mem0_migrate.project.source import parse

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import hypothesmith

if TYPE_CHECKING:
    from mem0_migrate import Report

EXAMPLES = int(os.environ.get("MEM0_MIGRATE_TEST_EXAMPLES", "25"))
ANY = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much,
                                                                HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
)  # fmt: skip
CASES = sorted((Path(__file__).parents[2] / "fixtures" / "rules").rglob("*.py"))
LINES = [
    "from mem0 import MemoryClient as Client",
    "client = Client()",
    "client.add(client, **client)['results'][0]['id']",
    "x = self.client = client.add('m', user_id='u')",
    "client.search('m')",
    "x = x['id'] if x else [y for y in x]",
    "def f(client=client, *a, **k): return client.add(*a, **k)",
    "f = partial(client.add, f)",
    "for client in [client, x]: x = x.next",
    "class Client(Client): add = client.add",
    "import_module('mem0').MemoryClient().add(f)",
    "isinstance(client, Client) and client.add(x)",
]


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def checked(text: str) -> Report:
    """Check a file with that text, and hold every place in the report to lie inside it."""
    Path("x.py").write_bytes(text.encode("utf-8", "surrogatepass"))
    report = check(["."], Settings(mem0ai="<3"))
    source = parse("x.py", Path("x.py").read_bytes())
    if isinstance(source, Unreadable):
        return report
    lines = source.lines
    spans = [finding.span for finding in report.findings]
    spans += [step.span for finding in report.findings for step in (*finding.evidence, *finding.marks, *finding.related)]
    spans += [span for site in report.sites for span in (site.span, *(use.span for use in site.uses))]
    for span in spans:
        assert span.filename == "x.py"
        for position in (span.start, span.end):
            assert 1 <= position.row <= max(len(lines), 1)
            assert 1 <= position.column <= len(lines[position.row - 1]) + 1
        assert span.start <= span.end
    return report


def strewn(text: str, rows: list[tuple[int, str]]) -> str:
    """The text with more lines in it, each as deep as the line that it comes before."""
    lines = text.splitlines(keepends=True)
    for number, line in rows:
        at = number % (len(lines) + 1)
        following = lines[at] if at < len(lines) else ""
        indent = following[: len(following) - len(following.lstrip(" \t"))]
        lines.insert(at, f"{indent}{line}\n")
    return "".join(lines)


ROWS = st.lists(st.tuples(st.integers(0, 1 << 16), st.sampled_from(LINES)), max_size=8)


@ANY
@given(hypothesmith.from_grammar(), ROWS)
def test_whatever_the_grammar_allows(text: str, rows: list[tuple[int, str]]) -> None:
    report = checked("from mem0 import MemoryClient\nclient = MemoryClient()\n" + strewn(text, rows))
    assert report.files == 1


@settings(parent=ANY, max_examples=max(EXAMPLES // 3, 5))
@given(hypothesmith.from_node(), ROWS)
def test_whatever_can_be_written_as_a_tree(text: str, rows: list[tuple[int, str]]) -> None:
    checked(strewn(text, [(0, LINES[1]), (0, LINES[0]), *rows]))


@settings(parent=ANY, max_examples=EXAMPLES * 4)
@given(st.sampled_from(CASES), st.sampled_from(CASES), st.data())
def test_pieces_of_real_cases_in_any_order(first: Path, second: Path, data: st.DataObject) -> None:
    lines = [*first.read_text(encoding="utf-8").splitlines(True), *second.read_text(encoding="utf-8").splitlines(True)]
    for _ in range(data.draw(st.integers(0, 4))):
        at, to = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        change = data.draw(st.sampled_from(["drop", "double", "move", "call"]))
        if change == "drop":
            lines[at] = f"{lines[at][: len(lines[at]) - len(lines[at].lstrip())]}pass\n"
        elif change == "double":
            lines[at:at] = lines[at : at + 3]
        elif change == "move":
            lines.insert(to, lines[at])
        else:
            lines[at] = lines[at].replace("client", "f(client)", 1)
    text = strewn("".join(lines), data.draw(ROWS))
    assume(not isinstance(parse("x.py", text.encode()), Unreadable))
    assert not checked(text).incomplete


ENDLESS = {
    "a chain of links": "from lib import node\nwhile node:\n    node = node.next\n",
    "a tree of links": "from lib import n\nwhile n:\n    n = n.a or n.b or n.c or n.d or n.e\n",
    "links by recursion": "import lib\ndef f(n):\n    return f(n.parent) or f(n.child)\nf(lib.root)\n",
    "partials of partials": "from functools import partial\np = client.add\nwhile p:\n    p = partial(p, a=1)\np('m')\n",
    "a partial of itself": "from functools import partial\ndef f(p):\n    return f(partial(p, p))\nf(client.add)()\n",
    "futures of futures": "r = client.add('m')\nwhile r:\n    r = pool.submit(lambda x: x, r)\n",
    "answers in answers": "r = client.add('m')\nwhile r:\n    for r in r['a'].items():\n        r = r.get('x')\n",
    "lists of lists": "x = [client]\nwhile x:\n    x = [list(x), *zip(x, x), *enumerate(x), *map(f, x)]\nx[0].add('m')\n",
    "a list in itself": "x = [client]\nx.append(x)\nx[0][0][0].add('m')\nd = {}\nd['d'] = d\nclient.add('m', **d)\n",
    "classes that are their own bases": "class A(B): c = client\nclass B(A): pass\nB().c.add('m')\nA().add('m')\n",
    "a property that asks itself": "class A:\n    @property\n    def c(self): return self.c.c\nA().c.add('m')\n",
    "a proxy of itself": "class A:\n    def __getattr__(self, n): return getattr(self.b, n)\n    b = property(lambda s: s)\n"
    "A().add(1)\n",
    "all arguments to itself": "def f(*a, **k):\n    f(*a, **k); f(a, k, *a, x=k, **k)\n    a[0].add('m')\nf(client, c=client)\n",
    "a decorator of itself": "@client.add\ndef f(m): pass\n@f\n@f\ndef f(f=f): return f\nf()('m')\n",
    "calls without their arguments": "import functools, typing, importlib\ngetattr()\nsetattr(client)\nfunctools.partial()()\n"
    "typing.cast(client)\nimportlib.import_module()\nnext()\nzip()\nmap(client)\nisinstance(client)\nThread()\ngather()\nsubmit()\n"
    "client.add()\nfunctools.partial(func=client.add)()\nfunctools.partial(*[client.add])('m')\nsetattr(*x, 'a', 3)\n",
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_what_refers_to_itself_comes_to_an_end(text: str) -> None:
    report = checked("from mem0 import MemoryClient\nclient = MemoryClient()\nclient.add('m')\n" + text)
    assert report.incomplete == ()
    assert report.sites
