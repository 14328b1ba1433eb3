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
"""A word that can name a profile, and nothing else that people type in place of an address."""


class Location(msgspec.Struct, frozen=True):
    """One thing or folder of one profile; equal locations are the same thing.

    `profile` is the name the user gave; `region` is empty where the service has no regions, or for all of them.
    `path` is the service's own name for the thing: an Alvaria key (folders end with `/`, the root is empty) or an
    8x8 object id (empty for the region itself). `place` names the virtual folders that a provider puts above its
    objects so that they can be browsed, outermost first: `("callcenterrecording", "2024", "09", "01")`.
    """

    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """As the user writes it on the command line: `acme:exports/x.tar`, `acme8:us-east/<id>`, `acme8:`.

        A place has no address of its own; it shows the one of its region, then ` › ` and its names.
        """
        region = f"{self.region}/" if self.region else ""
        shown = "".join(f" › {name}" for name in self.place)
        return f"{self.profile}:{region}{self.path}{shown}"

    def child(self, name: str) -> "Location":
        """The place called `name` below this one."""
        return replace(self, place=(*self.place, name))


def split_address(address: str) -> tuple[str, str]:
    """Split `profile:rest` into its two halves; a profile alone is the address of all of it.

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
    """An order, by the service's own name of a field or tag."""

    field: str
    descending: bool = False


class ResultSize(msgspec.Struct, frozen=True):
    """How much a query finds."""

    objects: int
    known: int
    """Objects whose size was looked at; all of them, or some from all over the result."""
    bytes: int
    """Of these together."""

    @property
    def is_exact(self) -> bool:
        """Whether every object was looked at."""
        return self.known == self.objects

    @property
    def total_bytes(self) -> int | None:
        """Of all objects together, going by those that were looked at; `None` where none told its size."""
        return round(self.bytes * self.objects / self.known) if self.known else None


class Query(msgspec.Struct, frozen=True):
    """A search: where, which filter, in which order."""

    location: Location
    """Profile and region; without region all regions are searched. Path and place are not looked at."""
    filter: str = ""
    """FIQL, sent as written; empty for everything the service returns by default."""
    sort: Sort | None = None
    """`None` for newest first."""


class Folder(msgspec.Struct, frozen=True):
    """Something that can be opened: a real folder, or a place that stands for a query."""

    location: Location
    name: str
    query: Query | None = None
    """What opening it searches for; `None` where opening lists."""
    modified: datetime | None = None
    expandable: bool = True
    """Whether it can hold further folders."""


class StoredObject(msgspec.Struct, frozen=True):
    """One stored object. Fields that the service did not tell are `None` or empty, never guessed."""

    location: Location
    name: str
    id: str = ""
    """The service's id; empty where keys name objects (then `location.path` is the key)."""
    type: str = ""
    mime: str = ""
    size: int | None = None
    """Bytes; see `size_exact`."""
    size_exact: bool = False
    """False where the service rounds sizes: such a size is for people, never to verify a transfer."""
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
    """Seconds; providers know the unit of the tag it comes from."""
    tags: tuple[tuple[str, str], ...] = ()
    """In the service's order; a key may come twice."""
    region: str = ""
    """The region of the location, as a field so that a column can show it and sort by it."""

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
    """What tells one entry of a profile from all others, the same on every reading."""
    location = entry.location
    return "\x1f".join((location.region, location.path, *location.place))


class Retention(msgspec.Struct, frozen=True):
    """How long a service keeps objects, by the policy that the user wrote down: services do not say."""

    hot: timedelta | None = None
    """From the time at which an object was created until it is archived, or deleted for good; `None` if unknown."""
    cold: timedelta = timedelta(0)
    """How long it is archived after that."""
    types: Mapping[str, "Retention"] = msgspec.field(default_factory=dict)
    """For types with a policy of their own."""

    def lasts(self, type_: str) -> timedelta | None:
        """How long objects of a type are kept in all; `None` if unknown."""
        policy = self.types.get(type_, self)
        return None if policy.hot is None else policy.hot + policy.cold

    def expires(self, entry: StoredObject) -> datetime | None:
        """When an object is deleted for good; `None` if unknown."""
        begins, lasts = entry.created or entry.modified, self.lasts(entry.type)
        try:
            return None if begins is None or lasts is None else begins + lasts
        except OverflowError:
            return None


class ColumnKind(StrEnum):
    """How a column's values are shown and compared."""

    TEXT = "text"
    SIZE = "size"
    TIME = "time"
    DURATION = "duration"
    STATE = "state"

    @property
    def is_measure(self) -> bool:
        """Whether people look for the largest first."""
        return self in (ColumnKind.SIZE, ColumnKind.TIME, ColumnKind.DURATION)


class Column(msgspec.Struct, frozen=True):
    """One column of a table of entries."""

    name: str
    """A field of `StoredObject` (`name`, `size`, `created`, `duration` …), or the key of a tag."""
    title: str
    kind: ColumnKind = ColumnKind.TEXT
    width: int = 16
    """Cells it needs; declared, never measured."""
    sort_field: str = ""
    """The service's own name to sort by on the server; empty where only loaded rows can be sorted."""
    least: int = 0
    """Cells to which it may be narrowed; 0 where only texts may be."""
    rank: int = 0
    """Of several columns for which there is no room the one with the highest rank is left out first."""
    also: tuple[str, ...] = ()
    """Tags that tell the same on other types of objects."""
    retention: Retention | None = None
    """The policy that tells when an object expires."""
