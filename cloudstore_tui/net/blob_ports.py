"""What the blob client does for a transfer, and what it needs from one.

Apart from the client itself, so that nobody loads libcurl before the first byte is to be moved.
"""

from collections.abc import Mapping
from typing import Protocol

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.exchange import Source, Target
from cloudstore_tui.net.blob_reply import BlobReply


class LostReplyError(NetworkError):
    """The whole body was sent and no reply came: nobody knows whether it arrived."""


class Sink(Protocol):
    """Takes the bytes of a reply. Called in the blob client's thread; what it raises ends the request."""

    def accept(self, reply: BlobReply, /) -> bool:
        """Look at the headers; True if `write` wants the body."""

    def write(self, data: bytes, /) -> None:
        """Take the next bytes."""


class Body(Protocol):
    """Gives the bytes of a request. Called in the blob client's thread; what it raises ends the request."""

    size: int
    offset: int
    """Bytes given so far."""

    def read(self, count: int) -> bytes:
        """The next bytes, at most `count`."""


class NoSink:
    """Wants no body: for replies that are only looked at."""

    def accept(self, _reply: BlobReply) -> bool:
        """Keep the start of the body for the reply."""
        return False

    def write(self, _data: bytes) -> None:
        """Never called."""


class Blob(Protocol):
    """Fetches and sends bytes."""

    async def get(self, source: Source, sink: Sink, headers: Mapping[str, str] | None = None) -> BlobReply:
        """Fetch into a sink.

        A reply that the sink does not want is no error here: it is given back with the start of its body.

        Raises:
            StorageError: no whole reply came; or what the sink raised.
            UnsafeError: the address must not be used. Nothing was sent.
        """

    async def put(self, target: Target, body: Body) -> BlobReply:
        """Send a body of known size.

        Raises:
            LostReplyError: all was sent, and no reply came.
            StorageError: not all was sent; or what the body raised.
        """

    def renew(self) -> None:
        """Use no connection again that was made until now."""

    async def close(self) -> None:
        """Close all connections; what runs ends with an error. Takes at most a second."""
