"""One line of a manifest: what an object is, where it is, and how well it was verified."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudstore_tui.archive.item import Item, key_of
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.record import entry_record

Line = Mapping[str, Any]

_OF_THE_FILE = ("size", "size_exact", "listed_size", "level", "sha256", "fetched", "mtime", "sidecar")


def line_of(item: Item, provider: str) -> dict[str, object]:
    """The part that the service tells."""
    entry = item.entry
    line = entry_record(entry, provider) | {"path": str(item.path)}
    if entry.size is not None and not entry.size_exact:
        line["listed_size"] = entry.size
    return line


def fetched_line(
    line: Mapping[str, object], found: os.stat_result, level: str, sha256: str, now: datetime
) -> dict[str, object]:
    """A line about a file that is complete."""
    facts: dict[str, object] = {"size": found.st_size, "size_exact": True, "level": level, "sha256": sha256}
    facts |= {"fetched": now.isoformat(), "mtime": mtime_of(found)}
    return {**line, **{name: value for name, value in facts.items() if value != ""}}


def failed_line(line: Mapping[str, object], error: StorageError, before: Line | None) -> dict[str, object]:
    """A line about an object that is missing. What is known of a file from before stays: it may still be there."""
    kept = {name: before[name] for name in _OF_THE_FILE if name in before} if before else {}
    same = bool(before) and before is not None and before.get("path") == line["path"]
    return {**line, **(kept if same else {}), "error": str(error), "code": error.code}


def key_of_line(line: Line) -> str:
    """What tells its object from all others; empty if the line tells nothing."""
    named = [line.get("profile"), line.get("region", ""), line.get("id") or line.get("key")]
    if not all(isinstance(part, str) for part in named):
        return ""
    return key_of(Location(*named))


def tells_of_same(line: Line, item: Item) -> bool:
    """Whether the object is still the one that the line tells of, as far as the service tells."""
    entry = item.entry
    if "error" in line or line.get("path") != str(item.path):
        return False
    if entry.checksum or line.get("checksum"):
        return line.get("checksum") == entry.checksum and (not entry.size_exact or line.get("size") == entry.size)
    listed = line.get("size") if entry.size_exact else line.get("listed_size")
    modified = entry.modified or entry.updated or entry.created
    before = line.get("modified") or line.get("updated") or line.get("created")
    return listed == entry.size and before == (modified.isoformat() if modified else None)


def mtime_of(found: os.stat_result) -> str:
    """When a file was last changed, to the microsecond."""
    seconds, rest = divmod(found.st_mtime_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000).isoformat()
