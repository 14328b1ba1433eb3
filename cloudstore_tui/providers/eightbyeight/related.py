"""Which objects belong to the same call."""

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.query import Query
from cloudstore_tui.fiql import compare
from cloudstore_tui.providers.eightbyeight.places import OLDEST_FIRST, region_of

_SHARED = ("callId", "originalCallId", "transactionId", "sourceId", "sourceObjectId")
"""Tags whose value other objects of the same call have, too."""
_SOURCES = ("sourceId", "sourceObjectId")
"""Tags that hold the id of the object that this one was made of."""


def related_query(entry: StoredObject) -> Query:
    """The query for everything in the region that shares a call, bucket or source with an object.

    A transcript names the recording it was made of, and a voicemail the call that led to it: both ways are searched.
    """
    terms = [("bucketId", entry.bucket_id)]
    terms += [(key, entry.tag(key)) for key in _SHARED]
    terms += [("id", entry.tag(key)) for key in _SOURCES]
    terms += [(key, entry.id) for key in _SOURCES]
    terms += [("originalCallId", entry.tag("callId")), ("callId", entry.tag("originalCallId"))]
    asked = dict.fromkeys(compare(key, "==", value) for key, value in terms if value)
    return Query(region_of(entry.location), ",".join(asked), OLDEST_FIRST)
