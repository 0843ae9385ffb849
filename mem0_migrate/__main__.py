"""`python -m mem0_migrate`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from mem0_migrate.cli import cli

    cli(prog_name="mem0-migrate")


if __name__ == "__main__":
    main()
