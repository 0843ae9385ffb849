"""Recognise calls that add memories over HTTP without the SDK: requests, httpx, aiohttp, urllib, and functions around them.

Told from one file alone: an address that is imported from another module is unknown here. Such a call still counts where the name
of the address says mem0, or where the path is one that only the platform has.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from mem0_migrate.sdk import surface
from mem0_migrate.tracking.bindings import FunctionNode, dotted_tail
from mem0_migrate.tracking.bodies import Bodies
from mem0_migrate.tracking.recorder import place
from mem0_migrate.tracking.summary import HttpAdd
from mem0_migrate.tracking.texts import CLOSE, OPEN, UNKNOWN, Frame, Texts, unknown, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mem0_migrate.project.source import Source
    from mem0_migrate.tracking.summary import Place

# The API's description of 2026-08: POST to these adds; POST to /v2/memories/ and /v3/memories/ lists.
ADD_PATHS = frozenset(["/v1/memories", "/v3/memories/add"])
_PATH = re.compile(r"""["'/]memories(?:/add)?/?["'?#]""")  # how one of them ends
_OWN_PATHS = frozenset(["/v3/memories/add"])  # the platform alone has these; others imitate the rest
_SCHEME = re.compile(f"(?:https?|{UNKNOWN.pattern})://", re.IGNORECASE)
_HOST = re.compile(r"(?:.*\.)?mem0\.ai(?::\d+)?", re.IGNORECASE)
_METHODS = frozenset(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
_URL_KEYWORDS = ("url", "path", "endpoint", "uri", "route", "full_url")
_BODY_KEYWORDS = ("json", "data", "content", "body", "payload", "json_body", "json_data")
_STAND_INS = re.compile(r"mock|respx|responses|rsps|httpretty|test_?client|stub|fake", re.IGNORECASE)
_BASES = {"ClientSession": 0, "BaseUrlSession": 0}  # where the address of a session is an argument by position
_ASYNC_CLIENTS = frozenset(["AsyncClient", "ClientSession", "AsyncHTTPClient"])
_PARSERS = frozenset(["json", "loads", "load"])
_SDK_FILE = "client/main.py"
_WRAPPERS = 3


@dataclass(frozen=True, slots=True)
class _Post:
    """A POST: where it goes, what may be its body, whether `**options` may hold one, whether an asynchronous client sends it."""

    urls: tuple[str, ...]
    bodies: tuple[tuple[ast.expr, Frame | None], ...]
    is_open: bool
    is_async: bool


def requests_of(source: Source) -> Requests | None:
    """The requests of a file; None if it can hold no such call at all."""
    return Requests(source) if _PATH.search(source.text) and re.search("mem0", source.text, re.IGNORECASE) else None


class Requests:
    """The requests that one file makes."""

    def __init__(self, source: Source) -> None:
        self._texts = Texts(source.tree)
        self._bindings = self._texts.bindings
        self._bodies = Bodies(self._texts)
        self._names_host = surface.HOST in source.text
        self._is_sdk = source.filename.endswith(_SDK_FILE)
        self._sending: dict[ast.AST, list[ast.Call]] = defaultdict(list)
        self._adding: dict[ast.Call, bool] = {}
        self._senders = self._find_senders()

    @property
    def exhausted(self) -> bool:
        """Whether the file makes more requests than can be followed, so that some adds may be missing."""
        return self._texts.exhausted

    def add(self, node: ast.Call, call: int) -> HttpAdd | None:
        """What an add sends, if the call makes one; `call` is its number among the calls of the file."""
        tail = dotted_tail(node.func)
        if (tail.lstrip("_") not in SPELLINGS and tail not in self._senders) or self._in_sdk_or_decorator(node):
            return None
        self._texts.refill()
        functions = list(self._texts.called(node, None)) if tail in self._senders else []
        for function in functions:
            for post in self._inside(node, function, None, 0):
                url = self._add_url(post)
                if url is not None:
                    is_async = isinstance(function, ast.AsyncFunctionDef)
                    parsed = self._parses(function)
                    return HttpAdd(call, self._mode(post), url, int(is_async), parsed=parsed, body=self._body(post))
        if functions:
            return None
        for post in self._sent(node, None):
            url = self._add_url(post)
            if url is not None:
                waits = int(post.is_async or self._awaited(node))
                return HttpAdd(call, self._mode(post), url, waits, parsed=False, body=self._body(post))
        return None

    def _mode(self, post: _Post) -> str:
        return "mapping" if post.is_open and not post.bodies else self._bodies.mode(post.bodies)

    def _body(self, post: _Post) -> Place | None:
        display = None if post.is_open else self._bodies.display(post.bodies)
        return place(display) if display is not None else None

    def _in_sdk_or_decorator(self, node: ast.Call) -> bool:
        parent = self._bindings.parents.get(node)
        if node in getattr(parent, "decorator_list", ()):
            return True
        owner = self._bindings.enclosing_class(node) if self._is_sdk else None
        return owner is not None and owner.name in surface.KINDS

    def _awaited(self, node: ast.Call) -> bool:
        parent = self._bindings.parents.get(node)
        if isinstance(parent, ast.withitem):
            return isinstance(self._bindings.parents.get(parent), ast.AsyncWith)
        return isinstance(parent, ast.Await)

    # -- functions of the file that send -----------------------------------------------------------------------------------------

    def _find_senders(self) -> frozenset[str]:
        """The names of functions of this file that make requests, or call one that does; fills in which calls of theirs do."""
        names: set[str] = set()
        pending = {tail for tail in self._bindings.calls if tail.lstrip("_") in SPELLINGS}
        for _ in range(_WRAPPERS):
            found = set()
            for tail in sorted(pending):
                for call in self._bindings.calls.get(tail, ()):
                    scope = self._bindings.scope(call)
                    if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        self._sending[scope].append(call)
                        found.add(scope.name)
            pending = found - names - {tail for tail in found if tail.lstrip("_") in SPELLINGS}
            names |= found
        return frozenset(names)

    def _inside(self, call: ast.Call, function: FunctionNode, frame: Frame | None, depth: int) -> Iterator[_Post]:
        """The requests that a function of this file makes when called so, unless it always makes the same."""
        inner = Frame(function, self._texts.arguments(call, function, frame))
        for sent in self._sending.get(function, ()):
            if self._adds_by_itself(sent, depth):
                continue
            further = list(self._texts.called(sent, inner)) if depth < _WRAPPERS else []
            for callee in further:
                yield from self._inside(sent, callee, inner, depth + 1)
            if not further:
                for post in self._sent(sent, inner):
                    if post.is_open and not post.bodies:  # handed on from this call
                        bodies = tuple((body, frame) for body in _bodies_of(call, len(call.args)))
                        yield _Post(post.urls, bodies, _is_open(call), post.is_async)
                    else:
                        yield post

    def _adds_by_itself(self, call: ast.Call, depth: int) -> bool:
        """Whether a call is an add whoever calls the function around it: then that one is no second."""
        known = self._adding.get(call)
        if known is None:
            self._adding[call] = False
            posts = list(self._sent(call, None))
            for callee in self._texts.called(call, None) if depth < _WRAPPERS else ():
                posts += self._inside(call, callee, None, depth + 1)
            known = self._adding[call] = any(self._add_url(post) for post in posts)
        return known

    def _parses(self, function: FunctionNode) -> bool:
        """Whether a function decodes JSON, so that it returns what the platform answered rather than a response."""
        return any(self._bindings.scope(call) is function for tail in _PARSERS for call in self._bindings.calls.get(tail, ()))

    # -- one request -------------------------------------------------------------------------------------------------------------

    def _sent(self, node: ast.Call, frame: Frame | None) -> Iterator[_Post]:
        """The POST that a call of an HTTP library makes."""
        spelling = dotted_tail(node.func).lstrip("_")
        if spelling not in SPELLINGS:
            return
        keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        first = 0
        method = ["POST"] if spelling == "post" else []
        if spelling != "post":
            verb = keywords.get("method")
            if verb is None and node.args and set(map(str.upper, self._texts.texts(node.args[0], frame))) & _METHODS:
                verb, first = node.args[0], 1
            if verb is not None:
                method = [text.upper() for text in self._texts.texts(verb, frame)]
            elif spelling in ("Request", "urlopen"):
                body = keywords.get("data", node.args[1] if len(node.args) > 1 else None)
                method = ["GET" if body is None or (isinstance(body, ast.Constant) and body.value is None) else "POST"]
        if "POST" not in method:
            return
        target = next((keywords[name] for name in _URL_KEYWORDS if name in keywords), None)
        if target is None:
            if len(node.args) <= first:
                return
            target = node.args[first]
            first += 1
        bases, is_async = self._sender(node.func, frame)
        if bases is None:
            return
        bodies = tuple((body, frame) for body in _bodies_of(node, first))
        urls = tuple(_joined(*pair) for pair in product(bases, self._texts.texts(target, frame)))
        yield _Post(urls, bodies, _is_open(node), is_async)

    def _sender(self, func: ast.expr, frame: Frame | None) -> tuple[list[str] | None, bool]:
        """The addresses that a session puts before its paths, and whether it is asynchronous. None for a stand-in in a test."""
        if not isinstance(func, ast.Attribute):
            return [OPEN + CLOSE], False
        bases: list[str] = []
        is_async = False
        for held, inner in self._texts.resolve(func.value, frame):
            name = words(held)
            if _STAND_INS.search(name) or _STAND_INS.search(words(func.value)):
                return None, False
            if isinstance(held, ast.Call):
                tail = dotted_tail(held.func)
                is_async = is_async or tail in _ASYNC_CLIENTS
                given = [keyword.value for keyword in held.keywords if keyword.arg in ("base_url", "root_url")]
                if tail in _BASES and held.args:
                    given.append(held.args[0])
                bases += [text for item in given for text in self._texts.texts(item, inner)]
            elif isinstance(held, ast.arg) and self._is_of_test(held):
                bases.append("http://testserver")  # a client of the application under test
            elif self._is_inside_client(held, inner):
                bases.append("https://api." + surface.HOST)
        return bases or [unknown(func.value)], is_async

    def _is_of_test(self, parameter: ast.arg) -> bool:
        function = self._bindings.parents.get(self._bindings.parents[parameter])
        return isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and function.name.startswith("test")

    def _is_inside_client(self, held: ast.AST, frame: Frame | None) -> bool:
        """`client.client` of a MemoryClient: the HTTP client that the SDK itself uses."""
        if not isinstance(held, ast.Attribute) or held.attr not in ("client", "async_client"):
            return False
        for made, inner in self._texts.resolve(held.value, frame):
            if isinstance(made, ast.Call):
                imported = [words(item) for item, _ in self._texts.resolve(made.func, inner) if isinstance(item, ast.alias)]
                if any(surface.CLASSES.get(name, ("", "oss"))[1] in ("hosted", "hosted-async") for name in imported):
                    return True
        return False

    # -- where it goes -----------------------------------------------------------------------------------------------------------

    def _add_url(self, post: _Post) -> str | None:
        """The first address that is the platform's to add memories."""
        for url in post.urls:
            if self._is_add(url):
                return UNKNOWN.sub("*", url)
        return None

    def _is_add(self, url: str) -> bool:
        host, path = _split(url)
        path = path.rstrip("/")
        if path not in ADD_PATHS:
            return False
        mark = UNKNOWN.search(host)
        if mark is None:
            return _HOST.fullmatch(host) is not None
        return surface.PACKAGE in mark.group().lower() or (path in _OWN_PATHS and self._names_host)


SPELLINGS = frozenset(["post", "request", "Request", "urlopen", "build_request", "fetch"])


def _bodies_of(node: ast.Call, first: int) -> list[ast.expr]:
    """What a call may send as its body: its keywords, else what stands after the address."""
    named = [keyword.value for keyword in node.keywords if keyword.arg in _BODY_KEYWORDS]
    return named or [argument for argument in node.args[first:] if not isinstance(argument, ast.Starred)]


def _is_open(node: ast.Call) -> bool:
    return any(keyword.arg is None for keyword in node.keywords)


def _joined(base: str, url: str) -> str:
    """An address under a base, as httpx joins them."""
    if "://" in url or UNKNOWN.match(url):
        return url
    return f"{base.rstrip('/')}/{url.lstrip('/')}"


def _split(url: str) -> tuple[str, str]:
    """Host (or what is unknown before the path) and path, without query and fragment."""
    scheme, mark = _SCHEME.match(url), UNKNOWN.match(url)
    if scheme is not None:
        host, _, path = url[scheme.end() :].partition("/")
    elif mark is not None:
        host, path = mark.group(), url[mark.end() :].removeprefix("/")
    else:
        return "", ""
    path = "/" + path
    return host, path.partition("?")[0].partition("#")[0]
