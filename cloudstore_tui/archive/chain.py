"""`events.jsonl`: the append-only history of a pulled folder, one event a line.

Each line holds the SHA-256 of the line before it, so no line can be changed, removed or inserted without breaking all
that follow. Events about objects carry their line of the manifest. The manifest is derived from them: it is written
after them and can be rebuilt from them. A run that is killed leaves a manifest that lacks at most its last lines, and
readers take those from the events.
"""

import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from cloudstore_tui import __version__
from cloudstore_tui.archive.manifest import (
    CHAIN,
    NAME,
    UNLISTED,
    ArchivePlace,
    ManifestEntry,
    is_superseded,
    last_line,
    opened,
    read_manifest,
    whole_lines,
)
from cloudstore_tui.core.records import json_object
from cloudstore_tui.fs.disk import Disk, os_errors_as, user_name
from cloudstore_tui.fs.whole_file import replaced

START = "0" * 64
"""Stands for the digest of the line before the first one."""
PULLED, SEALED = "pulled", "sealed"
"""After these events, the manifest has the lines of all earlier ones."""
CHANGED = "changed"
"""A verification found a file that is not as it should be."""
FETCHING = "fetching"
"""The paths that a pull is about to write. If it is killed, one of them may hold a file that has no line."""
_MAX_LINE = 1 << 23
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far clocks may differ between machines, or before and after one was set right."""
_BATCH = 1000
"""Lines per write."""

Event = Mapping[str, Any]


def kind_of(line: ManifestEntry) -> str:
    """The event that adds a line to the manifest."""
    if line.get("event") == UNLISTED:
        return UNLISTED
    if "superseded" in line:
        return "replaced"
    return "missing" if "error" in line else "fetched"


class Chain:
    """Appends to the events of a folder. Blocks; the caller holds the folder's lock."""

    def __init__(self, root: Path, disk: Disk | None = None, known: Iterable[ManifestEntry] = ()) -> None:
        """Open them for appending; an incomplete last line is cut off.

        Args:
            root: the folder.
            disk: the file calls.
            known: the lines of a manifest that is older than the events; new events begin with all of them.
        """
        self.path = root / CHAIN
        self._disk = disk or Disk()
        self._by = f"{user_name()}@{socket.gethostname()}"
        self.head = START
        """The digest of the last line."""
        self.length = 0
        """The number of lines."""
        with os_errors_as(self.path):
            folder = self._disk.open_folder(root)
            try:
                self._open(folder, known)
            finally:
                self._disk.close(folder)

    def _open(self, folder: int, known: Iterable[ManifestEntry]) -> None:
        found = self._disk.lstat(CHAIN, folder)
        is_new = found is None or found.st_size == 0
        if is_new:
            with replaced(self._disk, CHAIN, folder) as self._file:
                while some := list(islice(known, _BATCH)):
                    self.append(("adopted", {"line": line}) for line in some)
        self._file = self._disk.open(CHAIN, os.O_RDWR | os.O_CREAT | os.O_APPEND, folder)
        if is_new:
            return
        end = whole_lines(self._disk, self._file)
        self._disk.truncate(self._file, end)
        if last := last_line(self._disk, self._file, end):
            number = (json_object(last) or {}).get("n")
            self.head = hashlib.sha256(last).hexdigest()
            self.length = number if isinstance(number, int) else 0

    def append(self, events: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Write events (kind and fields). They survive a crash of the program, and after `sync` a power cut."""
        now, lines = datetime.now(UTC).isoformat(), []
        head, length = self.head, self.length
        for kind, facts in events:
            length += 1
            event = {
                "n": length,
                "at": now,
                "event": kind,
                "by": self._by,
                "version": __version__,
                **facts,
                "prev": head,
            }
            text = json.dumps(event).encode()
            head = hashlib.sha256(text).hexdigest()
            lines.append(text + b"\n")
        with os_errors_as(self.path):
            self._disk.write_all(self._file, b"".join(lines))
        self.head, self.length = head, length

    def sync(self) -> None:
        """Sync all events to the disk."""
        with os_errors_as(self.path):
            self._disk.sync(self._file)

    def close(self) -> None:
        """Sync them and close the file."""
        try:
            self.sync()
        finally:
            self._disk.close(self._file)


def open_chain(place: ArchivePlace, disk: Disk | None = None) -> Chain:
    """The events of a folder, open for appending; new ones begin with the lines of its manifest."""
    manifest = place.payload / NAME
    return Chain(place.root, disk, read_manifest(manifest) if manifest.exists() else ())


class Break(msgspec.Struct, frozen=True):
    """Where a chain is broken."""

    number: int
    """The line in the file; 0 for the whole file."""
    why: str
    is_clock: bool = False
    """Whether only the machine's clock was wrong."""


class Link(msgspec.Struct, frozen=True):
    """One readable line of a chain."""

    number: int
    digest: str
    event: Event


def read_chain(path: Path, broken: Callable[[Break], None] = lambda _found: None) -> Iterator[Link]:
    """The events in order; `broken` is called wherever one does not follow from the one before it."""
    before, latest = START, datetime.fromtimestamp(0, UTC)
    with opened(path) as file:
        number = 0
        while text := file.readline(_MAX_LINE):
            if not text.endswith(b"\n") and not file.peek(1):
                # A run was killed while it wrote this line; the next run cuts it off.
                return
            number += 1
            event = json_object(text) if text.endswith(b"\n") else None
            digest = hashlib.sha256(text.rstrip(b"\n")).hexdigest()
            if event is None:
                broken(Break(number, "the line cannot be read"))
            elif event.get("prev") != before or event.get("n") != number:
                broken(Break(number, "it does not follow from the line before it"))
            elif (moment := _moment(event)) is None or moment < latest - CLOCK_TOLERANCE:
                broken(
                    Break(
                        number, "it is older than a line before it: the clock was set back", is_clock=moment is not None
                    )
                )
                # Report it once, not for every line that follows.
                latest = moment or latest
            else:
                latest = max(latest, moment)
            before = digest
            if event is not None:
                yield Link(number, digest, event)


def paths_to_fetch(path: Path) -> Iterator[tuple[int, str, str]]:
    """The paths that pulls were about to write: the number of the event, the path, and what the pull asked for."""
    for link in read_chain(path):
        paths = link.event.get("paths")
        if link.event.get("event") == FETCHING and isinstance(paths, list):
            yield from ((link.number, str(one), str(link.event.get("asked", ""))) for one in paths)


def manifest_lines(path: Path) -> Iterator[ManifestEntry]:
    """The lines of the manifest that the events carry, oldest first."""
    for link in read_chain(path):
        line = link.event.get("line")
        if isinstance(line, dict):
            yield line


def read_lines(
    place: ArchivePlace, *, damaged: Callable[[int], None] = lambda _number: None
) -> Iterator[ManifestEntry]:
    """The lines of a manifest, then those that it lacks because the last run was killed.

    `damaged` gets the numbers of lines that cannot be read, which are left out.
    """
    yield from read_manifest(place.payload / NAME, damaged=damaged)
    if (place.root / CHAIN).is_file():
        yield from lacking_lines(place)


def object_lines(place: ArchivePlace) -> Iterator[ManifestEntry]:
    """The lines about present versions of objects: none about older files or places that were not listed."""
    return (line for line in read_lines(place) if line.get("event") != UNLISTED and not is_superseded(line))


def lacking_lines(place: ArchivePlace) -> Iterator[ManifestEntry]:
    """The lines that only the events have, because the last run was killed."""
    disk, path, events = Disk(), place.payload / NAME, place.root / CHAIN
    with os_errors_as(path):
        file = disk.open(path, os.O_RDONLY)
        try:
            last = json_object(last_line(disk, file, whole_lines(disk, file)))
        finally:
            disk.close(file)
    written = last_number = 0
    for link in read_chain(events):
        line = link.event.get("line")
        if link.event.get("event") in (PULLED, SEALED) or (line is not None and line == last):
            written = link.number
        elif line is not None:
            last_number = link.number
    if last_number > written:
        links = (link for link in read_chain(events) if link.number > written)
        yield from (line for link in links if isinstance(line := link.event.get("line"), dict))


def _moment(event: Event) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(event.get("at")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
