"""`events.jsonl`: everything that ever happened to a pulled folder, a line each, which only grows.

Each line holds the SHA-256 of the line before it, so that none can be changed, left out or put in later without all
that follow being wrong. Lines about objects carry their line of the manifest: the manifest is a view of them, which is
written after them and can be written anew from them. So a run that is killed leaves a manifest that lacks its last
lines at most, and whoever reads it takes those from the events.
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
"""What the first line holds in the place of a digest."""
PULLED, SEALED = "pulled", "sealed"
"""Events at which the manifest has caught up with all earlier ones."""
CHANGED = "changed"
"""What a verification found that nobody wants to find."""
FETCHING = "fetching"
"""The paths that a pull is about to fill: where it is killed, a file may be there without a line about it."""
_MAX_LINE = 1 << 23
CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clocks of two machines differ, or one clock before and after it was set right."""
_BATCH = 1000
"""Lines that are written at once."""

Event = Mapping[str, Any]


def kind_of(line: ManifestEntry) -> str:
    """What a line of the manifest tells."""
    if line.get("event") == UNLISTED:
        return UNLISTED
    if "superseded" in line:
        return "replaced"
    return "missing" if "error" in line else "fetched"


class Chain:
    """Writes the events of a folder. Blocks; the caller holds the folder's lock."""

    def __init__(self, root: Path, disk: Disk | None = None, known: Iterable[ManifestEntry] = ()) -> None:
        """Open them to append, after cutting off a last line that a crash left incomplete.

        Args:
            root: the folder.
            disk: the file calls.
            known: what a manifest from before there were events tells; they begin with all of it, or there are none.
        """
        self.path = root / CHAIN
        self._disk = disk or Disk()
        self._by = f"{user_name()}@{socket.gethostname()}"
        self.head = START
        """The digest of the last line."""
        self.length = 0
        """How many lines there are."""
        with os_errors_as(self.path):
            folder = self._disk.open_folder(root)
            try:
                self._open(folder, known)
            finally:
                self._disk.close(folder)

    def _open(self, folder: int, known: Iterable[ManifestEntry]) -> None:
        is_new = self._disk.lstat(CHAIN, folder) is None
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
        """Write what happened; it outlives the program at once, and the machine after `sync`.

        Args:
            events: what happened, and the facts about it.
        """
        now, lines = datetime.now(UTC).isoformat(), []
        head, length = self.head, self.length
        for kind, facts in events:
            length += 1
            told = {
                "n": length,
                "at": now,
                "event": kind,
                "by": self._by,
                "version": __version__,
                **facts,
                "prev": head,
            }
            text = json.dumps(told).encode()
            head = hashlib.sha256(text).hexdigest()
            lines.append(text + b"\n")
        with os_errors_as(self.path):
            self._disk.write_all(self._file, b"".join(lines))
        self.head, self.length = head, length

    def sync(self) -> None:
        """Wait until all is on the disk."""
        with os_errors_as(self.path):
            self._disk.sync(self._file)

    def close(self) -> None:
        """Write everything and close it."""
        try:
            self.sync()
        finally:
            self._disk.close(self._file)


def open_chain(place: ArchivePlace, disk: Disk | None = None) -> Chain:
    """The events of a folder, to be added to; if there are none yet they begin with what its manifest tells."""
    manifest = place.payload / NAME
    return Chain(place.root, disk, read_manifest(manifest) if manifest.exists() else ())


class Break(msgspec.Struct, frozen=True):
    """Where a chain is broken."""

    number: int
    """Of the line in the file; 0 for the whole."""
    why: str
    is_clock: bool = False
    """Whether only the clock of the machine was at fault."""


class Link(msgspec.Struct, frozen=True):
    """One line of a chain that can be read."""

    number: int
    digest: str
    event: Event


def read_chain(path: Path, broken: Callable[[Break], None] = lambda _found: None) -> Iterator[Link]:
    """The events in their order.

    Args:
        path: the file.
        broken: told where one does not follow from the one before it; the others are given all the same.
    """
    before, latest = START, datetime.fromtimestamp(0, UTC)
    with opened(path) as file:
        number = 0
        while text := file.readline(_MAX_LINE):
            if not text.endswith(b"\n") and not file.peek(1):
                # A run was killed while it wrote it: the next one cuts it off.
                return
            number += 1
            event = json_object(text) if text.endswith(b"\n") else None
            digest = hashlib.sha256(text.rstrip(b"\n")).hexdigest()
            if event is None:
                broken(Break(number, "the line cannot be read"))
            elif event.get("prev") != before or event.get("n") != number:
                broken(Break(number, "it does not follow from the line before it"))
            elif (moment := _moment(event)) is None or moment < latest - CLOCKS_DIFFER:
                broken(
                    Break(
                        number, "it is older than a line before it: the clock was set back", is_clock=moment is not None
                    )
                )
                # Once, and not for all that follow.
                latest = moment or latest
            else:
                latest = max(latest, moment)
            before = digest
            if event is not None:
                yield Link(number, digest, event)


def paths_to_fetch(path: Path) -> Iterator[tuple[int, str, str]]:
    """The paths that pulls were about to fill: the number of the event, the path, and what the pull asked for."""
    for link in read_chain(path):
        paths = link.event.get("paths")
        if link.event.get("event") == FETCHING and isinstance(paths, list):
            yield from ((link.number, str(one), str(link.event.get("asked", ""))) for one in paths)


def manifest_lines(path: Path) -> Iterator[ManifestEntry]:
    """The lines of the manifest that the events tell of, the oldest first."""
    for link in read_chain(path):
        line = link.event.get("line")
        if isinstance(line, dict):
            yield line


def read_lines(
    place: ArchivePlace, *, damaged: Callable[[int], None] = lambda _number: None
) -> Iterator[ManifestEntry]:
    """The lines of a manifest in order, and those that it did not get because the last run was killed.

    Args:
        place: where it is, and the events, if there are any.
        damaged: told the number of each line that cannot be read; the others are given all the same.
    """
    yield from read_manifest(place.payload / NAME, damaged=damaged)
    if (place.root / CHAIN).is_file():
        yield from lacking_lines(place)


def object_lines(place: ArchivePlace) -> Iterator[ManifestEntry]:
    """Of these, the ones about present versions of objects: no earlier version, and nothing that was not listed."""
    return (line for line in read_lines(place) if line.get("event") != UNLISTED and not is_superseded(line))


def lacking_lines(place: ArchivePlace) -> Iterator[ManifestEntry]:
    """What the events tell of that the manifest did not get; nothing once a run has come to its end."""
    disk, path, events = Disk(), place.payload / NAME, place.root / CHAIN
    with os_errors_as(path):
        file = disk.open(path, os.O_RDONLY)
        try:
            last = json_object(last_line(disk, file, whole_lines(disk, file)))
        finally:
            disk.close(file)
    known = told = 0
    for link in read_chain(events):
        line = link.event.get("line")
        if link.event.get("event") in (PULLED, SEALED) or (line is not None and line == last):
            known = link.number
        elif line is not None:
            told = link.number
    if told > known:
        links = (link for link in read_chain(events) if link.number > known)
        yield from (line for link in links if isinstance(line := link.event.get("line"), dict))


def _moment(event: Event) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(event.get("at")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
