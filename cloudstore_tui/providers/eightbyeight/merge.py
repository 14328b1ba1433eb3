"""The rows of several regions in one order."""

from collections.abc import Sequence

from cloudstore_tui.core.models import Sort, StoredObject
from cloudstore_tui.providers.eightbyeight.lane import Lane
from cloudstore_tui.providers.eightbyeight.values import sort_key


def merge(lanes: Sequence[Lane], order: Sort) -> list[StoredObject]:
    """Take rows in order until a region that has more on the server runs out."""
    rows: list[StoredObject] = []
    pick = max if order.descending else min
    while not any(lane.is_dry for lane in lanes):
        heads = [(lane, entry) for lane in lanes if (entry := lane.head) is not None]
        if len(heads) <= 1:
            return rows + [entry for lane, _ in heads for entry in lane.rest()]
        lane, _ = pick(heads, key=lambda head: sort_key(head[1], order.field))
        rows.append(lane.take())
    return rows
