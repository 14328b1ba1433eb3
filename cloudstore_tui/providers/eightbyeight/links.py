"""Presigned links: asked for, checked, and when they end."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from cloudstore_tui.core.errors import ReplyError, StorageError
from cloudstore_tui.core.links import LinkForm, SignedLink, vet_link
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.secret import Secret
from cloudstore_tui.net import segment
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient

LIFE = 1800
"""Seconds that a link is good for at most, whatever it says."""
MARGIN = 60
"""Seconds before its end in which a link is not used any more: the request has to arrive in time."""

_SIGNED_AT = "%Y%m%dT%H%M%SZ"


class Links:
    """Asks for presigned links and checks them."""

    def __init__(self, client: EightByEightClient) -> None:
        self._client = client

    async def object_link(self, location: Location) -> SignedLink:
        """A link to the content of one object.

        Raises:
            ReplyError: the service gave none.
            UnsafeError: it must not be followed.
        """
        path, query = content_path(location), [("presignUrl", "true")]
        reply = await self._client.get(location.region, path, query, subject=location.address, redirect=True)
        if url := wire.link(reply, location.address):
            return self.vetted(url, location.address)
        raise ReplyError("the service gave no link", subject=location.address, hint="Download it instead.")

    def vetted(self, url: str, subject: str) -> SignedLink:
        """The link, if it is safe to follow.

        The store names what it keeps by ids of its own, so the last part of the path is not compared with the
        object's id; the size and the checksum of what arrives are.
        """
        trusted = self._client.profile.texts("allow_hosts")
        try:
            vet_link(url, name="", local=self._client.local, trusted=trusted)
        except StorageError as error:
            raise error.about(subject) from None
        return SignedLink(Secret(url), link_end(url, self._client.clock_skew), LinkForm.PRESIGNED)


def content_path(location: Location) -> str:
    """The path of an object's bytes on the API's own host."""
    return f"objects/{segment(location.path)}/content"


def link_end(url: str, skew: float = 0.0) -> datetime:
    """When a link that was just given should not be used for new requests any more.

    Args:
        url: the link, which says when it was signed and for how long.
        skew: seconds by which the signer's clock is ahead of ours.
    """
    told = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    text, now = told.get("x-amz-expires", ""), datetime.now(UTC)
    life = min(int(text), LIFE) if text.isascii() and text.isdigit() and len(text) < 10 else LIFE
    try:
        signed = datetime.strptime(told.get("x-amz-date", ""), _SIGNED_AT).replace(tzinfo=UTC)
        age = (now - signed).total_seconds() + skew
    except ValueError:
        age = 0.0
    return now + timedelta(seconds=max(life - max(age, 0.0) - MARGIN, 1))
