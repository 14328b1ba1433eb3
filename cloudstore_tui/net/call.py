"""One request, and who sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from cloudstore_tui.core.secret import Secret
from cloudstore_tui.net.reply import Reply


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a host that the sender knows."""

    method: str
    target: str = field(repr=False)
    """Path and query, encoded: sent exactly as it is."""
    headers: Mapping[str, Secret] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)

    def with_headers(self, headers: Mapping[str, Secret]) -> "Call":
        """The same request with further headers."""
        return replace(self, headers={**self.headers, **headers})

    @property
    def path(self) -> str:
        """The target without its query, for logs."""
        return self.target.partition("?")[0]


class Sender(Protocol):
    """Sends requests to one host."""

    async def exchange(self, call: Call, subject: str, *, is_token: bool = False) -> Reply:
        """Send one request and read its whole answer, whatever its status.

        Raises:
            NetworkError: it could not be sent, and certainly was not.
            LostReplyError: it may have been sent; there is no answer.
            ReplyError: the answer is too large, or encoded in a way that was not asked for.
            UnsafeError: the connection cannot be trusted.
        """

    async def close(self) -> None:
        """Close all connections."""
