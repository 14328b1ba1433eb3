"""The screen of all transfers, in batches: one for each command of the user."""

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import tzinfo
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui.base_screen import ExplainingScreen
from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.questions import CancelDialog
from cloudstore_tui.ui.opening import open_folder
from cloudstore_tui.ui.report import notify_plain, sentence
from cloudstore_tui.ui.text import home_path
from cloudstore_tui.ui.transfer_text import describe, path_of, request_title, summary
from cloudstore_tui.ui.transfer_watch import GOES_ON, TransferWatch
from cloudstore_tui.ui.widgets.transfer_table import RowKind, TransferTable

POLL_S = 2.0
"""Seconds between polls of other programs' transfers, while this screen is on top."""


_RETRYABLE = frozenset({State.FAILED, State.CANCELLED, State.SKIPPED})
_ENDED = frozenset(state for state in State if state.ended)
_UNFINISHED = frozenset(State) - _ENDED
_ALL = frozenset(State)
_REQUIREMENTS: Mapping[str, tuple[Set[State], str]] = {
    "pause": (_UNFINISHED, "It has ended: nothing is left to pause."),
    "pause_all": (_UNFINISHED, "It has ended: nothing is left to pause."),
    "cancel": (_UNFINISHED | {State.FAILED}, "It has ended: nothing is left to cancel. c takes it off the list."),
    "retry": (_RETRYABLE | {State.PAUSED}, "It is still running."),
    "move": ({State.QUEUED}, "Only waiting transfers can be moved."),
    "folder": (_ALL, ""),
    "copy_path": (_ALL, ""),
    "clear": (_ENDED, "Nothing is done yet."),
}
"""By action: the states it applies to, and why it is refused if no transfer is in one of them."""
_PAUSES = ("pause", "pause_all")


class TransfersScreen(ExplainingScreen[None]):
    """Lists the transfers of this program, of earlier runs and, without control over them, of other programs."""

    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", tooltip="Pause or resume", id="transfers.pause"),
        Binding("P", "pause_all", "Pause all", tooltip="Pause or resume all", id="transfers.pause_all"),
        Binding(
            "x,delete", "cancel", "Cancel …", tooltip="Cancel and delete partial files; asks", id="transfers.cancel"
        ),
        Binding("r", "retry", "Retry", tooltip="Try again", id="transfers.retry"),
        Binding("K", "move(-1)", "Earlier", tooltip="Move up in the queue", id="transfers.earlier"),
        Binding("J", "move(1)", "Later", tooltip="Move down in the queue", id="transfers.later"),
        Binding("o", "folder", "Folder", tooltip="Open the folder, or show its path", id="transfers.folder"),
        Binding("Y,y", "copy_path", "Path", tooltip="Copy the path", id="transfers.copy_path"),
        Binding("c", "clear", "Clear done", tooltip="Remove finished transfers from the list", id="transfers.clear"),
        Binding("space", "mark", "Mark", show=False, tooltip="Mark or unmark", id="transfers.mark"),
        Binding("enter", "open", "Open", show=False, tooltip="Unfold, or show details", id="transfers.open"),
        Binding("l,right", "unfold", "Unfold", show=False, tooltip="Show what is in it", id="transfers.unfold"),
        Binding("h,left", "fold", "Fold", show=False, tooltip="Hide what is in it", id="transfers.fold"),
        Binding("escape", "back_out", "Back", tooltip="Unmark, or back to where you were", id="transfers.back"),
        Binding("t,q", "close", "Back", show=False, tooltip="Back to where you were", id="transfers.close"),
    ]

    def __init__(self, watch: TransferWatch, zone: tzinfo) -> None:
        super().__init__()
        self._watch = watch
        self._zone = zone
        self._problem = ""
        self._offered: tuple[str, ...] = ()
        self.table = TransferTable(zone)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        """Show all batches and follow them. If only one is running, it is unfolded."""
        self._watch.changed.subscribe(self, lambda _: self._show())
        running = self._watch.running
        if len(running) == 1:
            self.table.unfolded.add(running[0].key)
        self._show()
        if running:
            self.table.go_to(running[0].key)
        self.set_interval(POLL_S, self._poll)
        self._load(kept=True)

    def on_unmount(self) -> None:
        self._watch.mark_seen()

    @work(group="load", exclusive=True)
    async def _load(self, *, kept: bool) -> None:
        """Load other programs' transfers, and, if wanted, those that earlier runs left."""
        try:
            if kept:
                await self._watch.load_interrupted()
            await self._watch.load_foreign()
        except StorageError as error:
            # In the header, not as a message: the next poll may fail in the same way.
            self._problem = sentence(error)
        else:
            self._problem = ""
        self._show()

    def _poll(self) -> None:
        if self.is_current:
            self._load(kept=bool(self._problem))

    def _show(self) -> None:
        batches = self._watch.batches
        self.table.show(batches)
        facts = " · ".join(filter(None, (summary(batches), self._problem)))
        self.header.show(["Transfers"], facts)
        self._update_keys()

    # What is possible now, for the footer and for refusals

    @on(TransferTable.Moved)
    def _update_keys(self) -> None:
        possible = (action for action in _REQUIREMENTS if not self.refusal(action))
        offered = (*possible, *(f"resume {action}" for action in _PAUSES if self._resumes(action)))
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()

    def label_of(self, binding: Binding) -> str:
        """Pause is called Resume if nothing that it applies to is running."""
        label = super().label_of(binding)
        return label.replace("Pause", "Resume") if self._resumes(binding.action) else label

    def _resumes(self, action: str) -> bool:
        return action in _PAUSES and not self._states(action) & GOES_ON

    def _states(self, action: str) -> Set[State]:
        """States of the transfers that an action applies to."""
        if action in ("pause_all", "clear"):
            return {state for batch in self._watch.ours for state in State if batch.of_state[state]}
        return self.table.chosen_states()

    def refusal(self, action: str) -> str:
        if action not in _REQUIREMENTS:
            return ""
        if not self._watch.batches:
            return "There are no transfers."
        states = self._states(action)
        if action not in ("pause_all", "clear"):
            batch = self.table.current
            if batch is not None and batch.process and action not in ("folder", "copy_path"):
                return f"Another program runs this transfer (pid {batch.process}). Control it there."
        needed, why = _REQUIREMENTS[action]
        if action == "retry" and states <= _ENDED:
            why = "It is done: there is nothing to retry."
        return "" if states & needed else why

    def _chosen(self) -> Iterator[TransferSnapshot]:
        for key, numbers in self.table.chosen().items():
            batch = self._watch.batches[key]
            if not batch.process:
                yield from (batch.transfers[number] for number in numbers)

    # Actions

    def action_pause(self) -> None:
        self._pause(self._chosen())

    def action_pause_all(self) -> None:
        self._pause(one for batch in self._watch.ours for one in batch.transfers.values())

    def _pause(self, transfers: Iterable[TransferSnapshot]) -> None:
        wanted = list(transfers)
        if running := [one.id for one in wanted if one.state in GOES_ON]:
            self._watch.engine.pause(*running)
        else:
            self._resume(wanted)

    def _resume(self, transfers: Iterable[TransferSnapshot]) -> None:
        if paused := [one.id for one in transfers if one.state is State.PAUSED]:
            self.run_worker(self._watch.resume(paused), group="commands")

    def action_cancel(self) -> None:
        wanted = [one for one in self._chosen() if not one.state.ended or one.state is State.FAILED]
        numbers = [one.id for one in wanted]

        def answered(is_wanted: bool | None) -> None:
            if is_wanted:
                self.run_worker(self._watch.cancel(numbers), group="commands")

        what = request_title(wanted[0].request, self._zone) if len(wanted) == 1 else ""
        kept = {number for batch in self._watch.batches.values() for number in batch.kept}
        verb = "Drop" if kept.issuperset(numbers) else "Cancel"
        self.app.push_screen(CancelDialog(what, len(wanted), sum(one.done for one in wanted), verb=verb), answered)

    def action_retry(self) -> None:
        wanted = list(self._chosen())
        self._watch.engine.retry(*(one.id for one in wanted if one.state in _RETRYABLE))
        self._resume(wanted)

    def action_move(self, step: int) -> None:
        if (row := self.table.row) is not None and not self._watch.move(row.batch, row.number, step):
            notify_plain(self, "It is first already." if step < 0 else "It is last already.")

    def action_folder(self) -> None:
        path = self._path()
        if path is None:
            return
        folder = path if path.is_dir() else path.parent
        if open_folder(folder, os.environ):
            notify_plain(self, f"Opened: {home_path(folder)}")
        else:
            notify_plain(self, f"No file manager here. The folder: {home_path(folder)} · Y copies the path.")

    def action_copy_path(self) -> None:
        if (path := self._path()) is not None:
            notify_plain(self, f"{home_path(path)} · {copy_text(self.app, str(path))}")
        elif self.table.current is not None:
            target = self.table.current.batch.target
            notify_plain(self, f"{target} · {copy_text(self.app, target)}")

    def _path(self) -> Path | None:
        row, batch = self.table.row, self.table.current
        if row is None or batch is None:
            return None
        if row.kind is RowKind.TRANSFER:
            return batch.transfers[row.number].path or path_of(batch)
        return path_of(batch)

    def action_clear(self) -> None:
        self._watch.clear_done()

    def action_mark(self) -> None:
        self.table.mark()
        self._update_keys()

    def action_unfold(self) -> None:
        self.table.fold(unfold=True)

    def action_fold(self) -> None:
        self.table.fold(unfold=False)

    @on(TransferTable.Opened)
    def action_open(self) -> None:
        row, batch = self.table.row, self.table.current
        if row is None or batch is None:
            return
        transfer = batch.transfers.get(row.number) or batch.only
        if row.kind is RowKind.REMAINDER or transfer is None:
            self.table.fold()
        else:
            members = self._watch.engine.members(transfer.id) if not batch.process else ()
            title = request_title(transfer.request, self._zone)
            self.app.push_screen(MessageDialog(title, describe(transfer, members)))

    def action_back_out(self) -> None:
        if not self.table.clear_marks():
            self.action_close()
