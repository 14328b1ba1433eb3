"""What is transferred, and its progress."""

import logging
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.fs.disk import TargetFolder
from cloudstore_tui.net.clock import Clock

_log = logging.getLogger(__name__)
SPEED_WINDOW = 4.0
"""Seconds over which a speed is averaged: with fewer it flickers, with more it lags."""


class State(StrEnum):
    """The state of a transfer."""

    QUEUED = "queued"
    SIGNING = "signing"
    """A link is requested from the service."""
    PACKING = "packing"
    """The service is packing a zip."""
    RUNNING = "running"
    VERIFYING = "verifying"
    WAITING = "waiting"
    """After a temporary failure, before the next try."""
    PAUSED = "paused"
    """Stopped by the user; what arrived is kept."""
    DONE = "done"
    SKIPPED = "skipped"
    """The local name was taken by something that the user wants left alone."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens unless the user asks for it."""
        return self in _ENDED


_ENDED = frozenset({State.DONE, State.SKIPPED, State.FAILED, State.CANCELLED})


class OnConflict(StrEnum):
    """What to do if the local name is taken by something else."""

    REFUSE = "refuse"
    SKIP = "skip"
    OVERWRITE = "overwrite"
    KEEP_BOTH = "keep-both"


class TransferBatch(Struct, frozen=True):
    """The transfers that one key or command started. They are shown together, also after a restart."""

    id: str
    title: str
    """What it transfers, for people: `20 247 call recordings, us-east`. Not yet safe to draw."""
    target: str = ""
    """The local folder or the address that everything goes to."""
    count: int = 0
    """Files in it at the start."""
    size: int = 0
    """Bytes in it at the start, as far as sizes are known."""

    @classmethod
    def of(cls, title: str, target: str, sizes: Iterable[int | None]) -> "TransferBatch":
        """A new batch of files of these sizes."""
        known = [size or 0 for size in sizes]
        return cls(secrets.token_hex(6), title, target, len(known), sum(known))


class DownloadRequest(Struct, frozen=True):
    """One object to be downloaded into a folder."""

    location: Location
    folder: Path
    name: str = ""
    """The local name, one segment, used as it is; the safe form of the object's own name if empty."""
    on_conflict: OnConflict = OnConflict.REFUSE
    entry: StoredObject | None = None
    """The record of the object, if known, to save a request."""
    sha256: bool = False
    """Whether its SHA-256 is wanted, for a manifest."""
    root: Path | None = None
    """The folder that the user named, if `folder` is below it: no link is followed on the way from there."""
    batch: TransferBatch | None = None

    @property
    def target(self) -> TargetFolder:
        """The folder, to be opened.

        Raises:
            UnsafeError: it is not below the root.
        """
        return TargetFolder.of(self.folder, self.root)


class UploadRequest(Struct, frozen=True):
    """One local file to be uploaded."""

    path: Path
    location: Location
    overwrite: bool = False
    """Whether an object that is already there may be replaced."""
    batch: TransferBatch | None = None


class ZipRequest(Struct, frozen=True):
    """Objects that the service packs into a zip, which is fetched and extracted."""

    members: tuple[DownloadRequest, ...]
    """The objects, each with its record, folder and name; empty for a job of unknown content."""
    location: Location
    """The profile and region of all members."""
    folder: Path
    """The folder for the zip while it is extracted, and for the members of a job of unknown content."""
    job: str = ""
    """The name of a job that is on the server already."""
    keep: str = ""
    """The name under which the zip itself is kept, instead of being extracted."""
    batch: TransferBatch | None = None

    @property
    def target(self) -> TargetFolder:
        """The folder, to be opened."""
        return TargetFolder(self.folder)


Request: TypeAlias = DownloadRequest | UploadRequest | ZipRequest


def batched(requests: Sequence[Request], title: str, target: str) -> list[Request]:
    """These requests as one new batch."""
    batch = TransferBatch.of(title, target, (size for request in requests for size in sizes_of(request)))
    return [replace(request, batch=batch) for request in requests]


def name_of(request: Request) -> str:
    """The name of what is transferred; not yet safe to draw."""
    if isinstance(request, UploadRequest):
        return request.path.name
    if isinstance(request, ZipRequest):
        count = len(request.members)
        return f"zip of {count:,} file{'' if count == 1 else 's'}" if count else request.job
    entry = request.entry
    return request.name or (entry.name if entry is not None else request.location.path.rsplit("/", 1)[-1])


def sizes_of(request: Request) -> Iterator[int | None]:
    """The size of each file of a request; `None` if it is not known yet."""
    if isinstance(request, UploadRequest):
        try:
            yield request.path.stat().st_size
        except OSError:
            yield None
    else:
        for download in request.members if isinstance(request, ZipRequest) else (request,):
            yield download.entry.size if download.entry is not None else None


class TransferSnapshot(Struct, frozen=True):
    """One transfer at one moment. All numbers are absolute, so it does not matter if a snapshot is missed."""

    id: int
    request: Request
    state: State = State.QUEUED
    done: int = 0
    """Bytes that were received or sent."""
    size: int | None = None
    """Bytes in all, once the exact number is known."""
    speed: float = 0.0
    """Bytes per second over the last few seconds."""
    started: datetime | None = None
    ended: datetime | None = None
    error: StorageError | None = None
    """Why it failed."""
    level: str = ""
    """How it was verified: `md5`, `md5-1`, `md5-N`, `store`, `size+etag`, `size` or `unverified`."""
    path: Path | None = None
    """The local file."""
    attempts: int = 0
    note: str = ""
    """Details that the state does not show, such as `link lost, resuming at 41 %`."""
    sha256: str = ""
    """Digest of the local file in hex, once a download is verified, if it was requested."""

    @property
    def eta(self) -> float | None:
        """Seconds until all bytes are transferred at the present speed; `None` if unknown."""
        if self.state is not State.RUNNING or self.size is None or self.speed <= 0:
            return None
        return max(self.size - self.done, 0) / self.speed


class TransferProgress:
    """State and numbers of one transfer. Each field is set atomically, so readers need no lock."""

    def __init__(
        self,
        transfer_id: int,
        request: Request,
        clock: Clock,
        changed: Callable[[State, str], None] = lambda _state, _note: None,
        touched: Callable[[], None] = lambda: None,
    ) -> None:
        """Start as queued.

        Args:
            transfer_id: its id.
            request: what is transferred.
            clock: gives the times.
            changed: called with a new state, and the reason.
            touched: called, from any thread, when something visible has changed.
        """
        self.touched = touched
        self.transfer_id = transfer_id
        self.request = request
        self.state = State.QUEUED
        self.size: int | None = None
        """The exact size, which another thread may set."""
        self.error: StorageError | None = None
        self.level = ""
        self.path: Path | None = None
        self.attempts = 0
        self.note = ""
        self.sha256 = ""
        self.remark = ""
        """What the user should know once it is done, as a clause."""
        self.members: tuple[TransferProgress, ...] = ()
        """Those of a zip."""
        self.release_slot: Callable[[], None] = lambda: None
        """To be called when all bytes have come and only the disk is busy, so that the next transfer can start."""
        self.meter: Callable[[], int] = int
        """Returns the bytes done, a number that another thread writes."""
        self._clock = clock
        self._changed = changed
        self._started: datetime | None = None
        self._ended: datetime | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._speed = 0.0

    def to(self, state: State, note: str = "") -> None:
        """Go to a state."""
        if (state, note) != (self.state, self.note) and _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%d %s %s%s", self.transfer_id, self.request.location.address, state, f": {note}" if note else ""
            )
        self.note = note
        if state is not self.state:
            self._changed(state, note)
        self.state = state
        if self._started is None and state is not State.QUEUED:
            self._started = self._clock.now()
        self._ended = self._clock.now() if state.ended else None
        if state is not State.RUNNING:
            self._samples.clear()
            self._speed = 0.0
        self.touched()

    def wait(self, note: str) -> None:
        """Show that it waits, and what for."""
        self.to(State.WAITING, note)

    def verified(self, path: Path, level: str, sha256: str) -> None:
        """Set the local file, and how it was verified."""
        self.path, self.level, self.sha256 = path, level, sha256

    def again(self) -> None:
        """Go back into the queue."""
        self._started = None
        self.error = None
        self.note = ""
        self.to(State.QUEUED)

    def sample(self) -> None:
        """Measure the speed; called a few times per second."""
        if self.state is not State.RUNNING:
            return
        now, done = self._clock.monotonic(), self.meter()
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while now - self._samples[0][0] > SPEED_WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        self._speed = (done - before) / (now - since) if now > since else 0.0
        self.touched()

    def snapshot(self) -> TransferSnapshot:
        """How it is now."""
        return TransferSnapshot(
            id=self.transfer_id,
            request=self.request,
            state=self.state,
            done=self.meter(),
            size=self.size,
            speed=self._speed,
            started=self._started,
            ended=self._ended,
            error=self.error,
            level=self.level,
            path=self.path,
            attempts=self.attempts,
            note=self.note,
            sha256=self.sha256,
        )
