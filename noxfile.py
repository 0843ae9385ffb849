"""What is run before a change lands, here and in CI: `nox`, or one session of it: `nox -s lint`."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "docs", "tests", "corpus", "proof", "shim", "openapi"]
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]

# mem0ai at the edges of what `add` sends and answers; the first and last of each era are run by every change.
ERAS = ["0.1.40", "0.1.98", "0.1.118", "1.0.0", "1.0.11", "2.0.0", "2.2.1"]
EDGES = ["0.1.40", "1.0.11", "2.2.1"]


def _install(session: nox.Session) -> None:
    session.install("--editable", ".", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "dev"))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests of the linter; arguments after `--` go to pytest."""
    _install(session)
    kills = (
        [] if session.python == PYTHONS[-1] else ["--ignore=tests/fixes/test_kill.py"]
    )  # the kernel's business: once is enough
    session.run("pytest", "--ignore=tests/shim", "--numprocesses=auto", *kills, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    _install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("mypy", "--strict", "--package", "mem0_shim", env={"MYPYPATH": "shim"})


@nox.session
def docs(session: nox.Session) -> None:
    """Check that the pages of the rules are what the rules say; `nox -s docs -- --write` writes them."""
    _install(session)
    session.run("python", "docs/generate.py", *([] if "--write" in session.posargs else ["--check"]))


@nox.session
def corpus(session: nox.Session) -> None:
    """Download releases of other people, hold the findings to hand-made labels, and fix copies (110 MB, five minutes)."""
    session.install("--editable", ".")
    releases = session.cache_dir / "corpus"
    folder = "fixtures/corpus"
    session.run("python", f"{folder}/fetch.py", f"{folder}/packages.tsv", str(releases), "--negatives", f"{folder}/negatives.tsv")
    session.run("python", f"{folder}/score.py", str(releases), "--verbose", "--check", *session.posargs)
    session.run("python", f"{folder}/fix.py", str(releases))


def _shim(session: nox.Session, mem0ai: str) -> None:
    packages = ["pytest>=8.3", "trio", "requests", "fastapi", "pyyaml", "orjson", "msgspec", "setuptools", "uvicorn", "gunicorn"]
    session.install(f"mem0ai=={mem0ai}", *packages)
    session.install("--no-deps", "./shim")
    session.run("pytest", "tests/shim", "--ignore=tests/shim/test_openapi.py", *session.posargs, env={"CI": "true"})


@nox.session(python="3.11")
@nox.parametrize("mem0ai", EDGES)
def shim(session: nox.Session, mem0ai: str) -> None:
    """Run the tests of the shim with the real mem0ai of each era."""
    _shim(session, mem0ai)


@nox.session(python=PYTHONS)
@nox.parametrize("mem0ai", ERAS)
def eras(session: nox.Session, mem0ai: str) -> None:
    """Run the tests of the shim with every mem0ai at an edge of its eras, on every Python (an hour)."""
    _shim(session, mem0ai)


@nox.session(python="3.11")
def openapi(session: nox.Session) -> None:
    """Hold the emulator of the platform to mem0's description of its interface."""
    session.install("schemathesis", "pytest>=8.3", "./shim")
    session.run("pytest", "tests/shim/test_openapi.py", env={"CI": "true"})


@nox.session(python="3.11")
def proof(session: nox.Session) -> None:
    """Run whole applications, broken and repaired, with every mem0ai that they admit; prints the table of docs/proof.md.

    Then repair some for queued writes, and see the memories arrive through the webhook. The environments of the applications are
    built once, in nox's cache; arguments after `--` go to `prove.py`.
    """
    session.install("--editable", ".", "./shim")
    environments = session.cache_dir / "proof"
    for mem0ai in ERAS:
        packages = [f"mem0ai=={mem0ai}", "django", "fastapi", "flask", "httpx", "requests", "uvicorn"]
        folder = environments / mem0ai
        built = folder / "built.txt"
        if not built.exists() or built.read_text(encoding="utf-8").split() != packages:
            session.run("python", "-m", "venv", "--clear", str(folder), silent=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            session.run(*pip, *packages, external=True)
            session.run(*pip, "--no-deps", "--editable", "./shim", external=True)
            built.write_text("\n".join(packages), encoding="utf-8")
    session.run("python", "fixtures/projects/prove.py", "--environments", str(environments), *session.posargs)
    session.run("python", "fixtures/adoption/run.py", "--python", str(environments / ERAS[-1] / "bin" / "python"))
