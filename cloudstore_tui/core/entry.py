"""Folders and objects: what a listing holds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from cloudstore_tui.core.location import Location
from cloudstore_tui.core.query import Query


@dataclass(frozen=True, slots=True)
class Folder:
    """Something that can be opened: a real folder, or a place that stands for a query."""

    location: Location
    name: str
    query: Query | None = None
    """What opening it searches for; `None` where opening lists."""
    modified: datetime | None = None
    expandable: bool = True
    """Whether it can hold further folders."""


@dataclass(frozen=True, slots=True)
class StoredObject:
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
    tags: tuple[tuple[str, str], ...] = field(default=())
    """In the service's order; a key may come twice."""
    region: str = field(default="", init=False, repr=False, compare=False)
    """That of the location: a field of its own so that a column can show it and sort by it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "region", self.location.region)

    def tag(self, key: str) -> str:
        """The first value of a tag, or an empty text."""
        return next((value for name, value in self.tags if name == key), "")


Entry: TypeAlias = Folder | StoredObject
"""A row of a listing."""


def identity(entry: Entry) -> str:
    """What tells one entry of a profile from all others, the same on every reading."""
    location = entry.location
    return "\x1f".join((location.region, location.path, *location.place))
