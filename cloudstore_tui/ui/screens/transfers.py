"""All transfers on a screen of their own."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import TransferSnapshot
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.dialogs.drop_dialog import DropDialog
from cloudstore_tui.ui.report import sentence
from cloudstore_tui.ui.transfer_text import summary
from cloudstore_tui.ui.transfer_watch import TransferWatch
from cloudstore_tui.ui.widgets.transfer_keys import TransferKeys
from cloudstore_tui.ui.widgets.transfer_table import Everything, TransferTable

LOOK_ROUND = 2.0
"""Seconds between looks at what other programs do, while this screen is in front."""


class TransfersScreen(BaseScreen[None]):
    """Ours, those kept from an earlier run, and those of other programs, which are only to be looked at."""

    CSS_PATH = "transfers.tcss"
    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("P", "resume_all", "Go on with all", tooltip="Go on with all that stopped", id="transfers.resume_all"),
        Binding("X", "drop_all", "Drop all", show=False, tooltip="Drop all that stopped", id="transfers.drop_all"),
        Binding("escape,t,q", "close", "Back", tooltip="Back to where you were", id="transfers.close"),
    ]

    def __init__(self, watch: TransferWatch) -> None:
        super().__init__()
        self._watch = watch
        self._kept: tuple[TransferSnapshot, ...] = ()
        self._elsewhere: tuple[Elsewhere, ...] = ()
        self._trouble = ""
        self.table = TransferTable(id="table")

    def compose(self) -> ComposeResult:
        """The table."""
        yield self.table

    def on_mount(self) -> None:
        """Show what there is, and follow it."""
        self._watch.changed.subscribe(self, self._show_own)
        self.set_interval(LOOK_ROUND, self._look_round_again)
        self._show()
        self.run_worker(self.look_round(), exclusive=True)

    async def look_round(self) -> None:
        """Read what is kept, and what other programs do."""
        try:
            self._kept, self._elsewhere = await self._watch.interrupted(), await self._watch.elsewhere()
        except StorageError as error:
            # In a line, not over the screen: it is tried again in a moment, and may say the same.
            self._trouble = sentence(error)
        else:
            self._trouble = ""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done."""
        if action in ("resume_all", "drop_all"):
            return bool(self._kept)
        return super().check_action(action, parameters)

    def action_resume_all(self) -> None:
        """Go on with all transfers of earlier runs."""
        self.run_worker(self._resume([transfer.id for transfer in self._kept]), group="orders")

    def action_drop_all(self) -> None:
        """Forget all transfers of earlier runs, if that is meant."""
        self.drop(self._kept)

    @on(TransferKeys.Cancelled)
    def drop_kept(self, event: TransferKeys.Cancelled) -> None:
        """Ask before one of an earlier run is forgotten; of ours the app takes care."""
        if self._watch.is_kept(event.id):
            event.stop()
            self.drop([transfer for transfer in self._kept if transfer.id == event.id])

    def drop(self, transfers: Sequence[TransferSnapshot]) -> None:
        """Forget transfers of earlier runs, if that is meant."""
        numbers = [transfer.id for transfer in transfers]

        def answered(wanted: bool | None) -> None:
            if wanted:
                self.run_worker(self._drop(numbers), group="orders")

        self.app.push_screen(DropDialog(transfers), answered)

    async def _resume(self, numbers: Sequence[int]) -> None:
        await self._watch.adopt(numbers)
        await self.look_round()

    async def _drop(self, numbers: Sequence[int]) -> None:
        await self._watch.drop(numbers)
        await self.look_round()

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)

    def remask(self) -> None:
        """Make the lines again: the mask was turned."""
        self._show()

    def _look_round_again(self) -> None:
        if self.is_current:
            self.run_worker(self.look_round(), exclusive=True)

    def _show_own(self, transfers: tuple[TransferSnapshot, ...]) -> None:
        # One that was adopted is ours from now on.
        own = {transfer.id for transfer in transfers}
        self._kept = tuple(transfer for transfer in self._kept if transfer.id not in own)
        self._show()

    def _show(self) -> None:
        own = self._watch.shown
        self.table.show(Everything(own, self._kept, self._elsewhere))
        title, _, numbers = summary(own).partition(": ")
        self.header.show([title], " · ".join(filter(None, (numbers, self._trouble))))
