"""The rows of several regions in one order."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.query import Sort
from cloudstore_tui.providers.eightbyeight.position import At
from cloudstore_tui.providers.eightbyeight.values import sort_key


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of one region."""

    region: str
    at: At
    order: Sort
    entries: tuple[StoredObject, ...]
    positions: tuple[int, ...]
    """Where each entry stood in the service's page: some records are left out."""
    next: At | None
    """Where the next page starts; `None` at the end."""
    given: int
    """Records that the service gave, with those that are left out."""
    warnings: tuple[str, ...] = ()

    def after(self, taken: int) -> At | None:
        """Where to go on when only the first `taken` entries were used."""
        if taken >= len(self.entries):
            return self.next
        return self.at.moved(self.at.offset + self.positions[taken], self.order, self.entries[: taken + 1])


def merge(slices: Sequence[Slice]) -> tuple[list[StoredObject], dict[str, At]]:
    """Rows in order until a region that has more on the server runs out, and where to go on in each region."""
    taken = {one.region: 0 for one in slices}
    rows: list[StoredObject] = []
    while not any(one.next and taken[one.region] == len(one.entries) for one in slices):
        waiting = [one for one in slices if taken[one.region] < len(one.entries)]
        if not waiting:
            break
        pick = max if waiting[0].order.descending else min
        chosen = pick(waiting, key=lambda one: sort_key(one.entries[taken[one.region]], one.order.field))
        rows.append(chosen.entries[taken[chosen.region]])
        taken[chosen.region] += 1
    onward = {one.region: one.after(taken[one.region]) for one in slices}
    return rows, {region: at for region, at in onward.items() if at}
