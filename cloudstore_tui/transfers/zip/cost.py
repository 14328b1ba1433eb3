"""What fetching a set of objects costs in each of the two ways, and which is faster."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloudstore_tui.transfers.zip.plan import ZipPlan

REQUESTS_PER_OBJECT = 2
"""Its record and its link."""
REQUESTS_PER_JOB = 4
"""The queue before, the start, and the link twice: one for the size."""
ROUND_TRIP = 0.3
"""Seconds that a request or a small object takes in any case."""
SPEED = 20_000_000
"""Bytes a second, the same for both ways."""
PACKING_SPEED = 50_000_000
"""Bytes a second that the service packs."""
PACKING_START = 5.0
"""Seconds before it begins."""
JOBS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate."""

    requests: int
    """Of the API; those for the bytes themselves do not count against its pace."""
    seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        """Both, one after the other."""
        return Cost(self.requests + other.requests, self.seconds + other.seconds)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which way is taken, and why."""

    zips: bool
    """Whether by zip jobs."""
    why: str
    """A sentence part for people: `zip: 2 jobs, about 40 s; one by one 412 requests at 60 a minute, about 7 min`."""


def cost_of_direct(count: int, size: int, requests_per_minute: int, at_once: int) -> Cost:
    """Of fetching `count` objects of `size` bytes in all, `at_once` at a time."""
    requests = count * REQUESTS_PER_OBJECT
    waits = count * (REQUESTS_PER_OBJECT + 1) * ROUND_TRIP / max(at_once, 1)
    return Cost(requests, max(_paced(requests, requests_per_minute), waits, size / SPEED))


def cost_of_zips(plan: ZipPlan, requests_per_minute: int, polls: Sequence[float], at_once: int = 4) -> Cost:
    """Of fetching a plan: its zip jobs, and what goes apart."""
    requests, longest, total = 0, 0.0, 0.0
    for batch in plan.batches:
        count, waited = _polls(PACKING_START + batch.size / PACKING_SPEED, polls)
        seconds = waited + (REQUESTS_PER_JOB + count) * ROUND_TRIP
        requests += REQUESTS_PER_JOB + count
        longest, total = max(longest, seconds), total + seconds
    moved = sum(batch.size for batch in plan.batches) / SPEED
    jobs = Cost(requests, max(_paced(requests, requests_per_minute), longest, total / JOBS_AT_ONCE) + moved)
    size = sum(entry.size or 0 for entry in plan.direct)
    return jobs + cost_of_direct(len(plan.direct), size, requests_per_minute, at_once)


def choose(plan: ZipPlan, requests_per_minute: int, polls: Sequence[float], at_once: int = 4) -> Choice:
    """The faster way for a plan."""
    entries = [entry for batch in plan.batches for entry in batch.entries] + list(plan.direct)
    size = sum(entry.size or 0 for entry in entries)
    direct = cost_of_direct(len(entries), size, requests_per_minute, at_once)
    zips = cost_of_zips(plan, requests_per_minute, polls, at_once)
    jobs = len(plan.batches)
    packed = f"zip: {jobs} job{'' if jobs == 1 else 's'}, about {_time(zips.seconds)}"
    pace = f" at {requests_per_minute} a minute" if requests_per_minute else ""
    single = f"one by one: {direct.requests} requests{pace}, about {_time(direct.seconds)}"
    faster = jobs > 0 and zips.seconds < direct.seconds
    return Choice(faster, f"{packed}; {single}" if faster or jobs else single)


def _paced(requests: int, requests_per_minute: int) -> float:
    """Seconds that the pace alone demands."""
    return 60 * requests / requests_per_minute if requests_per_minute > 0 else 0.0


def _polls(seconds: float, polls: Sequence[float]) -> tuple[int, float]:
    """How often a job that takes so long is asked for, and when it is found to be ready."""
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
