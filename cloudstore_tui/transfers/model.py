"""What is to be transferred, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fs.disk import TargetFolder


class State(StrEnum):
    """Where a transfer stands."""

    QUEUED = "queued"
    SIGNING = "signing"
    """Asks the service where the bytes are."""
    PACKING = "packing"
    """The service packs a zip."""
    RUNNING = "running"
    VERIFYING = "verifying"
    WAITING = "waiting"
    """Something went wrong that may pass; it is tried again after a while."""
    PAUSED = "paused"
    """The user wanted it to rest; what arrived is kept."""
    DONE = "done"
    SKIPPED = "skipped"
    """Something was in the way, and the user wanted it left alone."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens unless the user asks for it."""
        return self in _ENDED


_ENDED = frozenset({State.DONE, State.SKIPPED, State.FAILED, State.CANCELLED})


class OnConflict(StrEnum):
    """What to do where the local name is taken by something else."""

    REFUSE = "refuse"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    KEEP_BOTH = "keep-both"


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """One object to be fetched into a folder."""

    location: Location
    folder: Path
    name: str = ""
    """The local name wished, one segment, used as it is; the safe form of the object's own name if empty."""
    on_conflict: OnConflict = OnConflict.REFUSE
    entry: StoredObject | None = None
    """What is known of the object, to spare a look-up."""
    sha256: bool = False
    """Whether its SHA-256 is wanted, for a manifest."""
    root: Path | None = None
    """The folder that the user named, if `folder` is below it: on the way from there no link is followed."""

    @property
    def target(self) -> TargetFolder:
        """The folder, as it is to be opened.

        Raises:
            UnsafeError: it is not below the root.
        """
        return TargetFolder.of(self.folder, self.root)


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """One local file to be sent."""

    path: Path
    location: Location
    overwrite: bool = False
    """Whether an object that is already there may be replaced."""


@dataclass(frozen=True, slots=True)
class ZipRequest:
    """Objects that the service packs into a zip, which is fetched and opened."""

    members: tuple[DownloadRequest, ...]
    """What is to be in it, each with its entry, folder and name; empty for a job of unknown content."""
    location: Location
    """The profile and region of all members."""
    folder: Path
    """Where the zip lies while it is opened, and where members of a job of unknown content go."""
    job: str = ""
    """The name of a job that is on the server already."""
    keep: str = ""
    """The name under which the zip itself is kept, instead of being opened."""

    @property
    def target(self) -> TargetFolder:
        """The folder, as it is to be opened."""
        return TargetFolder(self.folder)


Request: TypeAlias = DownloadRequest | UploadRequest | ZipRequest


@dataclass(frozen=True, slots=True)
class TransferSnapshot:
    """One transfer as it was at one moment. All numbers are absolute, so any snapshot may be missed."""

    id: int
    request: Request
    state: State = State.QUEUED
    done: int = 0
    """Bytes that arrived, or were sent."""
    size: int | None = None
    """Bytes in all, once known for certain."""
    speed: float = 0.0
    """Bytes per second over the last few seconds."""
    started: datetime | None = None
    ended: datetime | None = None
    error: StorageError | None = None
    """Why it failed."""
    level: str = ""
    """How well it was verified: `md5`, `md5-1`, `md5-N`, `store`, `size+etag`, `size` or `unverified`."""
    path: Path | None = None
    """The local file: where the bytes are, or came from."""
    attempts: int = 0
    note: str = ""
    """What is going on, where the state alone does not say it: `link lost, resuming at 41 %`."""
    sha256: str = ""
    """Digest of the local file in hex, once a download is verified, if it was wanted."""

    @property
    def eta(self) -> float | None:
        """Seconds until all bytes are there at the present speed; `None` where nobody can tell."""
        if self.state is not State.RUNNING or self.size is None or self.speed <= 0:
            return None
        return max(self.size - self.done, 0) / self.speed
