"""Notebooks after edits: whole ones as data in fixtures/notebooks_edited, layouts of one source, refusals, and any notebook."""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mem0_migrate.cli import cli
from mem0_migrate.engine import fix
from mem0_migrate.fixes import notebooks
from mem0_migrate.fixes.changes import UnchangeableError
from mem0_migrate.fixes.notebooks import patched
from mem0_migrate.fixes.rewriting import spliced
from mem0_migrate.model import Edit, FixReport, Position, Span
from mem0_migrate.project.notebook import code
from mem0_migrate.project.source import Source, parse
from mem0_migrate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mem0_migrate.configuration import Choice

FIXTURES = Path(__file__).parents[2] / "fixtures" / "notebooks_edited"
WHOLE = sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/*.ipynb") if path.stem != "before")
STRATEGIES: tuple[Choice, ...] = ("keyword", "shim")

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
EXAMPLES = int(os.environ.get("MEM0_MIGRATE_TEST_EXAMPLES", "25"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source_of(data: bytes) -> Source:
    source = parse("a.ipynb", data)
    assert isinstance(source, Source), source
    return source


def edit(source: Source, start: int, end: int, content: str) -> Edit:
    """An edit of the code from one offset to another, counted in the cell of the first."""
    number, first = source.position(start)
    above = next(cell.first_row for cell in source.cells if cell.number == number) - 1
    row = bisect_right(source.starts, end)
    return Edit(Span(source.filename, first, Position(row - above, end - source.starts[row - 1] + 1), number), content)


def replacing(source: Source, old: str, new: str) -> Edit:
    """An edit of the only place where some code stands."""
    assert source.shown.count(old) == 1, source.shown
    start = source.shown.index(old)
    return edit(source, start, start + len(old), new)


def fixed(strategy: Choice, *, mem0ai: str = "<2") -> FixReport:
    return fix(["."], Settings(mem0ai=mem0ai, strategy=strategy, unsafe_fixes=True))


# -- whole notebooks -------------------------------------------------------------------------------------------------------------


def test_there_are_whole_notebooks() -> None:
    assert {path.partition("/")[0] for path in WHOLE} >= {"jupyter", "vscode", "colab"}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_notebook_is_fixed(name: str, folder: Path) -> None:
    path, strategy = folder / "a.ipynb", Path(name).stem
    path.write_bytes((FIXTURES / name).with_name("before.ipynb").read_bytes())
    assert strategy in ("keyword", "shim")
    report = fixed("keyword" if strategy == "keyword" else "shim")
    assert (report.failed, report.left, [rewrite.filename for rewrite in report.rewrites]) == ((), (), ["a.ipynb"])
    assert path.read_bytes() == (FIXTURES / name).read_bytes()
    assert fixed("auto").rewrites == ()
    assert fixed("shim").rewrites == ()
    refuse_unless_valid(path.read_bytes())


def test_the_diff_of_a_notebook(folder: Path) -> None:
    path = folder / "a.ipynb"
    before = (FIXTURES / "vscode" / "before.ipynb").read_bytes()
    path.write_bytes(before)
    result = CliRunner().invoke(cli, ["fix", "--diff", "--mem0ai", "<2", "--unsafe-fixes"])
    changed = [line for line in result.stdout.splitlines() if line[:1] in ("+", "-")]
    assert (result.exit_code, path.read_bytes()) == (1, before)
    assert changed == ["--- a.ipynb", "+++ a.ipynb", r'+    "        async_mode=False,\n",']


def test_nbformat_is_there() -> None:
    """Without it, the tests here do not hold notebooks to its schema."""
    if find_spec("nbformat") is None and not os.environ.get("CI"):
        pytest.skip("nbformat is not installed")
    assert find_spec("nbformat")


def refuse_unless_valid(data: bytes) -> None:
    """Hold a notebook to the schema of its nbformat, where that is installed."""
    if find_spec("nbformat"):
        import nbformat

        document = json.loads(data)
        nbformat.validate(document, version=document["nbformat"], version_minor=document["nbformat_minor"])


# -- one source ------------------------------------------------------------------------------------------------------------------

ROWS = '["a = 1\\n",\n\t"b = 2\\n",\n\t"c = 3"\n ]'


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        # inside a line
        ('["a = 1\\n", "b = 2"]', "2", "3", '["a = 1\\n", "b = 3"]'),
        ('"a = 1\\nb = 2"', "2", "3", '"a = 1\\nb = 3"'),
        ('[ "a = 1" ]', "= ", "= 2 * ", '[ "a = 2 * 1" ]'),
        # lines that come in
        ('["a = 1\\n", "b = 2"]', "b", "c = 3\nb", '["a = 1\\n", "c = 3\\n", "b = 2"]'),
        ('["a = 1\\n","b = 2"]', "a", "c = 3\na", '["c = 3\\n","a = 1\\n","b = 2"]'),
        ('["a = 1\\n", "b = 2"]', "2", "2\nc = 3", '["a = 1\\n", "b = 2\\n", "c = 3"]'),
        ('["a = 1\\n", "b = 2"]', "1", "1\nc = 3\nd = 4", '["a = 1\\n", "c = 3\\n", "d = 4\\n", "b = 2"]'),
        ('["a = 1\\n", "b = 2\\n"]', "2\n", "2\nc = 3\n", '["a = 1\\n", "b = 2\\n", "c = 3\\n"]'),
        ('["f(a, b)\\n", "c"]', "(a, b", "(\n  a,\n  b,\n", '["f(\\n", "  a,\\n", "  b,\\n", ")\\n", "c"]'),
        (ROWS, "b", "d = 4\nb", ROWS.replace('"b', '"d = 4\\n",\n\t"b')),
        (ROWS, "3", "3\nd = 4", ROWS.replace('3"', '3\\n",\n\t"d = 4"')),
        ('"a = 1\\nb = 2"', "b", "c = 3\nb", '"a = 1\\nc = 3\\nb = 2"'),
        # … into a list of one line, whose layout is that of its brackets or of its colon
        ('["a = 1"]', "a", "b = 2\na", '["b = 2\\n", "a = 1"]'),
        ('[\n   "a = 1"\n  ]', "a", "b = 2\na", '[\n   "b = 2\\n",\n   "a = 1"\n  ]'),
        ('[ "a = 1" ]', "1", "1\nb = 2", '[ "a = 1\\n", "b = 2" ]'),
        # lines that go
        ('["a = 1\\n", "b = 2"]', "a = 1\n", "", '["b = 2"]'),
        ('["a = 1\\n", "b = 2"]', "\nb = 2", "", '["a = 1"]'),
        ('["a = 1\\n", "b = 2\\n", "c = 3"]', "b = 2\n", "", '["a = 1\\n", "c = 3"]'),
        ('["a = 1\\n", "b = 2\\n", "c = 3"]', "2\nc = 3", "4", '["a = 1\\n", "b = 4"]'),
        ('["f(\\n", "  a,\\n", "  b,\\n", ")"]', "\n  b,", "", '["f(\\n", "  a,\\n", ")"]'),
        ('["f(\\n", "  a)\\n", "b"]', "\n  ", "", '["f(a)\\n", "b"]'),
        (ROWS, "a = 1\n", "", ROWS.replace('"a = 1\\n",\n\t', "")),
        (ROWS, "\nc = 3", "", ROWS.replace('\\n",\n\t"c = 3', "")),
        ('[\n   "a = 1"\n  ]', "a = 1", "", "[]"),
        ('"a = 1"', "a = 1", "", '""'),
        # lists that are laid out otherwise, or are not of lines
        ('["a = 1\\n",  "b = 2\\n",\n"c = 3\\n","d = 4"]', "c = 3\n", "", '["a = 1\\n",  "b = 2\\n","d = 4"]'),
        ('["a = 1\\n",  "b = 2\\n",\n"c = 3"]', "c", "d = 4\nc", '["a = 1\\n",  "b = 2\\n",\n"d = 4\\n",\n"c = 3"]'),
        ('["a = 1\\nb = 2\\n", "c = 3"]', "b", "d = 4\nb", '["a = 1\\nd = 4\\nb = 2\\n", "c = 3"]'),
        ('["a = ", "1\\n", "b = 2"]', "1", "3", '["a = ", "3\\n", "b = 2"]'),
        ('["a = ", "1\\n", "b = 2"]', "= 1", "= 3", '["a = 3\\n", "b = 2"]'),
        ('["", "a = 1\\n", "", "b = 2", ""]', "2", "3", '["", "a = 1\\n", "", "b = 3", ""]'),
        ('["", "a = 1", ""]', "a = 1", "b = 2", '["", "b = 2", ""]'),
        # other line ends
        ('["a = 1\\r\\n", "b = 2"]', "b", "c = 3\r\nb", '["a = 1\\r\\n", "c = 3\\r\\n", "b = 2"]'),
        ('["a = 1\\r", "b = 2"]', "b", "c = 3\rb", '["a = 1\\r", "c = 3\\r", "b = 2"]'),
        ('"a = 1\\r\\nb = 2"', "b", "c = 3\r\nb", '"a = 1\\r\\nc = 3\\r\\nb = 2"'),
        # escapes stay, and what comes in is written like them
        (
            '["\\u0061 = \'\\u00E9\\/\'\\u000a", "b = 2"]',
            "2",
            "'é/'",
            "[\"\\u0061 = '\\u00E9\\/'\\u000a\", \"b = '\\u00E9\\/'\"]",
        ),
        ("\"a = '\\u00e9'\"", "a", "a = 'ö😀'", "\"a = '\\u00f6\\ud83d\\ude00' = '\\u00e9'\""),
        ("\"a = 'é'\"", "a", "a = 'ö😀'", "\"a = 'ö😀' = 'é'\""),
        ('"a = 1"', "1", "'ö'", "\"a = '\\u00f6'\""),
        ("\"a = '\\ud83d\\ude00' < 1\"", " < 1", "", "\"a = '\\ud83d\\ude00'\""),
        ('"a = 1 \\u003c 2"', "2", "2 < 3", '"a = 1 \\u003c 2 \\u003c 3"'),
        ('"a = \\"\\tb\\""', "\tb", "x\\t\t", '"a = \\"x\\\\t\\t\\""'),
        ("\"a = '\\u2028\\u007f'\"", "= ", "= '\x7f'", "\"a = '\\u007f''\\u2028\\u007f'\""),
    ],
)
@pytest.mark.parametrize(
    "frame",
    [
        '{"cells": [{"cell_type": "code", "source": @}], "metadata": {"x": 1e400}, "nbformat": 4, "nbformat_minor": 5}',
        '\ufeff\r\n{"worksheets": [ {"cells":[\n{"cell_type":"code","input": @ ,"n":1},{"cell_type":"code","input":"x"}]}]}\n\t',
        '{"cells": 1, "cells": [{"cell_type": "code", "source": "no", "so\\u0075rce": @, "y": [1.0, NaN]}], "x": {"source": 1}}',
    ],
)
def test_a_source(frame: str, before: str, old: str, new: str, after: str) -> None:
    data = frame.replace("@", before).encode()
    source = source_of(data)
    edits = [replacing(source, old, new)]
    result = patched(data, source, edits)
    assert result.decode() == frame.replace("@", after)
    assert code(result).text == spliced(source, edits)


def test_a_list_without_blanks_stays_without() -> None:
    data = b'{"cells":[{"cell_type":"code","source":["a"]}]}'
    source = source_of(data)
    assert patched(data, source, [replacing(source, "a", "b\na")]) == data.replace(b'"a"', b'"b\\n","a"')


@pytest.mark.parametrize(("before", "after"), [("a", "'ö'"), ("a # \\u00e9", "'\\u00f6' # \\u00e9"), ("a # é", "'ö' # é")])
def test_characters_are_written_as_in_the_cell_or_else_as_in_the_file(before: str, after: str) -> None:
    frame = '{"cells": [{"cell_type": "code", "source": ["@"]}], "metadata": {"é": 1}}'
    data = frame.replace("@", before).encode()
    source = source_of(data)
    assert patched(data, source, [replacing(source, "a", "'ö'")]) == frame.replace("@", after).encode()


def test_several_edits_in_several_cells() -> None:
    data = notebook('["a = 1\\n", "b = 2"]', '"c = 3\\nd = 4"', '["e = 5\\n", "f = 6\\n"]')
    source = source_of(data)
    edits = [
        replacing(source, old, new) for old, new in [("1", "x"), ("2", "y\nz"), ("c", "c0 = 0\nc"), ("5\n", ""), (" 6", "7")]
    ]
    expected = notebook('["a = x\\n", "b = y\\n", "z"]', '"c0 = 0\\nc = 3\\nd = 4"', '["e = f =7\\n"]')
    assert patched(data, source, edits) == expected


def test_without_edits_nothing_changes() -> None:
    data = notebook('["a = 1"]')
    assert patched(data, source_of(data), []) == data


def notebook(*sources: str) -> bytes:
    """A notebook in which some sources, in JSON, stand between others."""
    other = '{"cell_type": "markdown", "source": ["# client.add(1)"]}'
    cells = [f'{other}, {{"cell_type": "code", "metadata": {{}}, "outputs": [1e400], "source": {source}}}' for source in sources]
    return f'{{"cells": [{", ".join(cells)}, {other}], "nbformat": 4, "nbformat_minor": 5}}\n'.encode()


# -- refusals --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code_", "old", "new"),
    [
        ("!pip install mem0ai\nx = 1", "pip", "uv pip"),
        ("!pip install mem0ai\nx = 1", "!pip install mem0ai\n", ""),
        ("x = !ls\ny = 2", "!ls", "None"),
        ("%time client.add(1)", "%time ", ""),
        ("%time client.add(1)", "client", "\nclient"),
        ("!ls \\\n  -l\nx = 1", "  -l", "y = 2"),
        ("%%time\nx = 1", "time", "capture"),
        ("%%bash\nx = 1", "1", "2"),
        ("x?\ny = 1", "x", "y"),
        ("y = 1", "y", "!y"),
        ("y = 1", "y", "%%time\ny"),
    ],
)
def test_magics_stay_as_they_are(code_: str, old: str, new: str) -> None:
    data = notebook(json.dumps(code_.splitlines(keepends=True)))
    source = source_of(data)
    with pytest.raises(UnchangeableError, match="what only IPython understands"):
        patched(data, source, [replacing(source, old, new)])


@pytest.mark.parametrize(("code_", "at"), [("!ls\nx = 1", 1), ("!ls \\\n -l\nx = 1", 6), ("x = !ls", 5), ("%time f()", 3)])
def test_nothing_is_put_into_a_magic(code_: str, at: int) -> None:
    data = notebook(json.dumps(code_))
    source = source_of(data)
    with pytest.raises(UnchangeableError, match="what only IPython understands"):
        patched(data, source, [edit(source, at, at, "\ny = 2\n")])


@pytest.mark.parametrize(
    ("code_", "old", "new"),
    [
        ("%time client.add(1)", "1", "1, async_mode=False"),
        ("!ls\nx = 1", "x", "import y\nx"),
        ("!ls\nx = 1", "!ls\nx", "import y\n!ls\nx"),
        ("x = !ls\ny = 2", "2", "3"),
        ("%%time\nx = 1", "x", "y = 2\nx"),
    ],
)
def test_what_stands_beside_a_magic_is_edited(code_: str, old: str, new: str) -> None:
    data = notebook(json.dumps(code_.splitlines(keepends=True)))
    source = source_of(data)
    start = source.shown.index(old)
    common = next((at for at, (one, other) in enumerate(zip(old[::-1], new[::-1], strict=False)) if one != other), len(old))
    made = edit(source, start, start + len(old) - common, new[: len(new) - common])
    assert code(patched(data, source, [made])).shown == source.shown.replace(old, new)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_only_utf_8_is_edited(encoding: str) -> None:
    data = notebook('["a = 1"]').decode().encode(encoding)
    source = source_of(data)
    with pytest.raises(UnchangeableError, match="UTF-8"):
        patched(data, source, [replacing(source, "1", "2")])


@pytest.mark.parametrize("other", ['["a = 2"]', '["!ls"]', '[", 1', ""])
def test_a_file_that_is_not_what_was_analysed(other: str) -> None:
    data = notebook('["a = 1"]')
    source = source_of(data)
    with pytest.raises(UnchangeableError):
        patched(notebook(other), source, [replacing(source, "1", "2")])


@pytest.mark.parametrize(
    ("json_", "old", "new", "reason"),
    [
        ('["a = 1\\n", 2, "b = 3"]', "3", "2", "not a string, nor a list of strings"),
        ('["a = 1"]', "1\n", "2", "reaches beyond its cell"),
        ('["a = 1"]', "1\nx", "2", "reaches beyond its cell"),
        ('["a = 1\\n"]', "1\n", "1", "would not hold"),
    ],
)
def test_what_cannot_be_edited(json_: str, old: str, new: str, reason: str) -> None:
    data = notebook(json_, '"x = 4"')
    source = source_of(data)
    with pytest.raises(UnchangeableError, match=reason):
        patched(data, source, [replacing(source, old, new)])


def test_what_would_change_something_else_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    data = notebook('"a = 1"')
    source = source_of(data)
    for forged in ('"a = 2", "outputs": []', '"a = 2", "n": 1', '"a = 2"}, {"cell_type": "raw"'):
        monkeypatch.setattr(notebooks, "_rewritten", lambda *_, text=forged: text)
        with pytest.raises(UnchangeableError, match="outside the code"):
            patched(data, source, [replacing(source, "1", "2")])
    for forged in ('"a = 3"', '"a = 2'):
        monkeypatch.setattr(notebooks, "_rewritten", lambda *_, text=forged: text)
        with pytest.raises(UnchangeableError, match=r"would not hold|not a notebook"):
            patched(data, source, [replacing(source, "1", "2")])


def test_no_text_between_the_code_would_change(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b'{"cells": [{"cell_type": "code", "source": "a = 1"}, {"cell_type": "markdown", "source": "b"}]}'
    source = source_of(data)
    start, end = data.index(b'"a = 1"'), data.index(b'"b"')
    monkeypatch.setattr(notebooks, "_sources", lambda _: [(start, end + len('"b"'))])
    monkeypatch.setattr(notebooks, "_rewritten", lambda *_: data[start:end].decode().replace("1", "2") + '"c"')
    with pytest.raises(UnchangeableError, match="outside the code"):
        patched(data, source, [replacing(source, "1", "2")])


@pytest.mark.parametrize("json_", ["[]", '""'])
def test_an_empty_cell_is_not_edited(json_: str) -> None:
    data = notebook(json_)
    source = source_of(data)
    span = Span("a.ipynb", Position(1, 1), Position(1, 1), 2)
    if json_ == "[]":
        with pytest.raises(UnchangeableError):
            patched(data, source, [Edit(span, "x")])
    else:
        assert patched(data, source, [Edit(span, "x")]) == notebook('"x"')


# -- any notebook ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """How a notebook is written: as `json.dumps` does, with or without a byte order mark and a last line end."""

    indent: int | str | None
    compact: bool
    ascii: bool
    listed: bool
    mark: bool
    end: str

    def dumped(self, document: dict[str, Any]) -> bytes:
        """The file; a number that Python would not write comes in at a text."""
        separators = (",", ":") if self.compact else None
        text = json.dumps(document, indent=self.indent, separators=separators, ensure_ascii=self.ascii)
        return (("\ufeff" if self.mark else "") + text.replace('"1e400"', "1e400") + self.end).encode()

    def source(self, text: str) -> str | list[str]:
        """A source as it stands in the document."""
        return _LINE.findall(text) if self.listed else text


LAYOUTS = st.builds(
    Layout,
    indent=st.sampled_from([None, 1, 2, 4, "\t"]),
    compact=st.booleans(),
    ascii=st.booleans(),
    listed=st.booleans(),
    mark=st.booleans(),
    end=st.sampled_from(["", "\n", "\r\n"]),
)
JSON = st.recursive(
    st.sampled_from([None, True, "1e400", "é\u2028😀", "</script>", "client.add(1)", 0.1, -7]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["source", "cells", "input", "cell_type", "ö", "n"]), inner, max_size=3)
        | inner.map(lambda value: {"cell_type": "code", "source": ["client.add(1)"], "x": value})
    ),
    max_leaves=6,
)
OTHER = st.sampled_from(
    [
        "",
        "%matplotlib inline",
        "!pip install mem0ai\n",
        "x = 'é'\n\nprint(x)",
        "%%bash\nclient.add(1)",
        "y = [\n    1,\n]",
        "# 😀\\t\"'\n",
    ]
)
FIRST = st.sampled_from(["", "%load_ext autoreload\n", "!pip install \\\n  mem0ai\n", "import os\n\n", '# café \\ "☕"\n'])
MAKE = "from mem0 import MemoryClient\nclient = MemoryClient()"
ADD = st.sampled_from(
    ["result = client.add('J\\'aime \"thé\"', user_id='u')", "%time result = client.add('tea', user_id='u')"]
    + [f"{head}result = client.add(\n    'tea',\n    user_id='u',\n)" for head in ("", "a = 1; ", "# 😀\n")]
)
AFTER = st.sampled_from(["", "\n", "\nprint(result['results'])\n", "\n!ls"])


@st.composite
def documents(draw: st.DrawFn, layout: Layout) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """A document, its cells, and the key of their sources; the cells with `made` and `added` are marked so in their metadata."""
    minor = draw(st.integers(0, 5))
    old = draw(st.integers(0, 4)) == 0  # nbformat 3
    first, added = draw(FIRST) + MAKE + draw(AFTER).replace("print(result['results'])", ""), draw(ADD) + draw(AFTER)
    texts = [*draw(st.lists(OTHER, max_size=2)), first, *draw(st.lists(OTHER, max_size=2)), added, "result['results']"]
    key = "input" if old else "source"
    cells: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        outputs = [
            {"output_type": "display_data", "data": {"application/json": value, "text/plain": ["é"]}, "metadata": {}}
            for value in draw(st.lists(JSON, max_size=2))
        ]
        cell: dict[str, Any] = {"cell_type": "code", "metadata": {"x": draw(JSON)}, key: layout.source(text)}
        if old:
            cell |= {"language": "python", "collapsed": False, "prompt_number": number, "outputs": []}
        else:
            cell |= {"execution_count": None, "outputs": outputs}
            cell |= {"id": f"cell-{number}"} if minor == 5 else {}
        cells.append(dict(draw(st.permutations(list(cell.items())))))
        if draw(st.booleans()):
            cells.append({"cell_type": "markdown", "metadata": {}, "source": ["# client.add\n", "é"]})
            if minor == 5 and not old:
                cells[-1]["id"] = f"text-{number}"
    document: dict[str, Any] = {"metadata": {"é": draw(JSON)}, "nbformat": 3 if old else 4, "nbformat_minor": 0 if old else minor}
    document |= {"worksheets": [{"cells": cells, "metadata": {}}]} if old else {"cells": cells}
    return dict(draw(st.permutations(list(document.items())))), cells, key


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(layout=LAYOUTS, data=st.data(), strategy=st.sampled_from(STRATEGIES))
def test_any_notebook_is_fixed(folder: Path, layout: Layout, data: st.DataObject, strategy: Choice) -> None:
    """Nothing but the call changes, or the cell that makes the client: the file is what it would be if written so."""
    document, cells, key = data.draw(documents(layout))
    path = folder / "a.ipynb"
    path.write_bytes(layout.dumped(document))
    report = fixed(strategy)
    assert (report.failed, report.left, len(report.rewrites)) == ((), (), 1)
    for cell in cells:
        text = "".join(cell[key]) if cell["cell_type"] == "code" else ""
        if strategy == "keyword" and "result = client.add(" in text:
            text = text.replace("user_id='u')", "user_id='u', async_mode=False)")
            text = text.replace("    user_id='u',\n", "    user_id='u',\n    async_mode=False,\n")
            cell[key] = layout.source(text)
        elif strategy == "shim" and MAKE in text:
            text = text.replace("MemoryClient()", 'mem0_shim.wrap(MemoryClient(), policy="wait")')
            cell[key] = layout.source(text.replace("from mem0", "import mem0_shim\nfrom mem0"))
    after = path.read_bytes()
    assert after == layout.dumped(document)
    refuse_unless_valid(after)
    assert fixed(strategy).rewrites == ()


PIECES = st.lists(st.sampled_from(["a", "é", "😀", '"', "\\", "\u2028", "\t", " ", "<b>", "\x7f", "\n", "\n"]), max_size=6).map(
    "".join
)


@settings(max_examples=8 * EXAMPLES, deadline=None)
@given(layout=LAYOUTS, sources=st.lists(PIECES, min_size=1, max_size=3), data=st.data())
def test_any_edits(layout: Layout, sources: Sequence[str], data: st.DataObject) -> None:
    """The file is what it would be if written with the edited code, wherever in the cells the edits are."""
    comments = ["".join(f"#{line}" for line in _LINE.findall(source)) for source in sources]
    cells = [{"cell_type": "code", "source": layout.source(comment)} for comment in comments]
    before = layout.dumped({"cells": cells, "metadata": {"é": 1}})
    source = source_of(before)
    edits = []
    for comment, cell, place in zip(comments, cells, source.cells, strict=True):
        if not comment:
            continue
        base = source.starts[place.first_row - 1]
        marks = sorted(data.draw(st.lists(st.integers(0, len(comment)), max_size=4, unique=True)))
        text, done = "", 0
        for start, limit in zip(marks[::2], marks[1::2], strict=False):
            content, end = data.draw(PIECES), data.draw(st.sampled_from([start, limit]))
            edits.append(edit(source, base + start, base + end, content))
            text, done = text + comment[done:start] + content, end
        cell["source"] = layout.source(text + comment[done:])
    after = layout.dumped({"cells": cells, "metadata": {"é": 1}})
    if code(after).shown == spliced(source, edits):
        assert patched(before, source, edits) == after
    else:  # where a cell ended without a line feed, it does not any more, or the other way round
        with pytest.raises(UnchangeableError, match="would not hold"):
            patched(before, source, edits)
