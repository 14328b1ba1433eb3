"""Which objects go into which zip jobs, and whether that is worth it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct, field

from cloudstore_tui.core.errors import NotAvailableError
from cloudstore_tui.core.models import StoredObject

MAX_BYTES = 1_800_000_000
"""Bytes in one zip: the service allows 2 GB and does not say of what, nor how it counts them."""
MAX_IDS = 500
"""Objects in one zip; the service names no limit."""

_AVAILABLE = "AVAILABLE"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")

REQUESTS_PER_OBJECT = 2
"""Those for its record and its link."""
REQUESTS_PER_JOB = 4
"""Those for the queue beforehand, the start, and the link twice, once for the size."""
ROUND_TRIP = 0.3
"""Seconds that a request or a small object takes at least."""
SPEED = 20_000_000
"""Bytes per second of a download, of zips and of single objects."""
PACKING_SPEED = 50_000_000
"""Bytes per second that the service packs."""
PACKING_START = 5.0
"""Seconds before the service begins to pack."""
MAX_JOBS = 2


class Batch(Struct, frozen=True):
    """Objects of one region for one zip job, in their order."""

    region: str
    entries: tuple[StoredObject, ...]
    size: int


class Direct(Struct, frozen=True):
    """An object that does not go into a zip."""

    entry: StoredObject
    why: str
    """A clause for people."""


class LeftOut(Struct, frozen=True):
    """An object that cannot be fetched at all."""

    entry: StoredObject
    error: NotAvailableError


Part: TypeAlias = Batch | Direct | LeftOut


class ZipPlan(Struct, frozen=True):
    """What is to be done for a set of objects."""

    batches: tuple[Batch, ...]
    direct: tuple[StoredObject, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def packed(self) -> int:
        """How many objects go into zips."""
        return sum(len(batch.entries) for batch in self.batches)


class _OpenBatch(Struct):
    """A batch that is not full. Each id is in it once."""

    entries: dict[str, StoredObject] = field(default_factory=dict)
    size: int = 0


class Packer:
    """Fills one batch for each region, and yields it when it is full.

    Only batches that are not full are kept, so any number of objects can be packed.
    """

    def __init__(self, most_bytes: int = MAX_BYTES, most_ids: int = MAX_IDS) -> None:
        self._most_bytes = most_bytes
        self._most_ids = most_ids
        self._open: dict[str, _OpenBatch] = {}

    def add(self, entry: StoredObject) -> Iterator[Part]:
        """Add an object; yields a batch that is full now, or the object if it cannot be in a zip."""
        if not is_available(entry):
            yield LeftOut(entry, not_available(entry))
        elif why := self._unfit(entry):
            yield Direct(entry, why)
        else:
            yield from self._put(entry, entry.size or 0)

    def rest(self) -> Iterator[Batch]:
        """The batches that are not full, after the last object."""
        while self._open:
            yield self._take(next(iter(self._open)))

    def _unfit(self, entry: StoredObject) -> str:
        """Why an object cannot be put into a zip; empty if it can."""
        if not entry.state:
            return "its state is not known"
        if entry.size is None:
            return "its size is not known"
        if entry.size > self._most_bytes:
            return f"it is larger than a zip may be ({entry.size} bytes)"
        if not _ID.fullmatch(entry.location.path):
            return "its id is not of the form that zip jobs take"
        batch = self._open.get(entry.region)
        return "it is asked for twice" if batch and entry.location.path in batch.entries else ""

    def _put(self, entry: StoredObject, size: int) -> Iterator[Batch]:
        batch = self._open.get(entry.region)
        if batch and batch.size + size > self._most_bytes:
            yield self._take(entry.region)
        batch = self._open.setdefault(entry.region, _OpenBatch())
        batch.entries[entry.location.path] = entry
        batch.size += size
        if len(batch.entries) >= self._most_ids:
            yield self._take(entry.region)

    def _take(self, region: str) -> Batch:
        batch = self._open.pop(region)
        return Batch(region, tuple(batch.entries.values()), batch.size)


def pack(entries: Iterable[StoredObject], most_bytes: int = MAX_BYTES, most_ids: int = MAX_IDS) -> Iterator[Part]:
    """Pack a stream of objects into batches; the same stream gives the same batches."""
    packer = Packer(most_bytes, most_ids)
    for entry in entries:
        yield from packer.add(entry)
    yield from packer.rest()


def plan_zips(entries: Iterable[StoredObject], most_bytes: int = MAX_BYTES, most_ids: int = MAX_IDS) -> ZipPlan:
    """Plan the zip jobs for a set of objects that fits into memory."""
    parts = list(pack(entries, most_bytes, most_ids))
    return ZipPlan(
        tuple(part for part in parts if isinstance(part, Batch)),
        tuple(part.entry for part in parts if isinstance(part, Direct)),
        tuple(part for part in parts if isinstance(part, LeftOut)),
    )


def is_available(entry: StoredObject) -> bool:
    """Whether an object can be fetched now, by its record."""
    return entry.state.upper() in ("", _AVAILABLE)


def not_available(entry: StoredObject) -> NotAvailableError:
    """The error for an object that cannot be fetched now."""
    archived = entry.state.upper() == "ARCHIVED"
    return NotAvailableError(
        f"its state is {entry.state}",
        state=entry.state,
        subject=entry.location.address,
        hint="Restore it first; that takes hours." if archived else "Only AVAILABLE objects can be fetched.",
    )


class Cost(Struct, frozen=True):
    """An estimate."""

    requests: int
    """To the API; those for the bytes do not count against its rate limit."""
    seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        """The cost of both, one after the other."""
        return Cost(self.requests + other.requests, self.seconds + other.seconds)


class ZipChoice(Struct, frozen=True):
    """Whether zip jobs are used, and why."""

    zips: bool
    why: str
    """A clause for people: `zip: 2 jobs, about 40 s; one by one 412 requests at 60 a minute, about 7 min`."""


def cost_of_direct(count: int, size: int, requests_per_minute: int, at_once: int) -> Cost:
    """The cost of fetching `count` objects of `size` bytes in all one by one, `at_once` at a time."""
    requests = count * REQUESTS_PER_OBJECT
    waits = count * (REQUESTS_PER_OBJECT + 1) * ROUND_TRIP / max(at_once, 1)
    return Cost(requests, max(_paced(requests, requests_per_minute), waits, size / SPEED))


def cost_of_zips(plan: ZipPlan, requests_per_minute: int, polls: Sequence[float], at_once: int = 4) -> Cost:
    """The cost of a plan: its zip jobs, and the objects that are not in a zip."""
    requests, longest, total = 0, 0.0, 0.0
    for batch in plan.batches:
        count, waited = _polls(PACKING_START + batch.size / PACKING_SPEED, polls)
        seconds = waited + (REQUESTS_PER_JOB + count) * ROUND_TRIP
        requests += REQUESTS_PER_JOB + count
        longest, total = max(longest, seconds), total + seconds
    moved = sum(batch.size for batch in plan.batches) / SPEED
    jobs = Cost(requests, max(_paced(requests, requests_per_minute), longest, total / MAX_JOBS) + moved)
    size = sum(entry.size or 0 for entry in plan.direct)
    return jobs + cost_of_direct(len(plan.direct), size, requests_per_minute, at_once)


def choose(plan: ZipPlan, requests_per_minute: int, polls: Sequence[float], at_once: int = 4) -> ZipChoice:
    """Choose the faster way."""
    entries = [entry for batch in plan.batches for entry in batch.entries] + list(plan.direct)
    size = sum(entry.size or 0 for entry in entries)
    direct = cost_of_direct(len(entries), size, requests_per_minute, at_once)
    zips = cost_of_zips(plan, requests_per_minute, polls, at_once)
    jobs = len(plan.batches)
    packed = f"zip: {jobs} job{'' if jobs == 1 else 's'}, about {_time(zips.seconds)}"
    pace = f" at {requests_per_minute} a minute" if requests_per_minute else ""
    single = f"one by one: {direct.requests} requests{pace}, about {_time(direct.seconds)}"
    faster = jobs > 0 and zips.seconds < direct.seconds
    return ZipChoice(faster, f"{packed}; {single}" if faster or jobs else single)


def _paced(requests: int, requests_per_minute: int) -> float:
    """Seconds that the rate limit alone demands."""
    return 60 * requests / requests_per_minute if requests_per_minute > 0 else 0.0


def _polls(seconds: float, polls: Sequence[float]) -> tuple[int, float]:
    """How often the status of a job that takes this long is asked for, and after how many seconds it is found ready."""
    count, waited = 0, 0.0
    while waited < seconds:
        waited += max(polls[min(count, len(polls) - 1)] if polls else 1.0, 1.0)
        count += 1
    return count, waited


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = seconds / 60
    return f"{round(minutes)} min" if minutes < 90 else f"{minutes / 60:.1f} h"
