"""What a rule says: which requests go wrong, how, and how often. And what it can know of a request beforehand."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from urllib.parse import unquote

import msgspec
from starlette.types import Scope


def place_in(text: str, length: int) -> int:
    """A place: from the start (`65536`), from the end (`-5`), or in per cent (`50%`); never before the start.

    Raises:
        ValueError: it is written otherwise.
    """
    if text.endswith("%"):
        return max(int(length * float(text[:-1]) / 100), 0)
    return int(text) if int(text) >= 0 else max(length + int(text), 0)


def flipped(data: bytes, place: int) -> bytes:
    """Bytes with one of them changed."""
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


PLACES = ("any", "token", "api", "blob", "bytes")
"""What the `where` of a rule can be; `bytes` are all requests that fetch an object or a zip, by a link or not."""

_TOKENS = ("/oauth/v2/token", "/tokenservice/oauth2/access_token")
_LINK = re.compile(r"/storage/[^/]+/[^/]+\.amazonaws\.com/content/")
_CONTENT = re.compile(r"/storage/[^/]+/v3/(objects/[^/]+/content|bulk/download/[^/]+\.zip)")
CONDITIONS = ("if-match", "if-none-match", "if-range")
"""Headers that make a request conditional."""


class RequestFacts(msgspec.Struct, frozen=True):
    """One request."""

    role: str
    """`token`, `api` or `blob`; a link of 8x8 is a blob although it has the host of the API."""
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case; only in memory, because some are credentials."""

    @property
    def fetches(self) -> bool:
        """Whether it asks for the bytes of an object or a zip."""
        if self.method != "GET":
            return False
        return self.role == "blob" or bool(
            _CONTENT.fullmatch(self.path) and "presignurl=true" not in self.query.lower()
        )

    @property
    def stores(self) -> bool:
        """Whether it uploads an object."""
        return self.role == "blob" and self.method == "PUT"

    @property
    def ranged(self) -> bool:
        """Whether it asks for a part of an object."""
        return self.fetches and "range" in self.headers

    @property
    def conditional(self) -> bool:
        """Whether it asks for an object on a condition."""
        return self.fetches and any(name in self.headers for name in CONDITIONS)

    @property
    def talks(self) -> bool:
        """Whether its answer is JSON of an API."""
        return self.role != "blob" and not self.fetches

    def at(self, where: str) -> bool:
        """Whether it goes where a rule says."""
        return where in ("any", self.role) or (where == "bytes" and self.fetches)


def role_of(path: str, *, blob_port: bool) -> str:
    """Whom a request is for."""
    if blob_port or _LINK.match(path):
        return "blob"
    return "token" if path in _TOKENS else "api"


def facts_of(scope: Scope, *, blob_port: bool) -> RequestFacts:
    """The request of an HTTP scope."""
    return RequestFacts(
        role=role_of(scope["path"], blob_port=blob_port),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )


Value = int | float | str


class Rule(msgspec.Struct, frozen=True):
    """One fault for some requests."""

    fault: str
    """Name of its kind."""
    where: str = "any"
    """One of `asked.PLACES`."""
    method: str = ""
    """Empty for every one."""
    path: str = "*"
    """Pattern for the whole decoded path of the request, without or with its `?` and query."""
    skip: int = 0
    """So many matching requests pass first."""
    times: int = 1
    """So often it strikes; 0 for always."""
    share: float = 1.0
    """The part of the matching requests that it strikes, drawn by `seed`."""
    seed: int = 1
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Parameters of the kind that are not at their default."""

    def matches(self, asked: RequestFacts) -> bool:
        """Whether a request is one of those."""
        if not asked.at(self.where) or self.method not in ("", asked.method):
            return False
        whole = f"{asked.path}?{unquote(asked.query)}"
        return self.path == "*" or fnmatchcase(asked.path, self.path) or fnmatchcase(whole, self.path)
