"""The fields and tags of an object by the names that filters and sorts use."""

import re

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql import epoch_ms
from cloudstore_tui.fiql.fields import ALIASES, CONTENT_FIELDS

_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,20})?")


def values_of(entry: StoredObject, name: str) -> tuple[str, ...]:
    """The values of a field or tag as the service has them; none where it is missing or blank."""
    name = ALIASES.get(name, name)
    if name not in CONTENT_FIELDS:
        return tuple(value for key, value in entry.tags if key == name and value)
    moments = {"createdTime": entry.created, "updatedTime": entry.updated}
    texts = {
        "id": entry.id,
        "bucketId": entry.bucket_id,
        "customerId": entry.customer_id,
        "userId": entry.user_id,
        "type": entry.type,
        "mimeType": entry.mime,
        "objectName": entry.name,
        "objectState": entry.state,
        "checksum": entry.checksum,
        "checksumType": entry.checksum_type,
        "storedBytes": "" if entry.size is None else str(entry.size),
        **{field: str(epoch_ms(moment)) for field, moment in moments.items() if moment},
    }
    value = texts.get(name, "")
    return (value,) if value else ()


def sort_key(entry: StoredObject, name: str) -> tuple[int, float, str]:
    """What the service sorts by: what is missing first, then numbers, then texts."""
    found = values_of(entry, name)
    if not found:
        return 0, 0.0, ""
    value = number(found[0])
    return (2, 0.0, found[0]) if value is None else (1, value, "")


def number(text: str) -> float | None:
    """A text as a number, if it is written as one."""
    return float(text) if _NUMBER.fullmatch(text) else None
