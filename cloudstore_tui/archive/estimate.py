"""What a pull will cost, before anything is fetched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.transfers.zip.cost import JOBS_AT_ONCE, Cost, cost_of_direct, cost_of_zips
from cloudstore_tui.transfers.zip.plan import Batch, Direct, Packer, ZipPlan


@dataclass(frozen=True, slots=True)
class Way:
    """One way of fetching everything."""

    zip_jobs: int
    direct: int
    """Objects fetched one by one."""
    cost: Cost


@dataclass
class _Sum:
    """Objects fetched one by one."""

    count: int = 0
    size: int = 0

    def add(self, entry: StoredObject) -> None:
        self.count += 1
        self.size += entry.size or 0


def one_by_one(count: int, size: int, requests_per_minute: int, at_once: int) -> Way:
    """Everything through the objects' own links."""
    return Way(0, count, cost_of_direct(count, size, requests_per_minute, at_once))


def by_zips(entries: Iterable[StoredObject], requests_per_minute: int, polls: Sequence[float], at_once: int) -> Way:
    """Everything that fits into zips in zips; holds one batch at a time."""
    packer, single = Packer(), _Sum()
    jobs, requests, seconds, longest = 0, 0, 0.0, 0.0

    def add(batch: Batch) -> None:
        nonlocal jobs, requests, seconds, longest
        # Without a pace: that is the same for all batches together.
        cost = cost_of_zips(ZipPlan((batch,), (), ()), 0, polls, at_once)
        jobs, requests, seconds, longest = (
            *(jobs + 1, requests + cost.requests),
            *(seconds + cost.seconds, max(longest, cost.seconds)),
        )

    for entry in entries:
        for part in packer.add(entry):
            if isinstance(part, Batch):
                add(part)
            elif isinstance(part, Direct):
                single.add(entry)
    for batch in packer.rest():
        add(batch)
    direct = cost_of_direct(single.count, single.size, requests_per_minute, at_once)
    paced = 60 * requests / requests_per_minute if requests_per_minute > 0 else 0.0
    packed = Cost(requests, max(paced, longest, seconds / JOBS_AT_ONCE))
    return Way(jobs, single.count, packed + direct)
