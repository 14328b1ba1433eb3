"""Writes down what became of each object: in the manifest, in the plan, and in a file beside it if that is wanted."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from cloudstore_tui.archive.folder import PullFolder
from cloudstore_tui.archive.item import Fate, Item
from cloudstore_tui.archive.line import failed_line, fetched_line, line_of, mtime_of
from cloudstore_tui.archive.manifest import Manifest
from cloudstore_tui.archive.plan import PullPlan
from cloudstore_tui.core.errors import LocalDiskError, StorageError
from cloudstore_tui.core.record import entry_record
from cloudstore_tui.fs.disk import Disk, os_errors_as

_NEW = ".cs-sidecar.new"
"""One name for all of a folder: what a crash leaves is replaced by the next one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an object."""

    item: Item
    fate: Fate
    path: PurePosixPath | None = None
    """Where the file is, below the folder."""
    level: str = ""
    sha256: str = ""
    error: StorageError | None = None


class Recorder:
    """Notes outcomes. Blocks; used from one thread at a time."""

    def __init__(
        self,
        plan: PullPlan,
        folder: PullFolder,
        manifest: Manifest,
        provider: str,
        *,
        sidecars: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._manifest = manifest
        self._provider = provider
        self._sidecars = sidecars
        self._now = now
        self._disk = Disk()
        self.written = 0
        """Lines that the manifest got."""

    def note(self, outcome: Outcome) -> None:
        """Write down one outcome; the file is on the disk by then."""
        if outcome.fate is Fate.SKIPPED:
            self._plan.note(outcome.item, Fate.SKIPPED)
        elif outcome.error is not None:
            self._lost(outcome.item, outcome.error)
        else:
            self._here(outcome)

    def _here(self, outcome: Outcome) -> None:
        item, path = outcome.item, outcome.path or outcome.item.path
        found = self._folder.look(path)
        if found is None:
            place = str(self._folder.file(path))
            self._lost(item, LocalDiskError("the file is gone again", subject=place, hint="Pull again."))
            return
        line = fetched_line(line_of(item, self._provider), found, outcome.level, outcome.sha256, self._now())
        line["path"] = str(path)
        if self._sidecars:
            line["sidecar"] = self.sidecar(item, path)
        self._append(line)
        self._plan.note(item, outcome.fate, outcome.level)

    def _lost(self, item: Item, error: StorageError) -> None:
        self._append(failed_line(line_of(item, self._provider), error, self._plan.known(item)))
        self._plan.note(item, Fate.MISSING, error=error)

    def refresh(self, item: Item) -> None:
        """Bring the line of a file up to date that is here already, and the file beside it."""
        found, known = self._folder.look(item.path), self._plan.known(item)
        if found is None or known is None:
            return
        news: dict[str, object] = {}
        if mtime_of(found) != known.get("mtime"):
            news["mtime"] = mtime_of(found)
        if self._sidecars and self._folder.look(item.path.with_name(f"{item.path.name}.json")) is None:
            news["sidecar"] = self.sidecar(item, item.path)
        if news:
            self._append({**known, **news})

    def sidecar(self, item: Item, path: PurePosixPath) -> str:
        """Write everything known of an object beside its file; the name of that."""
        name = f"{path.name}.json"
        place = self._folder.file(path).parent
        record = entry_record(item.entry, self._provider)
        record |= {"tag_list": [{"key": key, "value": value} for key, value in item.entry.tags]}
        with os_errors_as(place / name):
            folder = self._disk.open_folder(place)
            try:
                self._write_whole(folder, name, json.dumps(record, indent=1).encode() + b"\n")
            finally:
                self._disk.close(folder)
        return name

    def _write_whole(self, folder: int, name: str, text: bytes) -> None:
        file = self._disk.open(_NEW, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, folder)
        try:
            data = memoryview(text)
            while data:
                data = data[self._disk.write(file, data) :]
        finally:
            self._disk.close(file)
        self._disk.replace(_NEW, name, folder)

    def _append(self, line: dict[str, object]) -> None:
        self._manifest.append(line)
        self.written += 1


def below(folder: Path, file: Path | None) -> PurePosixPath | None:
    """A file's path below a folder; `None` if it is elsewhere."""
    if file is None or not file.is_relative_to(folder):
        return None
    return PurePosixPath(file.relative_to(folder).as_posix())
