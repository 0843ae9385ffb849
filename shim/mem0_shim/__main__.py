"""``mem0-shim run | pending | check | doctor | webhook``."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mem0_shim.ledger import Ledger


def main(arguments: list[str] | None = None) -> int:
    """Run a command of ``mem0-shim``.

    Returns:
        The exit code: 0; 1 if `check` or `doctor` has found something; 2 if the command could not do its job.
    """
    parser = argparse.ArgumentParser(prog="mem0-shim", description="An answer of mem0's add() that knows it is a receipt.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a Python program, and those that it starts, with the shim")
    run.add_argument("--policy", help="off, warn, raise or wait, and MODULE=POLICY, separated by commas")
    run.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="MODULE and its arguments")
    run.add_argument("program", nargs=argparse.REMAINDER, help="SCRIPT and its arguments")
    for name, text in (
        ("pending", "list the events of the ledger that have not ended"),
        ("check", "ask mem0 how they have ended"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--ledger", default=os.environ.get("MEM0_SHIM_LEDGER"), help="default: MEM0_SHIM_LEDGER")
    commands.add_parser("doctor", help="say what the shim would do in this environment")
    webhook = commands.add_parser("webhook", help="receive webhooks on 127.0.0.1, to look at them")
    webhook.add_argument("--port", type=int, default=8765)
    options = parser.parse_args(arguments)
    try:
        if options.command == "run":
            return _run(options.policy, options.module or options.program, module=bool(options.module))
        if options.command == "doctor":
            return _doctor()
        if options.command == "webhook":
            return _webhook(options.port)
        ledger = _ledger(options.ledger)
        return _pending(ledger) if options.command == "pending" else _check(ledger)
    except (ValueError, OSError) as error:
        print(f"mem0-shim: {error}", file=sys.stderr)
        return 2


def _run(policy: str | None, program: list[str], *, module: bool) -> int:
    from mem0_shim.client import install

    if not program:
        raise ValueError("run needs a SCRIPT, or -m MODULE")
    if policy:
        os.environ["MEM0_SHIM_POLICY"] = policy
    install()
    os.environ["MEM0_SHIM_START"] = "1"  # mem0_shim.pth hands it on to programs that this one starts
    sys.argv = program
    if module:
        sys.path[0] = str(Path.cwd())
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(program[0]).resolve().parent)
        runpy.run_path(program[0], run_name="__main__")
    return 0


def _ledger(path: str | None) -> Ledger:
    import sqlite3

    from mem0_shim.ledger import Ledger

    if not path:
        raise ValueError("there is no ledger: set MEM0_SHIM_LEDGER, or give --ledger FILE")
    if not Path(path).exists():
        raise ValueError(f"{path}: there is no such ledger")
    try:
        return Ledger(path)
    except sqlite3.Error as error:
        raise ValueError(f"{path}: {error}") from None


def _pending(ledger: Ledger) -> int:
    entries = ledger.outstanding()
    for entry in entries:
        print(f"{entry.event_id}  {time.time() - entry.created:8.0f} s  {entry.status:8}  {entry.added_at}  {entry.host}")
    print(f"{len(entries)} outstanding")
    return 0


def _check(ledger: Ledger) -> int:
    import hashlib
    from urllib.parse import quote

    import httpx

    key = os.environ.get("MEM0_API_KEY", "")
    if not key:
        raise ValueError("check asks mem0: set MEM0_API_KEY")
    fingerprint = hashlib.sha256(key.encode()).hexdigest()[:16]
    counts: dict[str, int] = {}
    with httpx.Client(headers={"Authorization": f"Token {key}"}, timeout=30.0) as http:
        for entry in ledger.outstanding():
            status = "OTHER KEY"
            if entry.key_fingerprint == fingerprint:
                try:
                    response = http.get(f"{entry.host}/v1/event/{quote(entry.event_id, safe='')}/")
                except httpx.TransportError as error:
                    raise OSError(f"{entry.host} cannot be reached: {error}") from None
                known = response.is_success or response.status_code == 404  # noqa: PLR2004 - HTTP Not Found
                if not known:
                    raise OSError(f"{entry.host} answered {response.status_code}")
                status = str(response.json().get("status", "")).upper() if response.is_success else "UNKNOWN"
            if status in ("SUCCEEDED", "FAILED", "UNKNOWN"):
                ledger.finish((entry.event_id,), status)
            if status != "SUCCEEDED":
                print(f"{entry.event_id}  {status}  added at {entry.added_at}")
            counts[status] = counts.get(status, 0) + 1
    print(", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing outstanding")
    return 1 if counts.get("FAILED") or counts.get("UNKNOWN") else 0


def _doctor() -> int:
    from mem0_shim.settings import disabled, read_settings

    problems = []

    def say(name: str, value: object) -> None:
        print(f"{name:10} {value}")

    for package in ("mem0-shim", "mem0ai", "httpx", "anyio"):
        try:
            say(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            say(package, "not installed as a distribution")
            if package != "mem0-shim":
                problems.append(f"{package} is not installed")
    try:
        say("settings", read_settings())
    except ValueError as error:
        problems.append(str(error))
    say("disabled", disabled())
    say(
        "at start",
        "yes, MEM0_SHIM_START is set" if os.environ.get("MEM0_SHIM_START") else "no: only where install() or wrap() is called",
    )
    if path := os.environ.get("MEM0_SHIM_LEDGER"):
        try:
            say(
                "ledger",
                f"{path}, {len(_ledger(path).outstanding())} outstanding" if Path(path).exists() else f"{path}, not made yet",
            )
        except ValueError as error:
            problems.append(str(error))
    try:
        say("add is", _wrappers())
    except ImportError as error:
        problems.append(f"mem0 cannot be imported: {error}")
    for problem in problems:
        say("PROBLEM", problem)
    return 1 if problems else 0


def _wrappers() -> str:
    """Who has a hand in `MemoryClient.add`, outermost first."""
    from mem0.client.main import MemoryClient  # type: ignore[import-not-found,unused-ignore]

    from mem0_shim.client import honours_async_mode

    found, method = [], MemoryClient.add
    while method is not None:
        found.append(method.__code__.co_filename.rpartition("site-packages/")[2])
        method = getattr(method, "__wrapped__", None)
    honours = "honours" if honours_async_mode(MemoryClient) else "has no"
    return f"{' around '.join(found)}; it {honours} async_mode"


def _webhook(port: int) -> int:
    import secrets
    from wsgiref.simple_server import make_server

    from mem0_shim.webhook import wsgi_app

    token = secrets.token_urlsafe(32)

    def show(body: bytes, headers: Any) -> bool:  # noqa: ARG001 - the signature of a verify hook
        print(body.decode(errors="replace"), flush=True)
        return True

    with make_server("127.0.0.1", port, wsgi_app(token, verify=show)) as server:
        print(f"http://127.0.0.1:{server.server_port}/{token}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
