"""The data of the service in SQLite: rows, searches over stored and generated objects, and planned changes."""

import json
import sqlite3
import threading
import weakref
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from cloudstore_tui.fiql.syntax import And, Comparison, Node, comparisons
from cloudstore_tui.sandbox.eightbyeight import sql
from cloudstore_tui.sandbox.eightbyeight.model import (
    COLUMNS,
    OBJECT_FIELDS,
    Bucket,
    GeneratedCall,
    ObjectBody,
    Record,
    created_of,
    record_of,
    value_of,
)
from cloudstore_tui.sandbox.eightbyeight.sql import (
    FALSE,
    TRUE,
    Condition,
    GeneratedCalls,
    Rules,
    StoredTable,
    Value,
    match_from,
    sort_key,
    translate,
)

Item = TypeVar("Item")

# The database


DatabaseRow = tuple[Any, ...]
"""One row of an answer."""


class SandboxDatabase:
    """One connection, used by one thread at a time.

    It need not survive a crash, since the data can be generated again from its seed.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        for setting in ("journal_mode = MEMORY", "synchronous = OFF", "temp_store = MEMORY", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        self._connection.create_function("holds", 2, _holds, deterministic=True)
        self._connection.create_function("derived", 7, _derived, deterministic=True)

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[DatabaseRow]:
        """The rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, values: Sequence[Value | bytes] | Mapping[str, Value] = ()) -> int:
        """Execute a statement; the number of the last row that it inserted."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def execute_many(self, sql: str, rows: Iterable[Sequence[Value | bytes]]) -> None:
        """Execute a statement once for each row."""
        with self._lock:
            self._connection.executemany(sql, rows)

    def __enter__(self) -> "SandboxDatabase":
        """Begin a transaction, or join the one in progress."""
        self._lock.acquire()
        if not self._depth:
            self._connection.execute("BEGIN")
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._connection.execute("ROLLBACK" if kind else "COMMIT")
        self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _holds(value: str | int | None, key: str) -> bool:
    return match_from(key).holds(value)


def _derived(name: str, *numbers: int) -> str | int | None:
    return value_of(GeneratedCall(*numbers), name)


# Searching stored rows and generated calls together, in one order, from any offset


GENERATED_REGION = "us-east"
"""The region of all generated calls."""

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
"""Fields and tags of a generated call's bucket, and the fields of the call that they equal."""

_PositionedItem: TypeAlias = tuple[tuple[tuple[int, float, str], int], int | GeneratedCall]
"""Where an item belongs in the order, and the item: the number of a stored row, or a call."""


class ObjectSearch(msgspec.Struct, frozen=True):
    """A search in one region, and the range of its result to return."""

    region: str
    node: Node | None = None
    rules: Rules = msgspec.field(default_factory=Rules)
    sort: str = "createdTime"
    descending: bool = True
    offset: int = 0
    limit: int = 100


class ResultPage(msgspec.Struct, Generic[Item], frozen=True):
    """A range of a result, in order, and whether more follow."""

    items: list[Item]
    more: bool


class ObjectSearcher:
    """Searches the rows of `object` or `bucket` together with the generated calls."""

    def __init__(self, database: SandboxDatabase, table: str) -> None:
        self._database = database
        self._table = table

    def find(self, search: ObjectSearch) -> ResultPage[int | GeneratedCall]:
        """Row numbers and generated calls, in order.

        The stored rows are few, and are sorted here. Of the calls, only those are read that may be in the range, which
        can be shifted by at most the number of stored rows.
        """
        stored = self._stored(search)
        skip = max(0, search.offset - len(stored))
        source = self._source(search)
        rows = self._calls(search, source, skip)
        key = _key(search)

        def positioned(row: DatabaseRow) -> _PositionedItem:
            call = GeneratedCall(*row)
            return (key(source.value(call, search.sort)), call.created), call

        positions = sorted(position for position, _ in stored)

        def rank(number: int) -> int:
            """The number of rows before a call; in a tie the stored row comes first."""
            position, _ = positioned(rows[number])
            if search.descending:
                return skip + number + len(positions) - bisect_left(positions, position)
            return skip + number + bisect_right(positions, position)

        # The first of these calls that is in the range; everything else before the range is stored.
        first = bisect_left(range(len(rows)), search.offset, key=rank)
        rest = stored[search.offset - skip - first :]
        merged = merge(rest, map(positioned, rows[first:]), key=itemgetter(0), reverse=search.descending)
        found = [item for _, item in islice(merged, search.limit + 1)]
        return ResultPage(found[: search.limit], len(found) > search.limit)

    def _stored(self, search: ObjectSearch) -> list[_PositionedItem]:
        table = StoredTable(self._table, search.rules)
        condition = self._translate(search.node, table.condition)
        if condition == FALSE:
            return []
        value = table.expression(search.sort)
        sql = f"SELECT n, createdTime, {value.text} FROM {self._table} WHERE region = ? AND {condition.text}"
        rows = self._database.rows(sql, (*value.values, search.region, *condition.values))
        key = _key(search)
        found: list[_PositionedItem] = [((key(value), created), n) for n, created, value in rows]
        return sorted(found, key=itemgetter(0), reverse=search.descending)

    def _calls(self, search: ObjectSearch, source: GeneratedCalls, skip: int) -> list[DatabaseRow]:
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

    def _source(self, search: ObjectSearch) -> GeneratedCalls:
        return GeneratedCalls(search.rules, _BUCKET_NAMES if self._table == "bucket" else None)

    def _translate(self, node: Node | None, leaf: Callable[[Comparison], Condition]) -> Condition:
        terms = comparisons(node) if node else ()
        if self._table == "object" and not any(term.selector == "objectState" for term in terms):
            node = And((node, _AVAILABLE)) if node else _AVAILABLE
        return translate(node, leaf) if node else TRUE


def _key(search: ObjectSearch) -> Callable[[str | int | None], tuple[int, float, str]]:
    numeric = search.rules.numeric_tags or search.sort in OBJECT_FIELDS
    return partial(sort_key, numeric=numeric)


# The store


_LAYOUT = "3"
"""To be changed along with the tables or the fixtures, so that the data of older versions is generated anew."""


class ObjectRecords:
    """The data of the 8x8 service."""

    def __init__(self, path: Path) -> None:
        self._database = SandboxDatabase(path)
        self._objects = ObjectSearcher(self._database, "object")
        self._buckets = ObjectSearcher(self._database, "bucket")

    def is_filled(self, seed: int, objects: int) -> bool:
        """Whether the file holds the data for this seed and number of objects."""
        tables = self._database.rows("SELECT name FROM sqlite_master WHERE name = 'origin'")
        return bool(tables) and self._database.rows("SELECT * FROM origin") == [(_LAYOUT, seed, objects)]

    def fill(self, seed: int, objects: int, records: Iterable[Record], span: tuple[int, int]) -> None:
        """Generate everything anew: the records, and `objects` calls within a span of epoch ms."""
        with self._database as database:
            for kind, name in database.rows("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')"):
                database.execute(f"DROP {kind} {name}")
            for statement in sql.SCHEMA:
                database.execute(statement)
            if objects:
                database.execute(sql.FILL, sql.fill_values(objects, seed, span[0] // 1000, span[1] // 1000))
            database.execute(sql.INDEX)
            self.add(records)
            # Written last, so that a half-filled file lacks it.
            database.execute("CREATE TABLE origin(layout TEXT, seed INTEGER, objects INTEGER)")
            database.execute("INSERT INTO origin VALUES (?, ?, ?)", (_LAYOUT, seed, objects))

    def close(self) -> None:
        self._database.close()

    def add(self, records: Iterable[Record]) -> None:
        """Store objects."""
        with self._database:
            for record in records:
                self._add(record)

    # Reading

    def search(self, search: ObjectSearch) -> ResultPage[Record]:
        """A range of the objects that a search finds."""
        found = self._objects.find(search)
        numbers = json.dumps([item for item in found.items if isinstance(item, int)])
        kept = self._records("n IN (SELECT value FROM json_each(?))", (numbers,))
        objects = [kept[item] if isinstance(item, int) else record_of(item, search.region) for item in found.items]
        return ResultPage(objects, found.more)

    def get(self, region: str, object_id: str) -> Record | None:
        """One object by its id."""
        kept = self._records("id = ? AND region = ?", (object_id, region))
        if kept:
            return next(iter(kept.values()))
        call = self._call(region, object_id, "id")
        return record_of(call, region) if call else None

    def search_buckets(self, search: ObjectSearch) -> ResultPage[Bucket]:
        """A range of the buckets that a search finds."""
        found = self._buckets.find(search)
        numbers = json.dumps([item for item in found.items if isinstance(item, int)])
        ids = self._database.rows("SELECT n, id FROM bucket WHERE n IN (SELECT value FROM json_each(?))", (numbers,))
        kept = {n: self.bucket(search.region, id_) for n, id_ in ids}
        buckets = [
            kept[item] if isinstance(item, int) else Bucket.around((record_of(item, search.region),))
            for item in found.items
        ]
        return ResultPage([bucket for bucket in buckets if bucket], found.more)

    def bucket(self, region: str, bucket_id: str) -> Bucket | None:
        """One bucket by its id, with its objects."""
        kept = self._records("bucketId = ? AND region = ?", (bucket_id, region))
        if kept:
            return Bucket.around(tuple(kept.values()))
        call = self._call(region, bucket_id, "bucketId")
        return Bucket.around((record_of(call, region),)) if call else None

    def tag_keys(self) -> frozenset[str]:
        """Every tag that some object has."""
        return frozenset(key for (key,) in self._database.rows("SELECT DISTINCT key FROM object_tag"))

    # Changing

    def set_state(self, record: Record, state: str, now: int) -> None:
        """Change the state of an object, and cancel its planned changes."""
        with self._database as database:
            n = self._number(record)
            database.execute("UPDATE object SET objectState = ?, updatedTime = ? WHERE n = ?", (state, now, n))
            database.execute("DELETE FROM event WHERE n = ?", (n,))

    def plan(self, record: Record, at: int, state: str) -> None:
        """Plan a change of an object's state at a time in epoch milliseconds."""
        with self._database as database:
            database.execute("INSERT INTO event VALUES (?, ?, ?)", (at, self._number(record), state))

    def cancel_plans(self, record: Record) -> None:
        """Cancel the planned changes of an object."""
        with self._database as database:
            database.execute("DELETE FROM event WHERE n = ?", (self._number(record),))

    def is_planned(self, record: Record) -> bool:
        """Whether a change of an object's state is planned."""
        sql = "SELECT 1 FROM event JOIN object USING (n) WHERE id = ? AND region = ?"
        return bool(self._database.rows(sql, (record.id, record.region)))

    def apply_plans(self, now: int) -> None:
        """Carry out the changes that are due."""
        if not self._database.rows("SELECT 1 FROM event WHERE at <= ? LIMIT 1", (now,)):
            return
        with self._database as database:
            for at, n, state in database.rows("SELECT at, n, state FROM event WHERE at <= ? ORDER BY at", (now,)):
                database.execute("UPDATE object SET objectState = ?, updatedTime = ? WHERE n = ?", (state, at, n))
            database.execute("DELETE FROM event WHERE at <= ?", (now,))

    def _call(self, region: str, uuid: str, field: str) -> GeneratedCall | None:
        created = created_of(uuid)
        if created is None or region != GENERATED_REGION:
            return None
        rows = self._database.rows(f"SELECT {COLUMNS} FROM generated WHERE created = ?", (created,))
        call = GeneratedCall(*rows[0]) if rows else None
        return call if call and value_of(call, field) == uuid else None

    def _number(self, record: Record) -> int:
        """The row number of an object; a generated call becomes a row first."""
        rows = self._database.rows("SELECT n FROM object WHERE id = ? AND region = ?", (record.id, record.region))
        if rows:
            return int(rows[0][0])
        self._database.execute("DELETE FROM generated WHERE created = ?", (record.created,))
        return self._add(record)

    # Rows

    def _records(self, condition: str, values: Sequence[Value]) -> dict[int, Record]:
        """The stored objects that match a condition, by row number."""
        rows = self._database.rows(f"SELECT {_OBJECT} FROM object WHERE {condition} ORDER BY n", values)
        tags: defaultdict[int, Tags] = defaultdict(tuple)
        numbers = json.dumps([row[0] for row in rows])
        read = "SELECT n, key, value FROM object_tag WHERE n IN (SELECT value FROM json_each(?)) ORDER BY n, position"
        for n, key, value in self._database.rows(read, (numbers,)):
            tags[n] = (*tags[n], (key, value))
        return {row[0]: _record(row, tags[row[0]]) for row in rows}

    def _add(self, record: Record) -> int:
        """Store an object; the row number."""
        body = record.body
        values = (record.region, body.sound, body.data, body.zeros, body.part, *record.fields().values())
        marks = ", ".join("?" * len(values))
        n = self._database.execute(f"INSERT INTO object VALUES (NULL, {marks})", values)
        rows = [(n, position, key, value) for position, (key, value) in enumerate(record.tags)]
        self._database.execute_many("INSERT INTO object_tag VALUES (?, ?, ?, ?)", rows)
        return n


_OBJECT = ", ".join(("n", "region", "sound", "data", "zeros", "part", *OBJECT_FIELDS))

Tags = tuple[tuple[str, str], ...]


def _record(row: DatabaseRow, tags: Tags) -> Record:
    _n, region, sound, data, zeros, part, *values = row
    fields = dict(zip(OBJECT_FIELDS.values(), values, strict=True))
    return Record(**fields, region=region, body=ObjectBody(sound, data, zeros, part), tags=tags)
