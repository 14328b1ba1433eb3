"""One page of one region."""

from dataclasses import dataclass

from cloudstore_tui.core.models import Sort, StoredObject
from cloudstore_tui.providers.eightbyeight.position import At


@dataclass(frozen=True, slots=True)
class Slice:
    """What the service gave, and where it goes on."""

    region: str
    at: At
    order: Sort
    entries: tuple[StoredObject, ...]
    positions: tuple[int, ...]
    """Where each entry stood in the service's page."""
    next: At | None
    """Where the next page starts; `None` at the end."""
    given: int
    """Records that the service gave, with those that cannot be read."""
    unreadable: tuple[int, ...] = ()
    """Where records stood that cannot be read."""

    def after(self, taken: int) -> At | None:
        """Where to go on when only the first `taken` entries were used."""
        if taken >= len(self.entries):
            return self.next
        return self.at.moved(self.at.offset + self.positions[taken], self.order, self.entries[: taken + 1])
