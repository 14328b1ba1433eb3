"""Which objects go into which zip job, and which are better fetched one by one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from cloudstore_tui.core.errors import NotAvailableError
from cloudstore_tui.core.models import StoredObject

MOST_BYTES = 1_800_000_000
"""Bytes in one zip: the service allows 2 GB and does not say of what, nor how it counts them."""
MOST_IDS = 500
"""Objects in one zip; the service names no limit."""

_AVAILABLE = "AVAILABLE"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects of one region for one zip job, in the order they came."""

    region: str
    entries: tuple[StoredObject, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Direct:
    """An object that does not go into a zip."""

    entry: StoredObject
    why: str
    """A clause for people."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that cannot be fetched at all."""

    entry: StoredObject
    error: NotAvailableError


Part: TypeAlias = Batch | Direct | LeftOut


@dataclass(frozen=True, slots=True)
class ZipPlan:
    """What is to be done for a set of objects."""

    batches: tuple[Batch, ...]
    direct: tuple[StoredObject, ...]
    left_out: tuple[LeftOut, ...]


@dataclass
class _Open:
    """A batch that grows. An id is in it once."""

    entries: dict[str, StoredObject] = field(default_factory=dict)
    size: int = 0


class Packer:
    """Fills one batch for each region, and hands it over when nothing more fits.

    Holds no more than the batches that are not full, so that any number of objects can pass.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_ids: int = MOST_IDS) -> None:
        self._most_bytes = most_bytes
        self._most_ids = most_ids
        self._open: dict[str, _Open] = {}

    def add(self, entry: StoredObject) -> Iterator[Part]:
        """What became certain with this object: a full batch, or that it goes apart."""
        if not is_available(entry):
            yield LeftOut(entry, not_available(entry))
        elif why := self._unfit(entry):
            yield Direct(entry, why)
        else:
            yield from self._put(entry, entry.size or 0)

    def rest(self) -> Iterator[Batch]:
        """The batches that are not full, when no object is left."""
        while self._open:
            yield self._taken(next(iter(self._open)))

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
        now = self._open.get(entry.region)
        return "it is asked for twice" if now and entry.location.path in now.entries else ""

    def _put(self, entry: StoredObject, size: int) -> Iterator[Batch]:
        now = self._open.get(entry.region)
        if now and now.size + size > self._most_bytes:
            yield self._taken(entry.region)
        now = self._open.setdefault(entry.region, _Open())
        now.entries[entry.location.path] = entry
        now.size += size
        if len(now.entries) >= self._most_ids:
            yield self._taken(entry.region)

    def _taken(self, region: str) -> Batch:
        full = self._open.pop(region)
        return Batch(region, tuple(full.entries.values()), full.size)


def pack(entries: Iterable[StoredObject], most_bytes: int = MOST_BYTES, most_ids: int = MOST_IDS) -> Iterator[Part]:
    """Batches and single objects out of a stream of objects, the same for the same stream."""
    packer = Packer(most_bytes, most_ids)
    for entry in entries:
        yield from packer.add(entry)
    yield from packer.rest()


def plan_zips(entries: Iterable[StoredObject], most_bytes: int = MOST_BYTES, most_ids: int = MOST_IDS) -> ZipPlan:
    """The whole plan for a set of objects that fits into memory."""
    parts = list(pack(entries, most_bytes, most_ids))
    return ZipPlan(
        tuple(part for part in parts if isinstance(part, Batch)),
        tuple(part.entry for part in parts if isinstance(part, Direct)),
        tuple(part for part in parts if isinstance(part, LeftOut)),
    )


def is_available(entry: StoredObject) -> bool:
    """Whether an object can be fetched now, as far as its record tells."""
    return entry.state.upper() in ("", _AVAILABLE)


def not_available(entry: StoredObject) -> NotAvailableError:
    """Why an object cannot be fetched."""
    archived = entry.state.upper() == "ARCHIVED"
    return NotAvailableError(
        f"its state is {entry.state}",
        state=entry.state,
        subject=entry.location.address,
        hint="Restore it first; that takes hours." if archived else "Only AVAILABLE objects can be fetched.",
    )
