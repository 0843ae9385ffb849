"""A receiver that is a program of its own, where there is no web application to mount it in."""

from __future__ import annotations

from mem0_migrate.fixes.receivers.mounting import PREFIX, TOKEN, Receiver

NAME = "mem0_webhook.py"
PORT = 8080

_PROGRAM = f'''"""Receives what mem0 delivers. Run it behind a proxy that speaks https: python {NAME}

{TOKEN}: the secret last segment of the path, at least 16 characters; several, for rotation, are separated by commas.
MEM0_WEBHOOK_HOST, MEM0_WEBHOOK_PORT: where it listens; 127.0.0.1 and {PORT} if they are not set.

`app` is a WSGI application, for servers such as gunicorn: gunicorn {NAME.removesuffix(".py")}:app
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from wsgiref.simple_server import make_server

from mem0_shim.webhook import wsgi_app


def received(event: dict[str, Any]) -> None:
    """What is done with a memory that mem0 has stored: {{"id": …, "data": {{"memory": …}}, "event": "ADD"}}.

    mem0 may deliver an event more than once, and says neither whose memory it is nor which add() it comes from.
    """
    print(json.dumps(event, ensure_ascii=False), flush=True)


def take(body: bytes, headers: Mapping[str, str]) -> bool:
    """Called for each delivery with a right token; False refuses it."""
    delivery = json.loads(body)
    if not isinstance(delivery, dict) or not isinstance(delivery.get("event_details"), dict):
        return False
    received(delivery["event_details"])
    return True


app = wsgi_app(verify=take)

if __name__ == "__main__":
    host, port = os.environ.get("MEM0_WEBHOOK_HOST", "127.0.0.1"), int(os.environ.get("MEM0_WEBHOOK_PORT", "{PORT}"))
    with make_server(host, port, app) as server:
        print(f"listening on {{host}}:{{server.server_port}}", flush=True)
        server.serve_forever()
'''


def generated(folder: str) -> Receiver:
    """The program, in a folder (`""` for the working directory)."""
    name = f"{folder}/{NAME}" if folder else NAME
    where = f"127.0.0.1:{PORT}, for a proxy that speaks https and hands it POST {PREFIX}/…"
    advice = f"Start the receiver: python {name} (it listens on {where})"
    return Receiver(creates={name: _PROGRAM}, by_hand=(advice,))
