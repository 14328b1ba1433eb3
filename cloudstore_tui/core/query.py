"""What is searched for."""

from dataclasses import dataclass

from cloudstore_tui.core.location import Location


@dataclass(frozen=True, slots=True)
class Sort:
    """An order, by the service's own name of a field or tag."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search: where, which filter, in which order."""

    location: Location
    """Profile and region; without region all regions are searched. Path and place are not looked at."""
    filter: str = ""
    """FIQL, sent as written; empty for everything the service returns by default."""
    sort: Sort | None = None
    """`None` for newest first."""
