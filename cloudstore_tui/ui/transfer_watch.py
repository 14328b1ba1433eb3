"""Transfers as the screen sees them: looked at a few times a second while something goes on, else not at all."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from textual.app import App
from textual.signal import Signal
from textual.timer import Timer

from cloudstore_tui.core.links import ReadPiece
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot
from cloudstore_tui.ui.transfer_news import TransferNews, is_long
from cloudstore_tui.ui.transfer_text import percent

INTERVAL = 0.25
"""Seconds between two looks."""
THIN_INTERVAL = 1.0
"""The same over a line that is to be spared."""

_LOOKS_AFTER_ORDER = 4
"""Looks after an order: it is carried out in another thread, and what comes of it is seen a little later."""


class Transfers(Protocol):
    """What carries transfers out. Nothing here waits, but for what is read from the journal."""

    @property
    def keeps(self) -> bool:
        """Whether transfers that are not done outlive the program."""

    def submit(self, request: Request) -> int:
        """Put a transfer into the queue; its number."""

    def pause(self, number: int) -> None:
        """Let a transfer rest."""

    def resume(self, number: int) -> None:
        """Go on with a transfer that rests."""

    def cancel(self, number: int) -> None:
        """Stop a transfer."""

    def retry(self, number: int) -> None:
        """Try a transfer again."""

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""

    def snapshot(self) -> tuple[TransferSnapshot, ...]:
        """All transfers as they are now."""

    def members(self, number: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now."""

    def peek(self, entry: StoredObject) -> ReadPiece:
        """What reads single pieces of an object."""

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        """Transfers of runs that ended before they were done."""

    async def elsewhere(self) -> tuple[Elsewhere, ...]:
        """Transfers that other programs make right now."""

    async def adopt(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Go on with interrupted transfers; the numbers of those that nobody else took."""

    async def drop(self, numbers: Iterable[int]) -> int:
        """Forget interrupted transfers and remove what arrived of them; how many there were."""


class TransferWatch:
    """Passes orders on and tells what became of them, each thing once."""

    def __init__(self, app: App[None], transfers: Transfers, *, bell: bool = False, interval: float = INTERVAL) -> None:
        self._app = app
        self._interval = interval
        self._transfers = transfers
        self._bell = bell
        self._news = TransferNews(app)
        self._timer: Timer | None = None
        self._looks = 0
        self._open: dict[int, datetime | None] = {}
        """Transfers whose end was not told yet, and the earlier end of those that are tried again."""
        self._kept: frozenset[int] = frozenset()
        self.shown: tuple[TransferSnapshot, ...] = ()
        """All transfers as they were at the last look."""
        self.changed: Signal[tuple[TransferSnapshot, ...]] = Signal(app, "transfers changed")
        """All transfers, whenever one of them is not what it was."""
        self.ended: Signal[tuple[TransferSnapshot, ...]] = Signal(app, "transfers ended")
        """Those that just ended."""

    @property
    def keeps(self) -> bool:
        """Whether transfers that are not done outlive the program."""
        return self._transfers.keeps

    @property
    def unfinished(self) -> int:
        """How many transfers the end of the program would stop, or lose."""
        return len(self._open.keys() - self._resting) if self.keeps else len(self._open)

    @property
    def is_looking(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    def submit(self, requests: Iterable[Request]) -> None:
        """Put transfers into the queue."""
        for request in requests:
            self._open[self._transfers.submit(request)] = None
        self._wake()

    def pause(self, number: int) -> None:
        """Let a transfer rest."""
        self._transfers.pause(number)
        self._wake()

    async def resume(self, number: int) -> None:
        """Go on with a transfer that rests, or that is kept from an earlier run."""
        if number in self._kept:
            await self.adopt([number])
        else:
            self._transfers.resume(number)
            self._wake()

    async def cancel(self, number: int) -> None:
        """Stop a transfer, or forget one that is kept from an earlier run."""
        if number in self._kept:
            await self.drop([number])
        else:
            self._transfers.cancel(number)
            self._wake()

    def retry(self, number: int) -> None:
        """Try a transfer again."""
        self._open[number] = next((transfer.ended for transfer in self.shown if transfer.id == number), None)
        self._transfers.retry(number)
        self._wake()

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""
        self._transfers.clear_ended()
        self._wake()

    def members(self, number: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now."""
        return self._transfers.members(number)

    def peek(self, entry: StoredObject) -> ReadPiece:
        """What reads single pieces of an object."""
        return self._transfers.peek(entry)

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        """Transfers of earlier runs, which nobody goes on with now. They rest."""
        found = tuple(map(_at_rest, await self._transfers.interrupted()))
        self._kept = frozenset(transfer.id for transfer in found)
        return found

    async def elsewhere(self) -> tuple[Elsewhere, ...]:
        """Transfers that other programs make right now."""
        return await self._transfers.elsewhere()

    async def adopt(self, numbers: Iterable[int]) -> None:
        """Go on with transfers of earlier runs."""
        taken = await self._transfers.adopt(numbers)
        self._kept -= frozenset(taken)
        self._open.update(dict.fromkeys(taken))
        self._wake()

    async def drop(self, numbers: Iterable[int]) -> None:
        """Forget transfers of earlier runs, with what arrived of them."""
        dropped = frozenset(numbers)
        await self._transfers.drop(dropped)
        self._kept -= dropped

    def look(self) -> None:
        """See what changed, and stop looking when nothing goes on."""
        snapshot = self._transfers.snapshot()
        if snapshot != self.shown:
            self.shown = snapshot
            self.changed.publish(snapshot)
        ended = tuple(transfer for transfer in snapshot if self._is_news(transfer))
        for transfer in ended:
            del self._open[transfer.id]
        if ended:
            self.ended.publish(ended)
            if self._bell and any(map(is_long, ended)):
                self._app.bell()
        self._news.take(ended, is_busy=bool(self._open.keys() - self._resting))
        self._looks -= 1
        if self._looks <= 0 and not self._open and self._timer is not None:
            self._timer.stop()
            self._timer = None

    @property
    def _resting(self) -> set[int]:
        return {transfer.id for transfer in self.shown if transfer.state is State.PAUSED}

    def _is_news(self, transfer: TransferSnapshot) -> bool:
        if transfer.id not in self._open or not transfer.state.ended:
            return False
        earlier = self._open[transfer.id]
        return earlier is None or transfer.ended != earlier

    def _wake(self) -> None:
        self._looks = _LOOKS_AFTER_ORDER
        if self._timer is None:
            self._timer = self._app.set_interval(self._interval, self.look)


def _at_rest(transfer: TransferSnapshot) -> TransferSnapshot:
    """One that nobody makes now, whatever it was at when its program ended."""
    if transfer.state is State.FAILED:
        note = f"failed: {transfer.note}" if transfer.note else "failed"
    else:
        note = f"interrupted at {percent(transfer)} %" if transfer.size else "interrupted"
    return replace(transfer, state=State.PAUSED, note=note)
