"""All transfers on a screen of their own, by what the user did with one key."""

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import UTC, tzinfo
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.transfers.model import State, TransferSnapshot, name_of
from cloudstore_tui.ui.base_screen import ExplainingScreen
from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.questions import CancelDialog
from cloudstore_tui.ui.opening import open_folder
from cloudstore_tui.ui.report import sentence, tell
from cloudstore_tui.ui.text import home_path
from cloudstore_tui.ui.transfer_text import (
    WIDE,
    Columns,
    Line,
    RowKind,
    TransferRow,
    describe,
    line_of,
    numbers_of,
    path_of,
    rows_of,
    states_of,
    summary,
)
from cloudstore_tui.ui.transfer_watch import GOES_ON, BatchProgress, TransferWatch
from cloudstore_tui.ui.widgets.cursor_list import CursorList

POLL_S = 2.0
"""Seconds between looks at what other programs do, while this screen is in front."""
NOTHING = " No transfers. d in the browser downloads, u uploads."
_LOOKS: Mapping[str, str] = {
    **dict.fromkeys((State.DONE, State.SKIPPED), "transfers--done"),
    State.FAILED: "transfers--failed",
    **dict.fromkeys((State.CANCELLED, State.WAITING, State.PAUSED, State.QUEUED), "transfers--waiting"),
    **dict.fromkeys((State.SIGNING, State.PACKING, State.RUNNING, State.VERIFYING), "transfers--running"),
    "head": "transfers--head",
    "muted": "transfers--muted",
    "mark": "transfers--mark",
}


class TransferTable(CursorList, can_focus=True):
    """Shows batches, those that are unfolded with their rows. Rows stay where they are, and so does the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*_LOOKS.values(), "transfers--cursor"}
    DEFAULT_CSS = """
    TransferTable {
        height: 1fr; border-bottom: solid $border-blurred;
        &.-wide { border-top: solid $border-blurred; }
        & > .transfers--running { color: $text-primary; }
        & > .transfers--waiting { color: $text-warning; }
        & > .transfers--done { color: $text-success; }
        & > .transfers--failed { color: $text-error; }
        & > .transfers--muted { color: $text-muted; }
        & > .transfers--mark { color: $text-accent; text-style: bold; }
        & > .transfers--head { color: $text-muted; text-style: bold; }
        & > .transfers--cursor { text-style: bold reverse; }
    }
    """

    class Moved(Message):
        """The cursor is on another row, or its row is another one."""

    class Opened(Message):
        """A row was clicked that has the cursor already."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        super().__init__(id="table")
        self._zone = zone
        self._batches: Mapping[str, BatchProgress] = {}
        self._rows: list[TransferRow] = []
        self._drawn: dict[int, tuple[Line, bool]] = {}
        self.unfolded: set[str] = set()
        """The keys of batches that are shown with their transfers."""
        self.marks: set[TransferRow] = set()
        """The rows that are marked."""

    @property
    def row(self) -> TransferRow | None:
        """The one under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    @property
    def current(self) -> BatchProgress | None:
        """The batch of the row under the cursor."""
        return self._batches.get(self.row.batch) if self.row is not None else None

    def chosen(self) -> dict[str, list[int]]:
        """The numbers of what is marked, or of the row under the cursor, by batch."""
        chosen: dict[str, dict[int, None]] = {}
        for row in self._chosen_rows():
            chosen.setdefault(row.batch, {}).update(dict.fromkeys(numbers_of(row, self._batches[row.batch])))
        return {batch: list(numbers) for batch, numbers in chosen.items()}

    def chosen_states(self) -> set[State]:
        """The states of what is marked, or of the row under the cursor."""
        return {state for row in self._chosen_rows() for state in states_of(row, self._batches[row.batch])}

    def _chosen_rows(self) -> list[TransferRow]:
        rows = [row for row in self._rows if row in self.marks] if self.marks else [self.row] if self.row else []
        # Between a change and the next look a row may be of something that is gone.
        return [row for row in rows if row.batch in self._batches]

    def show(self, batches: Mapping[str, BatchProgress]) -> None:
        """Show how batches are now; lines in view are drawn where they differ from what is there."""
        there = self.row
        self._batches = batches
        self.unfolded &= batches.keys()
        self._rows = rows_of(batches, self.unfolded, is_narrow=self.size.width < WIDE)
        self.marks &= set(self._rows) if self.marks else set()
        self.set_row_count(len(self._rows))
        self._stay_with(there)
        for y, drawn in list(self._drawn.items()):
            if y < self.size.height and self._line(y) != drawn:
                self.refresh(Region(0, y, self.size.width, 1))

    def _stay_with(self, there: TransferRow | None) -> None:
        """Let the cursor stay with its row; with its batch, where the row is gone."""
        if there is None or self.row == there:
            self.set_reactive(CursorList.cursor, self.validate_cursor(self.cursor))
            return
        rows = self._rows
        at = rows.index(there) if there in rows else self.cursor
        if there not in rows and (at >= len(rows) or rows[at].batch != there.batch):
            at = next((place for place, row in enumerate(rows) if row.batch == there.batch), at)
        self.cursor = at
        self.set_reactive(CursorList.cursor, self.validate_cursor(self.cursor))
        self.post_message(self.Moved())

    def go_to(self, key: str) -> None:
        self.cursor = next((place for place, row in enumerate(self._rows) if row.batch == key), self.cursor)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(self.Moved())

    def fold(self, *, unfold: bool | None = None) -> None:
        """Unfold the batch under the cursor, or fold it; the other one of the two if it is not said."""
        if (row := self.row) is None:
            return
        unfold = row.batch not in self.unfolded if unfold is None else unfold
        (self.unfolded.add if unfold else self.unfolded.discard)(row.batch)
        self.show(self._batches)
        if not unfold:
            self.go_to(row.batch)

    def mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go on."""
        if self.row is not None:
            self.marks ^= {self.row}
            self.refresh_row(self.cursor)
            self.cursor += 1

    def clear_marks(self) -> bool:
        """Unmark everything; whether something was marked."""
        had, self.marks = bool(self.marks), set()
        self.refresh()
        return had

    def on_click(self, event: events.Click) -> None:
        """Go to the row that was clicked; a second time opens it."""
        if (row := self.row_at(event)) is not None:
            if row == self.cursor:
                self.post_message(self.Opened())
            self.cursor = row

    def on_resize(self) -> None:
        # Where there are no titles, a rule stands in their line.
        self.set_class(self.size.width >= WIDE, "-wide")
        super().on_resize()
        self.show(self._batches)

    def remask(self) -> None:
        self.refresh()

    def render_line(self, y: int) -> Strip:
        line, has_cursor = self._drawn[y] = self._line(y)
        cursor = self.get_component_rich_style("transfers--cursor", partial=True) if has_cursor else None
        segments = []
        for text, role in line:
            style = self.rich_style
            if cursor is not None:
                # In one look from edge to edge: signs and words still tell the state.
                style += cursor
            elif role in _LOOKS:
                style += self.get_component_rich_style(_LOOKS[role], partial=True)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _line(self, y: int) -> tuple[Line, bool]:
        width = self.size.width
        columns = Columns(width)
        if y == 0:
            return ((columns.head(), "head"),), False
        index = self.scroll_offset.y + y - 1
        if index >= len(self._rows):
            return ((NOTHING if y == 1 and not self._rows else "", "muted"),), False
        row = self._rows[index]
        if row.batch not in self._batches or not numbers_of(row, self._batches[row.batch]):
            return (("", ""),), False
        line = line_of(row, self._batches[row.batch], columns, self._zone, is_open=row.batch in self.unfolded)
        mark = ("●", "mark") if row in self.marks else (" ", "")
        return (mark, *line), self.has_focus and index == self.cursor


_AGAIN = frozenset({State.FAILED, State.CANCELLED, State.SKIPPED})
_ENDED = frozenset(state for state in State if state.ended)
_UNFINISHED = frozenset(State) - _ENDED
_ALL = frozenset(State)
_NEEDS: Mapping[str, tuple[Set[State], str]] = {
    "pause": (_UNFINISHED, "It has ended: nothing is left to pause."),
    "pause_all": (_UNFINISHED, "It has ended: nothing is left to pause."),
    "cancel": (_UNFINISHED | {State.FAILED}, "It has ended: nothing is left to cancel. c takes it off the list."),
    "retry": (_AGAIN | {State.PAUSED}, "It is still running."),
    "move": ({State.QUEUED}, "Only what waits can be moved in the queue."),
    "folder": (_ALL, ""),
    "copy_path": (_ALL, ""),
    "clear": (_ENDED, "Nothing is done yet."),
}
"""In which states transfers have to be for an action, by its name, and why it is not possible where none is."""


class TransfersScreen(ExplainingScreen[None]):
    """Those of this program, those an earlier run left, and those of other programs, which take no orders from here."""

    AUTO_FOCUS = "#table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", tooltip="Pause, or go on", id="transfers.pause"),
        Binding("P", "pause_all", "Pause all", tooltip="Pause all, or go on with all", id="transfers.pause_all"),
        Binding("x,delete", "cancel", "Cancel …", tooltip="Stop, and delete what arrived; asks", id="transfers.cancel"),
        Binding("r", "retry", "Retry", tooltip="Try again", id="transfers.retry"),
        Binding("K", "move(-1)", "Earlier", tooltip="Move up in the queue", id="transfers.earlier"),
        Binding("J", "move(1)", "Later", tooltip="Move down in the queue", id="transfers.later"),
        Binding("o", "folder", "Folder", tooltip="Open the folder, or tell where it is", id="transfers.folder"),
        Binding("Y,y", "copy_path", "Path", tooltip="Copy the path", id="transfers.copy_path"),
        Binding("c", "clear", "Clear done", tooltip="Take what is done off the list", id="transfers.clear"),
        Binding("space", "mark", "Mark", show=False, tooltip="Mark this row, or unmark it", id="transfers.mark"),
        Binding("enter", "open", "Open", show=False, tooltip="Unfold, or show everything", id="transfers.open"),
        Binding("l,right", "unfold", "Unfold", show=False, tooltip="Show what is in it", id="transfers.unfold"),
        Binding("h,left", "fold", "Fold", show=False, tooltip="Hide what is in it", id="transfers.fold"),
        Binding("escape", "back_out", "Back", tooltip="Unmark, or back to where you were", id="transfers.back"),
        Binding("t,q", "close", "Back", show=False, tooltip="Back to where you were", id="transfers.close"),
    ]

    def __init__(self, watch: TransferWatch, zone: tzinfo = UTC) -> None:
        super().__init__()
        self._watch = watch
        self._trouble = ""
        self._possible: tuple[bool, ...] = ()
        self.table = TransferTable(zone)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        """Show what there is, and follow it. A batch that runs alone is unfolded."""
        self._watch.changed.subscribe(self, lambda _: self._show())
        running = self._watch.running
        if len(running) == 1:
            self.table.unfolded.add(running[0].key)
        self._show()
        if running:
            self.table.go_to(running[0].key)
        self.set_interval(POLL_S, self._look_round_again)
        self._look_round(kept=True)

    def on_unmount(self) -> None:
        self._watch.mark_seen()

    @work(group="look", exclusive=True)
    async def _look_round(self, *, kept: bool) -> None:
        """Learn what other programs do, and what was left by an earlier run."""
        try:
            if kept:
                await self._watch.interrupted()
            await self._watch.elsewhere()
        except StorageError as error:
            # In a line: it is tried again in a moment, and may say the same.
            self._trouble = sentence(error)
        else:
            self._trouble = ""
        self._show()

    def _look_round_again(self) -> None:
        if self.is_current:
            self._look_round(kept=bool(self._trouble))

    def _show(self) -> None:
        batches = self._watch.batches
        self.table.show(batches)
        facts = " · ".join(filter(None, (summary(batches), self._trouble)))
        self.header.show(["Transfers"], facts)
        self._update_keys()

    def remask(self) -> None:
        self._show()

    # What is possible: the footer shows it, and a key that does nothing says why

    @on(TransferTable.Moved)
    def _update_keys(self) -> None:
        possible = tuple(not self.refusal(action) for action in _NEEDS)
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def refusal(self, action: str) -> str:
        if action not in _NEEDS:
            return ""
        if not self._watch.batches:
            return "There are no transfers."
        if action in ("pause_all", "clear"):
            states = {state for batch in self._watch.ours for state in State if batch.of_state[state]}
        else:
            batch, states = self.table.current, self.table.chosen_states()
            if batch is not None and batch.process and action not in ("folder", "copy_path"):
                return f"Another program makes this (pid {batch.process}). Give the order there."
        needed, why = _NEEDS[action]
        if action == "retry" and states <= _ENDED:
            why = "It is done; there is nothing to try again."
        return "" if states & needed else why

    def _chosen(self) -> Iterator[TransferSnapshot]:
        for key, numbers in self.table.chosen().items():
            batch = self._watch.batches[key]
            if not batch.process:
                yield from (batch.transfers[number] for number in numbers)

    # What the user does with keys

    def action_pause(self) -> None:
        self._pause(self._chosen())

    def action_pause_all(self) -> None:
        self._pause(one for batch in self._watch.ours for one in batch.transfers.values())

    def _pause(self, transfers: Iterable[TransferSnapshot]) -> None:
        wanted = list(transfers)
        if going_on := [one.id for one in wanted if one.state in GOES_ON]:
            self._watch.pause(going_on)
        else:
            self._resume(wanted)

    def _resume(self, transfers: Iterable[TransferSnapshot]) -> None:
        if resting := [one.id for one in transfers if one.state is State.PAUSED]:
            self.run_worker(self._watch.resume(resting), group="orders")

    def action_cancel(self) -> None:
        wanted = [one for one in self._chosen() if not one.state.ended or one.state is State.FAILED]
        numbers = [one.id for one in wanted]

        def answered(is_wanted: bool | None) -> None:
            if is_wanted:
                self.run_worker(self._watch.cancel(numbers), group="orders")

        what = name_of(wanted[0].request) if len(wanted) == 1 else ""
        kept = {number for batch in self._watch.batches.values() for number in batch.kept}
        verb = "Drop" if kept.issuperset(numbers) else "Cancel"
        self.app.push_screen(CancelDialog(what, len(wanted), sum(one.done for one in wanted), verb=verb), answered)

    def action_retry(self) -> None:
        wanted = list(self._chosen())
        self._watch.retry([one.id for one in wanted if one.state in _AGAIN])
        self._resume(wanted)

    def action_move(self, step: int) -> None:
        if (row := self.table.row) is not None and not self._watch.move(row.batch, row.number, step):
            tell(self, "It is first already." if step < 0 else "It is last already.")

    def action_folder(self) -> None:
        path = self._path()
        if path is None:
            return
        folder = path if path.is_dir() else path.parent
        if open_folder(folder, os.environ):
            tell(self, f"Opened: {home_path(folder)}")
        else:
            tell(self, f"{path}")

    def action_copy_path(self) -> None:
        if (path := self._path()) is not None:
            tell(self, f"{home_path(path)} · {copy_text(self.app, str(path))}")
        elif self.table.current is not None:
            target = self.table.current.batch.target
            tell(self, f"{target} · {copy_text(self.app, target)}")

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
        if row.kind is RowKind.REST or transfer is None:
            self.table.fold()
        else:
            members = self._watch.members(transfer.id) if not batch.process else ()
            self.app.push_screen(MessageDialog(name_of(transfer.request), describe(transfer, members)))

    def action_back_out(self) -> None:
        if not self.table.clear_marks():
            self.action_close()
