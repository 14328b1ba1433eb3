"""Entries as JSON text, and the SQL expressions that take values from it to sort by."""

import json
import re
from typing import Final

import msgspec

from cloudstore_tui.core.models import Column, ColumnKind, Entry, Folder, StoredObject
from cloudstore_tui.core.text import unaccented

_FIELDS: Final = frozenset(StoredObject.__struct_fields__) - {"location", "size_exact", "tags"}
_TIMES: Final = frozenset({"modified", "created", "updated"})
_NUMBERS: Final = frozenset({ColumnKind.SIZE, ColumnKind.DURATION})

_NUMBER: Final = re.compile(r"[0-9]+")
_DIGITS: Final = 20
"""Digits to which numbers in names are padded for sorting."""

_encoder = msgspec.json.Encoder()
_objects = msgspec.json.Decoder(StoredObject)
_folders = msgspec.json.Decoder(Folder)


def encode(entry: Entry) -> str:
    """An entry as JSON."""
    try:
        return _encoder.encode(entry).decode()
    except (UnicodeEncodeError, OverflowError):
        # An unpaired surrogate, or a number beyond 64 bits: JSON allows both, so a service may send them.
        return json.dumps(msgspec.to_builtins(entry))


def decode(text: str, *, is_folder: bool) -> Entry:
    """The inverse of `encode`."""
    try:
        return _folders.decode(text) if is_folder else _objects.decode(text)
    except msgspec.DecodeError:
        kind: type[Folder] | type[StoredObject] = Folder if is_folder else StoredObject
        return msgspec.convert(json.loads(text), kind)


def search_text(entry: Entry) -> str:
    """What a filter searches: name and tag values, normalized, one per line."""
    if isinstance(entry, Folder) or not entry.tags:
        return normalized(entry.name)
    return normalized("\n".join([entry.name, *[value for _, value in entry.tags]]))


def normalized(text: str) -> str:
    """A text without capitals and accents."""
    return text.lower() if text.isascii() else _storable(unaccented(text))


def sort_key(column: Column) -> tuple[str, tuple[str, ...]]:
    """The same as `column_value`, but with types by their labels, so that a list is in the order that is seen."""
    value, arguments = column_value(column)
    return (f"type_label({value})" if column.name == "type" else value), arguments


def column_value(column: Column) -> tuple[str, tuple[str, ...]]:
    """An SQL expression over `body` that sorts like the column's values, with its arguments; NULL if unknown."""
    if column.retention is not None:
        # By age alone, although some types may have a retention of their own.
        return "julianday(coalesce(json_extract(body, '$.created'), json_extract(body, '$.modified')))", ()
    if column.name in _TIMES:
        # Instants, not texts: offsets differ. Exact to the millisecond, as the services are.
        return f"julianday(json_extract(body, '$.{column.name}'))", ()
    if column.name == "name":
        return "natural_key(CAST(json_extract(body, '$.name') AS BLOB))", ()
    if column.name in _FIELDS:
        return f"nullif(json_extract(body, '$.{column.name}'), '')", ()
    pairs = "json_each(body, '$.tags') WHERE json_extract(value, '$[0]') = ? LIMIT 1"
    value = f"nullif((SELECT json_extract(value, '$[1]') FROM {pairs}), '')"
    names = (column.name, *column.fallback_tags)
    found = f"coalesce({', '.join([value] * len(names))})" if column.fallback_tags else value
    return (f"CAST({found} AS REAL)" if column.kind in _NUMBERS else found), tuple(map(_storable, names))


def natural_key(name: str) -> str:
    """The sort key of a name: numbers by value, and prefixes first."""
    return _NUMBER.sub(lambda found: found[0].lstrip("0").rjust(_DIGITS, "0"), name.rstrip("/").casefold())


def natural_key_of(name: bytes | None) -> bytes | None:
    """The same for SQL, in bytes, since an unpaired surrogate is not text there; NULL without a name."""
    return natural_key(name.decode("utf-8", "surrogatepass")).encode("utf-8", "surrogatepass") if name else None


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
