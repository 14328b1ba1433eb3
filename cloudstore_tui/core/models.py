"""The nouns: where something is, what is listed, and what is searched for."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

import msgspec
from msgspec.structs import force_setattr, replace

from cloudstore_tui.core.errors import UsageError

_PROFILE = re.compile(r"[A-Za-z0-9_-]+")
"""A name that can be a profile's, and none of the other things that people type instead of an address."""


class Location(msgspec.Struct, frozen=True):
    """Where an object or folder of a profile is; equal locations are the same thing.

    `profile` is the name that the user gave; `region` is empty for all regions, or where the service has none.
    `path` is the service's own name for the object: an Alvaria key (folders end with `/`, the root is empty) or an
    8x8 object id (empty for the region itself). `place` is the path of a virtual folder that a provider shows above its
    objects so that they can be browsed: `("callcenterrecording", "2024", "09", "01")`.
    """

    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """As written on the command line: `acme:exports/x.tar`, `acme8:us-east/<id>`, `acme8:`.

        A place cannot be written there; it is shown as the address of its region, followed by ` › ` and its names.
        """
        region = f"{self.region}/" if self.region else ""
        place = "".join(f" › {name}" for name in self.place)
        return f"{self.profile}:{region}{self.path}{place}"

    def child(self, name: str) -> "Location":
        """The place called `name` below this one."""
        return replace(self, place=(*self.place, name))


def split_address(address: str) -> tuple[str, str]:
    """Split `profile:rest` into its two halves; a profile's name alone is the address of its root.

    Raises:
        UsageError: it names no profile.
    """
    profile, colon, rest = address.partition(":")
    if not profile or (not colon and not _PROFILE.fullmatch(profile)):
        raise UsageError(
            "a path is written PROFILE:REST",
            subject=address,
            hint="For example acme:exports/reporting/ or acme8:us-east/. `cloudstore profile list` shows the names.",
        )
    return profile, rest


class Sort(msgspec.Struct, frozen=True):
    """An order by a field or tag, as the service names it."""

    field: str
    descending: bool = False


class ResultSize(msgspec.Struct, frozen=True):
    """How much a query finds."""

    objects: int
    sampled: int
    """Objects whose size was read: all of them, or a sample spread over the result."""
    bytes: int
    """Total size of the sampled objects."""

    @property
    def is_exact(self) -> bool:
        """Whether every object was sampled."""
        return self.sampled == self.objects

    @property
    def total_bytes(self) -> int | None:
        """Total size of all objects, extrapolated from the sample; `None` without one."""
        return round(self.bytes * self.objects / self.sampled) if self.sampled else None


class Query(msgspec.Struct, frozen=True):
    """A search: where, which filter, in which order."""

    location: Location
    """Profile and region; without a region all are searched. Path and place are ignored."""
    filter: str = ""
    """FIQL, sent as written; empty for everything the service returns by default."""
    sort: Sort | None = None
    """`None` for newest first."""
    offset: int = 0
    """Rows to skip in each region."""


class Folder(msgspec.Struct, frozen=True):
    """Something that can be opened: a real folder, or a place that stands for a query."""

    location: Location
    name: str
    query: Query | None = None
    """The search that opening it runs; `None` where opening lists the folder."""
    modified: datetime | None = None
    expandable: bool = True
    """Whether it can hold further folders."""


class StoredObject(msgspec.Struct, frozen=True):
    """One stored object. Fields that the service did not report are `None` or empty, never guessed."""

    location: Location
    name: str
    id: str = ""
    """The service's id; empty where keys name objects (then `location.path` is the key)."""
    type: str = ""
    mime: str = ""
    size: int | None = None
    """Bytes; see `size_exact`."""
    size_exact: bool = False
    """False where the service rounds sizes: such a size is for display, never to verify a transfer."""
    modified: datetime | None = None
    created: datetime | None = None
    updated: datetime | None = None
    state: str = ""
    checksum: str = ""
    checksum_type: str = ""
    bucket_id: str = ""
    user_id: str = ""
    customer_id: str = ""
    duration: float | None = None
    """Seconds, whatever the unit of the tag it comes from."""
    tags: tuple[tuple[str, str], ...] = ()
    """In the service's order; a key may occur twice."""
    region: str = ""
    """The region of the location, as a field of its own so that a column can show and sort by it."""

    def __post_init__(self) -> None:
        force_setattr(self, "region", self.location.region)

    @property
    def is_available(self) -> bool:
        """Whether it can be downloaded now: the service says so, or has no states."""
        return self.state in ("", "AVAILABLE")

    def tag(self, key: str) -> str:
        """The first value of a tag, or an empty text."""
        for name, value in self.tags:
            if name == key:
                return value
        return ""


Entry: TypeAlias = Folder | StoredObject
"""A row of a listing."""


def identity(entry: Entry) -> str:
    """A key that identifies an entry within its profile, the same on every listing."""
    location = entry.location
    return "\x1f".join((location.region, location.path, *location.place))


class Retention(msgspec.Struct, frozen=True):
    """How long a service keeps objects, as the user configured it: services do not report their policy."""

    hot: timedelta | None = None
    """From the creation of an object until it is archived or purged; `None` if unknown."""
    cold: timedelta = timedelta(0)
    """How long it stays archived after that."""
    types: Mapping[str, "Retention"] = msgspec.field(default_factory=dict)
    """Types with a policy of their own."""

    def kept_for(self, type_: str) -> timedelta | None:
        """How long objects of a type are kept altogether; `None` if unknown."""
        policy = self.types.get(type_, self)
        return None if policy.hot is None else policy.hot + policy.cold

    def expires(self, entry: StoredObject) -> datetime | None:
        """When an object is purged; `None` if unknown."""
        start, kept = entry.created or entry.modified, self.kept_for(entry.type)
        try:
            return None if start is None or kept is None else start + kept
        except OverflowError:
            return None


class ColumnKind(StrEnum):
    """How the values of a column are shown and compared."""

    TEXT = "text"
    SIZE = "size"
    TIME = "time"
    DURATION = "duration"
    STATE = "state"

    @property
    def is_measure(self) -> bool:
        """Whether it is sorted largest first by default."""
        return self in (ColumnKind.SIZE, ColumnKind.TIME, ColumnKind.DURATION)


class Column(msgspec.Struct, frozen=True):
    """One column of a table of entries."""

    name: str
    """A field of `StoredObject` (`name`, `size`, `created`, `duration` …), or the key of a tag."""
    title: str
    kind: ColumnKind = ColumnKind.TEXT
    width: int = 16
    """Preferred width in cells."""
    sort_field: str = ""
    """The service's name of the field to sort by; empty where only loaded rows can be sorted."""
    min_width: int = 0
    """Cells to which it may be narrowed; 0 for the default, by which only texts may be narrowed."""
    rank: int = 0
    """Where there is no room for all columns, those with the highest rank are left out first."""
    fallback_tags: tuple[str, ...] = ()
    """Tags that hold the same on other types of objects."""
    retention: Retention | None = None
    """The policy by which objects expire, for the column that shows when they do."""
