"""Whether the calls of a folder have every expected type of object; a transcript can come hours after its recording."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import msgspec

from cloudstore_tui.archive.manifest import NAME, ManifestEntry, is_superseded, key_of_entry, read_manifest
from cloudstore_tui.calls import SOURCES
from cloudstore_tui.results.scratch import ScratchDatabase

REPORTED_FOR = timedelta(days=2)
"""How long an incomplete call is reported after it was noticed: long enough for someone who looks once a day."""
MAX_CALLS = 1000
"""Calls that are listed; all of them are counted."""
_MAX_SPREAD = timedelta(days=7)
"""How much later than the first object of its call an object may have been created to be counted with it."""
_SCHEMA = """
CREATE TABLE objects(
    key TEXT PRIMARY KEY, id TEXT NOT NULL, bucket TEXT NOT NULL, source TEXT NOT NULL, call TEXT NOT NULL,
    type TEXT NOT NULL, created REAL NOT NULL, here INTEGER NOT NULL) WITHOUT ROWID;
"""
_JOIN = """
CREATE INDEX by_id ON objects(id);
CREATE INDEX by_bucket ON objects(bucket);
UPDATE objects SET call = coalesce(
    (SELECT call FROM objects AS other WHERE other.id = objects.source AND call <> ''), '')
    WHERE call = '' AND source <> '';
UPDATE objects SET call = coalesce(
    (SELECT call FROM objects AS other WHERE other.bucket = objects.bucket AND call <> ''), bucket)
    WHERE call = '' AND bucket <> '';
UPDATE objects SET call = id WHERE call = '';
"""


class LackingCall(msgspec.Struct, frozen=True):
    """A call that lacks expected types after its deadline."""

    call: str
    begun: datetime
    """When its first object was created."""
    lacks: tuple[str, ...]
    """The missing types."""
    noticed: datetime | None = None
    """When this was first noticed."""

    def is_reported(self, now: datetime) -> bool:
        """Whether it is still to be reported."""
        return now - (self.noticed or self.begun) < REPORTED_FOR

    def __str__(self) -> str:
        """`int-17… without transcription`."""
        return f"{self.call} without {', '.join(self.lacks)}"


class CallCheck(msgspec.Struct, frozen=True):
    """The result of a check of a folder's recent calls."""

    expect: tuple[str, ...]
    """The types that every call must have."""
    within: float
    """Seconds after the first object of a call within which they must be here."""
    checked: datetime
    complete: int = 0
    awaited: int = 0
    """Calls that lack a type before their deadline."""
    lacking: int = 0
    """Calls that lack a type after it."""
    calls: tuple[LackingCall, ...] = ()
    """The latest of the lacking calls."""

    def lacking_since(self, moment: datetime | None) -> tuple[LackingCall, ...]:
        """The lacking calls whose deadline has passed since a moment."""
        within = timedelta(seconds=self.within)
        return tuple(call for call in self.calls if moment is None or call.begun + within > moment)


def check_calls(
    folder: Path,
    expect: Iterable[str],
    within: timedelta,
    now: datetime,
    scratch: Path | None = None,
    *,
    known: CallCheck | None = None,
) -> CallCheck:
    """Check which calls of a folder have all expected types. Blocks.

    Every deadline that passed since the last check is noticed, however long ago that was.

    Args:
        folder: where the manifest is.
        expect: the types.
        within: how long after the first object of a call they may come.
        now: the time.
        scratch: the folder for a temporary database.
        known: the result of the last check.
    """
    wanted = tuple(dict.fromkeys(expect))
    reported = {call.call: call for call in (known.calls if known else ()) if call.is_reported(now)}
    # A deadline before this was noticed by an earlier check, and reported long enough.
    settled = min([now - REPORTED_FOR, *([known.checked] if known else [])])
    first = min([settled - within, *(call.begun for call in reported.values())])
    complete = awaited = 0
    lacking = []
    for call, begun, types in _calls(folder, wanted, first, scratch):
        lacks = tuple(name for name in wanted if name not in types)
        if not lacks:
            complete += 1
        elif begun + within > now:
            awaited += 1
        elif begun + within >= settled or call in reported:
            noticed = reported[call].noticed if call in reported else now
            lacking.append(LackingCall(call, begun, lacks, noticed))
    counts = (complete, awaited, len(lacking))
    return CallCheck(wanted, within.total_seconds(), now, *counts, tuple(lacking[-MAX_CALLS:]))


def _calls(
    folder: Path, wanted: tuple[str, ...], first: datetime, scratch: Path | None
) -> list[tuple[str, datetime, set[str]]]:
    """The calls since `first` that have one of the types: id, beginning, and the types that are here."""
    with closing(ScratchDatabase(scratch, _SCHEMA)) as database:
        if (folder / NAME).is_file():
            rows = _rows(read_manifest(folder / NAME), (first - _MAX_SPREAD).timestamp())
            database.execute_many("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        for statement in _JOIN.split(";")[:-1]:
            database.execute(statement)
        marks = ", ".join("?" * len(wanted))
        found = database.all(
            f"SELECT call, min(created), group_concat(DISTINCT CASE WHEN here THEN type END) FROM objects GROUP BY call"
            f" HAVING min(created) >= ? AND sum(type IN ({marks})) ORDER BY min(created), call",
            (first.timestamp(), *wanted),
        )
    return [
        (call, datetime.fromtimestamp(created, UTC), set((types or "").split(","))) for call, created, types in found
    ]


def _rows(lines: Iterable[ManifestEntry], first: float) -> Iterator[tuple[object, ...]]:
    for line in lines:
        key, created = key_of_entry(line), _moment(line)
        if not key or is_superseded(line) or created is None or created < first:
            continue
        found = line.get("tags")
        tags = found if isinstance(found, dict) else {}
        source = next(chain((str(tags[name]) for name in SOURCES if tags.get(name)), [""]))
        named = [str(line.get(name) or "") for name in ("id", "bucket_id")]
        yield (key, *named, source, str(tags.get("callId") or ""), str(line.get("type")), created, "error" not in line)


def _moment(line: ManifestEntry) -> float | None:
    for name in ("created", "modified", "updated"):
        try:
            return datetime.fromisoformat(str(line.get(name))).timestamp()
        except (ValueError, OverflowError):
            continue
    return None
