"""The shim in a running FastAPI application (uvicorn), and in workers forked after `install` (gunicorn with preload)."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from mem0_shim.testing import Mem0Emulator

pytestmark = pytest.mark.mem0ai

ROOT = Path(__file__).parents[2]
FASTAPI = """
import asyncio, concurrent.futures, os
import mem0_shim
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from mem0 import AsyncMemoryClient, MemoryClient

mem0_shim.install(os.environ["POLICY"])
app = FastAPI()
client = MemoryClient(api_key="key", host=os.environ["PLATFORM"])
twin = AsyncMemoryClient(api_key="key", host=os.environ["PLATFORM"])
pool = concurrent.futures.ThreadPoolExecutor()
MESSAGES = [{"role": "user", "content": "I like tea"}]


@app.get("/thread")
def thread():
    result = client.add(MESSAGES, user_id="thread")  # added: thread
    return {"count": len(result["results"])}  # read: thread


@app.get("/loop")
async def loop():
    result = await twin.add(MESSAGES, user_id="loop")  # added: loop
    return [m["memory"] for m in result["results"]]  # read: loop


@app.get("/worker")
async def worker():
    result = await run_in_threadpool(client.add, MESSAGES, user_id="worker")  # added: worker
    return bool(result["results"])  # read: worker


@app.get("/pool")
async def in_pool():
    future = asyncio.get_running_loop().run_in_executor(pool, lambda: client.add(MESSAGES, user_id="pool"))  # added: pool
    return sum(1 for m in (await future)["results"])  # read: pool


@app.get("/task")
async def task():
    result = await asyncio.create_task(twin.add(MESSAGES, user_id="task"))  # added: task
    return result["results"][0].get("memory")  # read: task


@app.get("/aware")
def aware():
    result = client.add(MESSAGES, user_id="aware")
    return {"event": result["results"][0]["event_id"], "count": len(result["results"])}


@app.get("/whole")
async def whole():
    return await twin.add(MESSAGES, user_id="whole")
"""
LEGACY = ("thread", "loop", "worker", "pool", "task")
WSGI = """
import os, threading, uuid
import mem0_shim
from mem0 import MemoryClient

mem0_shim.install("warn")
early = mem0_shim.wrap(MemoryClient(api_key="key", host=os.environ["PLATFORM"]), policy="wait", first_delay=0.01)
MESSAGES = [{"role": "user", "content": "I like tea"}]


def keep_waiting():  # so that locks of the shim are held, and events waited for, when the workers are forked
    while True:
        early.add(MESSAGES, user_id="early")


threading.Thread(target=keep_waiting, daemon=True).start()
clients = {}


def app(environ, start_response):
    client = clients.setdefault("plain", None) or MemoryClient(api_key="key", host=os.environ["PLATFORM"])
    clients["plain"] = client
    waiting = mem0_shim.wrap(MemoryClient(api_key="key", host=os.environ["PLATFORM"]), policy="wait", first_delay=0.01)
    count = len(client.add(MESSAGES, user_id="alice")["results"])  # added and read
    waited = [m["memory"] for m in waiting.add(MESSAGES, user_id=uuid.uuid4().hex)["results"]]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {os.getppid()} {count} {waited}".encode()]
"""


@contextlib.contextmanager
def serving(
    folder: Path, code: str, platform: Mem0Emulator, *command: str, **environment: str
) -> Iterator[tuple[httpx.Client, Callable[[], str]]]:
    """Run a server on loopback; yields a client, and a function that stops it and returns what it has written."""
    (folder / "application.py").write_text(code)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, number = listening.getsockname()[1], listening.fileno()
        paths = os.pathsep.join(filter(None, (str(folder), str(ROOT / "shim"), os.environ.get("PYTHONPATH"))))
        variables = {**os.environ, "PLATFORM": platform.url, "PYTHONPATH": paths, **environment}
        arguments = [part.format(socket=number) for part in command]
        log = folder / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=variables, pass_fds=(number,), stdout=output, stderr=output
            )

        def stop() -> str:
            process.terminate()
            process.wait(20)
            return log.read_text()

        try:
            headers = {"Connection": "close"}  # after an error the server closes it without saying so
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60.0, trust_env=False) as http:
                yield http, stop
        finally:
            process.kill()
            process.wait()


def line(code: str, mark: str) -> int:
    return next(number for number, text in enumerate(code.splitlines(), 1) if text.endswith(f"# {mark}"))


def uvicorn(
    folder: Path, platform: Mem0Emulator, policy: str
) -> contextlib.AbstractContextManager[tuple[httpx.Client, Callable[[], str]]]:
    return serving(folder, FASTAPI, platform, "-m", "uvicorn", "application:app", "--fd", "{socket}", POLICY=policy)


@pytest.mark.needs("fastapi")
@pytest.mark.needs("uvicorn")
def test_handlers_of_fastapi_are_told_of_at_their_lines(platform: Mem0Emulator, tmp_path: Path) -> None:
    platform.adjust(shape="nested", honours_async_mode=False)
    with uvicorn(tmp_path, platform, "warn") as (http, stop):
        for _ in range(3):
            for path in LEGACY:
                assert http.get(f"/{path}").status_code == (500 if path == "loop" else 200)
            assert http.get("/aware").json()["count"] == 1
            assert http.get("/whole").json()["results"][0]["status"] == "PENDING"
        written = stop()
    told = re.findall(r"application\.py:(\d+): Pending(\w+)Warning: .* add\(\) at \S*application\.py:(\d+) was queued", written)
    assert sorted(told) == sorted(
        (str(line(FASTAPI, f"read: {path}")), "Read" if path == "loop" else "Consumed", str(line(FASTAPI, f"added: {path}")))
        for path in LEGACY
    )
    assert "internal error" not in written


@pytest.mark.needs("fastapi")
@pytest.mark.needs("uvicorn")
def test_handlers_of_fastapi_raise_at_their_lines(platform: Mem0Emulator, tmp_path: Path) -> None:
    platform.adjust(shape="nested", honours_async_mode=False)
    with uvicorn(tmp_path, platform, "raise") as (http, stop):
        assert [http.get(f"/{path}").status_code for path in (*LEGACY, "aware", "whole")] == [500] * len(LEGACY) + [200, 200]
        written = stop()
    for path in LEGACY:
        assert re.search(rf'application\.py", line {line(FASTAPI, f"read: {path}")}, in ', written)
    assert written.count("mem0_shim.reports.PendingMemoryError: ") == len(LEGACY)


@pytest.mark.needs("fastapi")
@pytest.mark.needs("uvicorn")
def test_handlers_of_fastapi_wait(platform: Mem0Emulator, tmp_path: Path) -> None:
    platform.adjust(shape="nested", honours_async_mode=False, latency=0.05)
    with uvicorn(tmp_path, platform, "wait") as (http, stop):
        assert http.get("/thread").json() == {"count": 1}
        assert http.get("/loop").json() == ["I like tea"]
        assert http.get("/worker").json() is True
        assert http.get("/task").json() == "I like tea"
        assert "Pending" not in stop()


@pytest.mark.needs("gunicorn")
def test_workers_forked_after_install(platform: Mem0Emulator, tmp_path: Path) -> None:
    platform.adjust(shape="nested", honours_async_mode=False, latency=0.02)
    options = ("--preload", "--workers", "2", "--bind", "fd://{socket}", "--log-level", "warning")
    with serving(tmp_path, WSGI, platform, "-m", "gunicorn", *options, "application:app") as (http, stop):
        answers = [http.get("/").text.split(" ", 3) for _ in range(30)]
        written = stop()
    workers = {worker for worker, *_ in answers}
    assert len(workers) == 2
    assert {tuple(rest) for _, parent, *rest in answers} == {("1", "['I like tea']")}
    assert {parent for _, parent, *_ in answers}.isdisjoint(workers)
    at = line(WSGI, "added and read")
    told = re.findall(rf"application\.py:(\d+): PendingConsumedWarning: len\(\) .* add\(\) at \S*application\.py:{at} ", written)
    assert told == [str(at)] * 2  # once in each process
    assert "internal error" not in written
