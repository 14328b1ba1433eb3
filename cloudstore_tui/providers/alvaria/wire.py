"""The service's JSON, read tolerantly where it has more than one form."""

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from cloudstore_tui.core.models import Entry, Folder, Location, StoredObject
from cloudstore_tui.core.profile import Secret

Item = TypeVar("Item", bound=msgspec.Struct)

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmg]?b)?", re.IGNORECASE)
_ZONELESS = re.compile(r"[0-9-]{8,10}[T ][0-9:.]+")
_UNITS = {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}


class ObjectKey(msgspec.Struct, rename="camel"):
    """One entry of a listing, or the reply to a request for a signed link.

    Every field may be missing, null, blank or of the wrong type.
    """

    key: Any = None
    key_name: Any = None
    key_type: Any = None
    size: Any = None
    last_modified_time: Any = None
    last_modified_date: Any = None
    child_object_keys: Any = None
    signed_download_url: Any = None
    native_signed_download_url: Any = None
    signed_upload_url: Any = None
    native_signed_upload_url: Any = None

    @property
    def path(self) -> str:
        """The key, with a trailing slash if it is a folder; empty if there is none."""
        key = read_text(self.key, strip=False)
        kind = read_text(self.key_type).lower()
        return f"{key}/" if key and kind == "directory" and not key.endswith("/") else key

    @property
    def is_folder(self) -> bool:
        """Whether its key ends with a slash; the type alone is not reliable."""
        return self.path.endswith("/")

    @property
    def name(self) -> str:
        """The last part of the key, as the service writes it."""
        return read_text(self.key_name).strip("/").rsplit("/", 1)[-1] or self.path.rstrip("/").rsplit("/", 1)[-1]

    @property
    def modified(self) -> datetime | None:
        """When it was last changed; the field has two names."""
        return read_time(self.last_modified_time) or read_time(self.last_modified_date)

    @property
    def has_zone(self) -> bool:
        """Whether the time of the last change, if there is one, has a time zone."""
        for time in (self.last_modified_time, self.last_modified_date):
            if time and isinstance(time, str) and time[-1] != "Z" and _ZONELESS.fullmatch(time.strip()):
                return False
        return True

    def links(self, direction: str) -> tuple[Secret, Secret]:
        """The proxied and the native link for `download` or `upload`; blank if missing, never repaired."""
        both = (self.signed_upload_url, self.native_signed_upload_url)
        if direction == "download":
            both = (self.signed_download_url, self.native_signed_download_url)
        return Secret(read_text(both[0])), Secret(read_text(both[1]))


class ObjectKeys(msgspec.Struct, rename="camel"):
    """A page of a listing; v2 and v3 name the token differently."""

    object_keys: Any = None
    continuation_token: Any = None
    next_token: Any = None
    total_items: Any = None

    @property
    def token(self) -> str:
        """Where the next page starts; empty at the end, where it may be missing, null or blank."""
        given = (self.next_token, self.continuation_token)
        tokens = (str(token) if type(token) is int and token else read_text(token, strip=False) for token in given)
        return next((token for token in tokens if token.strip()), "")

    @property
    def has_odd_token(self) -> bool:
        """Whether there is a token of an unknown type."""
        given = (self.next_token, self.continuation_token)
        return any(token and isinstance(token, list | dict | float) for token in given)

    @property
    def total(self) -> int | None:
        """Matches over all pages, if reported."""
        text = str(self.total_items).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    @property
    def given(self) -> int:
        """Number of entries of the page, readable or not, without nested ones."""
        return len(self.object_keys) if isinstance(self.object_keys, list) else 0

    def entries(self) -> tuple[list[ObjectKey], int]:
        """The entries that have a key, and the number of those that have none or cannot be read; `{}` is neither.

        Entries nested in another one follow it.
        """
        items, damaged = read_items(self.object_keys, ObjectKey)
        found, waiting = [], items[::-1]
        while waiting:
            item = waiting.pop()
            if item.path:
                found.append(item)
            else:
                damaged += 1
            if item.child_object_keys:
                children, lost = read_items(item.child_object_keys, ObjectKey)
                waiting += reversed(children)
                damaged += lost
        return found, damaged


class SignedReply(ObjectKey, rename="camel"):
    """The reply to a request for a signed link: bare, or wrapped into a list of one."""

    object_keys: Any = None

    def about(self, key: str) -> ObjectKey:
        """The entry for `key`, else the only one, else the reply itself."""
        found, _damaged = read_items(self.object_keys, ObjectKey)
        return next((item for item in found if item.path == key), found[0] if len(found) == 1 else self)


class AlvariaTokenReply(msgspec.Struct):
    """A token."""

    access_token: str
    scope: Any = None
    expires_in: Any = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that were granted; empty if the service does not say."""
        return tuple(read_text(self.scope).replace(",", " ").split())


def as_entry(item: ObjectKey, profile: str) -> Entry:
    """One folder or object of a profile."""
    location = Location(profile, path=item.path)
    if item.is_folder:
        return Folder(location, item.name, modified=item.modified)
    return StoredObject(location, item.name, type="file", size=read_size(item.size), modified=item.modified)


def read_items(raw: object, kind: type[Item]) -> tuple[list[Item], int]:
    """The readable items of a list, and the number of unreadable ones; `{}` counts as neither."""
    if not isinstance(raw, list):
        return [], int(isinstance(raw, dict) and bool(raw))
    found, damaged = [], 0
    for value in raw:
        if value in ({}, None):
            continue
        try:
            found.append(msgspec.convert(value, kind))
        except msgspec.ValidationError:
            damaged += 1
    return found, damaged


def read_text(raw: object, *, strip: bool = True) -> str:
    """The value if it is a text, else an empty one."""
    if not isinstance(raw, str):
        return ""
    return raw.strip() if strip else raw


def read_size(raw: object) -> int | None:
    """Bytes from a text such as `5370.0 KB`, which is rounded; 1 KB is 1,024 bytes, and the default unit."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    found = _SIZE.fullmatch(str(raw).strip())
    return round(float(found[1]) * _UNITS[(found[2] or "kb").lower()]) if found else None


def read_time(raw: object) -> datetime | None:
    """A time in ISO 8601, which is UTC if it has no zone; `None` if it is blank or invalid.

    Placeholders for unknown times, in the year 1 or 1970, count as unknown, and so does a date alone, since most of
    what was changed on that day is newer than its start.
    """
    try:
        text = read_text(raw)
        moment = datetime.fromisoformat(text if ":" in text or "T" in text else "")
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1970 else None
