"""`manifest.csv`: the manifest for spreadsheets, in which no cell can run."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cloudstore_tui.archive.manifest import NAME as MANIFEST
from cloudstore_tui.archive.manifest import read_manifest
from cloudstore_tui.core.csv_text import csv_row
from cloudstore_tui.fs.disk import Disk, os_errors_as

NAME = "manifest.csv"
_NEW = ".manifest.csv.new"

COLUMNS = (
    *("path", "size", "checksum", "level", "sha256", "fetched", "error", "profile", "provider", "region", "id", "key"),
    *("name", "type", "mime", "modified", "created", "updated", "state", "checksum_type", "bucket_id"),
)
"""Columns before those of the tags."""


def write_table(folder: Path, disk: Disk | None = None) -> Path:
    """Write the manifest of a folder as a table beside it, in place of one from before. Blocks."""
    disk = disk or Disk()
    path = folder / NAME
    manifest = folder / MANIFEST
    tags = sorted({tag for line in read_manifest(manifest) for tag in _tags(line)})
    with os_errors_as(path):
        place = disk.open_folder(folder)
        try:
            file = disk.open(_NEW, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, place)
            try:
                _write(disk, file, [[*COLUMNS, *(f"tag {tag}" for tag in tags)]])
                _write(disk, file, (_cells(line, tags) for line in read_manifest(manifest)))
                disk.sync(file)
            finally:
                disk.close(file)
            disk.replace(_NEW, NAME, place)
        finally:
            disk.remove(_NEW, place)
            disk.close(place)
    return path


def _cells(line: Mapping[str, Any], tags: list[str]) -> list[str]:
    values = _tags(line)
    found = (*(line.get(name) for name in COLUMNS), *(values.get(tag) for tag in tags))
    return ["" if value is None else str(value) for value in found]


def _tags(line: Mapping[str, Any]) -> Mapping[str, Any]:
    tags = line.get("tags")
    return tags if isinstance(tags, dict) else {}


def _write(disk: Disk, file: int, rows: Iterable[list[str]]) -> None:
    for row in rows:
        data = memoryview(f"{csv_row(row)}\r\n".encode("utf-8", "replace"))
        while data:
            data = data[disk.write(file, data) :]
