"""Searching the stored rows and the generated calls together, in one order, from any offset."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from heapq import merge
from itertools import islice
from typing import TypeAlias

from cloudstore_tui.fiql import And, Comparison, Node, comparisons
from cloudstore_tui.sandbox.eightbyeight.calls import COLUMNS, Call
from cloudstore_tui.sandbox.eightbyeight.calls import FIELDS as CONTENT_FIELDS
from cloudstore_tui.sandbox.eightbyeight.condition import FALSE, TRUE, Condition, translate
from cloudstore_tui.sandbox.eightbyeight.database import Database, Row
from cloudstore_tui.sandbox.eightbyeight.generated import GeneratedCalls
from cloudstore_tui.sandbox.eightbyeight.rules import Rules, sort_key
from cloudstore_tui.sandbox.eightbyeight.stored import StoredTable

GENERATED_REGION = "us-east"
"""Where all generated calls are."""

_AVAILABLE = Comparison("objectState", "==", ("AVAILABLE",))
_BUCKET_NAMES = {
    "id": "bucketId",
    "name": "callId",
    "callId": "callId",
    "tenantId": "tenantId",
    "userId": "userId",
    "customerId": "customerId",
    "createdTime": "createdTime",
    "updatedTime": "updatedTime",
}
"""What the fields and tags of a generated call's bucket are called at the call."""

_Place: TypeAlias = tuple[tuple[int, float, str], int]
_Placed: TypeAlias = tuple[_Place, int | Call]


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for in one region, and which stretch of the result is wanted."""

    region: str
    node: Node | None = None
    rules: Rules = field(default_factory=Rules)
    sort: str = "createdTime"
    descending: bool = True
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of the result: numbers of stored rows, and calls; and whether more follows."""

    items: list[int | Call]
    more: bool


class Searcher:
    """Finds rows of `object` or `bucket` and the generated calls that stand for one."""

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._table = table

    def find(self, search: Search) -> Found:
        """The numbers of stored rows, and calls, in order.

        The stored rows are few and are sorted here. Of the calls only those are read that can lie in the wanted
        stretch: all the stored rows together can move a call no further than their number.
        """
        stored = self._stored(search)
        skip = max(0, search.offset - len(stored))
        source = self._source(search)
        rows = self._calls(search, source, skip)
        key = _key(search)

        def placed(row: Row) -> _Placed:
            call = Call(*row)
            return (key(source.value(call, search.sort)), call.created), call

        before = _Before(stored, descending=search.descending)
        # The first of these calls that is in the stretch; what else lies before the stretch is stored.
        first = bisect_left(
            range(len(rows)), search.offset, key=lambda number: skip + number + before(placed(rows[number]))
        )
        rest = stored[search.offset - skip - first :]
        merged = merge(rest, map(placed, rows[first:]), key=_place, reverse=search.descending)
        found = [item for _where, item in islice(merged, search.limit + 1)]
        return Found(found[: search.limit], len(found) > search.limit)

    def _stored(self, search: Search) -> list[_Placed]:
        table = StoredTable(self._table, search.rules)
        condition = self._translate(search.node, table.condition)
        if condition == FALSE:
            return []
        value = table.expression(search.sort)
        sql = f"SELECT n, createdTime, {value.text} FROM {self._table} WHERE region = ? AND {condition.text}"
        rows = self._database.rows(sql, (*value.values, search.region, *condition.values))
        key = _key(search)
        places: list[_Placed] = [((key(found), created), n) for n, created, found in rows]
        return sorted(places, key=lambda pair: pair[0], reverse=search.descending)

    def _calls(self, search: Search, source: GeneratedCalls, skip: int) -> list[Row]:
        condition = self._translate(search.node, source.condition) if search.region == GENERATED_REGION else FALSE
        if condition == FALSE:
            return []
        order, direction = source.order(search.sort), " DESC" if search.descending else ""
        sql = (
            f"SELECT {COLUMNS} FROM generated WHERE {condition.text} "
            f"ORDER BY {order}{direction}, created{direction} LIMIT ? OFFSET ?"
        )
        wanted = search.offset - skip + search.limit + 1
        return self._database.rows(sql, (*condition.values, wanted, skip))

    def _source(self, search: Search) -> GeneratedCalls:
        return GeneratedCalls(search.rules, _BUCKET_NAMES if self._table == "bucket" else None)

    def _translate(self, node: Node | None, leaf: Callable[[Comparison], Condition]) -> Condition:
        if self._table == "object" and not any(term.selector == "objectState" for term in _terms(node)):
            node = And((node, _AVAILABLE)) if node else _AVAILABLE
        return translate(node, leaf) if node else TRUE


def _terms(node: Node | None) -> Iterator[Comparison]:
    return comparisons(node) if node else iter(())


def _key(search: Search) -> Callable[[str | int | None], tuple[int, float, str]]:
    numeric = search.rules.numeric_tags or search.sort in CONTENT_FIELDS
    return partial(sort_key, numeric=numeric)


def _place(pair: _Placed) -> _Place:
    return pair[0]


class _Before:
    """Counts the stored rows that come before a call; of equals the stored row comes first."""

    def __init__(self, stored: list[_Placed], *, descending: bool) -> None:
        self._places = sorted(map(_place, stored))
        self._descending = descending

    def __call__(self, call: _Placed) -> int:
        if self._descending:
            return len(self._places) - bisect_left(self._places, call[0])
        return bisect_right(self._places, call[0])
