"""The queue of transfers: so many at once, each with its state, in one event loop."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.sleep import Sleep
from cloudstore_tui.transfers.attendant import Attendant
from cloudstore_tui.transfers.dispatcher import Dispatcher, Result
from cloudstore_tui.transfers.errand import Errand
from cloudstore_tui.transfers.journal.journal import Journal
from cloudstore_tui.transfers.ledger import Ledger
from cloudstore_tui.transfers.left_overs import LeftOvers
from cloudstore_tui.transfers.means import Means
from cloudstore_tui.transfers.transfer import Request, State, Transfer
from cloudstore_tui.transfers.workers import Workers

CLOSING = 0.9
"""Seconds that running transfers get to end when the engine is closed."""


_AGAIN = frozenset({State.FAILED, State.CANCELLED, State.SKIPPED})
_GONE = frozenset({State.DONE, State.SKIPPED, State.CANCELLED})


def new_number() -> int:
    """A number for a transfer that no other program gives to one of its own."""
    return secrets.randbits(40)


class TransferEngine:
    """Runs transfers. Lives in one event loop; only `snapshot` and `members` may be called from elsewhere."""

    def __init__(
        self,
        provider_of: Callable[[str], StorageProvider],
        at_once: int = 4,
        timeouts: Timeouts | None = None,
        *,
        journal: Journal | None = None,
        polls: tuple[int, ...] = (5, 10, 20),
        clock: Clock | None = None,
        disk: Disk | None = None,
    ) -> None:
        """Make one; nothing is opened before the first transfer.

        Args:
            provider_of: gives the provider of a profile.
            at_once: transfers that run at the same time.
            timeouts: how long to wait for a host.
            journal: where transfers are kept that outlive the program; without one they end with it.
            polls: seconds between looks at a zip job; the last repeats.
            clock: time and chance.
            disk: the file calls.
        """
        self._provider_of = provider_of
        self._timeouts = timeouts or Timeouts()
        self._journal = journal
        self._polls = polls
        self._clock = clock or Clock()
        self._disk = disk or Disk()
        self._workers = Workers()
        self._equipment: Means | None = None
        self._errands: dict[int, Errand] = {}
        self._under_way: dict[int, Errand] = {}
        """Those that were begun and have not ended."""
        self._dispatcher = Dispatcher(at_once, self._begin, self._settle)
        self._closed = False
        orders = {"pause": self.pause, "resume": self.resume, "cancel": self.cancel}
        sleep = Sleep(self._clock)
        self._attendant = Attendant(self._under_way, journal, sleep, orders, lambda: self.means.blob.renew())
        self.left_overs = LeftOvers(journal, self._disk, self._workers)
        """Transfers of other programs, and of runs that ended too early."""

    def submit(self, request: Request, number: int | None = None) -> int:
        """Put a transfer into the queue; its number."""
        number = new_number() if number is None else number
        errand = self._errands[number] = Errand(number, request, self._clock, Ledger(self._journal, number))
        errand.ledger.enter(request)
        self._enqueue(errand)
        return number

    async def adopt(self, numbers: Iterable[int] | None = None) -> tuple[int, ...]:
        """Go on with interrupted transfers, all of them or some; the numbers of those that nobody else took."""
        records = await self._journal.adopt(numbers) if self._journal is not None else ()
        for record in records:
            ledger = Ledger(self._journal, record.id, record)
            errand = self._errands[record.id] = Errand(record.id, record.request, self._clock, ledger)
            errand.live.size = record.size
            errand.ledger.note(state=State.QUEUED.value, reason="", code=0)
            self._enqueue(errand)
        return tuple(record.id for record in records)

    def pause(self, number: int) -> None:
        """Let a transfer rest until it is resumed; what arrived is kept."""
        errand = self._errands.get(number)
        if errand is None or errand.live.state.ended or errand.live.state is State.PAUSED:
            return
        if errand.task is not None:
            errand.rests = True
            errand.task.cancel()
        else:
            self._dispatcher.withdraw(errand)
            self._attend_to(errand)
            errand.live.to(State.PAUSED)

    def resume(self, number: int) -> None:
        """Go on with a transfer that was paused."""
        errand = self._errands.get(number)
        if errand is not None and errand.live.state is State.PAUSED:
            self._enqueue(errand)

    def cancel(self, number: int) -> None:
        """Stop a transfer: its connection is closed at once, and nothing is left on the disk."""
        errand = self._errands.get(number)
        if errand is None or errand.live.state.ended:
            return
        if errand.task is not None:
            errand.rests = False
            errand.task.cancel()
            return
        self._dispatcher.withdraw(errand)
        self._dispatcher.send_off(errand, errand.give_up())

    def retry(self, number: int) -> None:
        """Try a transfer again that failed, was cancelled or skipped; what arrived of it is kept where possible."""
        errand = self._errands.get(number)
        if errand is None or errand.live.state not in _AGAIN:
            return
        if errand.live.state is not State.FAILED:
            errand.ledger.enter(errand.live.request)
        self._enqueue(errand)

    def forget(self, number: int) -> None:
        """Take a transfer that ended off the list."""
        errand = self._errands.get(number)
        if errand is not None and errand.live.state.ended:
            errand.discard()
            errand.ledger.remove()
            del self._errands[number]

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""
        for number in list(self._errands):
            self.forget(number)

    def snapshot(self) -> tuple[Transfer, ...]:
        """All transfers as they are now, in the order they came. May be called from any thread."""
        return tuple(errand.live.snapshot() for errand in list(self._errands.values()))

    def members(self, number: int) -> tuple[Transfer, ...]:
        """The objects of a zip as they are now; none of other transfers. May be called from any thread."""
        errand = self._errands.get(number)
        return tuple(live.snapshot() for live in errand.live.members) if errand is not None else ()

    async def wait(self, number: int) -> Transfer:
        """The transfer when it has ended."""
        errand = self._errands[number]
        await errand.ended.wait()
        return errand.live.snapshot()

    async def close(self) -> None:
        """Stop everything, within about a second.

        With a journal, what is not done can be gone on with by the next run; without one, no part file is left.
        """
        self._closed = True
        self._dispatcher.close()
        if self._equipment is not None:
            await self._stop(self._equipment)
        if suspending := {asyncio.create_task(errand.suspend()) for errand in self._errands.values() if errand.leaves}:
            await asyncio.wait(suspending, timeout=CLOSING)
        for errand in self._errands.values():
            if not errand.live.state.ended and not errand.ledger.lasts:
                errand.live.to(State.CANCELLED)
            errand.ended.set()
        self._attendant.stop()
        self._workers.close()

    async def _stop(self, means: Means) -> None:
        """End every connection and everything that runs."""
        stopping: set[asyncio.Task[Any]] = {asyncio.create_task(means.blob.close())}
        for errand in self._errands.values():
            if errand.task is not None:
                errand.rests = True
                errand.task.cancel()
                stopping.add(errand.task)
        await asyncio.wait(stopping, timeout=CLOSING)

    @property
    def means(self) -> Means:
        """What transfers work with, made for the first one."""
        if self._equipment is None:
            # Deferred: libcurl takes longer to load than the first screen to draw.
            from cloudstore_tui.net.blob import BlobClient

            self._equipment = Means(
                BlobClient(self._timeouts), self._timeouts, self._clock, self._disk, self._polls, self._workers
            )
        return self._equipment

    def _enqueue(self, errand: Errand) -> None:
        errand.live.again()
        errand.rests = False
        errand.ended.clear()
        if self._closed:
            self._end(errand, State.CANCELLED)
            return
        self._dispatcher.enqueue(errand)

    def _begin(self, errand: Errand) -> Coroutine[Any, Any, Result]:
        self._attend_to(errand)
        return errand.carry_out(self._provider_of, lambda: self.means)

    def _attend_to(self, errand: Errand) -> None:
        self._under_way[errand.live.number] = errand
        self._attendant.wake()

    def _settle(self, errand: Errand, state: State, error: StorageError | None) -> None:
        errand.live.error = error
        if state is not State.PAUSED:
            self._end(errand, state)
        elif not self._closed:
            # The end of the program is no wish of the user's: what it stops is not paused.
            errand.live.to(state)

    def _end(self, errand: Errand, state: State) -> None:
        error = errand.live.error
        if state in _GONE:
            errand.ledger.remove()
        elif error is not None:
            errand.ledger.note(state=state.value, reason=error.message, code=error.code)
        self._under_way.pop(errand.live.number, None)
        errand.live.to(state)
        errand.ended.set()
