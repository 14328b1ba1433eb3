"""What is searched for."""

from dataclasses import dataclass

from cloudstore_tui.core.location import Location


@dataclass(frozen=True, slots=True)
class Sort:
    """An order, by the service's own name of a field or tag."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ResultSize:
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


@dataclass(frozen=True, slots=True)
class Query:
    """A search: where, which filter, in which order."""

    location: Location
    """Profile and region; without region all regions are searched. Path and place are not looked at."""
    filter: str = ""
    """FIQL, sent as written; empty for everything the service returns by default."""
    sort: Sort | None = None
    """`None` for newest first."""
