"""Which values of an object other objects of the same call have, too."""

from collections.abc import Iterator

from cloudstore_tui.core.models import Location, StoredObject

SHARED = ("callId", "originalCallId", "transactionId", "sourceId", "sourceObjectId")
"""Tags whose value other objects of the same call have, too."""

SOURCES = ("sourceId", "sourceObjectId")
"""Tags that hold the id of the object that this one was made of."""

NAMED_BY = ("callId", "bucketId", "sourceId", "sourceObjectId", "originalCallId", "transactionId", "id")
"""Fields and tags that can hold what a user names a call by."""

_NOTHING = frozenset({"", "0", "-1"})
"""Values that stand for an unknown one: they would join everything."""


def terms_of(entry: StoredObject) -> Iterator[tuple[str, str]]:
    """The fields and tags, with their values, that objects of the same call have; each pair may come twice.

    A transcript names the recording it was made of, and a voicemail the call that led to it: both ways are given.
    """
    told = [("bucketId", entry.bucket_id)]
    told += [(key, entry.tag(key)) for key in SHARED]
    told += [("id", entry.tag(key)) for key in SOURCES]
    told += [(key, entry.id) for key in SOURCES]
    told += [("originalCallId", entry.tag("callId")), ("callId", entry.tag("originalCallId"))]
    return ((key, value) for key, value in told if value not in _NOTHING)


def stand_in(where: Location, key: str) -> StoredObject:
    """An object of which only one value is known, in every field that can join it to a call."""
    tags = tuple((name, key) for name in SHARED)
    return StoredObject(where, "", id=key, bucket_id=key, tags=tags)
