"""One transfer as the journal keeps it. No address of bytes, no header and no secret is ever part of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, Request, UploadRequest, ZipRequest

Row = Mapping[str, Any]

_KINDS: dict[type[Request], str] = {DownloadRequest: "download", UploadRequest: "upload", ZipRequest: "zip"}
_ENTRY_FIELDS = ("name", "id", "type", "mime", "size", "size_exact", "modified", "state", "checksum", "checksum_type")


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A transfer as an earlier run, or another program, left it."""

    id: int
    writer: str
    """The program it belongs to."""
    request: Request
    part_id: str = ""
    """The same for the same object and file."""
    part: str = ""
    """Name of its part file, in the folder of the request."""
    inode: int = 0
    """Of the part file: another file of that name is not it."""
    durable: int = 0
    """Bytes that are known to be on the disk."""
    size: int | None = None
    etag: str = ""
    zip: str = ""
    """The name of its zip job on the server."""
    intent: float = 0.0
    """When a request that changes something on the server was about to be sent; 0 for never."""
    state: str = ""
    reason: str = ""
    code: int = 0
    """The exit code that goes with the reason."""
    created: float = 0.0
    updated: float = 0.0


def columns_of(request: Request) -> dict[str, object]:
    """The part of a row that says what is wanted, without the members of a zip."""
    location = request.location
    row: dict[str, object] = {
        "kind": _KINDS[type(request)],
        "profile": location.profile,
        "region": location.region,
        "path": _stored(location.path),
    }
    if isinstance(request, UploadRequest):
        return row | {"folder": _stored(str(request.path.absolute())), "overwrite": int(request.overwrite)}
    row["folder"] = _stored(str(request.folder.absolute()))
    if isinstance(request, ZipRequest):
        return row | {"name": _stored(request.keep), "zip": request.job}
    return row | {
        "name": _stored(request.name),
        "on_conflict": request.on_conflict.value,
        "entry": _encoded(request.entry),
        "sha256": int(request.sha256),
    }


def request_of(row: Row, members: tuple[DownloadRequest, ...] = ()) -> Request:
    """What was wanted."""
    location = Location(row["profile"], row["region"], _text(row["path"]))
    folder = Path(_text(row["folder"]))
    if row["kind"] == "upload":
        return UploadRequest(folder, location, bool(row["overwrite"]))
    if row["kind"] == "zip":
        return ZipRequest(members, location, folder, row["zip"] if not members else "", _text(row["name"]))
    return DownloadRequest(
        location,
        folder,
        _text(row["name"]),
        OnConflict(row["on_conflict"]),
        _decoded(row["entry"], location),
        bool(row["sha256"]),
    )


def record_of(row: Row, members: tuple[DownloadRequest, ...] = ()) -> JournalRow:
    """A row as a record."""
    plain = {name: row[name] for name in JournalRow.__dataclass_fields__ if name != "request"}
    return JournalRow(request=request_of(row, members), **plain)


def _encoded(entry: StoredObject | None) -> str:
    if entry is None:
        return ""
    return json.dumps({name: msgspec.to_builtins(getattr(entry, name)) for name in _ENTRY_FIELDS})


def _decoded(text: str, location: Location) -> StoredObject | None:
    if not text:
        return None
    return msgspec.convert({"location": msgspec.to_builtins(location), **json.loads(text)}, StoredObject)


def _stored(text: str) -> str | bytes:
    """A text as SQLite takes it: names of files can hold bytes that are no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _text(value: str | bytes) -> str:
    """What was stored."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")
