"""What is told of transfers that just ended."""

import time
from collections.abc import Callable, Sequence

from textual.app import App

from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot, ZipRequest
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.transfer_text import name

PAUSE = 10.0
"""Seconds between two messages while there is more to come: hundreds of small files end one after the other."""

LONG = 10.0
"""Seconds after which nobody looks at the screen any more."""


class TransferNews:
    """Tells what ended: at once if it is the last, else together with what ends a little later."""

    def __init__(self, app: App[None], now: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._now = now
        self._untold: list[TransferSnapshot] = []
        self._told = -PAUSE

    def take(self, ended: Sequence[TransferSnapshot], *, is_busy: bool) -> None:
        """Tell of these and of those before, unless others still run and something was just told."""
        self._untold.extend(ended)
        if self._untold and (not is_busy or self._now() - self._told >= PAUSE):
            self._told = self._now()
            announce(self._app, self._untold)
            self._untold.clear()


def announce(app: App[None], ended: Sequence[TransferSnapshot]) -> None:
    """One message for all that went well, and one for all that did not."""
    done = [transfer for transfer in ended if transfer.state in (State.DONE, State.SKIPPED)]
    failed = [transfer for transfer in ended if transfer.state is State.FAILED]
    if len(done) == 1:
        tell(app, _arrival(done[0]))
    elif done:
        tell(app, f"{counted(len(done), 'transfer')} done.")
    if len(failed) == 1 and failed[0].error is not None:
        tell(app, str(failed[0].error), "error")
    elif failed:
        tell(app, f"{counted(len(failed), 'transfer')} failed; t shows why.", "error")


def is_long(transfer: TransferSnapshot) -> bool:
    """Whether it took so long that its end is worth a bell; the user knows of what they cancelled."""
    if transfer.state is State.CANCELLED or transfer.started is None or transfer.ended is None:
        return False
    return (transfer.ended - transfer.started).total_seconds() > LONG


def _arrival(transfer: TransferSnapshot) -> str:
    request = transfer.request
    if transfer.state is State.SKIPPED:
        return f"Skipped (already there): {MASK.path(transfer.path) if transfer.path else request.location.address}"
    if isinstance(request, ZipRequest):
        return f"Downloaded: {name(request)} to {MASK.path(transfer.path or request.folder)}"
    if isinstance(request, DownloadRequest):
        return f"Downloaded: {MASK.path(transfer.path or request.folder)}"
    return f"Uploaded: {request.location.address}"
