"""What only IPython understands is blanked; Python stays at its row and column."""

from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mem0_migrate.model import Unreadable
from mem0_migrate.project.notebook import NotebookError, code
from mem0_migrate.project.source import Source, parse


def notebook(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


PYTHON = [
    "x = (a\n     % b)",
    "x = [1,\n  *a\n  , 2]",
    'x = """\n%time y\n!ls\nz?\n"""',
    "x = '''\n\\'''%a\n'''",
    "x = a \\\n  % b",
    "x = a != b",
    "x = 'why?'",
    "x = 1  # why?",
    "# %time x",
    "def f():\n    return 1\n\n@f\nclass A: ...",
    "x = {'a': '!b'}['a']; y = x % 2",
    "x: int = 3\nx %= 2",
    "print(f'{x!r}')",
    "await f()",
]


@pytest.mark.parametrize("cell", PYTHON)
def test_python_is_left_alone(cell: str) -> None:
    found = code(notebook(cell))
    assert found.text == found.shown == cell + "\n"
    assert isinstance(parse("x.ipynb", notebook(cell)), Source)


ESCAPES = [
    ("%matplotlib inline", "_"),
    ("  \n%matplotlib inline\nx = 1", "\n_\nx = 1"),
    ("!pip install 'it", "_"),
    ("!!ls", "_"),
    ("!a \\\n  b \\\n  c\nx", "_\n\n\nx"),
    ("if a:\n    !ls\n    %cd x\nelse:\n    b", "if a:\n    _\n    _\nelse:\n    b"),
    ("f?", "_"),
    ("a.b[0].c??\nx", "_\nx"),
    ("?f", "_"),
    ("/f 1", "_"),
    (",f a b", "_"),
    (";f a b", "_"),
    ("x = !ls", "x = _"),
    ("x, y = %sql select 1", "x, y = _"),
    ("x['a'] = %sql select 1", "x['a'] = _"),
    ("%time x = f(1)", "if 1: x = f(1)"),
    ("%timeit -n 10 -r 3 f('%')", "if 1:              f('%')"),
    ("for a in b:\n\t%time f(\n\t1)\n%time", "for a in b:\n\tif 1: f(\n\t1)\n_"),
    ("%time # nothing", "_"),
    ("(1,\n2)\n%cd", "(1,\n2)\n_"),
    ("%%bash\nls '", ""),
    ("%%writefile a.py\nimport mem0", ""),
    ("\n%%time\nx = 1", "\n\nx = 1"),
    ("%%capture out\n!ls\nx = 1", "\n_\nx = 1"),
    ("# first\n%cd", "# first\n_"),
]


@pytest.mark.parametrize(("cell", "expected"), ESCAPES)
def test_escapes_are_blanked(cell: str, expected: str) -> None:
    found = code(notebook(cell))
    assert [line.rstrip() for line in found.text.split("\n")][: expected.count("\n") + 1] == expected.split("\n")
    assert found.shown == cell + "\n"
    assert len(found.text) == len(found.shown)
    assert [at for at, c in enumerate(found.text) if c == "\n"] == [at for at, c in enumerate(found.shown) if c == "\n"]
    ast.parse(found.text)


def test_cells_are_numbered_through_all_kinds_of_cells() -> None:
    data = {"cells": [{"cell_type": "raw", "source": "("}, {"cell_type": "code", "source": ["a\n", "b"]}, {"cell_type": "code"}]}
    data["cells"] += [{"cell_type": "markdown", "source": "# x"}, {"cell_type": "code", "source": "c\r\n"}]
    found = code(json.dumps(data).encode())
    assert found.text == "a\nb\n\nc\r\n"
    assert [(cell.number, cell.first_row) for cell in found.cells] == [(2, 1), (3, 3), (5, 4)]


def test_cells_of_other_languages_are_no_python() -> None:
    sql = {"cell_type": "code", "source": "select 1", "metadata": {"vscode": {"languageId": "sql"}}}
    assert code(json.dumps({"cells": [sql]}).encode()).text == ""
    assert code(json.dumps({"cells": [sql], "metadata": {"kernelspec": {"language": "julia"}}}).encode()).text == ""


def test_an_error_names_the_cell_and_its_row() -> None:
    problem = parse("x.ipynb", notebook("a = 1", "b = 1\nc = = 1"))
    assert isinstance(problem, Unreadable)
    assert problem.reason.startswith("cell 2: not valid Python")
    assert problem.row == 2


@pytest.mark.parametrize("data", [b"", b"[]", b"1", b"{}", b'{"cells": 5}', b"\xff\xfe", b"<<<<<<< HEAD\n{}"])
def test_what_is_no_notebook(data: bytes) -> None:
    with pytest.raises(NotebookError, match="not a notebook"):
        code(data)


@given(st.lists(st.text(st.sampled_from("%!?/,; \n\r\t\\'\"#()[]{}=ax1é"), max_size=30), max_size=4))
def test_blanking_moves_nothing(cells: list[str]) -> None:
    found = code(notebook(*cells))
    assert len(found.text) == len(found.shown)
    assert [(at, c) for at, c in enumerate(found.text) if c in "\r\n"] == [
        (at, c) for at, c in enumerate(found.shown) if c in "\r\n"
    ]
