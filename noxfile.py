"""What is run before a change lands, here and in CI: `nox`, or one session of it: `nox -s lint`."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "docs", "tests", "corpus"]
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


def _install(session: nox.Session) -> None:
    session.install("--editable", ".", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "dev"))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests of the linter; arguments after `--` go to pytest."""
    _install(session)
    session.run("pytest", "--ignore=tests/shim", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    _install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Check that the pages of the rules are what the rules say; `nox -s docs -- --write` writes them."""
    _install(session)
    session.run("python", "docs/generate.py", *([] if "--write" in session.posargs else ["--check"]))


@nox.session
def corpus(session: nox.Session) -> None:
    """Download releases that other people published, and hold the findings in them to hand-made labels (110 MB, two minutes)."""
    session.install("--editable", ".")
    releases = session.cache_dir / "corpus"
    folder = "fixtures/corpus"
    session.run("python", f"{folder}/fetch.py", f"{folder}/packages.tsv", str(releases), "--negatives", f"{folder}/negatives.tsv")
    session.run("python", f"{folder}/score.py", str(releases), "--verbose", "--check", *session.posargs)
