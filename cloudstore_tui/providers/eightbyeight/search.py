"""Searches: pages of one region, or of several regions merged."""

from functools import partial

from cloudstore_tui.core.errors import FilterError, UsageError
from cloudstore_tui.core.models import Location, Query, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.fiql import check, conjunction, parse
from cloudstore_tui.providers.eightbyeight import wire
from cloudstore_tui.providers.eightbyeight.client import EightByEightClient
from cloudstore_tui.providers.eightbyeight.places import NEWEST_FIRST
from cloudstore_tui.providers.eightbyeight.position import LARGEST_WINDOW, PAGE, START, At, next_offset
from cloudstore_tui.providers.eightbyeight.recheck import contradicts
from cloudstore_tui.providers.eightbyeight.slice import Slice
from cloudstore_tui.providers.eightbyeight.sweep import Regions, Sweep


class Searcher:
    """Runs searches over the regions of one customer."""

    def __init__(self, client: EightByEightClient) -> None:
        self._client = client

    async def page(self, query: Query, cursor: str | None) -> Page[StoredObject]:
        """One page of a query, in its order."""
        return await self.sweep(query).page(cursor)

    def sweep(self, query: Query, ahead: int = 0) -> Sweep:
        """All pages of a query, up to `ahead` of them on their way besides the next."""
        return Sweep(query, self.slice, self._regions, partial(contradicts, filter_=query.filter), ahead=ahead)

    async def _regions(self) -> Regions:
        return await self._client.regions(), self._client.failures

    async def slice(self, query: Query, region: str, at: At = START, limit: int = PAGE) -> Slice:
        """One page of one region, and where the next one starts."""
        order = query.sort or NEWEST_FIRST
        where = Location(query.location.profile, region)
        pairs = [
            ("pageKey", str(at.offset)),
            ("limit", str(limit)),
            ("sortField", order.field),
            ("sortDirection", "DESC" if order.descending else "ASC"),
        ]
        if text := conjunction(query.filter, at.window(order)):
            pairs.insert(0, ("filter", text))
        try:
            reply = await self._client.get(region, "objects", pairs, subject=where.address)
        except UsageError as error:
            raise _refused(error, at, query.filter) from None
        return _sliced(wire.page(reply, where.address), where, query, at, limit)


def _sliced(told: wire.WirePage, where: Location, query: Query, at: At, limit: int) -> Slice:
    order = query.sort or NEWEST_FIRST
    read = [(number, wire.record(row, where)) for number, row in enumerate(told.rows)]
    good = [(number, entry) for number, entry in read if entry]
    following = at.moved(next_offset(at, told.told, limit), order, [entry for _, entry in good])
    return Slice(
        region=where.region,
        at=at,
        order=order,
        entries=tuple(entry for _, entry in good),
        positions=tuple(number for number, _ in good),
        next=None if told.last else following,
        given=len(told.rows),
        unreadable=tuple(number for number, entry in read if not entry),
    )


def _refused(error: UsageError, at: At, filter_: str) -> UsageError:
    """What a refused search means, where that is more than the service's own words."""
    if error.status is None:
        return error
    if at.offset + PAGE > LARGEST_WINDOW:
        return error.with_(
            message=f"the service gives no results beyond {at.offset:,} in this order",
            hint="Sort by createdTime, or narrow the query by time.",
        )
    return error.with_(hint=_suggestion(filter_)) if filter_ and not error.hint else error


def _suggestion(filter_: str) -> str:
    try:
        problems = check(parse(filter_), filter_)
    except FilterError as error:
        return str(error)
    known = [f"{problem.text[:1].upper()}{problem.text[1:]}. {problem.hint}" for problem in problems]
    if not known and ("'" in filter_ or '"' in filter_):
        return "The service may not take quotes: an id or a time finds the same without them."
    return " ".join(known[:2]) if known else "Look at the filter: cloudstore fiql check 'FILTER'."
