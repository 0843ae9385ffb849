"""``python -m mem0_shim.testing``: the emulated platform until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from dataclasses import fields
from typing import get_args

from mem0_shim.testing.knobs import Knobs, Mode, Shape
from mem0_shim.testing.server import Mem0Emulator

_DEFAULTS = Knobs()


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the first line of the output is the URL.

    Returns:
        The exit code: 0, or 2 for a value that a knob does not take or a port that is taken.
    """
    parser = argparse.ArgumentParser(
        prog="python -m mem0_shim.testing", description="Emulates mem0's hosted platform on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 (default) takes a free one")
    for knob in fields(Knobs):
        default = getattr(_DEFAULTS, knob.name)
        if knob.name == "refuse":
            continue  # a storm is started while running, by PATCH /_emulator/knobs
        option = "--" + knob.name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=default)
        else:
            choices = {"mode": get_args(Mode), "shape": get_args(Shape)}.get(knob.name)
            parser.add_argument(option, type=type(default), default=default, choices=choices, help="default: %(default)s")
    options = vars(parser.parse_args(arguments))
    try:
        emulator = Mem0Emulator(**options)
        emulator.start()
    except (OSError, OverflowError, ValueError) as error:
        print(f"mem0_shim.testing: {error}", file=sys.stderr)
        return 2
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    print(emulator.url, flush=True)
    done.wait()
    emulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
