"""What is still to be asked for in zip jobs, and what is better fetched by itself."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from cloudstore_tui.transfers.zip.wanted import Wanted

MOST_FAILURES = 20
"""Jobs of one transfer that may fail: enough to find one object among 500 that the service cannot pack."""
WORTH_A_JOB = 20
"""Objects missing in a zip that are asked for in another one; fewer are fetched one by one."""


@dataclass
class Batch:
    """Objects for one job; none where nobody knows what is in it."""

    wanted: Sequence[Wanted]
    failures: int = 0
    """Jobs for them that failed."""
    again: bool = False
    """Whether they were missing in a zip before."""

    @property
    def left(self) -> list[Wanted]:
        """Those that are not settled yet."""
        return [wanted for wanted in self.wanted if wanted.is_open]


class Batches:
    """The queue of one transfer."""

    def __init__(self) -> None:
        self.single: list[Wanted] = []
        """Objects that no further job is tried for."""
        self._queue: deque[Batch] = deque()
        self._failures = 0

    @property
    def first(self) -> Batch | None:
        """The batch whose turn it is, until it is told what became of it."""
        return self._queue[0] if self._queue else None

    def add(self, batch: Batch) -> None:
        """Put a batch at the end."""
        self._queue.append(batch)

    def opened(self, missing: Sequence[Wanted], damaged: Sequence[Wanted]) -> None:
        """The zip of the first batch was opened: `missing` were not in it, `damaged` are of no use."""
        batch = self._queue.popleft()
        self.single += damaged
        if len(missing) >= WORTH_A_JOB and not batch.again:
            self.add(Batch(missing, again=True))
        else:
            self.single += missing

    def give_up(self) -> None:
        """Ask for no further job: whatever is left is fetched by itself."""
        self.single += [wanted for batch in self._queue for wanted in batch.left]
        self._queue.clear()

    def failed(self) -> None:
        """The job of the first batch failed: once more, then with half of the objects, down to each by itself."""
        batch = self._queue.popleft()
        batch.failures += 1
        self._failures += 1
        left = batch.left
        if self._failures >= MOST_FAILURES:
            self.single += left
            self.give_up()
        elif batch.failures == 1:
            self._queue.appendleft(batch)
        elif len(left) > 1:
            middle = len(left) // 2
            self._queue.extendleft(Batch(half, failures=1) for half in (left[middle:], left[:middle]))
        else:
            self.single += left
