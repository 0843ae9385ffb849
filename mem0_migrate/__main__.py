"""`python -m mem0_migrate`."""

from __future__ import annotations


def main() -> None:
    """Run the command line. The process is short: what it makes lives to its end, and is not worth looking for garbage in."""
    import gc

    gc.disable()
    from mem0_migrate.cli import cli

    cli(prog_name="mem0-migrate")


if __name__ == "__main__":
    main()
