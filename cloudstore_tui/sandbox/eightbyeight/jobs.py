"""Zip jobs, whose progress depends on the clock alone, and their zips, which are built when first fetched."""

import threading
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cloudstore_tui.sandbox.eightbyeight.model import Record
from cloudstore_tui.sandbox.faults.broken_answers import damaged_pieces

ENDED = frozenset({"DONE", "PARTIAL_DONE", "FAILED", "CANCELLED"})
FETCHABLE = frozenset({"DONE", "PARTIAL_DONE"})


class SandboxJob(msgspec.Struct, frozen=True):
    """One job."""

    region: str
    records: tuple[Record, ...]
    """The objects in the zip."""
    missing: tuple[str, ...]
    """Ids of those that are left out."""
    started: float
    """Epoch seconds, as `ended`."""
    ended: float
    outcome: str
    """Its status once it has ended."""
    life: float
    """Seconds for which it is kept after its end."""
    name: str = ""

    def status(self, now: float) -> str:
        """The service's word for its state."""
        if now >= self.ended:
            return self.outcome
        return "NOT_STARTED" if now < self.started + (self.ended - self.started) / 3 else "IN_PROGRESS"

    def as_json(self, now: float, url: str = "") -> dict[str, Any]:
        """Its JSON form."""
        status = self.status(now)
        word = "SUCCESS" if status in FETCHABLE else status
        content = [f"{record.id}:{word}" for record in self.records] + [f"{id_}:FAILED" for id_ in self.missing]
        shown: dict[str, Any] = {"zipName": self.name, "status": status, "content": content}
        return {**shown, "url": url} if url else shown


class SandboxJobs:
    """The queues of the company: one per region, shared by all keys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, SandboxJob] = {}

    def start(self, job: SandboxJob) -> SandboxJob:
        """Queue a job under a new name."""
        named = msgspec.structs.replace(job, name=f"{uuid.uuid4()}.zip")
        with self._lock:
            self._jobs[named.name] = named
        return named

    def find(self, region: str, name: str, now: float) -> SandboxJob | None:
        """One job that has not expired."""
        return next((job for job in self.all(region, now) if job.name == name), None)

    def all(self, region: str, now: float) -> list[SandboxJob]:
        """Every job of a region that has not expired, oldest first."""
        with self._lock:
            self._jobs = {name: job for name, job in self._jobs.items() if now < job.ended + job.life}
            return [job for job in self._jobs.values() if job.region == region]

    def cancel(self, job: SandboxJob, now: float) -> None:
        """Stop a job; one that has ended stays as it is."""
        if job.status(now) not in ENDED:
            with self._lock:
                self._jobs[job.name] = msgspec.structs.replace(job, ended=now, outcome="CANCELLED")

    def clear(self, region: str) -> None:
        """Empty the queue of a region."""
        with self._lock:
            self._jobs = {name: job for name, job in self._jobs.items() if job.region != region}


_BUILDING = threading.Lock()


def zip_of(folder: Path, job: SandboxJob, naming: str, damaged: Callable[[Record], bool]) -> Path:
    """The file of a job's zip, with members named as switch E-29 says."""
    path = folder / "zips" / naming / job.name
    with _BUILDING:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            _build(part, _members(job, naming), damaged)
            part.replace(path)
    return path


def _build(path: Path, members: Iterator[tuple[str, Record]], damaged: Callable[[Record], bool]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, record in members:
            moment = datetime.fromtimestamp(record.created // 1000, UTC)
            member = zipfile.ZipInfo(name, moment.timetuple()[:6])
            member.file_size = record.size
            with file.open(member, "w") as target:
                pieces = record.body.read()
                for chunk in damaged_pieces(pieces, record.size) if damaged(record) else pieces:
                    target.write(chunk)
            # Duplicate names are intended, but the library would warn about them.
            file.NameToInfo.clear()


def _members(job: SandboxJob, naming: str) -> Iterator[tuple[str, Record]]:
    seen: Counter[str] = Counter()
    for record in job.records:
        name = record.name.replace(":", ".") if naming == "dots" else record.name
        earlier, seen[name] = seen[name], seen[name] + 1
        if naming == "numbered" and earlier:
            stem, dot, ending = name.rpartition(".")
            name = f"{stem}({earlier}){dot}{ending}" if dot else f"{name}({earlier})"
        yield name, record
