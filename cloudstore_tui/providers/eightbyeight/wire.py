"""The service's JSON, and the tolerant readings of what it says in more than one way."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from cloudstore_tui.core.errors import ConfigError, ReplyError, unreadable
from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.fiql.fields import TYPES, Unit
from cloudstore_tui.net.reply import Reply, message_of

Item = TypeVar("Item", bound=msgspec.Struct)

_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_UNITS = {known.name: known.duration for known in TYPES}
"""The unit of the tag `duration`, by type: the service's pages say seconds throughout, the recordings do not."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_402_300_799_000
"""The last millisecond that a date can hold."""
_LONGEST_NUMBER = 18
"""Digits that fit into the integers of every database and language."""


class EightByEightTokenReply(msgspec.Struct):
    """A token; every scalar is a text."""

    access_token: str
    expires_in: Any = None
    api_product_list_json: Any = None
    api_product_list: Any = None

    @property
    def products(self) -> tuple[str, ...]:
        """What the key was made for; empty if the service does not say. One form is a text in brackets."""
        if isinstance(self.api_product_list_json, list):
            return tuple(str(name) for name in self.api_product_list_json)
        listed = text(self.api_product_list).strip("[] ")
        return tuple(name.strip() for name in listed.split(",") if name.strip())


class ObjectRecord(msgspec.Struct, rename="camel"):
    """One object. Every field can be missing or of another type, so none is trusted to be what it should."""

    id: Any = None
    type: Any = None
    mime_type: Any = None
    object_name: Any = None
    object_state: Any = None
    created_time: Any = None
    updated_time: Any = None
    stored_bytes: Any = None
    checksum: Any = None
    checksum_type: Any = None
    customer_id: Any = None
    user_id: Any = None
    bucket_id: Any = None
    tags: Any = None

    def as_object(self, near: Location) -> StoredObject | None:
        """It as an object in the profile and region of `near`; `None` if it has no id to name it by."""
        id_, kind, size, tags = text(self.id), text(self.type), count(self.stored_bytes), _tags(self.tags)
        if not id_:
            return None
        return StoredObject(
            location=Location(near.profile, near.region, id_),
            name=text(self.object_name) or id_,
            id=id_,
            type=kind,
            mime=text(self.mime_type),
            size=size,
            size_exact=size is not None,
            created=moment(self.created_time),
            updated=moment(self.updated_time),
            state=text(self.object_state),
            checksum=text(self.checksum),
            checksum_type=text(self.checksum_type),
            bucket_id=text(self.bucket_id),
            user_id=text(self.user_id),
            customer_id=text(self.customer_id),
            duration=_duration(kind, tags),
            tags=tags,
        )


class PageReply(msgspec.Struct, rename="camel"):
    """A page of a search; what it says of its number and of the total is not to be relied on."""

    content: Any = None
    last_page: Any = None
    page_key: Any = None
    page_size: Any = None


class BucketRecord(msgspec.Struct, rename="camel"):
    """What groups the objects of one interaction."""

    id: Any = None
    bucket_id: Any = None
    created_time: Any = None
    object_list: Any = None

    @property
    def name(self) -> str:
        """Its id, which has two names; empty if it has none."""
        return text(self.id) or text(self.bucket_id)


class JobRecord(msgspec.Struct, rename="camel"):
    """One zip job."""

    zip_name: Any = None
    status: Any = None
    content: Any = None
    url: Any = None

    def as_job(self, near: Location) -> ZipJob:
        """It as a job in the profile and region of `near`."""
        content = self.content if isinstance(self.content, list) else []
        return ZipJob(
            profile=near.profile,
            region=near.region,
            name=text(self.zip_name),
            status=text(self.status).strip().upper() or "UNKNOWN",
            content=tuple(text(item) for item in content if text(item)),
        )


class LinkReply(msgspec.Struct, rename="camel"):
    """A presigned link inside an object, by any of its names."""

    url: Any = None
    presigned_url: Any = None
    presign_url: Any = None


class RestoreReply(msgspec.Struct, rename="camel"):
    """For how long an object was restored."""

    expiration_days: Any = None


class WirePage(msgspec.Struct, frozen=True):
    """A page of a search, from any shape of reply."""

    rows: tuple[Any, ...]
    """As they came, damaged ones among them: their number counts for offsets."""
    last: bool
    claimed_next: int = 0
    """The key of the page: the offset of the next one, of this one, or its number; 0 where the service is silent."""
    is_odd: bool = False
    """Whether it is empty and does not say so: that it is the last, and of no record."""


def read_region(name: str) -> str:
    """The name of a region in the service's own capitals; empty if it cannot be one."""
    name = name.lower() if name.isascii() else ""
    return name if _REGION.fullmatch(name) else ""


def read_regions(names: Iterable[str]) -> tuple[str, ...]:
    """The names of regions as the service writes them, each once.

    Raises:
        ConfigError: one of them can be none.
    """
    found = {name: read_region(name) for name in names}
    for name, region in found.items():
        if not region:
            raise ConfigError(f"{name[:60]!r} is not a region", hint="Write names such as us-east uk, or nothing.")
        if region == "eu":
            raise ConfigError("there is no region eu", hint="European customers are in uk.")
    return tuple(dict.fromkeys(found.values()))


def regions(reply: Reply, subject: str) -> tuple[tuple[str, ...], int]:
    """Region names, each once, and how many were left out because they cannot be names."""
    listed = reply.decode(list[Any], subject=subject)
    names = [name for name in listed if isinstance(name, str) and name and read_region(name) == name]
    return tuple(dict.fromkeys(names)), len(listed) - len(names)


def page(reply: Reply, subject: str) -> WirePage:
    """A page: an object, one or several in a list, a bare list of records, or one record alone."""
    raw: object = reply.decode(Any, subject=subject)
    if isinstance(raw, dict) and "id" in raw and "content" not in raw:
        return WirePage((raw,), last=True)
    if isinstance(raw, list) and not any(map(_is_page, raw)):
        return WirePage(tuple(raw), last=True)
    pages = [_read(item, PageReply) for item in (raw if isinstance(raw, list) else [raw]) if _is_page(item)]
    found = [one for one in pages if one]
    # Rows are what counts: an error that comes as a page without any is not "nothing found".
    is_told = message_of(reply.body) or any(count(one.page_size) for one in found)
    is_none = not any(isinstance(one.content, list) for one in found) and is_told
    if is_none or not found or (isinstance(raw, list) and len(found) < len(raw)):
        raise reply.unlike("a page", subject)
    rows = tuple(row for one in found if isinstance(one.content, list) for row in one.content)
    end = found[-1]
    last = end.last_page is True or text(end.last_page).lower() == "true"
    is_odd = not rows and (end.content is None or not last or bool(count(end.page_size)))
    return WirePage(rows, last or not rows, count(end.page_key) or 0, is_odd)


def _is_page(raw: object) -> bool:
    """Whether it is one; rows in another container are no empty page, which would look like nothing found."""
    if not isinstance(raw, dict) or not isinstance(raw.get("content"), list | None):
        return False
    return "content" in raw or "lastPage" in raw


def record(raw: object, near: Location) -> StoredObject | None:
    """One row of a page as an object; `None` for what is none."""
    found = _read(raw, ObjectRecord)
    return found.as_object(near) if found else None


def single(reply: Reply, near: Location, subject: str) -> StoredObject | None:
    """The object that a reply is about, bare or in a list; `None` if it holds none."""
    found = [entry for row in _unwrapped(reply, subject) if (entry := record(row, near))]
    return next((entry for entry in found if entry.id == near.path), found[0] if found else None)


def bucket_row(raw: object) -> BucketRecord | None:
    """One row of a page as a bucket; `None` for what is none."""
    found = _read(raw, BucketRecord)
    return found if found and found.name else None


def bucket_objects(reply: Reply, near: Location, subject: str) -> tuple[list[StoredObject], int]:
    """The objects of one bucket, and how many of its rows could not be read.

    Raises:
        ReplyError: the reply is about no bucket.
    """
    buckets = [bucket for row in _unwrapped(reply, subject) if (bucket := _read(row, BucketRecord))]
    if not buckets or not isinstance(buckets[0].object_list, list | None):
        raise ReplyError("the service answered with something else than a bucket", subject=subject)
    rows = buckets[0].object_list or []
    found = [entry for row in rows if (entry := record(row, near))]
    return found, len(rows) - len(found)


def jobs(reply: Reply, near: Location, subject: str) -> Page[ZipJob]:
    """The zip jobs in a reply: one, a list of them, or nothing at all; those without a name are lacking."""
    if not reply.body.strip():
        return Page(())
    found = [job.as_job(near) for job in _job_records(reply, subject)]
    raw: object = reply.decode(Any, subject=subject)
    lacking = (len(raw) if isinstance(raw, list) else bool(raw)) - len(found)
    return Page(tuple(found), failures=unreadable(lacking, subject))


def job_link(reply: Reply, name: str, subject: str) -> str:
    """The presigned link in the state of one zip job; empty if there is none."""
    found = next((job for job in _job_records(reply, subject) if text(job.zip_name) == name), None)
    return text(found.url).strip() if found else ""


def link(reply: Reply, subject: str) -> str:
    """A presigned link in any of its shapes: a redirect, a plain text, a JSON text, or an object; else empty."""
    if reply.location:
        return reply.location.strip()
    if reply.body.strip().lower().startswith((b"http:", b"https:")):
        return reply.body.decode("ascii", "replace").strip()
    raw: object = reply.decode(Any, subject=subject)
    if isinstance(raw, str):
        return raw.strip()
    found = _read(raw, LinkReply) or LinkReply()
    return next(filter(None, map(text, (found.url, found.presigned_url, found.presign_url))), "").strip()


def restored_days(reply: Reply, asked: int, subject: str) -> int:
    """The days that a restored copy will stay."""
    raw = _read(reply.decode(Any, subject=subject), RestoreReply) if reply.body.strip() else None
    return (count(raw.expiration_days) if raw else None) or asked


def text(raw: object) -> str:
    """A text; numbers as their digits, anything else as nothing."""
    if isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 2**64 else ""


def count(raw: object) -> int | None:
    """A whole number of at least 0, as a number or as a text; else unknown."""
    digits = text(raw).strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER else None


def moment(raw: object) -> datetime | None:
    """A time in ISO 8601, which is UTC without a zone, or in epoch milliseconds; else unknown."""
    written = text(raw).strip()
    milliseconds = None if "-" in written else count(written)
    if milliseconds is not None:
        return _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds <= _LATEST else None
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is not UTC:
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        return found
    except (ValueError, OverflowError):
        return None


def _unwrapped(reply: Reply, subject: str) -> list[Any]:
    raw: object = reply.decode(Any, subject=subject)
    return raw if isinstance(raw, list) else [raw]


def _job_records(reply: Reply, subject: str) -> list[JobRecord]:
    found = [_read(row, JobRecord) for row in _unwrapped(reply, subject)]
    return [job for job in found if job and text(job.zip_name)]


def _read(raw: object, kind: type[Item]) -> Item | None:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        return None


def _tags(raw: object) -> tuple[tuple[str, str], ...]:
    listed = raw if isinstance(raw, list) else []
    # A large result has millions of them, and nearly all are texts already.
    pairs = [
        (key if key.__class__ is str else text(key), value if value.__class__ is str else text(value))
        for tag in listed
        if isinstance(tag, dict)
        for key, value in ((tag.get("key"), tag.get("value")),)
    ]
    return tuple([pair for pair in pairs if pair[0]])


def _duration(kind: str, tags: tuple[tuple[str, str], ...]) -> float | None:
    """Seconds; `None` for types whose unit is not known."""
    length = count(next((value for key, value in tags if key == "duration"), None))
    if length is None or kind not in _UNITS:
        return None
    return length / 1000 if _UNITS[kind] is Unit.MILLISECONDS else float(length)
