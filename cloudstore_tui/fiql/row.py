"""An object as a row that filters can be put to."""

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.evaluator import Row
from cloudstore_tui.fiql.fields import CONTENT_FIELDS
from cloudstore_tui.fiql.times import epoch_ms


def row_of(entry: StoredObject) -> Row:
    """The fields and tags of an object by the names that filters use.

    Fields that the service did not tell are missing. Of a tag that comes twice the first counts, and a tag never
    hides a field. Times are as exact as the reply was, which may be whole seconds.
    """
    fields: dict[str, str | int | None] = {
        "id": entry.id,
        "bucketId": entry.bucket_id,
        "customerId": entry.customer_id,
        "userId": entry.user_id,
        "type": entry.type,
        "mimeType": entry.mime,
        "objectName": entry.name,
        "objectState": entry.state,
        "createdTime": epoch_ms(entry.created) if entry.created else None,
        "updatedTime": epoch_ms(entry.updated) if entry.updated else None,
        "storedBytes": entry.size,
        "checksum": entry.checksum,
        "checksumType": entry.checksum_type,
    }
    tags = {key: value for key, value in reversed(entry.tags) if key not in CONTENT_FIELDS}
    return tags | {name: value for name, value in fields.items() if value is not None and value != ""}
