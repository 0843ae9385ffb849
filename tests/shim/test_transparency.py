"""A tracked answer is what the SDK returned, to everything but the shim; and the SDK's classes are what they were."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import inspect
import io
import json
import pickle
import pprint
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import mem0_shim
import pytest
from mem0_shim import client as shim_client
from mem0_shim import patching
from mem0_shim.callsite import UNKNOWN
from mem0_shim.receipt import Receipt, TrackedDict, TrackedList, track

from stand_in import make_module, receipt

SHAPES = ("message", "nested", "list", "flat-message", "flat")
SHIM = Path(__file__).parents[2] / "shim"


@pytest.fixture(params=SHAPES)
def pair(request: pytest.FixtureRequest) -> Any:
    """A plain answer and the tracked one; what is read of it here is nobody's business."""
    plain = receipt(request.param)
    state = Receipt(("e",), UNKNOWN, "warn", None)
    tracked = track(plain, state)
    yield plain, tracked
    state.acknowledge()


def test_equal_both_ways_and_of_the_old_type(pair: Any) -> None:
    plain, tracked = pair
    assert tracked == plain
    assert plain == tracked
    assert not (tracked != plain or plain != tracked)
    assert isinstance(tracked, type(plain))
    with pytest.raises(TypeError, match="unhashable"):
        hash(tracked)


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        pprint.pformat,
        "{}".format,
        json.dumps,
        lambda a: json.dumps(a, indent=2),
        lambda a: json.dumps(a, sort_keys=True, separators=(",", ":")),
        lambda a: json.dumps(a, cls=type("Encoder", (json.JSONEncoder,), {})),
        lambda a: json.dumps({"answer": [a]}, ensure_ascii=False, check_circular=False),
        lambda a: (out := io.StringIO(), json.dump(a, out, indent="\t"), out.getvalue())[-1],
        lambda a: "".join(json.JSONEncoder(indent=1).iterencode(a)),
        lambda a: [*a],
        len,
        bool,
        lambda a: dict(a) if isinstance(a, dict) else list(a),
        lambda a: a.items() if isinstance(a, dict) else a[:],
        lambda a: {**a} if isinstance(a, dict) else (*a,),
        lambda a: a | {"more": 1} if isinstance(a, dict) else [0] + a + [1],
        lambda a: {"more": 1} | a if isinstance(a, dict) else a * 2,
        lambda a: dataclasses.asdict(dataclasses.make_dataclass("Row", ["answer"])(a)),
    ],
)
def test_shown_and_serialised_alike(pair: Any, show: Any) -> None:
    plain, tracked = pair
    assert show(tracked) == show(plain)


@pytest.mark.parametrize("wrong", [lambda a: a + (), lambda a: () + a, lambda a: a[{}], lambda a: a["none"], lambda a: a.none])
def test_errors_are_those_of_the_plain_answer(pair: Any, wrong: Any) -> None:
    plain, tracked = pair
    errors = []
    for answer in (plain, tracked):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is compared
                wrong(answer)
        errors.append(caught.type)
    assert errors[0] is errors[1]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_to_plain_objects(pair: Any, protocol: int) -> None:
    plain, tracked = pair
    loaded = pickle.loads(pickle.dumps(tracked, protocol))
    assert loaded == plain
    assert type(loaded) in (dict, list)
    assert b"mem0_shim" not in pickle.dumps(tracked, protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda a: a.copy()])
def test_copies_stay_tracked(pair: Any, duplicate: Any) -> None:
    plain, tracked = pair
    made = duplicate(tracked)
    assert made == plain
    assert made is not tracked
    assert isinstance(made, TrackedDict | TrackedList)
    if isinstance(made, dict):
        made["more"] = 1
        assert "more" not in dict(tracked)


def test_containers_built_from_our_types_are_inert() -> None:
    assert TrackedDict({"a": 1})["a"] == 1
    assert TrackedDict().get("results") is None
    assert len(TrackedList("ab")) == 2
    assert not hasattr(TrackedDict(), "results")


@pytest.mark.needs("pydantic")
def test_pydantic(pair: Any) -> None:
    import pydantic

    plain, tracked = pair
    model: Any = pydantic.create_model("Model", answer=(Any, ...))
    assert model(answer=tracked).model_dump_json() == model(answer=plain).model_dump_json()
    for kind in (dict[str, Any], list[Any], list[dict[str, str]], Any):
        adapter: Any = pydantic.TypeAdapter(kind)
        results = []
        for answer in (plain, tracked):
            try:
                results.append(adapter.validate_python(answer))
            except pydantic.ValidationError as error:
                results.append([e["type"] for e in error.errors()])
        assert results[0] == results[1]


@pytest.mark.needs("yaml")
def test_yaml(pair: Any) -> None:
    import yaml

    mem0_shim.install()
    plain, tracked = pair
    for dumper in (yaml.SafeDumper, yaml.Dumper):
        assert yaml.dump(tracked, Dumper=dumper) == yaml.dump(plain, Dumper=dumper)


@pytest.mark.needs("orjson")
def test_orjson(pair: Any) -> None:
    import orjson

    plain, tracked = pair
    assert orjson.dumps(tracked) == orjson.dumps(plain)


@pytest.mark.needs("msgspec")
def test_msgspec(pair: Any) -> None:
    import msgspec

    plain, tracked = pair
    assert msgspec.json.encode(tracked) == msgspec.json.encode(plain)
    assert msgspec.convert(tracked, Any) == plain


@pytest.mark.needs("fastapi")
def test_fastapi(pair: Any) -> None:
    import fastapi.encoders
    from fastapi.responses import JSONResponse

    plain, tracked = pair
    assert fastapi.encoders.jsonable_encoder(tracked) == plain
    assert JSONResponse(tracked).body == JSONResponse(plain).body


# -- the SDK's classes


@pytest.fixture(params=["stand-in", pytest.param("mem0ai", marks=pytest.mark.mem0ai)])
def sdk(request: pytest.FixtureRequest) -> Any:
    if request.param == "stand-in":
        return make_module()
    import mem0.client.main

    return mem0.client.main


def install(sdk: Any, policy: str = "warn") -> None:
    mem0_shim.install(policy)
    shim_client.patch(sdk)


def test_what_introspection_says_stays(sdk: Any) -> None:
    def facts(kind: type) -> list[Any]:
        method = kind.add  # type: ignore[attr-defined]
        return [
            inspect.signature(method),
            inspect.iscoroutinefunction(method),
            asyncio.iscoroutinefunction(method),
            inspect.isfunction(method),
            inspect.iscoroutinefunction(inspect.unwrap(method)),
            method.__name__,
            method.__qualname__,
            method.__module__,
            method.__doc__,
            inspect.getdoc(method),
            kind.__mro__,
            kind.__name__,
        ]

    kinds = (sdk.MemoryClient, sdk.AsyncMemoryClient)
    before = [facts(kind) for kind in kinds]
    install(sdk)
    assert [facts(kind) for kind in kinds] == before
    for kind in kinds:
        instance = object.__new__(kind)
        assert inspect.ismethod(instance.add)
        assert instance.add.__self__ is instance
        assert instance.add == instance.add
        assert inspect.iscoroutinefunction(instance.add) == before[kinds.index(kind)][1]
        assert list(inspect.signature(instance.add).parameters) == list(before[kinds.index(kind)][0].parameters)[1:]


def test_installing_twice_is_once_and_uninstalling_restores(sdk: Any) -> None:
    original = vars(sdk.MemoryClient)["add"]
    install(sdk)
    patched = vars(sdk.MemoryClient)["add"]
    assert patched is not original
    install(sdk, "raise")
    assert vars(sdk.MemoryClient)["add"] is patched
    mem0_shim.uninstall()
    patching.restore_methods(sdk.MemoryClient)  # as uninstall does for the module that is in sys.modules
    assert vars(sdk.MemoryClient)["add"] is original


def test_mock_patch_and_autospec(sdk: Any) -> None:
    install(sdk)
    patched = vars(sdk.MemoryClient)["add"]
    instance = object.__new__(sdk.MemoryClient)
    with mock.patch.object(sdk.MemoryClient, "add", return_value={"results": []}) as add:
        assert instance.add("x") == {"results": []}
        add.assert_called_once_with("x")
    assert vars(sdk.MemoryClient)["add"] is patched
    with mock.patch.object(sdk.MemoryClient, "add", autospec=True) as add:
        instance.add("x", user_id="a")
        add.assert_called_once_with(instance, "x", user_id="a")
        with pytest.raises(TypeError):
            instance.add()
    specified = mock.create_autospec(sdk.MemoryClient, instance=True)
    specified.add("x", user_id="a")
    with pytest.raises(TypeError):
        specified.add()
    twin = mock.create_autospec(sdk.AsyncMemoryClient, instance=True)
    assert isinstance(twin.add, mock.AsyncMock) == inspect.iscoroutinefunction(sdk.AsyncMemoryClient.add)


def test_what_a_mock_returns_is_left_alone() -> None:
    sdk = make_module()
    install(sdk)
    instance = sdk.MemoryClient()
    for answer in (mock.MagicMock(), None, "receipt", 3, {"results": []}, [], {"message": "ok"}):
        instance.answer = answer
        assert instance.add("x") is answer


def test_subclasses_and_names_imported_earlier() -> None:
    sdk = make_module()
    early, made_before = sdk.MemoryClient, sdk.MemoryClient()

    class Sub(sdk.MemoryClient):  # type: ignore[name-defined,misc]
        def add(self, messages: Any, **kwargs: Any) -> Any:
            return super().add(messages, **kwargs)

    install(sdk)
    made_before.answer = receipt("flat")
    assert isinstance(made_before.add("x"), TrackedDict)
    sub = Sub()
    sub.answer = receipt("flat")
    assert isinstance(sub.add("x"), TrackedDict)
    assert isinstance(early.add(sub, "x"), TrackedDict)


def test_instrumentation_around_and_below_ours() -> None:
    import functools

    sdk = make_module()
    install(sdk)
    ours = sdk.MemoryClient.add
    calls = []

    @functools.wraps(ours)
    def traced(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return ours(self, *args, **kwargs)

    sdk.MemoryClient.add = traced
    install(sdk)
    instance = sdk.MemoryClient()
    instance.answer = receipt("flat")
    assert isinstance(instance.add("x"), TrackedDict)
    assert calls == [("x",)]
    mem0_shim.uninstall()
    assert type(instance.add("x")) is dict


def test_wrap_acts_for_one_client(sdk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mem0.client.main", sdk)
    first, second = (object.__new__(sdk.MemoryClient) for _ in range(2))
    assert mem0_shim.wrap(first, policy="raise") is first
    assert type(first) is sdk.MemoryClient
    assert shim_client.settings_of(first).policy == "raise"  # type: ignore[union-attr]
    assert shim_client.settings_of(second) is None
    mem0_shim.install("warn")
    assert shim_client.settings_of(second).policy == "warn"  # type: ignore[union-attr]
    mem0_shim.uninstall()
    assert shim_client.settings_of(first).policy == "raise"  # type: ignore[union-attr]


@pytest.mark.parametrize("other", [None, "client", mock.MagicMock(), object()])
def test_wrap_returns_anything_else_as_it_is(other: Any) -> None:
    assert mem0_shim.wrap(other, policy="wait") is other


@pytest.mark.mem0ai
def test_installing_before_mem0_is_imported() -> None:
    program = (
        "import sys, mem0_shim; mem0_shim.install('warn'); assert 'mem0' not in sys.modules; import mem0;"
        "from mem0_shim.patching import Method; assert type(vars(mem0.MemoryClient)['add']) is Method;"
        "assert not [f for f in sys.meta_path if type(f).__module__ == 'mem0_shim._boot' and f.name != 'yaml']"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, cwd=SHIM)


def legacy(answer: Any) -> Any:
    return answer["results"]


def test_error_filters_and_pytest_warns() -> None:
    sdk = make_module()
    install(sdk)
    instance = sdk.MemoryClient()
    instance.answer = receipt("flat")
    with pytest.warns(mem0_shim.PendingReadWarning, match="was queued") as caught, pytest.raises(KeyError):
        legacy(instance.add("x"))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", mem0_shim.PendingMemoryWarning)
        with pytest.raises(mem0_shim.PendingReadWarning) as raised:
            legacy(instance.add("x"))
    assert raised.value.event_ids == (instance.answer["event_id"],)


def test_a_line_warns_once() -> None:
    sdk = make_module()
    install(sdk)
    instance = sdk.MemoryClient()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            instance.answer = receipt("flat")
            len(instance.add("x"))
    assert len([w for w in caught if issubclass(w.category, mem0_shim.PendingConsumedWarning)]) == 1


def test_disabled_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = make_module()
    monkeypatch.setenv("MEM0_SHIM_DISABLE", "1")
    install(sdk)
    instance = sdk.MemoryClient()
    instance.answer = receipt("flat")
    assert type(instance.add("x")) is dict
    monkeypatch.delenv("MEM0_SHIM_DISABLE")
    install(sdk)
    instance.add("x").get("status")


def test_policy_of_a_module() -> None:
    sdk = make_module()
    install(sdk, f"warn,{__name__}=off")
    instance = sdk.MemoryClient()
    instance.answer = receipt("flat")
    assert type(instance.add("x")) is dict
