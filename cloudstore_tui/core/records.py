"""Entries as other programs read them: the fields of the JSON contract, and rows of CSV."""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

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


LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which JSON can carry and UTF-8 cannot."""


def json_text(value: object, *, compact: bool = False) -> str:
    """A value as JSON that UTF-8 can encode: a lone surrogate, which a service may send, becomes its escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else None)
    return LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object in a text; `None` if it holds anything else, such as a damaged file."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


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


_NUMBER = r"(?:-[0-9]+(?:\.[0-9]+)?|\+[0-9]{7,15})"
_FORMULA = re.compile(
    rf"""
    # A spreadsheet may start a cell after each of these. A number, or a phone number, stays as it is where
    # every reader that starts a cell there ends it after the number.
    (   ^       (?! {_NUMBER} [\r\n]* \Z )
    |   ;       (?! {_NUMBER} (?:[;\r\n]|\Z) )
    |   \t      (?! {_NUMBER} (?:[\t\r\n]|\Z) )
    |   [\r\n]  (?! {_NUMBER} (?:[\r\n]|\Z) )
    )
    # What a formula begins with, also in full-width forms, also after blanks and empty quotes.
    (?=[\s"]*[=+\-@|%\uFF1D\uFF0B\uFF0D\uFF20])
    """,
    re.VERBOSE,
)
_NEEDS_QUOTES = re.compile(r"""[",;\t\r\n\x00\v\f\x1c-\x1e\x85\u2028\u2029]|\A\s|\s\Z""")


def csv_row(cells: Iterable[str]) -> str:
    """One row without its line end: quoted where a reader could see the end of a cell or row, formulas disarmed."""
    return ",".join(_quoted(without_formula(cell)) for cell in cells)


def without_formula(text: str) -> str:
    """The text with a `'` before anything that a spreadsheet would run, wherever it might start a cell."""
    return _FORMULA.sub(r"\1'", text)


def _quoted(text: str) -> str:
    if not _NEEDS_QUOTES.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
