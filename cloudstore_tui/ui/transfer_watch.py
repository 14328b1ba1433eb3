"""Transfers as the screen sees them: what changes is pushed, and nothing is asked for while nothing changes."""

from collections.abc import Callable, Iterable, Set
from time import monotonic
from typing import Protocol

from msgspec.structs import replace
from textual.app import App
from textual.signal import Signal
from textual.timer import Timer

from cloudstore_tui.core.links import ReadPiece
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import Request, State, TransferSnapshot
from cloudstore_tui.ui.transfer_news import TransferNews, is_long
from cloudstore_tui.ui.transfer_text import percent

INTERVAL = 0.0
"""Seconds between two looks at what changed, at least; what pushes the changes spares the screen already."""
THIN_INTERVAL = 1.0
"""The same over a line that is to be spared."""


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

    def listen(self, listener: Callable[[frozenset[int]], None]) -> Callable[[], None]:
        """Push the numbers of transfers that changed, came or went, a few times a second; what ends that."""

    def snapshot(self, numbers: Iterable[int] | None = None) -> tuple[TransferSnapshot, ...]:
        """Transfers as they are now, all of them or those of some numbers; what is missing was forgotten."""

    def members(self, number: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now."""

    def range_reader(self, entry: StoredObject) -> ReadPiece:
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
        self._known: dict[int, TransferSnapshot] = {}
        self._submitted: set[int] = set()
        """Transfers that were asked for, of which nothing was heard yet."""
        self._cancelled: set[int] = set()
        self._changed: set[int] = set()
        self._looked = -THIN_INTERVAL
        self._timer: Timer | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._kept: frozenset[int] = frozenset()
        self.changed: Signal[tuple[TransferSnapshot, ...]] = Signal(app, "transfers changed")
        """All transfers, whenever one of them is not what it was."""
        self.ended: Signal[tuple[TransferSnapshot, ...]] = Signal(app, "transfers ended")
        """Those that just ended."""
        self.kept: Signal[int] = Signal(app, "transfers kept")
        """How many transfers of earlier runs wait for the user."""

    def begin(self) -> None:
        """Listen from now on; called in the loop of the app."""
        self._stop_listening = self._transfers.listen(self._note)
        self._known = {transfer.id: transfer for transfer in self._transfers.snapshot()}

    def end(self) -> None:
        """Listen no more."""
        if self._stop_listening is not None:
            self._stop_listening()

    @property
    def keeps(self) -> bool:
        """Whether transfers that are not done outlive the program."""
        return self._transfers.keeps

    @property
    def shown(self) -> tuple[TransferSnapshot, ...]:
        """All transfers as they were at the last look."""
        return tuple(self._known.values())

    @property
    def unfinished(self) -> int:
        """How many transfers the end of the program would stop, or lose."""
        going_on = [transfer for transfer in self._known.values() if not transfer.state.ended]
        resting = [transfer for transfer in going_on if transfer.state is State.PAUSED]
        return len(going_on) - (len(resting) if self.keeps else 0) + len(self._submitted - self._known.keys())

    def submit(self, requests: Iterable[Request]) -> None:
        """Put transfers into the queue."""
        for request in requests:
            self._submitted.add(self._transfers.submit(request))

    def pause(self, number: int) -> None:
        """Let a transfer rest."""
        self._transfers.pause(number)

    async def resume(self, number: int) -> None:
        """Go on with a transfer that rests, or that is kept from an earlier run."""
        if number in self._kept:
            await self.adopt([number])
        else:
            self._transfers.resume(number)

    def is_kept(self, number: int) -> bool:
        """Whether it is one of an earlier run, which nobody goes on with now."""
        return number in self._kept

    def cancel(self, number: int) -> None:
        """Stop a transfer."""
        self._cancelled.add(number)
        self._transfers.cancel(number)

    def retry(self, number: int) -> None:
        """Try a transfer again."""
        self._transfers.retry(number)

    def clear_ended(self) -> None:
        """Forget all transfers that ended, once it was told that they did."""
        self.look_at_all()
        self._transfers.clear_ended()

    def members(self, number: int) -> tuple[TransferSnapshot, ...]:
        """The objects of a zip as they are now."""
        return self._transfers.members(number)

    def range_reader(self, entry: StoredObject) -> ReadPiece:
        """What reads single pieces of an object."""
        return self._transfers.range_reader(entry)

    async def interrupted(self) -> tuple[TransferSnapshot, ...]:
        """Transfers of earlier runs, which nobody goes on with now. They rest."""
        found = tuple(map(_at_rest, await self._transfers.interrupted()))
        self._keep(frozenset(transfer.id for transfer in found))
        return found

    async def elsewhere(self) -> tuple[Elsewhere, ...]:
        """Transfers that other programs make right now."""
        return await self._transfers.elsewhere()

    async def adopt(self, numbers: Iterable[int]) -> None:
        """Go on with transfers of earlier runs."""
        taken = await self._transfers.adopt(numbers)
        self._submitted |= set(taken)
        self._keep(self._kept - frozenset(taken))

    async def drop(self, numbers: Iterable[int]) -> None:
        """Forget transfers of earlier runs, with what arrived of them."""
        dropped = frozenset(numbers)
        await self._transfers.drop(dropped)
        self._keep(self._kept - dropped)

    def look(self) -> None:
        """See what became of the transfers that changed."""
        self._see(frozenset())

    def look_at_all(self) -> None:
        """See what became of all of them, also of what changed a moment ago."""
        self._see(self._known.keys() | self._submitted)

    def _see(self, others: Set[int]) -> None:
        self._looked, self._timer = monotonic(), None
        pushed, self._changed = self._changed, set()
        numbers = pushed | others
        found = {transfer.id: transfer for transfer in self._transfers.snapshot(numbers)}
        gone = [self._known.pop(number) for number in numbers - found.keys() if number in self._known]
        # What was forgotten before its end was seen had ended well: nothing else is forgotten unasked.
        ended = [replace(transfer, state=State.DONE) for transfer in gone if self._ended_unseen(transfer)]
        ended += [transfer for transfer in found.values() if self._is_news(transfer)]
        self._known.update(found)
        self._submitted -= found.keys() | pushed
        self._cancelled -= pushed
        if numbers:
            self.changed.publish(self.shown)
        self._tell(ended)

    def _note(self, numbers: frozenset[int]) -> None:
        """Take what is pushed, from outside of the app's own loop of messages."""
        self._changed |= numbers
        if self._timer is None:
            wait = self._looked + self._interval - monotonic()
            if wait > 0:
                self._timer = self._app.set_timer(wait, self.look)
            else:
                self._app.call_later(self.look)

    def _tell(self, ended: list[TransferSnapshot]) -> None:
        if ended:
            self.ended.publish(tuple(ended))
            if self._bell and any(map(is_long, ended)):
                self._app.bell()
        going_on = (transfer for transfer in self._known.values() if not transfer.state.ended)
        self._news.take(ended, is_busy=any(transfer.state is not State.PAUSED for transfer in going_on))

    def _ended_unseen(self, transfer: TransferSnapshot) -> bool:
        return not transfer.state.ended and transfer.id not in self._cancelled

    def _is_news(self, transfer: TransferSnapshot) -> bool:
        before = self._known.get(transfer.id)
        return transfer.state.ended and (before is None or before.ended != transfer.ended or not before.state.ended)

    def _keep(self, kept: frozenset[int]) -> None:
        if kept != self._kept:
            self._kept = kept
            self.kept.publish(len(kept))


def _at_rest(transfer: TransferSnapshot) -> TransferSnapshot:
    """One that nobody makes now, whatever it was at when its program ended."""
    if transfer.state is State.FAILED:
        note = f"failed: {transfer.note}" if transfer.note else "failed"
    else:
        note = f"interrupted at {percent(transfer)} %" if transfer.size else "interrupted"
    return replace(transfer, state=State.PAUSED, note=note)
