"""One object as the service stores it, and how it prints it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cloudstore_tui.sandbox.eightbyeight.body import Body

STATES = ("AVAILABLE", "PENDING", "ARCHIVED", "REVOKED", "DELETED", "FAILED")

_OLD_TYPES = frozenset({"calladditionalfields", "chattranscription", "cm-report", "statehistory", "tcltransactions"})
"""Types that the service has had longest: it still prints them by its first schema, with other kinds of values."""


@dataclass(frozen=True, slots=True)
class Record:
    """One object of one region."""

    id: str
    region: str
    type: str
    mime: str
    name: str
    customer_id: str
    user_id: str
    bucket_id: str
    created: int
    """Epoch milliseconds, as `updated`."""
    updated: int
    body: Body
    tags: tuple[tuple[str, str], ...] = ()
    """In order; a key may come twice."""
    state: str = "AVAILABLE"
    checksum: str = ""
    checksum_type: str = "MD5"
    size: int = field(default=0)
    """`storedBytes`."""

    def tag(self, key: str) -> str | None:
        """The first value of a tag."""
        return next((value for name, value in self.tags if name == key), None)

    def value(self, name: str) -> str | int | None:
        """The value of a content field or of a tag, by the name that filters use."""
        found = self.fields().get(name)
        return self.tag(name) if found is None else found

    def fields(self) -> Mapping[str, str | int]:
        """The content fields by the names that filters use, times in epoch milliseconds."""
        return {
            "id": self.id,
            "type": self.type,
            "mimeType": self.mime,
            "objectName": self.name,
            "checksumType": self.checksum_type,
            "checksum": self.checksum,
            "customerId": self.customer_id,
            "userId": self.user_id,
            "storedBytes": self.size,
            "createdTime": self.created,
            "updatedTime": self.updated,
            "objectState": self.state,
            "bucketId": self.bucket_id,
        }

    def as_json(self) -> dict[str, Any]:
        """The object as the service prints it: times without zone, tags as a list, numbers mostly as numbers."""
        old = self.type in _OLD_TYPES
        shown: dict[str, Any] = dict(self.fields())
        shown["createdTime"] = iso(self.created)
        shown["updatedTime"] = self.updated if old else iso(self.updated)
        shown["storedBytes"] = str(self.size) if old else self.size
        if not self.user_id:
            del shown["userId"]
        shown["tags"] = [
            {"id": f"{self.id[:8]}-{index}", "key": key, "value": value} if old else {"key": key, "value": value}
            for index, (key, value) in enumerate(self.tags)
        ]
        return shown if old else {**shown, "shared": False}


def iso(moment: int) -> str:
    """Epoch milliseconds as the service prints them: whole seconds, UTC, and no zone to say so."""
    return datetime.fromtimestamp(moment // 1000, UTC).isoformat()[:19]
