"""Preparing downloads: what they cost, which files exist already, and the requests to submit."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path

import msgspec

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject, identity
from cloudstore_tui.fs.names import safe_name
from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, Request, ZipRequest
from cloudstore_tui.transfers.zip.plan import ZipPlan
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.restore_text import ASKED
from cloudstore_tui.ui.transfer_text import object_title

MANY, LARGE = 100, 1_000_000_000
"""Files, or bytes, from which a download asks before it starts."""
LARGEST_COMPARED = 2_000_000_000
"""Size up to which a local file is read to compute its MD5."""


class FetchAnswer(StrEnum):
    """How files are fetched."""

    ZIP = "zip"
    DIRECT = "direct"
    ELSEWHERE = "elsewhere"
    """Ask for another folder first."""


class FetchOffer(msgspec.Struct, frozen=True):
    """What a download would cost."""

    what: str
    """`20,247 call recordings`."""
    size: str
    folder: Path
    seconds: float
    """Estimated time, one by one."""
    free: int | None = None
    """Free bytes on the disk."""
    zips: int = 0
    """Zip jobs; 0 if the service has none."""
    in_zip: int = 0
    """Files in each zip."""
    zip_seconds: float = 0.0
    prefers_zip: bool = False
    coming: int = 0
    """Files that are being downloaded already."""
    notes: tuple[str, ...] = ()
    """Further sentences to show."""
    below: str = ""
    """Subfolder that the download creates; empty if none."""
    needed: int = 0
    """Bytes needed, as far as the service says."""


class Side(msgspec.Struct, frozen=True):
    """What is known of one of two files."""

    size: int | None = None
    size_exact: bool = True
    when: datetime | None = None
    md5: str = ""
    """In hex; empty if unknown."""

    @classmethod
    def of(cls, entry: StoredObject) -> "Side":
        """The remote side."""
        return cls(entry.size, entry.size_exact, entry.modified or entry.created, entry.checksum)


class Conflict(msgspec.Struct, frozen=True):
    """A local file, and the object that would replace it."""

    name: str
    title: str
    """Title of the object."""
    there: Side
    new: Side
    is_same: bool = False


def is_large(objects: Sequence[StoredObject]) -> bool:
    """Whether a download is large enough to ask first."""
    return len(objects) >= MANY or sum(entry.size or 0 for entry in objects) >= LARGE


def requests(
    objects: Sequence[StoredObject],
    folder: Path,
    on_conflict: OnConflict,
    names: Mapping[str, str],
    there: Container[str] = (),
) -> Iterator[DownloadRequest]:
    """The requests of a download. Objects that share a local name are all kept under different names.

    Otherwise one of them would be skipped for, or overwrite, the file of another.
    """
    counts = Counter(names.values())
    taken: set[str] = set()
    for entry in objects:
        name = names[identity(entry)]
        shared = name in taken or (counts[name] > 1 and name not in there)
        taken.add(name)
        own = "" if name == safe_name(entry.name) else name
        yield DownloadRequest(entry.location, folder, own, OnConflict.KEEP_BOTH if shared else on_conflict, entry)


def zip_text(plan: ZipPlan) -> str:
    """`412 objects, 1.7 GB, in 2 zips`."""
    size = words.size(sum(batch.size for batch in plan.batches))
    return f"{counted(plan.packed, 'object')}, {size}, in {counted(len(plan.batches), 'zip')}"


def not_zipped(plan: ZipPlan) -> str:
    """Why some objects are not zipped, as a sentence; empty if all are."""
    apart = len(plan.direct) + len(plan.left_out)
    if not apart:
        return ""
    reasons = {left.error.message for left in plan.left_out}
    reasons |= {"the service does not take it into a zip"} if plan.direct else set()
    fetched = "is fetched by itself" if apart == 1 else "are fetched one by one"
    return f"{counted(apart, 'object')} {fetched}: {'; '.join(sorted(reasons))}."


def zip_requests(plan: ZipPlan, downloads: Sequence[DownloadRequest], folder: Path) -> Iterator[Request]:
    """The requests: zips first, then the objects in none of them."""
    by_location = {download.location: download for download in downloads}
    for batch in plan.batches:
        members = tuple(by_location.pop(entry.location) for entry in batch.entries)
        yield ZipRequest(members, Location(members[0].location.profile, batch.region), folder)
    yield from by_location.values()


def usable_folder(wanted: Path) -> Path:
    """The folder, created if missing; the current one if it cannot be used. Blocks."""
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path.cwd()
    return wanted if os.access(wanted, os.W_OK | os.X_OK) else Path.cwd()


def names_in(folder: Path) -> frozenset[str]:
    """The names in a folder. Blocks."""
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        # The transfer will report what is wrong with the folder.
        return frozenset()


def unavailable_reasons(
    objects: Sequence[StoredObject], asked: Container[Location], *, is_alone: bool
) -> Iterator[str]:
    """Why objects cannot be downloaded, and how to restore archived ones, as sentences."""
    archived = [entry for entry in objects if entry.state.upper() == "ARCHIVED"]
    if archived:
        how = f"B restores {'it' if len(archived) == 1 else 'them'}."
        how = ASKED if all(entry.location in asked for entry in archived) else how
        yield f"Archived. {how}" if is_alone else f"{len(archived):,} archived: left out. {how}"
    states = Counter(words.state(entry.state) for entry in objects if entry not in archived)
    for state, count in states.items():
        yield f"{counted(count, 'file')} cannot be fetched now: {state}."


def free_space(folder: Path) -> int | None:
    """Free bytes where a folder is or will be; `None` if unknown."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def compared(entry: StoredObject, file: Path, zone: tzinfo) -> Conflict:
    """Compare an object with the local file of its name. Blocks."""
    new, title = Side.of(entry), object_title(entry, zone)
    try:
        found = file.stat()
    except OSError:
        return Conflict(file.name, title, Side(), new)
    when = datetime.fromtimestamp(found.st_mtime, UTC)
    is_same = _is_same(entry, file)
    may_be_same = not entry.size_exact or entry.size in (None, found.st_size)
    # Read the file once more only if the dialog is to show how the two differ.
    shows_md5 = not is_same and may_be_same and file.is_file() and found.st_size <= LARGEST_COMPARED
    there = Side(found.st_size, True, when, _md5(file) if shows_md5 else "")
    return Conflict(file.name, title, there, new, is_same)


def _is_same(entry: StoredObject, file: Path) -> bool:
    """Whether a file has the content of an object, by the check that transfers use."""
    # Deferred: needed only when a file exists already.
    from cloudstore_tui.fs.disk import Disk, TargetFolder
    from cloudstore_tui.transfers.destination import Destination
    from cloudstore_tui.transfers.verify import ExpectedChecksum
    from cloudstore_tui.transfers.workers import Stop

    expected = ExpectedChecksum(entry.size if entry.size_exact else None, entry.checksum, entry.checksum_type)
    place = Destination(Disk(), TargetFolder(file.parent), file.name, "", OnConflict.SKIP)
    try:
        return place.existing(expected, Stop()) is not None
    except (StorageError, OSError):
        return False


def _md5(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError:
        return ""
