"""One bucket: what groups the objects of one interaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudstore_tui.sandbox.eightbyeight.record import Record, iso


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket with its objects."""

    id: str
    name: str
    customer_id: str
    user_id: str
    created: int
    """Epoch milliseconds, as `updated`."""
    updated: int
    tags: tuple[tuple[str, str], ...] = ()
    objects: tuple[Record, ...] = ()

    @classmethod
    def around(cls, record: Record) -> "Bucket":
        """The bucket that holds an object and nothing else yet."""
        name = record.tag("callId") or record.name
        tags = tuple((key, value) for key in ("callId", "tenantId") if (value := record.tag(key)))
        fields = (record.bucket_id, name, record.customer_id, record.user_id, record.created, record.updated)
        return cls(*fields, tags=tags, objects=(record,))

    def fields(self) -> Mapping[str, str | int]:
        """The fields by the names that filters use, times in epoch milliseconds."""
        return {
            "id": self.id,
            "name": self.name,
            "customerId": self.customer_id,
            "userId": self.user_id,
            "createdTime": self.created,
            "updatedTime": self.updated,
        }

    def as_json(self) -> dict[str, Any]:
        """The bucket as the service prints it: its own id is called `bucketId` there."""
        shown: dict[str, Any] = {key: value for key, value in self.fields().items() if key != "id"}
        times = {"createdTime": iso(self.created), "updatedTime": iso(self.updated)}
        tags = [{"key": key, "value": value} for key, value in self.tags]
        objects = [record.as_json() for record in self.objects]
        return {"bucketId": self.id, **shown, **times, "tags": tags, "objectList": objects}
