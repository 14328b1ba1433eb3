"""An entry as names and values of the JSON contract."""

import json
import re
from datetime import datetime

from cloudstore_tui.core.models import Entry, Folder, StoredObject


def entry_record(entry: Entry, provider: str) -> dict[str, object]:
    """One entry with the field names of the JSON contract; what is unknown is absent."""
    record: dict[str, object] = {
        "profile": entry.location.profile,
        "provider": provider,
        "region": entry.location.region,
        "name": entry.name,
    }
    if isinstance(entry, Folder):
        record |= {"key": entry.location.path, "type": "folder", "modified": iso(entry.modified)}
    else:
        record |= _object_fields(entry)
    return {name: value for name, value in record.items() if value not in ("", None, {})}


def iso(moment: datetime | None) -> str:
    """A time as ISO 8601 with zone, empty if unknown."""
    return moment.isoformat() if moment else ""


_LONE_HALF = re.compile("[\ud800-\udfff]")


def json_text(value: object, *, compact: bool = False) -> str:
    """A value as JSON that UTF-8 can hold: half a surrogate pair, which a service may send, becomes its escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else None)
    return _LONE_HALF.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _object_fields(entry: StoredObject) -> dict[str, object]:
    tags: dict[str, str] = {}
    for key, value in entry.tags:
        tags.setdefault(key, value)
    return {
        "id": entry.id,
        "key": "" if entry.id else entry.location.path,
        "type": entry.type,
        "mime": entry.mime,
        "size": entry.size,
        "size_exact": entry.size_exact if entry.size is not None else None,
        "modified": iso(entry.modified),
        "created": iso(entry.created),
        "updated": iso(entry.updated),
        "state": entry.state,
        "checksum": entry.checksum,
        "checksum_type": entry.checksum_type,
        "bucket_id": entry.bucket_id,
        "tags": tags,
    }
