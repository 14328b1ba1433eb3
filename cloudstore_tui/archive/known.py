"""The folders that pulls of this machine have filled, by what they hold: so that the browser can tell what is archived.

What a folder is worth is told by the folder itself, each time it is looked at.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from cloudstore_tui.archive.manifest import RUNS
from cloudstore_tui.archive.runs import RunOutcome, RunStatus, read_status
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import JsonState

FILE = "archives.json"
"""Its name in the state folder."""
MAX_ARCHIVES = 100


class KnownArchive(msgspec.Struct, frozen=True):
    """One folder, and where what is in it came from."""

    folder: str
    profile: str
    region: str = ""
    """Empty for all of them."""
    path: str = ""

    def holds(self, location: Location) -> bool:
        """Whether the place it was pulled from includes a location."""
        is_there = self.profile == location.profile and self.region in ("", location.region)
        return is_there and location.path.startswith(self.path)


class ArchiveState(msgspec.Struct, frozen=True):
    """What a folder tells of itself."""

    archive: KnownArchive
    outcome: RunOutcome
    """Of the last run."""
    at: datetime
    """When that began."""
    complete: datetime | None = None
    """When the last run ended that left nothing missing."""
    sealed: str = ""
    """The day until which it is sealed; empty if it never was."""

    @property
    def is_good(self) -> bool:
        """Whether the last run left nothing missing."""
        return self.outcome is RunOutcome.COMPLETE


class KnownArchives:
    """All of them, the last one first; a file that cannot be read holds none."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file; without one they end with the program."""
        self._file: JsonState[list[KnownArchive]] = JsonState(path, list[KnownArchive], [])
        self.states: tuple[ArchiveState, ...] = ()
        """What the folders told when they were looked at last."""

    def note(self, location: Location, folder: Path) -> None:
        """Remember a folder into which something was pulled. Blocks.

        Raises:
            LocalDiskError: it cannot be written down.
        """
        new = KnownArchive(str(folder.absolute()), location.profile, location.region, location.path)
        known = self._file.read()
        if known[:1] != [new]:
            self._file.write([new, *(one for one in known if one != new)][:MAX_ARCHIVES])

    def refresh(self) -> tuple[ArchiveState, ...]:
        """What the folders tell that are still there. Blocks."""
        self.states = tuple(self._states())
        return self.states

    def of(self, location: Location) -> ArchiveState | None:
        """What is known of the archive of a place, without looking; of several the last good one."""
        found = [state for state in self.states if state.archive.holds(location)]
        return next((state for state in found if state.is_good), found[0] if found else None)

    def _states(self) -> Iterator[ArchiveState]:
        for archive in self._file.read():
            # Deferred: home is shown before it.
            from cloudstore_tui.archive.bag import tags_of

            folder = Path(archive.folder)
            runs: list[RunStatus] = []
            for command in RUNS:
                with suppress(StorageError):
                    runs += [status] if command != "verify" and (status := read_status(folder, command)) else []
            if runs:
                status = max(runs, key=lambda one: one.last.started)
                ends = [one.complete.ended for one in runs if one.complete and one.complete.ended]
                sealed = tags_of(folder).get("Bagging-Date", "")
                yield ArchiveState(archive, status.last.outcome, status.last.started, max(ends, default=None), sealed)
