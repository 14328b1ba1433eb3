"""Single objects: their records, links and bytes, and restoring archived ones."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConflictError,
    ForbiddenError,
    MissingError,
    NotAvailableError,
    OutcomeUnknownError,
    ReplyError,
    StorageError,
    UnavailableError,
    UnsupportedError,
    UsageError,
)
from cloudstore_tui.core.links import LinkForm, SignedLink, Source, vet_link
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.net.api import segment
from cloudstore_tui.net.failures import had_no_effect
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import DOWNLOAD, EDIT, EightByEightClient

LIFE = 1800
"""The longest life of a link in seconds, whatever the link says."""
MARGIN = 60
"""A link is not used in its last seconds, since the request has to arrive in time."""

_SIGNED_AT = "%Y%m%dT%H%M%SZ"


class Links:
    """Requests presigned links and checks them."""

    def __init__(self, client: EightByEightClient) -> None:
        self._client = client

    async def object_link(self, location: Location) -> SignedLink:
        """A link to the content of one object.

        Raises:
            ReplyError: the service gave none.
            UnsafeError: it must not be followed.
        """
        path, query, subject = content_path(location), [("presignUrl", "true")], location.address
        reply = await self._client.get(location.region, path, query, subject=subject, level=DOWNLOAD, redirect=True)
        if url := wire.link(reply, location.address):
            return self.vetted(url, location.address)
        raise ReplyError("the service gave no link", subject=location.address, hint="Download it instead.")

    def vetted(self, url: str, subject: str) -> SignedLink:
        """The link, if it is safe to follow.

        The store has ids of its own, so the last segment of the path is not compared with the object's id; the size and
        checksum of the content are checked instead.
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
    """When to stop using a link that was just received.

    Args:
        url: the link, which says when it was signed and for how long it is valid.
        skew: seconds by which the signer's clock is ahead of ours.
    """
    parameters = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    text, now = parameters.get("x-amz-expires", ""), datetime.now(UTC)
    life = min(int(text), LIFE) if text.isascii() and text.isdigit() and len(text) < 10 else LIFE
    try:
        signed = datetime.strptime(parameters.get("x-amz-date", ""), _SIGNED_AT).replace(tzinfo=UTC)
        age = (now - signed).total_seconds() + skew
    except ValueError:
        age = 0.0
    return now + timedelta(seconds=max(life - max(age, 0.0) - MARGIN, 1))


AVAILABLE = "AVAILABLE"
DAYS = range(1, 11)
"""The days for which an object can be restored."""

_HINTS = {
    "ARCHIVED": "It is in cold storage: ask for it back first, which can take up to 24 hours.",
    "PENDING": "The service is working on it: try again later.",
    "REVOKED": "It was deleted; only 8x8 can bring it back.",
    "DELETED": "It was purged.",
    "FAILED": "The service could not store it.",
}
_UNKNOWN_OUTCOME = "Nobody knows whether it was asked for; asking again does no harm."
_NO_LINKS = (ReplyError, UsageError, MissingError, UnsupportedError)
"""Replies of a service that does not support presigned links."""


class Objects:
    """Requests about single objects."""

    def __init__(self, client: EightByEightClient, links: Links) -> None:
        self._client = client
        self._links = links

    async def record(self, location: Location) -> StoredObject:
        """Everything that the service knows of an object.

        Raises:
            MissingError: there is no such object.
        """
        subject = location.address
        reply = await self._client.get(location.region, f"objects/{segment(location.path)}", subject=subject)
        found = wire.single(reply, location, subject)
        if found is None:
            raise ReplyError("the service says nothing about this object", subject=subject, hint="Try again later.")
        # Keep the address that was asked for, however the service writes the id.
        return replace(found, location=location)

    async def source(self, location: Location, known: StoredObject | None) -> Source:
        """A presigned link, or the API's own address where the service gives none."""
        entry = await self._fetchable(location, known)
        source = Source(
            url=self._client.url(location.region, content_path(location)),
            size=entry.size,
            checksum=entry.checksum,
            checksum_type=entry.checksum_type,
            local=self._client.local,
            networks=self._client.profile.texts("allow_networks"),
        )
        try:
            link = await self._link(location)
        except NotAvailableError:
            raise
        except _NO_LINKS:
            headers = await self._client.authorization()
            return replace(source, headers=headers, expires=self._client.login.ends)
        return replace(source, url=link.url, expires=link.expires)

    async def link(self, location: Location, form: LinkForm | None) -> SignedLink:
        """A presigned link: the one form that there is."""
        await self._fetchable(location)
        given = await self._link(location)
        return given if form in (None, LinkForm.PRESIGNED) else replace(given, note="8x8 has one form of links only.")

    async def restore(self, location: Location, days: int) -> int:
        """Request an archived object; return the days for which it will stay."""
        subject = location.address
        if days not in DAYS:
            raise UsageError(f"an object comes back for {DAYS[0]} to {DAYS[-1]} days, not {days}", subject=subject)
        path, body = f"objects/{segment(location.path)}/restore", {"expirationDays": days}
        try:
            reply = await self._client.send("POST", location.region, path, body=body, subject=subject, level=EDIT)
        except UnavailableError as error:
            if had_no_effect(error):
                raise
            await self._check_restore(location, error)
            return days
        return wire.restored_days(reply, days, subject)

    async def _check_restore(self, location: Location, lost: UnavailableError) -> None:
        """Look up whether a request whose reply was lost has arrived.

        Raises:
            OutcomeUnknownError: the state does not show it: an object may stay ARCHIVED while it is being restored.
            NotAvailableError: the object cannot be restored.
        """
        try:
            entry = await self.record(location)
        except StorageError:
            entry = None
        if entry is None or entry.state == "ARCHIVED":
            raise OutcomeUnknownError(lost.message, subject=location.address, hint=_UNKNOWN_OUTCOME) from None
        if entry.state not in (AVAILABLE, "PENDING"):
            raise _unavailable(entry) from None

    async def _fetchable(self, location: Location, known: StoredObject | None = None) -> StoredObject:
        """The record of an object that can be fetched: the known one if it says so, else a new one."""
        if known is not None and known.state == AVAILABLE and known.size is not None:
            return known
        entry = await self.record(location)
        if not entry.is_available:
            raise _unavailable(entry)
        return entry

    async def _link(self, location: Location) -> SignedLink:
        """A link; if it is refused because the object's state has changed, the error says so."""
        try:
            return await self._links.object_link(location)
        except (ForbiddenError, MissingError, ConflictError) as error:
            entry = await self.record(location)
            if not entry.is_available:
                raise _unavailable(entry) from error
            raise


def _unavailable(entry: StoredObject) -> NotAvailableError:
    return NotAvailableError(
        f"its state is {entry.state}",
        state=entry.state,
        subject=entry.location.address,
        hint=_HINTS.get(entry.state, "Only AVAILABLE objects can be fetched."),
    )
