"""What a fault rule can know of a request before it is answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Scope

PLACES = ("any", "token", "api", "blob", "bytes")
"""What the `where` of a rule can be; `bytes` are all requests that fetch an object or a zip, by a link or not."""

_TOKENS = ("/oauth/v2/token", "/tokenservice/oauth2/access_token")
_LINK = re.compile(r"/storage/[^/]+/[^/]+\.amazonaws\.com/content/")
_CONTENT = re.compile(r"/storage/[^/]+/v3/(objects/[^/]+/content|bulk/download/[^/]+\.zip)")
CONDITIONS = ("if-match", "if-none-match", "if-range")
"""Headers that make a request conditional."""


@dataclass(frozen=True, slots=True)
class Asked:
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


def asked_of(scope: Scope, *, blob_port: bool) -> Asked:
    """The request of an HTTP scope."""
    return Asked(
        role=role_of(scope["path"], blob_port=blob_port),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
    )
