"""Signed links: their two forms, when they expire, and the headers that an upload needs."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cloudstore_tui.core.errors import ReplyError, StorageError, UnsafeError, UsageError
from cloudstore_tui.core.links import NOTHING_SENT, LinkForm, SignedLink, vet_link
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.providers.alvaria.wire import ObjectKey

LIFE = 3600
"""The life of every link in seconds, whatever its own parameter says."""
MARGIN = 60
"""A link is not used in its last seconds, since the request has to arrive in time."""
LARGEST_UPLOAD = 5 * 1024**3
"""Bytes that the object store accepts in one request."""

_VISIBLE = re.compile(r"[!-~]{1,256}")


def wanted_form(form: LinkForm | None, profile: Profile, location: Location) -> LinkForm:
    """The form that was asked for, else the one that the profile prefers.

    Raises:
        UsageError: the service has no such links.
    """
    wanted = LinkForm(form or profile.text("link_form") or LinkForm.PROXIED)
    if wanted is LinkForm.PRESIGNED:
        raise UsageError("this service gives proxied and native links only", subject=location.address)
    return wanted


class LinkRules(msgspec.Struct, frozen=True):
    """Which links of one profile may be followed."""

    local: bool
    """Whether the API is on this machine, so that its links may be, too."""
    trusted: tuple[str, ...] = ()
    """Further domains that the user allows."""

    def choose(self, reply: ObjectKey, direction: str, wanted: LinkForm, location: Location) -> SignedLink:
        """The link of the wanted form, or else the other one with a note.

        Raises:
            ReplyError: the service gave none.
            UnsafeError: it must not be followed.
        """
        proxied, native = reply.links(direction)
        forms = {LinkForm.NATIVE: native, LinkForm.PROXIED: proxied}
        given = wanted if forms[wanted] else _OTHER[wanted]
        if not forms[given]:
            raise ReplyError("the service gave no link", subject=location.address, hint="Try again in a few minutes.")
        if given is LinkForm.NATIVE and native == proxied:
            given = LinkForm.PROXIED
        try:
            name = location.path.rsplit("/", 1)[-1]
            url = vet_link(forms[given].reveal(), name=name, local=self.local, trusted=self.trusted)
        except StorageError as error:
            raise error.about(location.address) from None
        note = "" if given is wanted else f"The service gave a {given.value} link instead of a {wanted.value} one."
        return SignedLink(Secret(url), link_end(url), given, note)


_OTHER = {LinkForm.NATIVE: LinkForm.PROXIED, LinkForm.PROXIED: LinkForm.NATIVE}


def link_end(url: str) -> datetime:
    """When to stop using a link that was just received."""
    lifetimes = [value for name, value in _query(url) if name in ("x-amz-expires", "x-goog-expires")]
    numbers = [int(value) for value in lifetimes if value.isascii() and value.isdigit() and len(value) < 10]
    life = min([LIFE, *numbers])
    return datetime.now(UTC) + timedelta(seconds=max(life - MARGIN, 1))


def upload_headers(url: str) -> dict[str, Secret]:
    """Exactly the headers that the signature covers.

    Raises:
        UnsafeError: the value of a header is unknown, or cannot be sent safely.
    """
    query = _query(url)
    lists = [value for name, value in query if name in ("x-amz-signedheaders", "x-goog-signedheaders")]
    keys = [value for name, value in query if name == "kms-key"]
    if len(lists) != 1 or len(keys) > 1:
        raise UnsafeError("the upload link does not say clearly which headers it needs", hint=NOTHING_SENT)
    known = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": keys[0] if keys else "",
    }
    names = [name for name in lists[0].lower().split(";") if name not in ("", "host")]
    return {name: Secret(_known_value(name, known)) for name in names}


def _known_value(name: str, known: dict[str, str]) -> str:
    if name not in known:
        raise UnsafeError(
            "the upload link asks for a header that this program does not know", subject=_shown(name), hint=NOTHING_SENT
        )
    if not _VISIBLE.fullmatch(known[name]):
        raise UnsafeError(
            "the upload link gives no usable value for a header it asks for", subject=name, hint=NOTHING_SENT
        )
    return known[name]


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[a-z0-9-]{1,60}", name) else ""


def _query(url: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return [(name.lower(), value) for name, value in pairs]
