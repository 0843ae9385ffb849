"""How waits behave against the emulated platform: overshoot with and without a webhook, and 1,000 waits at once.

Run: ``PYTHONPATH=shim python benchmarks/shim/waits.py`` in an environment with mem0ai.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

sys.path.insert(0, str(Path(__file__).parents[2] / "shim"))
os.environ |= {"MEM0_TELEMETRY": "False", "MEM0_DIR": tempfile.mkdtemp()}

import httpx
import mem0
import mem0_shim
from mem0_shim import webhook
from mem0_shim.testing import Mem0Emulator

LATENCY, RUNS, WAITS = 1.5, 10, 1000
TOKEN = "t" * 32


class Silent(WSGIRequestHandler):
    """A request handler that logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def overshoot(*, with_webhook: bool) -> float:
    """Seconds from the end of the background work to the return of ``add``: the mean of `RUNS`."""
    with Mem0Emulator(latency=LATENCY, honours_async_mode=False) as platform:
        client = mem0_shim.wrap(mem0.MemoryClient(api_key="key", host=platform.url), policy="wait")
        server = make_server("127.0.0.1", 0, webhook.wsgi_app(TOKEN), handler_class=Silent)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        if with_webhook:
            webhook.ensure_webhook(client, f"http://127.0.0.1:{server.server_port}/{TOKEN}")
        found = []
        for n in range(RUNS):
            client.add([{"role": "user", "content": f"fact {n}"}], user_id="alice")
            returned = time.monotonic()
            found.append(returned - list(platform.platform.events.values())[-1].due)
        server.shutdown()
        return statistics.mean(found)


async def many(url: str, policy: str) -> tuple[int, float, int]:
    """Answers with memories, seconds in all, and the most polls within any second, of `WAITS` adds at once."""
    httpx.post(url + "/_emulator/reset", timeout=60)
    client = mem0_shim.wrap(mem0.AsyncMemoryClient(api_key="key", host=url), policy=policy)
    began = time.monotonic()
    adds = (client.add([{"role": "user", "content": "fact"}], user_id=f"u{n}") for n in range(WAITS))
    answers = await asyncio.gather(*adds)
    took = time.monotonic() - began
    received = httpx.get(url + "/_emulator/requests", timeout=60).json()
    polls = sorted(request["at"] for request in received if request["path"].startswith("/v1/event"))
    most = max((sum(1 for other in polls[n : n + 50] if other < at + 1) for n, at in enumerate(polls)), default=0)
    done = sum(not mem0_shim.is_receipt(answer) for answer in answers)
    return done, took, most


def main() -> int:
    """Print the table.

    Returns:
        1 if a figure is above what it may be.
    """
    warnings.simplefilter("ignore")
    polling, nudged = overshoot(with_webhook=False), overshoot(with_webhook=True)
    print(f"overshoot at {LATENCY} s events, polling           {polling:6.3f} s   at most 0.600 s")
    print(f"overshoot at {LATENCY} s events, with a webhook    {nudged:6.3f} s   at most 0.050 s")
    command = [sys.executable, "-m", "mem0_shim.testing", "--latency", str(LATENCY), "--no-honours-async-mode"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2] / "shim") as platform:
        assert platform.stdout is not None
        url = platform.stdout.readline().strip()
        _, alone, _ = asyncio.run(many(url, "off"))
        done, took, most = asyncio.run(many(url, "wait"))
        platform.terminate()
    print(f"{WAITS} waits at once: {done} complete after {took:.1f} s (the adds alone: {alone:.1f} s),")
    print(f"    at most {most} polls within a second (may be 10)")
    return int(polling > 0.6 or nudged > 0.05 or done < WAITS or most > 10)


if __name__ == "__main__":
    sys.exit(main())
