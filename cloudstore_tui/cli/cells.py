"""The columns of an export: fields by the names of the JSON contract, and tags."""

import json
from collections.abc import Mapping
from datetime import datetime

from cloudstore_tui.cli.output import entry_record, iso
from cloudstore_tui.core.entry import Entry
from cloudstore_tui.core.errors import UsageError

TIMES = ("modified", "created", "updated")
FIELDS = (
    *("path", "profile", "provider", "region", "id", "key", "name", "type", "mime", "size", "size_exact", *TIMES),
    *("state", "checksum", "checksum_type", "bucket_id", "tags"),
)
"""Every field, and the path that other commands take; any other name is that of a tag."""
USUAL = ("region", "id", "type", "name", "size", "created", "state", "tags")
"""What an export has when nobody asks for columns."""


def columns_of(text: str) -> tuple[str, ...]:
    """The names in `a,b`.

    Raises:
        UsageError: a name is empty, or twice in it.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        hint = f"Write them like {','.join(USUAL[:5])},agentName."
        raise UsageError(
            "columns are different names with a comma between them", subject=f"--columns {text}", hint=hint
        )
    return names


def row_of(entry: Entry, provider: str, columns: tuple[str, ...]) -> dict[str, object]:
    """What an entry has in these columns; what is unknown is absent."""
    record = entry_record(entry, provider) | {"path": entry.location.address}
    tags = record.get("tags", {})
    assert isinstance(tags, dict)
    values = {name: record.get(name) if name in FIELDS else tags.get(name) for name in columns}
    return {name: value for name, value in values.items() if value is not None}


def text_of(value: object) -> str:
    """One value as text: times as ISO 8601 with zone, tags as JSON."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
