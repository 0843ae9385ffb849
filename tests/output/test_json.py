"""The contract with programs: complete, sorted by place, and as `schema.json` says."""

from __future__ import annotations

import copy
import importlib.resources
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import mem0_migrate
from mem0_migrate import model
from mem0_migrate.model import ERAS, Declaration, Edit, Finding, Fix, Position, Report, Site, Span, Step, Unreadable, Use
from mem0_migrate.output import json as json_format
from mem0_migrate.output import statistics
from mem0_migrate.output.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = json.loads(importlib.resources.files("mem0_migrate.output").joinpath("schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def document(report: Report) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads("\n".join(json_format.render(report, View())))
    return loaded


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_report_is_as_the_schema_says(report: Report, clean: Report) -> None:
    for each in (report, clean):
        VALIDATOR.validate(document(each))
        VALIDATOR.validate(json.loads("\n".join(statistics.render_json(each))))


def test_the_head_names_the_contract_and_the_tool(report: Report) -> None:
    assert list(document(report).items())[:2] == [
        ("schema", 1),
        ("tool", {"name": "mem0-migrate", "version": mem0_migrate.__version__}),
    ]


def test_remarks_are_complete_and_everything_is_sorted_by_place(report: Report) -> None:
    content = document(replace(report, findings=report.findings[::-1], sites=report.sites[::-1]))
    assert [(found["code"], found["filename"], found["location"]["row"]) for found in content["findings"]] == [
        ("MEM101", "app/api.py", 11),
        ("MEM102", "app/api.py", 22),
        ("MEM103", "app/api.py", 30),
        ("MEM104", "demo.ipynb", 1),
        ("MEM108", "demo.ipynb", 2),
    ]
    assert [site["verdict"] for site in content["sites"]] == ["breaks", "breaks", "may-break", "no-visible-effect", "explicit"]


def test_a_finding_in_full(report: Report) -> None:
    (finding,) = (found for found in document(report)["findings"] if found["code"] == "MEM101")
    key_error = "KeyError: 'results'. add() answers with an event id before any memory exists."
    assert finding == {
        "code": "MEM101",
        "name": "receipt-read-as-memories",
        "severity": "error",
        "message": '`result["results"][0]["id"]` is read from the answer of add(), which no longer holds memories',
        "filename": "app/api.py",
        "cell": None,
        "location": {"row": 11, "column": 14},
        "end_location": {"row": 11, "column": 51},
        "receiver": "hosted",
        "confidence": "inferred",
        "async_mode": "absent",
        "usage": "read",
        "consequence": {"v0": "the same for accounts created since July 2025", "v1": key_error, "v2": key_error},
        "evidence": [
            {"filename": "app/deps.py", "cell": None, "row": 9, "column": 19, "text": "MemoryClient() creates the client"},
            {"filename": "app/deps.py", "cell": None, "row": 10, "column": 5, "text": "get_client() returns it"},
            {"filename": "app/api.py", "cell": None, "row": 9, "column": 46, "text": "FastAPI passes it to remember() as client"},
        ],
        "marks": [{"filename": "app/api.py", "cell": None, "row": 17, "column": 19, "text": "read here as a finished memory"}],
        "related": [],
        "advice": 'Pass async_mode=False to get the memories back (up to mem0ai 1.x), or keep `result["event_id"]` and read the '
        "memories once the event has succeeded.",
        "fix": {
            "strategy": "none",
            "applicability": "display-only",
            "message": "the range admits mem0ai 2, which has no async_mode",
            "edits": [],
        },
        "url": "docs/rules/MEM101.md",
    }


def test_the_summary_counts_everything(report: Report) -> None:
    assert document(report)["summary"] == {
        "files": 1340,
        "analysed": 12,
        "unreadable": 2,
        "findings": {"error": 2, "info": 2, "warning": 1},
        "suppressed": 2,
        "sites": {"breaks": 2, "explicit": 1, "may-break": 1, "no-visible-effect": 1},
    }


def test_statistics_stand_in_for_findings_and_sites(report: Report) -> None:
    content = json.loads("\n".join(statistics.render_json(report)))
    assert list(content) == ["schema", "tool", "statistics", "incomplete", "unfollowed", "summary"]
    assert content["statistics"][0] == {"code": "MEM101", "name": "receipt-read-as-memories", "severity": "error", "count": 1}


def test_a_name_that_is_not_unicode_is_written_in_ascii() -> None:
    text = "\n".join(json_format.render(Report((), (), (Unreadable("caf\udce9.py", "é"),)), View()))
    assert text.isascii()
    assert json.loads(text)["incomplete"] == [{"filename": "caf\udce9.py", "row": None, "reason": "é"}]


def _without(*path: str | int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def _with(value: object, *path: str | int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_without("sites"), id="no sites"),
        pytest.param(_without("incomplete"), id="no list of what was not read"),
        pytest.param(_with(2, "schema"), id="another contract"),
        pytest.param(_with([], "statistics"), id="statistics and findings"),
        pytest.param(_with(0, "findings", 0, "location", "row"), id="row 0"),
        pytest.param(_with("E501", "findings", 0, "code"), id="a foreign code"),
        pytest.param(_with("fatal", "findings", 0, "severity"), id="an unknown severity"),
        pytest.param(_with({"v9": "x"}, "findings", 0, "consequence"), id="an unknown era"),
        pytest.param(_with("x", "findings", 0, "extra"), id="an unknown key"),
        pytest.param(_with("fine", "sites", 0, "verdict"), id="an unknown verdict"),
    ],
)
def test_the_schema_refuses(report: Report, change: Callable[[Any], None]) -> None:
    content = copy.deepcopy(document(report))
    change(content)
    assert not VALIDATOR.is_valid(content)


NUMBERS = st.integers(1, 9_999)
COUNTS = st.integers(0, 9_999)
ROWS = st.none() | NUMBERS
TEXT = st.text(max_size=9)
POSITIONS = st.builds(Position, NUMBERS, NUMBERS)
SPANS = st.builds(Span, TEXT, POSITIONS, POSITIONS, ROWS)
STEPS = st.lists(st.builds(Step, SPANS, TEXT), max_size=2).map(tuple)
CONSEQUENCES = st.dictionaries(st.sampled_from(ERAS), TEXT)
EDITS = st.lists(st.builds(Edit, SPANS, TEXT), max_size=2).map(tuple)
SEVERITY, RECEIVER, CONFIDENCE, MODE, FORM, VERDICT = (
    st.sampled_from(get_args(kind))
    for kind in (model.Severity, model.Receiver, model.Confidence, model.AsyncMode, model.Form, model.Verdict)
)
FIXES = st.builds(Fix, st.sampled_from(["keyword", "shim", "async", "none"]), st.sampled_from(["safe", "unsafe"]), TEXT, EDITS)
FINDINGS = st.builds(
    Finding,
    code=st.from_regex(r"\AMEM[0-9]{3}\Z"),
    name=TEXT,
    severity=SEVERITY,
    message=TEXT,
    span=SPANS,
    receiver=st.none() | RECEIVER,
    confidence=CONFIDENCE,
    async_mode=st.none() | MODE,
    usage=st.none() | TEXT,
    consequence=CONSEQUENCES,
    evidence=STEPS,
    marks=STEPS,
    related=STEPS,
    advice=TEXT,
    fix=st.none() | FIXES,
)
SITES = st.builds(
    Site,
    span=SPANS,
    form=FORM,
    receiver=RECEIVER,
    confidence=CONFIDENCE,
    async_mode=MODE,
    uses=st.lists(st.builds(Use, TEXT, SPANS, TEXT), max_size=2).map(tuple),
    usage=TEXT,
    evidence=STEPS,
    declaration=st.builds(Declaration, st.frozensets(st.sampled_from(ERAS)), TEXT, st.none() | TEXT, ROWS, st.booleans()),
    verdict=VERDICT,
    consequence=CONSEQUENCES,
)
UNREADABLE = st.builds(Unreadable, TEXT, TEXT, ROWS)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.builds(
        Report,
        findings=st.lists(FINDINGS, max_size=2).map(tuple),
        sites=st.lists(SITES, max_size=2).map(tuple),
        incomplete=st.lists(UNREADABLE, max_size=2).map(tuple),
        files=COUNTS,
        analysed=COUNTS,
        suppressed=COUNTS,
    )
)
def test_any_report_is_as_the_schema_says(report: Report) -> None:
    VALIDATOR.validate(document(report))
    VALIDATOR.validate(json.loads("\n".join(statistics.render_json(report))))


DOCUMENTATION = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["finding", "site", "fix", "use", "statistic", "unreadable"])
def test_every_key_is_documented(kind: str) -> None:
    assert [key for key in SCHEMA["$defs"][kind]["properties"] if f"`{key}`" not in DOCUMENTATION] == []
