"""Objects and buckets as rows of the database."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cloudstore_tui.sandbox.eightbyeight import stored
from cloudstore_tui.sandbox.eightbyeight.body import Body
from cloudstore_tui.sandbox.eightbyeight.bucket import Bucket
from cloudstore_tui.sandbox.eightbyeight.condition import Value
from cloudstore_tui.sandbox.eightbyeight.database import Database, Row
from cloudstore_tui.sandbox.eightbyeight.record import Record

_BODY = ("sound", "data", "zeros", "part")
_OBJECT = ", ".join(("n", "region", *_BODY, *stored.FIELDS["object"]))
_BUCKET = ", ".join(("n", "region", *stored.FIELDS["bucket"]))

Tags = tuple[tuple[str, str], ...]


class Rows:
    """Reads and adds rows of the tables `object` and `bucket`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def numbered(self, numbers: Collection[int]) -> dict[int, Record]:
        """Objects by the numbers of their rows."""
        return self.records("n IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),))

    def records(self, condition: str, values: Sequence[Value]) -> dict[int, Record]:
        """The objects that meet a condition, by the numbers of their rows."""
        rows = self._database.rows(f"SELECT {_OBJECT} FROM object WHERE {condition} ORDER BY n", values)
        tags = self._tags("object", [row[0] for row in rows])
        return {row[0]: _record(row, tags.get(row[0], ())) for row in rows}

    def number(self, record: Record) -> int | None:
        """The number of an object's row, `None` if it has none."""
        sql = "SELECT n FROM object WHERE id = ? AND region = ?"
        rows = self._database.rows(sql, (record.id, record.region))
        return int(rows[0][0]) if rows else None

    def bucket(self, condition: str, values: Sequence[Value]) -> Bucket | None:
        """The bucket that meets a condition, with all its objects."""
        rows = self._database.rows(f"SELECT {_BUCKET} FROM bucket WHERE {condition}", values)
        if not rows:
            return None
        n, region, *fields = rows[0]
        objects = self.records("bucketId = ? AND region = ?", (fields[0], region))
        tags = self._tags("bucket", [n]).get(n, ())
        return replace(Bucket(*fields), tags=tags, objects=tuple(objects.values()))

    def add(self, record: Record) -> int:
        """Keep an object, and a bucket around it if it has none; the number of its row."""
        body = record.body
        fields = {**record.fields(), "sound": body.sound, "data": body.data, "zeros": body.zeros, "part": body.part}
        n = self._insert("object", record.region, fields, record.tags)
        found = self._database.rows(
            "SELECT 1 FROM bucket WHERE id = ? AND region = ?", (record.bucket_id, record.region)
        )
        if not found:
            bucket = Bucket.around(record)
            self._insert("bucket", record.region, bucket.fields(), bucket.tags)
        return n

    def _insert(self, table: str, region: str, fields: Mapping[str, Value | bytes], tags: Tags) -> int:
        marks = ", ".join("?" * (len(fields) + 1))
        sql = f"INSERT INTO {table}(region, {', '.join(fields)}) VALUES ({marks})"
        n = self._database.run(sql, (region, *fields.values()))
        rows = [(n, position, key, value) for position, (key, value) in enumerate(tags)]
        self._database.run_many(f"INSERT INTO {table}_tag VALUES (?, ?, ?, ?)", rows)
        return n

    def _tags(self, table: str, numbers: list[int]) -> dict[int, Tags]:
        sql = f"SELECT n, key, value FROM {table}_tag WHERE n IN (SELECT value FROM json_each(?)) ORDER BY n, position"
        found: dict[int, Tags] = {}
        for n, key, value in self._database.rows(sql, (json.dumps(numbers),)):
            found[n] = (*found.get(n, ()), (key, value))
        return found


def _record(row: Row, tags: Tags) -> Record:
    _n, region, sound, data, zeros, part, *values = row
    fields = dict(zip(stored.FIELDS["object"], values, strict=True))
    return Record(
        id=fields["id"],
        region=region,
        type=fields["type"],
        mime=fields["mimeType"],
        name=fields["objectName"],
        customer_id=fields["customerId"],
        user_id=fields["userId"],
        bucket_id=fields["bucketId"],
        created=fields["createdTime"],
        updated=fields["updatedTime"],
        body=Body(sound, data, zeros, part),
        tags=tags,
        state=fields["objectState"],
        checksum=fields["checksum"],
        checksum_type=fields["checksumType"],
        size=fields["storedBytes"],
    )
