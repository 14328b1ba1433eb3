"""One transfer as the journal keeps it. No address of bytes, no header and no secret is ever part of it.

What is read may come from anywhere, so every value is checked; a row that makes no sense becomes one that says so.
"""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.text import plain
from cloudstore_tui.fs.names import is_segment
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    OnConflict,
    Request,
    State,
    TransferBatch,
    UploadRequest,
    ZipRequest,
)
from cloudstore_tui.transfers.part_file import LATEST, is_part_name

Row = Mapping[str, Any]

_KINDS: dict[type[Request], str] = {DownloadRequest: "download", UploadRequest: "upload", ZipRequest: "zip"}
_ENTRY_FIELDS = ("name", "id", "type", "mime", "size", "size_exact", "modified", "state", "checksum", "checksum_type")
_SHOWN = 120

_MOMENTS = ("created", "updated")


class JournalRow(msgspec.Struct, frozen=True):
    """A transfer as an earlier run, or another program, left it."""

    id: int
    writer: str
    """The program that it belongs to."""
    request: Request
    part_id: str = ""
    """The same for the same object and file."""
    part: str = ""
    """Name of its part file, in the folder of the request."""
    alone: str = ""
    """Another name that it may have, on a file system without locks."""
    inode: int = 0
    """That of the part file: another file of its name has another one."""
    durable: int = 0
    """Bytes that are known to be on the disk."""
    size: int | None = None
    etag: str = ""
    zip: str = ""
    """The name of its zip job on the server."""
    intent: float = 0.0
    """When a request that changes something on the server was about to be sent; 0 for never."""
    account: Mapping[str, str] = {}
    """The account of the profile then; empty if unknown."""
    file: tuple[int, ...] = ()
    """The file to upload: device, inode, size, time; empty if unknown."""
    state: State = State.QUEUED
    reason: str = ""
    code: int = 0
    """The exit code that goes with the reason."""
    created: float = 0.0
    updated: float = 0.0
    damage: str = ""
    """Why the row makes no sense, as a clause; empty if it does."""

    @property
    def error(self) -> StorageError | None:
        """Why it cannot be continued."""
        if not self.damage:
            return None
        return StorageError(
            f"its entry in the journal is damaged: {self.damage}",
            subject=self.request.location.address,
            hint=f"Take it off the list: cloudstore transfers cancel {self.id:010x}",
        )


def columns_of(request: Request) -> dict[str, object]:
    """The columns for a request, without the members of a zip."""
    location = request.location
    row: dict[str, object] = {
        "kind": _KINDS[type(request)],
        "profile": location.profile,
        "region": location.region,
        "path": _stored(location.path),
        "batch": _encoded_batch(request.batch) if request.batch is not None else "",
    }
    if isinstance(request, UploadRequest):
        return row | {"folder": _stored(str(request.path.absolute())), "overwrite": int(request.overwrite)}
    row["folder"] = _stored(str(request.folder.absolute()))
    if isinstance(request, ZipRequest):
        return row | {"name": _stored(request.keep), "zip": request.job}
    return row | {
        "root": _stored(str(request.root.absolute())) if request.root is not None else "",
        "name": _stored(request.name),
        "on_conflict": request.on_conflict.value,
        "entry": _encoded(request.entry),
        "sha256": int(request.sha256),
    }


def member_columns(number: int, position: int, member: DownloadRequest) -> dict[str, object]:
    """The columns for one object of a zip."""
    row = columns_of(member)
    wanted = ("path", "folder", "root", "name", "on_conflict", "sha256", "entry")
    return {"transfer": number, "position": position, **{name: row[name] for name in wanted}}


def read_row(row: Row, members: tuple[Row, ...] = ()) -> JournalRow:
    """Read a row, whatever is in it. Never fails."""
    try:
        return _read(row, members)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        return _damaged(row, plain(str(error), _SHOWN) or type(error).__name__)


def _read(row: Row, members: tuple[Row, ...]) -> JournalRow:
    part, alone = _text(row, "part"), _text(row, "alone")
    for name in (part, alone):
        if name and not is_part_name(name):
            raise ValueError(f"{name!r} is no name of a part file")
    return JournalRow(
        id=row["id"],
        writer=_text(row, "writer"),
        request=_request(row, members),
        part_id=_text(row, "part_id"),
        part=part,
        alone=alone,
        inode=_count(row, "inode"),
        durable=_count(row, "durable"),
        size=None if row["size"] is None else _count(row, "size"),
        etag=_text(row, "etag"),
        zip=_text(row, "zip"),
        intent=_moment(row, "intent"),
        account=msgspec.json.decode(_text(row, "account") or "{}", type=dict[str, str]),
        file=msgspec.json.decode(_text(row, "file") or "[]", type=tuple[int, ...]),
        state=State(_text(row, "state")),
        reason=_text(row, "reason"),
        code=_count(row, "code"),
        created=_moment(row, "created"),
        updated=_moment(row, "updated"),
    )


def _damaged(row: Row, why: str) -> JournalRow:
    """The parts of a row that make sense, to show it and to find its part file."""

    def text(name: str) -> str:
        value = row[name]
        return value if isinstance(value, str) else value.decode("utf-8", "replace") if isinstance(value, bytes) else ""

    folder = text("folder").replace("\0", "")
    names = [name if is_part_name(name) else "" for name in (text("part"), text("alone"))]
    request = DownloadRequest(
        Location(text("profile"), text("region"), text("path")), Path(folder if folder.startswith("/") else "/")
    )
    moments = [value if isinstance(value := row[name], float) and 0 <= value <= LATEST else 0.0 for name in _MOMENTS]
    return JournalRow(
        id=row["id"],
        writer=text("writer"),
        request=request,
        part=names[0] if request.folder != Path("/") else "",
        alone=names[1] if request.folder != Path("/") else "",
        inode=row["inode"] if isinstance(row["inode"], int) and row["inode"] > 0 else 0,
        state=State.FAILED,
        reason=f"damaged: {why}",
        created=moments[0],
        updated=moments[1],
        damage=why,
    )


def _request(row: Row, members: tuple[Row, ...]) -> Request:
    location = Location(_text(row, "profile"), _text(row, "region"), _text(row, "path"))
    folder, name, kind = _path(row, "folder"), _text(row, "name"), row["kind"]
    if kind == "upload":
        return UploadRequest(folder, location, bool(row["overwrite"]), _batch(row))
    if name and not is_segment(name):
        raise ValueError(f"{name!r} is no name for a file")
    if kind == "zip":
        shared = {"kind": "download", "profile": row["profile"], "region": row["region"]}
        wanted = tuple(_download({**shared, **member}) for member in members)
        return ZipRequest(wanted, location, folder, _text(row, "zip") if not wanted else "", name, _batch(row))
    if kind != "download":
        raise ValueError(f"{kind!r} is no kind of transfer")
    return _download(row)


def _download(row: Row) -> DownloadRequest:
    location = Location(_text(row, "profile"), _text(row, "region"), _text(row, "path"))
    folder, name = _path(row, "folder"), _text(row, "name")
    root = _path(row, "root") if row["root"] else None
    if name and not is_segment(name):
        raise ValueError(f"{name!r} is no name for a file")
    if root is not None and not folder.is_relative_to(root):
        raise ValueError("its folder lies outside the one that was chosen")
    on_conflict = OnConflict(_text(row, "on_conflict"))
    entry = _decoded(_text(row, "entry"), location)
    return DownloadRequest(location, folder, name, on_conflict, entry, bool(row["sha256"]), root, _batch(row))


def _batch(row: Row) -> TransferBatch | None:
    """The batch of a transfer; `None` if it makes no sense, since it is only shown."""
    try:
        return msgspec.convert(json.loads(_text(row, "batch")), TransferBatch) if row.get("batch") else None
    except (TypeError, ValueError, msgspec.MsgspecError):
        return None


def _text(row: Row, name: str) -> str:
    value = row[name]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogatepass")
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _path(row: Row, name: str) -> Path:
    text = _text(row, name)
    path = Path(text)
    if not path.is_absolute() or ".." in path.parts or "\0" in text:
        raise ValueError(f"{name} is no whole path")
    return path


def _count(row: Row, name: str) -> int:
    value = row[name]
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is no count")
    return value


def _moment(row: Row, name: str) -> float:
    value = row[name]
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= LATEST:
        raise ValueError(f"{name} is no time")
    return float(value)


@lru_cache(maxsize=1)
def _encoded_batch(batch: TransferBatch) -> str:
    """Encode a batch, which is the same for thousands of transfers in a row."""
    return json.dumps(msgspec.to_builtins(batch))


def _encoded(entry: StoredObject | None) -> str:
    if entry is None:
        return ""
    fields = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    try:
        return msgspec.json.encode(fields).decode()
    except UnicodeEncodeError:
        # An unpaired surrogate: JSON allows it, so a service may send it.
        return json.dumps(msgspec.to_builtins(fields))


def _decoded(text: str, location: Location) -> StoredObject | None:
    if not text:
        return None
    return msgspec.convert({"location": msgspec.to_builtins(location), **json.loads(text)}, StoredObject)


def _stored(text: str) -> str | bytes:
    """A text as SQLite accepts it: file names can hold bytes that are not text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text
