"""How to pull: the user's options, and whether zips or single downloads are faster."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec

from cloudstore_tui.archive.manifest import ArchivePlace
from cloudstore_tui.archive.plan import Outcome, PullPlan
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.transfers.zip.plan import (
    MAX_JOBS,
    Batch,
    Cost,
    Direct,
    Packer,
    ZipPlan,
    cost_of_direct,
    cost_of_zips,
)


class Via(StrEnum):
    """How objects are fetched."""

    AUTO = "auto"
    """Whichever is faster."""
    ZIP = "zip"
    """In zips that the service packs."""
    CONTENT = "content"
    """One by one, from their own links."""


class Naming(Protocol):
    """Gives objects their local paths."""

    def path(self, entry: StoredObject, provider: str) -> tuple[str, ...]:
        """Folders and file name of an object of a provider, each one harmless segment."""


class PullOptions(msgspec.Struct, frozen=True):
    """The options of a pull."""

    place: ArchivePlace
    """The folder."""
    naming: Naming
    via: Via = Via.AUTO
    on_conflict: OnConflict = OnConflict.REFUSE
    sidecars: bool = False
    """Whether every file gets a `.json` beside it."""
    table: bool = False
    """Whether to write `manifest.csv` as well."""
    scratch: Path | None = None
    """The folder for temporary databases; the system's own if `None`."""
    polls: tuple[int, ...] = (5, 10, 20)
    """Seconds between polls of a zip job, for the estimate."""
    at_once: int = 4
    """Concurrent transfers, for the estimate."""
    asked: str = ""
    """What the pull asks for, as the user typed it: another pull of the same makes up for one that failed."""


class Strategy(msgspec.Struct, frozen=True):
    """A way of fetching everything, and its cost."""

    zip_jobs: int
    direct: int
    """Objects fetched one by one."""
    cost: Cost


def choose_strategy(plan: PullPlan, provider: StorageProvider, options: PullOptions) -> Strategy:
    """The way that the user asked for, else the faster one, for all wanted items."""
    pace = provider.profile.requests_per_minute
    wanted, size = plan.counts()[Outcome.WANTED], plan.sizes()[Outcome.WANTED]
    single = one_by_one(wanted, size, pace, options.at_once)
    if options.via is Via.CONTENT or Capability.ZIP not in provider.capabilities:
        return single
    entries = (item.entry for item in plan.items(Outcome.WANTED))
    zips = by_zips(entries, pace, options.polls, options.at_once)
    is_faster = zips.zip_jobs > 0 and zips.cost.seconds < single.cost.seconds
    return zips if options.via is Via.ZIP or is_faster else single


def one_by_one(count: int, size: int, requests_per_minute: int, at_once: int) -> Strategy:
    """The cost of fetching every object by its own link."""
    return Strategy(0, count, cost_of_direct(count, size, requests_per_minute, at_once))


def by_zips(
    entries: Iterable[StoredObject], requests_per_minute: int, polls: Sequence[float], at_once: int
) -> Strategy:
    """The cost of fetching in zips, with single downloads for objects that fit into none; holds one batch at a time."""
    packer = Packer()
    jobs = requests = direct = direct_size = 0
    seconds = longest = 0.0

    def add(batch: Batch) -> None:
        nonlocal jobs, requests, seconds, longest
        # Without the limit of requests per minute, which holds for all batches together.
        cost = cost_of_zips(ZipPlan((batch,), (), ()), 0, polls, at_once)
        jobs += 1
        requests += cost.requests
        seconds += cost.seconds
        longest = max(longest, cost.seconds)

    for entry in entries:
        for part in packer.add(entry):
            if isinstance(part, Batch):
                add(part)
            elif isinstance(part, Direct):
                direct += 1
                direct_size += entry.size or 0
    for batch in packer.rest():
        add(batch)
    one_by_one_cost = cost_of_direct(direct, direct_size, requests_per_minute, at_once)
    paced = 60 * requests / requests_per_minute if requests_per_minute > 0 else 0.0
    packed = Cost(requests, max(paced, longest, seconds / MAX_JOBS))
    return Strategy(jobs, direct, packed + one_by_one_cost)
