"""Transfers as the screen sees them: looked at a few times a second while something goes on, else not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from textual.app import App
from textual.signal import Signal
from textual.timer import Timer

from cloudstore_tui.transfers.transfer import DownloadRequest, Request, State, Transfer
from cloudstore_tui.ui.report import count, tell

INTERVAL = 0.25
"""Seconds between two looks."""

_LOOKS_AFTER_ORDER = 4
"""Looks after an order: it is carried out in another thread, and what comes of it is seen a little later."""


class Transfers(Protocol):
    """What carries transfers out. Nothing here waits."""

    def submit(self, request: Request) -> int:
        """Put a transfer into the queue; its number."""

    def cancel(self, number: int) -> None:
        """Stop a transfer."""

    def retry(self, number: int) -> None:
        """Try a transfer again."""

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""

    def snapshot(self) -> tuple[Transfer, ...]:
        """All transfers as they are now."""


class TransferWatch:
    """Passes orders on and tells what became of them, each thing once."""

    def __init__(self, app: App[None], transfers: Transfers) -> None:
        self._app = app
        self._transfers = transfers
        self._timer: Timer | None = None
        self._looks = 0
        self._open: dict[int, datetime | None] = {}
        """Transfers whose end was not told yet, and the earlier end of those that are tried again."""
        self._shown: tuple[Transfer, ...] = ()
        self.changed: Signal[tuple[Transfer, ...]] = Signal(app, "transfers changed")
        """All transfers, whenever one of them is not what it was."""
        self.ended: Signal[tuple[Transfer, ...]] = Signal(app, "transfers ended")
        """Those that just ended."""

    @property
    def unfinished(self) -> int:
        """How many transfers would be stopped by the end of the program."""
        return len(self._open)

    @property
    def is_looking(self) -> bool:
        """Whether a timer runs."""
        return self._timer is not None

    def submit(self, requests: Iterable[Request]) -> None:
        """Put transfers into the queue."""
        for request in requests:
            self._open[self._transfers.submit(request)] = None
        self._wake()

    def cancel(self, number: int) -> None:
        """Stop a transfer."""
        self._transfers.cancel(number)
        self._wake()

    def retry(self, number: int) -> None:
        """Try a transfer again."""
        self._open[number] = next((transfer.ended for transfer in self._shown if transfer.id == number), None)
        self._transfers.retry(number)
        self._wake()

    def clear_ended(self) -> None:
        """Forget all transfers that ended."""
        self._transfers.clear_ended()
        self._wake()

    def look(self) -> None:
        """See what changed, and stop looking when nothing goes on."""
        snapshot = self._transfers.snapshot()
        if snapshot != self._shown:
            self._shown = snapshot
            self.changed.publish(snapshot)
        ended = tuple(transfer for transfer in snapshot if self._is_news(transfer))
        for transfer in ended:
            del self._open[transfer.id]
        if ended:
            self.ended.publish(ended)
            _announce(self._app, ended)
        self._looks -= 1
        if self._looks <= 0 and not self._open and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _is_news(self, transfer: Transfer) -> bool:
        if transfer.id not in self._open or not transfer.state.ended:
            return False
        earlier = self._open[transfer.id]
        return earlier is None or transfer.ended != earlier

    def _wake(self) -> None:
        self._looks = _LOOKS_AFTER_ORDER
        if self._timer is None:
            self._timer = self._app.set_interval(INTERVAL, self.look)


def _announce(app: App[None], ended: Sequence[Transfer]) -> None:
    """One message for all that ended between two looks."""
    done = [transfer for transfer in ended if transfer.state in (State.DONE, State.SKIPPED)]
    failed = [transfer for transfer in ended if transfer.state is State.FAILED]
    if len(done) == 1:
        tell(app, _arrival(done[0]))
    elif done:
        tell(app, f"{count(len(done), 'transfer')} done.")
    if len(failed) == 1 and failed[0].error is not None:
        tell(app, str(failed[0].error), "error")
    elif failed:
        tell(app, f"{count(len(failed), 'transfer')} failed; t shows why.", "error")


def _arrival(transfer: Transfer) -> str:
    request = transfer.request
    if transfer.state is State.SKIPPED:
        return f"Left alone: {transfer.path or request.location.address}"
    if isinstance(request, DownloadRequest):
        return f"Downloaded: {transfer.path or request.folder}"
    return f"Uploaded: {request.location.address}"
