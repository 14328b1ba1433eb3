"""The folders that pulls on this machine have filled, and the places they were filled from.

The browser uses it to show what is archived. The state of a folder is read from that folder each time.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from cloudstore_tui.archive.runs import FILL_COMMANDS, RunOutcome, RunStatus, read_status
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import JsonState

FILE = "archives.json"
"""Its name in the state folder."""
MAX_ARCHIVES = 100


class RegisteredArchive(msgspec.Struct, frozen=True):
    """A folder, and the place it was pulled from."""

    folder: str
    profile: str
    region: str = ""
    """Empty for all regions."""
    path: str = ""

    def includes(self, location: Location) -> bool:
        """Whether a location lies within the place it was pulled from."""
        is_there = self.profile == location.profile and self.region in ("", location.region)
        return is_there and location.path.startswith(self.path)


class ArchiveState(msgspec.Struct, frozen=True):
    """The state of an archive, as read from its folder."""

    archive: RegisteredArchive
    outcome: RunOutcome
    """Of the last run."""
    at: datetime
    """When the last run began."""
    complete: datetime | None = None
    """When the last complete run ended."""
    sealed: str = ""
    """The date of the seal; empty if there is none."""

    @property
    def is_good(self) -> bool:
        """Whether the last run was complete."""
        return self.outcome is RunOutcome.COMPLETE


class ArchiveRegistry:
    """All archives of this machine, the most recent first. A file that cannot be read counts as empty."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file, or without one in memory."""
        self._file: JsonState[list[RegisteredArchive]] = JsonState(path, list[RegisteredArchive], [])
        self.states: tuple[ArchiveState, ...] = ()
        """As of the last `refresh`."""

    def add(self, location: Location, folder: Path) -> None:
        """Remember that a place was pulled into a folder. Blocks.

        Raises:
            LocalDiskError: the file cannot be written.
        """
        new = RegisteredArchive(str(folder.absolute()), location.profile, location.region, location.path)
        with self._file.turn():
            known = self._file.read()
            if known[:1] != [new]:
                self._file.write([new, *(one for one in known if one != new)][:MAX_ARCHIVES])

    def refresh(self) -> tuple[ArchiveState, ...]:
        """Read the state of every archive whose folder is still there. Blocks."""
        self.states = tuple(self._read_states())
        return self.states

    def state_of(self, location: Location) -> ArchiveState | None:
        """The state of the archive that includes a location, as of the last `refresh`; a complete one is preferred."""
        found = [state for state in self.states if state.archive.includes(location)]
        return next((state for state in found if state.is_good), found[0] if found else None)

    def _read_states(self) -> Iterator[ArchiveState]:
        for archive in self._file.read():
            # Deferred: home is shown before it.
            from cloudstore_tui.archive.bag import tags_of

            folder = Path(archive.folder)
            runs: list[RunStatus] = []
            for command in FILL_COMMANDS:
                with suppress(StorageError):
                    runs += [status] if (status := read_status(folder, command)) else []
            if runs:
                status = max(runs, key=lambda one: one.last.started)
                ends = [one.complete.ended for one in runs if one.complete and one.complete.ended]
                sealed = tags_of(folder).get("Bagging-Date", "")
                yield ArchiveState(archive, status.last.outcome, status.last.started, max(ends, default=None), sealed)
