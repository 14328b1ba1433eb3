"""How to pull: what the user wants, one by one or in zips, and what that costs."""

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
    """How the bytes come."""

    AUTO = "auto"
    """Whichever is faster."""
    ZIP = "zip"
    """In zips that the service packs."""
    CONTENT = "content"
    """One by one."""


class Naming(Protocol):
    """Gives objects their local paths."""

    def path(self, entry: StoredObject, provider: str) -> tuple[str, ...]:
        """Folders and file name of an object of a provider, each one harmless segment."""


class PullOptions(msgspec.Struct, frozen=True):
    """What the user wants."""

    place: ArchivePlace
    """Where the files go."""
    naming: Naming
    via: Via = Via.AUTO
    on_conflict: OnConflict = OnConflict.REFUSE
    sidecars: bool = False
    """Whether every file gets a `.json` beside it."""
    table: bool = False
    """Whether there is a `manifest.csv`, too."""
    scratch: Path | None = None
    """Where databases lie while the pull runs; the system's own place for such files if `None`."""
    polls: tuple[int, ...] = (5, 10, 20)
    """Seconds between looks at a zip job, for the estimate."""
    at_once: int = 4
    """Transfers at the same time, for the estimate."""
    asked: str = ""
    """What is pulled, in the words of the user: another pull of the same can make up for this one."""


class Strategy(msgspec.Struct, frozen=True):
    """One way of fetching everything."""

    zip_jobs: int
    direct: int
    """Objects fetched one by one."""
    cost: Cost


def choose_strategy(plan: PullPlan, provider: StorageProvider, options: PullOptions) -> Strategy:
    """What the user asked for, else the faster way, for everything that is wanted."""
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
    """Everything through the objects' own links."""
    return Strategy(0, count, cost_of_direct(count, size, requests_per_minute, at_once))


def by_zips(
    entries: Iterable[StoredObject], requests_per_minute: int, polls: Sequence[float], at_once: int
) -> Strategy:
    """Everything that fits into zips in zips; holds one batch at a time."""
    packer = Packer()
    jobs = requests = direct = direct_size = 0
    seconds = longest = 0.0

    def add(batch: Batch) -> None:
        nonlocal jobs, requests, seconds, longest
        # Without a pace: that is the same for all batches together.
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
