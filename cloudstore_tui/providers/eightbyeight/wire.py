"""The service's JSON, read tolerantly where it has more than one form."""

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
"""The unit of the tag `duration` by type: the vendor's pages say seconds for all, the recordings have milliseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_402_300_799_000
"""The last millisecond that a `datetime` can hold."""
_MAX_DIGITS = 18
"""Fits into the integers of every database and language."""


class EightByEightTokenReply(msgspec.Struct):
    """A token; all scalars are texts."""

    access_token: str
    expires_in: Any = None
    api_product_list_json: Any = None
    api_product_list: Any = None

    @property
    def products(self) -> tuple[str, ...]:
        """The products that the key was made for, from a list or a text in brackets; empty if the reply has neither."""
        if isinstance(self.api_product_list_json, list):
            return tuple(str(name) for name in self.api_product_list_json)
        listed = text(self.api_product_list).strip("[] ")
        return tuple(name.strip() for name in listed.split(",") if name.strip())


class TagRecord(msgspec.Struct, gc=False):
    """One tag of an object."""

    key: str
    value: str | None = None


class ObjectRecord(msgspec.Struct, rename="camel", gc=False):
    """One object. Every field may be missing; `_tolerant` reads those of the wrong type."""

    id: str | None = None
    type: str | None = None
    mime_type: str | None = None
    object_name: str | None = None
    object_state: str | None = None
    created_time: str | int | None = None
    updated_time: str | int | None = None
    stored_bytes: str | int | None = None
    checksum: str | None = None
    checksum_type: str | None = None
    customer_id: str | None = None
    user_id: str | None = None
    bucket_id: str | None = None
    tags: list[TagRecord] | None = None

    def as_object(self, near: Location) -> StoredObject | None:
        """The object, in the profile and region of `near`; `None` without an id."""
        if not self.id:
            return None
        kind, size = self.type or "", count(self.stored_bytes)
        tags = tuple([(tag.key, tag.value or "") for tag in self.tags or () if tag.key])
        return StoredObject(
            location=Location(near.profile, near.region, self.id),
            name=self.object_name or self.id,
            id=self.id,
            type=kind,
            mime=self.mime_type or "",
            size=size,
            size_exact=size is not None,
            created=moment(self.created_time),
            updated=moment(self.updated_time),
            state=self.object_state or "",
            checksum=self.checksum or "",
            checksum_type=self.checksum_type or "",
            bucket_id=self.bucket_id or "",
            user_id=self.user_id or "",
            customer_id=self.customer_id or "",
            duration=_duration(kind, tags),
            tags=tags,
        )


class PageReply(msgspec.Struct, rename="camel"):
    """A page of a search; its page number and total are not reliable."""

    content: Any = None
    last_page: Any = None
    page_key: Any = None
    page_size: Any = None

    @property
    def is_last(self) -> bool:
        """Whether it says that it is the last page."""
        return self.last_page is True or text(self.last_page).lower() == "true"


class ObjectPageReply(PageReply, rename="camel"):
    """A page of objects in the form that the vendor documents."""

    content: list[ObjectRecord] | None = None


class BucketRecord(msgspec.Struct, rename="camel"):
    """A bucket, which groups the objects of one interaction."""

    id: Any = None
    bucket_id: Any = None
    created_time: Any = None
    object_list: Any = None

    @property
    def name(self) -> str:
        """Its id, which is in either of two fields; may be empty."""
        return text(self.id) or text(self.bucket_id)


class JobRecord(msgspec.Struct, rename="camel"):
    """One zip job."""

    zip_name: Any = None
    status: Any = None
    content: Any = None
    url: Any = None

    def as_job(self, near: Location) -> ZipJob:
        """The job, in the profile and region of `near`."""
        content = self.content if isinstance(self.content, list) else []
        return ZipJob(
            profile=near.profile,
            region=near.region,
            name=text(self.zip_name),
            status=text(self.status).strip().upper() or "UNKNOWN",
            content=tuple(text(item) for item in content if text(item)),
        )


class LinkReply(msgspec.Struct, rename="camel"):
    """A presigned link in an object, under any of its names."""

    url: Any = None
    presigned_url: Any = None
    presign_url: Any = None


class RestoreReply(msgspec.Struct, rename="camel"):
    """For how long an object was restored."""

    expiration_days: Any = None


class WirePage(msgspec.Struct, frozen=True):
    """A page of a search, from any form of reply."""

    rows: tuple[Any, ...]
    """Records, or what was received instead: their number counts for offsets."""
    last: bool
    claimed_next: int = 0
    """The page key: the offset of the next page, of this one, or its number; 0 if missing."""
    is_odd: bool = False
    """Whether it is empty although the reply does not say that it is the last, or that it has no records."""


def read_region(name: str) -> str:
    """The name of a region in lower case; empty if it cannot be one."""
    name = name.lower() if name.isascii() else ""
    return name if _REGION.fullmatch(name) else ""


def read_regions(names: Iterable[str]) -> tuple[str, ...]:
    """The names of regions in lower case, each once.

    Raises:
        ConfigError: one of them cannot be a region.
    """
    found = {name: read_region(name) for name in names}
    for name, region in found.items():
        if not region:
            raise ConfigError(f"{name[:60]!r} is not a region", hint="Write names such as us-east uk, or nothing.")
        if region == "eu":
            raise ConfigError("there is no region eu", hint="European customers are in uk.")
    return tuple(dict.fromkeys(found.values()))


def regions(reply: Reply, subject: str) -> tuple[tuple[str, ...], int]:
    """The names of regions, each once, and the number of unusable ones that were left out."""
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
    items = [_read(item, PageReply) for item in (raw if isinstance(raw, list) else [raw]) if _is_page(item)]
    pages = [page for page in items if page]
    # An error in the form of a page without rows is not an empty result.
    has_rows = any(isinstance(page.content, list) for page in pages)
    is_error = not has_rows and (message_of(reply.body) or any(count(page.page_size) for page in pages))
    if is_error or not pages or (isinstance(raw, list) and len(pages) < len(raw)):
        raise reply.unlike("a page", subject)
    rows = tuple(row for page in pages if isinstance(page.content, list) for row in page.content)
    end = pages[-1]
    is_odd = not rows and (end.content is None or not end.is_last or bool(count(end.page_size)))
    return WirePage(rows, end.is_last or not rows, count(end.page_key) or 0, is_odd)


def object_page(reply: Reply, subject: str) -> WirePage:
    """A page of objects, in any form.

    Its documented form is read straight into records: a large result has millions of fields and tags.
    """
    try:
        found = _object_pages.decode(reply.body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return page(reply, subject)
    if not found.content:
        return page(reply, subject)
    return WirePage(tuple(found.content), found.is_last, count(found.page_key) or 0)


_object_pages = msgspec.json.Decoder(ObjectPageReply)


def _is_page(raw: object) -> bool:
    """Whether it is a page; one with `content` of another type is not, as it would look like an empty result."""
    if not isinstance(raw, dict) or not isinstance(raw.get("content"), list | None):
        return False
    return "content" in raw or "lastPage" in raw


def record(raw: object, near: Location) -> StoredObject | None:
    """One row of a page as an object; `None` if it is not one."""
    found = raw if isinstance(raw, ObjectRecord) else _tolerant(raw)
    return found.as_object(near) if found else None


def _tolerant(raw: object) -> ObjectRecord | None:
    """A record of which every field may be of the wrong type."""
    if not isinstance(raw, dict):
        return None
    fields = {name: text(raw.get(key)) for name, key in _RECORD_KEYS.items()}
    tags = raw["tags"] if isinstance(raw.get("tags"), list) else []
    pairs = [TagRecord(text(tag.get("key")), text(tag.get("value"))) for tag in tags if isinstance(tag, dict)]
    return ObjectRecord(**fields, tags=pairs)


_RECORD_KEYS = dict(zip(ObjectRecord.__struct_fields__[:-1], ObjectRecord.__struct_encode_fields__, strict=False))
"""The key of each field but the tags."""


def single(reply: Reply, near: Location, subject: str) -> StoredObject | None:
    """The object in a reply, bare or in a list; `None` if there is none."""
    found = [entry for row in _unwrapped(reply, subject) if (entry := record(row, near))]
    return next((entry for entry in found if entry.id == near.path), found[0] if found else None)


def bucket_row(raw: object) -> BucketRecord | None:
    """One row of a page as a bucket; `None` if it is not one."""
    found = _read(raw, BucketRecord)
    return found if found and found.name else None


def bucket_objects(reply: Reply, near: Location, subject: str) -> tuple[list[StoredObject], int]:
    """The objects of one bucket, and the number of unreadable ones.

    Raises:
        ReplyError: the reply is not a bucket.
    """
    buckets = [bucket for row in _unwrapped(reply, subject) if (bucket := _read(row, BucketRecord))]
    if not buckets or not isinstance(buckets[0].object_list, list | None):
        raise ReplyError("the service answered with something else than a bucket", subject=subject)
    rows = buckets[0].object_list or []
    found = [entry for row in rows if (entry := record(row, near))]
    return found, len(rows) - len(found)


def jobs(reply: Reply, near: Location, subject: str) -> Page[ZipJob]:
    """The zip jobs in a reply: one, a list or nothing; those without a name count as unreadable."""
    if not reply.body.strip():
        return Page(())
    found = [job.as_job(near) for job in _job_records(reply, subject)]
    raw: object = reply.decode(Any, subject=subject)
    damaged = (len(raw) if isinstance(raw, list) else bool(raw)) - len(found)
    return Page(tuple(found), failures=unreadable(damaged, subject))


def job_link(reply: Reply, name: str, subject: str) -> str:
    """The presigned link in the status of one zip job; empty if there is none."""
    found = next((job for job in _job_records(reply, subject) if text(job.zip_name) == name), None)
    return text(found.url).strip() if found else ""


def link(reply: Reply, subject: str) -> str:
    """A presigned link from a redirect, plain text, a JSON string or an object; empty if there is none."""
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
    """The days for which a restored copy will stay."""
    raw = _read(reply.decode(Any, subject=subject), RestoreReply) if reply.body.strip() else None
    return (count(raw.expiration_days) if raw else None) or asked


def text(raw: object) -> str:
    """A text; an integer as its digits; anything else as empty."""
    if isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 2**64 else ""


def count(raw: object) -> int | None:
    """A whole number of at least 0, from a number or a text; else `None`."""
    digits = text(raw).strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None


def moment(raw: object) -> datetime | None:
    """A time in ISO 8601, which is UTC if it has no zone, or in epoch milliseconds; else `None`."""
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


def _duration(kind: str, tags: tuple[tuple[str, str], ...]) -> float | None:
    """Seconds; `None` for types whose unit is not known."""
    unit = _UNITS.get(kind)
    if unit is None:
        return None
    for key, value in tags:
        if key == "duration":
            length = count(value)
            return None if length is None else length / 1000 if unit is Unit.MILLISECONDS else float(length)
    return None
