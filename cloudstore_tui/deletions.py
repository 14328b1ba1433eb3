"""Deletions with an append-only log that is written before anything is sent."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cloudstore_tui.core.errors import LocalDiskError, StorageError, UnavailableError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Deletion, DeletionOutcome, StorageProvider
from cloudstore_tui.core.records import entry_record, json_object, json_text
from cloudstore_tui.fs.disk import user_name

FILE = "deletions.jsonl"
"""Its name in the state folder."""
UNKNOWN = "unknown: check"
"""The outcome if the program died before it could log one."""

_KEPT = ("id", "key", "name", "type", "size", "size_exact", "checksum", "checksum_type", "created", "modified")


class Deleted(msgspec.Struct, frozen=True):
    """One logged deletion."""

    fields: Mapping[str, object]
    """User, time, and the object with its size and checksum, as logged before the request."""
    outcome: str
    settled: str = ""
    """When the outcome was logged; empty if it was not."""
    reason: str = ""

    def text(self, name: str) -> str:
        """A field as text; empty if absent."""
        return str(self.fields.get(name, ""))

    @property
    def record(self) -> dict[str, object]:
        """All fields, for JSON."""
        known: dict[str, object] = {"outcome": self.outcome, "settled": self.settled, "reason": self.reason}
        return {**self.fields, **{name: value for name, value in known.items() if value}}


class DeletionLog:
    """One line for each object before it is deleted, and one for the outcome. Several programs may append to it."""

    def __init__(self, path: Path | None = None) -> None:
        """Append to a file; without one nothing is logged."""
        self._path = path

    def begin(self, profile: Profile, objects: Sequence[StoredObject]) -> str:
        """Log the objects that are about to be deleted, synced to the disk.

        Returns:
            An id for `end`.

        Raises:
            LocalDiskError: the log cannot be written, so nothing may be deleted.
        """
        batch = secrets.token_hex(8)
        who = {"user": user_name(), "profile": profile.name, "client_id": profile.text("client_id")}
        lines = [
            {"event": "begin", **_head(batch, entry.location.address), **who, **_facts(entry)} for entry in objects
        ]
        self._write(lines, "Nothing is deleted that cannot be logged first.")
        return batch

    def end(self, batch: str, deletions: Iterable[Deletion]) -> None:
        """Log the outcomes.

        Raises:
            LocalDiskError: the log cannot be written; the objects are deleted all the same.
        """
        lines = [
            {"event": "end", **_head(batch, one.location.address), "outcome": one.outcome.value}
            | ({"reason": one.error.message} if one.error else {})
            for one in deletions
        ]
        self._write(lines, "What was deleted before this stays deleted, and its outcome is not in the log.")

    def read(self, damaged: Callable[[int], None] = lambda _number: None) -> tuple[Deleted, ...]:
        """All logged deletions, oldest first; `damaged` gets the numbers of lines that cannot be read.

        Raises:
            LocalDiskError: the log cannot be read.
        """
        begun: dict[tuple[str, str], dict[str, object]] = {}
        ended: dict[tuple[str, str], dict[str, object]] = {}
        for number, line in enumerate(self._lines(), 1):
            record = json_object(line) or {}
            event = record.pop("event", None)
            key = (str(record.pop("batch", "")), str(record.get("path", "")))
            if event in ("begin", "end") and isinstance(record.get("path"), str):
                (begun if event == "begin" else ended)[key] = record
            elif line:
                damaged(number)
        return tuple(_joined(fields, ended.get(key)) for key, fields in begun.items())

    def _lines(self) -> list[bytes]:
        if self._path is None:
            return []
        try:
            return self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._refused("read", error) from None

    def _write(self, records: Iterable[Mapping[str, object]], hint: str) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            file = os.open(self._path, flags, 0o600)
            try:
                if _ends_in_half_a_line(file):
                    os.write(file, b"\n")
                for record in records:
                    line = json_text(record).encode() + b"\n"
                    if os.write(file, line) < len(line):
                        raise OSError(None, "the disk is full")
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise self._refused("written", error, hint) from None

    def _refused(self, what: str, error: OSError, hint: str = "") -> LocalDiskError:
        message = f"the log of deletions cannot be {what}: {(error.strerror or 'unknown').lower()}"
        return LocalDiskError(message, subject=str(self._path), hint=hint)


def _joined(fields: dict[str, object], end: dict[str, object] | None) -> Deleted:
    if end is None:
        return Deleted(fields, UNKNOWN)
    return Deleted(fields, str(end.get("outcome", UNKNOWN)), str(end.get("at", "")), str(end.get("reason", "")))


def _head(batch: str, path: str) -> dict[str, object]:
    return {"batch": batch, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), "path": path}


def _facts(entry: StoredObject) -> dict[str, object]:
    record = entry_record(entry, "")
    return {name: record[name] for name in _KEPT if name in record}


def _ends_in_half_a_line(file: int) -> bool:
    """Whether the last line is incomplete: its writer died, or the disk was full."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


TYPED_ABOVE = 1
"""To delete more objects than this, the user has to type their number."""
BATCH = 100
"""Objects logged and deleted together; a program that dies leaves at most these in doubt."""


async def delete_logged(
    log: DeletionLog,
    provider: StorageProvider,
    objects: Sequence[StoredObject],
    objection: Callable[[StoredObject], StorageError | None] = lambda _entry: None,
    settled: Callable[[Sequence[Deletion]], None] = lambda _some: None,
) -> tuple[Deletion, ...]:
    """Delete objects; returns the outcome of each, in the same order.

    Every object is logged before the request, and again with its outcome.

    Args:
        log: the log of deletions.
        provider: of the objects.
        objects: the objects to delete.
        objection: called for each object right before the request; an error keeps the object. May block briefly.
        settled: called with the outcomes of each batch as soon as they are known.

    Raises:
        LocalDiskError: the log cannot be written, so nothing was deleted.
    """
    done: list[Deletion] = []
    for first in range(0, len(objects), BATCH):
        some = objects[first : first + BATCH]
        try:
            batch = await asyncio.to_thread(log.begin, provider.profile, some)
        except StorageError as error:
            if not done:
                raise
            left = [Deletion(entry.location, DeletionOutcome.KEPT, error) for entry in objects[first:]]
            settled(left)
            done += left
            break
        outcomes = await _settled(log, batch, provider, some, objection)
        settled(outcomes)
        done += outcomes
    return tuple(done)


async def _settled(
    log: DeletionLog,
    batch: str,
    provider: StorageProvider,
    objects: Sequence[StoredObject],
    objection: Callable[[StoredObject], StorageError | None],
) -> list[Deletion]:
    kept = {entry.location: error for entry in objects if (error := objection(entry)) is not None}
    sent = [entry.location for entry in objects if entry.location not in kept]
    try:
        outcomes = {one.location: one for one in await provider.delete(sent)} if sent else {}
    except UnavailableError as error:
        outcomes = {location: Deletion(location, DeletionOutcome.UNKNOWN, error) for location in sent}
    except StorageError as error:
        # A provider returns an outcome for each object; if it raises, it has sent nothing.
        outcomes = {location: Deletion(location, DeletionOutcome.KEPT, error) for location in sent}
    outcomes |= {location: Deletion(location, DeletionOutcome.KEPT, error) for location, error in kept.items()}
    done = [outcomes[entry.location] for entry in objects]
    try:
        await asyncio.to_thread(log.end, batch, done)
    except StorageError as error:
        done = [Deletion(one.location, one.outcome, one.error or error) for one in done]
    return done
