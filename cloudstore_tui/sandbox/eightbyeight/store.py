"""Everything the service keeps: objects, buckets, and what will become of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cloudstore_tui.sandbox.eightbyeight import generated, stored
from cloudstore_tui.sandbox.eightbyeight.bucket import Bucket
from cloudstore_tui.sandbox.eightbyeight.calls import COLUMNS, Call, created_of, record_of, value_of
from cloudstore_tui.sandbox.eightbyeight.database import Database
from cloudstore_tui.sandbox.eightbyeight.record import Record
from cloudstore_tui.sandbox.eightbyeight.rows import Rows
from cloudstore_tui.sandbox.eightbyeight.search import GENERATED_REGION, Search, Searcher

_LAYOUT = "1"
"""Changes whenever the tables or the fixtures do, so that a data folder of an older version is made again."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects or buckets in order, and whether more follow."""

    objects: list[Record]
    more: bool


@dataclass(frozen=True, slots=True)
class BucketPage:
    """Some buckets in order, and whether more follow."""

    buckets: list[Bucket]
    more: bool


class Store:
    """The data of the 8x8 service."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._rows = Rows(self._database)
        self._objects = Searcher(self._database, "object")
        self._buckets = Searcher(self._database, "bucket")

    def is_filled(self, seed: int, objects: int) -> bool:
        """Whether the file already holds what these two make."""
        tables = self._database.rows("SELECT name FROM sqlite_master WHERE name = 'origin'")
        return bool(tables) and self._database.rows("SELECT * FROM origin") == [(_LAYOUT, seed, objects)]

    def fill(self, seed: int, objects: int, records: Iterable[Record], span: tuple[int, int]) -> None:
        """Make everything anew: the records, their buckets, and `objects` calls between two moments in epoch ms."""
        with self._database as database:
            for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
                database.run(f"DROP TABLE {name}")
            for statement in (*generated.SCHEMA, *stored.SCHEMA):
                database.run(statement)
            database.run_many("INSERT INTO rank VALUES (?, ?, ?, ?)", generated.ranks())
            if objects:
                database.run(generated.FILL, generated.fill_values(objects, seed, span[0] // 1000, span[1] // 1000))
            database.run(generated.INDEX)
            self.add(records)
            # Written last: a file without it was left half filled.
            database.run("CREATE TABLE origin(layout TEXT, seed INTEGER, objects INTEGER)")
            database.run("INSERT INTO origin VALUES (?, ?, ?)", (_LAYOUT, seed, objects))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, records: Iterable[Record]) -> None:
        """Keep objects, and a bucket for each that has none yet."""
        with self._database:
            for record in records:
                self._rows.add(record)

    # Reading

    def search(self, search: Search) -> Page:
        """A stretch of the objects that a search finds."""
        found = self._objects.find(search)
        kept = self._rows.numbered([item for item in found.items if isinstance(item, int)])
        objects = [kept[item] if isinstance(item, int) else record_of(item, search.region) for item in found.items]
        return Page(objects, found.more)

    def get(self, region: str, object_id: str) -> Record | None:
        """One object by its id."""
        kept = self._rows.records("id = ? AND region = ?", (object_id, region))
        if kept:
            return next(iter(kept.values()))
        call = self._call(region, object_id, "id")
        return record_of(call, region) if call else None

    def search_buckets(self, search: Search) -> BucketPage:
        """A stretch of the buckets that a search finds."""
        found = self._buckets.find(search)
        buckets = [
            self._rows.bucket("n = ?", (item,))
            if isinstance(item, int)
            else Bucket.around(record_of(item, search.region))
            for item in found.items
        ]
        return BucketPage([bucket for bucket in buckets if bucket], found.more)

    def bucket(self, region: str, bucket_id: str) -> Bucket | None:
        """One bucket by its id, with its objects."""
        kept = self._rows.bucket("id = ? AND region = ?", (bucket_id, region))
        if kept:
            return kept
        call = self._call(region, bucket_id, "bucketId")
        return Bucket.around(record_of(call, region)) if call else None

    def tag_keys(self) -> frozenset[str]:
        """Every tag that some object has."""
        return frozenset(key for (key,) in self._database.rows("SELECT DISTINCT key FROM object_tag"))

    # Changing

    def set_state(self, record: Record, state: str, now: int) -> None:
        """Change the state of an object; what was still to become of it no longer will."""
        with self._database as database:
            n = self._number(record)
            database.run("UPDATE object SET objectState = ?, updatedTime = ? WHERE n = ?", (state, now, n))
            database.run("DELETE FROM event WHERE n = ?", (n,))

    def plan(self, record: Record, at: int, state: str) -> None:
        """Let an object change its state at a moment in epoch milliseconds."""
        with self._database as database:
            database.run("INSERT INTO event VALUES (?, ?, ?)", (at, self._number(record), state))

    def forget_plans(self, record: Record) -> None:
        """Nothing more will become of an object by itself."""
        with self._database as database:
            database.run("DELETE FROM event WHERE n = ?", (self._number(record),))

    def planned(self, record: Record) -> bool:
        """Whether an object will change its state."""
        sql = "SELECT 1 FROM event JOIN object USING (n) WHERE id = ? AND region = ?"
        return bool(self._database.rows(sql, (record.id, record.region)))

    def settle(self, now: int) -> None:
        """Let happen what was planned for until now."""
        if not self._database.rows("SELECT 1 FROM event WHERE at <= ? LIMIT 1", (now,)):
            return
        with self._database as database:
            for at, n, state in database.rows("SELECT at, n, state FROM event WHERE at <= ? ORDER BY at", (now,)):
                database.run("UPDATE object SET objectState = ?, updatedTime = ? WHERE n = ?", (state, at, n))
            database.run("DELETE FROM event WHERE at <= ?", (now,))

    def _call(self, region: str, uuid: str, field: str) -> Call | None:
        created = created_of(uuid)
        if created is None or region != GENERATED_REGION:
            return None
        rows = self._database.rows(f"SELECT {COLUMNS} FROM generated WHERE created = ?", (created,))
        call = Call(*rows[0]) if rows else None
        return call if call and value_of(call, field) == uuid else None

    def _number(self, record: Record) -> int:
        """The number of the row of an object; a call that is to be changed becomes a row of its own first."""
        n = self._rows.number(record)
        if n is None:
            self._database.run("DELETE FROM generated WHERE created = ?", (record.created,))
            n = self._rows.add(record)
        return n
