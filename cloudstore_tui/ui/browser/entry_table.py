"""The table of entries: what became of each, and what the user does with the rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from cloudstore_tui.core.models import Column, Entry, Location, StoredObject
from cloudstore_tui.transfers.model import State, TransferSnapshot
from cloudstore_tui.ui.transfer_watch import GOES_ON, locations_of
from cloudstore_tui.ui.widgets.virtual_table import RowSign, VirtualTable, sign_of_state

_ARRIVED = frozenset({State.DONE, State.SKIPPED})


class RowStates:
    """Gives each row its sign: what comes counts more than what is here, and both more than the service's state."""

    def __init__(self, transfer_of: Callable[[Location], TransferSnapshot | None]) -> None:
        self._transfer_of = transfer_of
        """Finds the last transfer that brings an object."""
        self._here: set[Location] = set()
        """What was fetched, also by transfers that are off the list since."""
        self._restoring: frozenset[Location] = frozenset()

    def note_ended(self, transfers: Iterable[TransferSnapshot]) -> None:
        for transfer in transfers:
            if transfer.state in _ARRIVED:
                self._here.update(locations_of(transfer.request))

    def note_restores(self, locations: frozenset[Location]) -> None:
        self._restoring = locations

    def sign_of(self, entry: Entry) -> RowSign | None:
        if not isinstance(entry, StoredObject):
            return None
        transfer = self._transfer_of(entry.location)
        if transfer is not None and transfer.state in GOES_ON:
            return RowSign.COMING
        if entry.location in self._here or (transfer is not None and transfer.state in _ARRIVED):
            return RowSign.HERE
        return RowSign.RESTORING if entry.location in self._restoring else sign_of_state(entry)


BRING_BACK = "Bring back the marks that Esc dropped"


class EntryTable(VirtualTable):
    """Opens and marks entries, by key and by mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,l,right", "open", "Open", id="entries.open", tooltip="Open the folder, or look into the file"),
        Binding("space,insert", "mark", "Mark", id="entries.mark", tooltip="Mark or unmark, and go down"),
        Binding("v", "range", "Range", id="entries.range", show=False, tooltip="Mark a range (v…v)"),
        Binding("escape", "give_up_range", "No range", id="entries.drop_range", show=False, tooltip="Cancel the range"),
        Binding("a,ctrl+a", "marks('all')", "All", id="entries.mark_all", show=False, tooltip="Mark all loaded rows"),
        Binding("U", "marks('dropped')", "Marks back", id="entries.marks_back", show=False, tooltip=BRING_BACK),
        Binding("*", "marks('others')", "Invert", id="entries.invert", show=False, tooltip="Mark the others instead"),
    ]

    @dataclass
    class Opened(Message):
        """The user wants to see what an entry holds."""

        entry: Entry

    @dataclass
    class MarksChanged(Message):
        """The user marked or unmarked something."""

    class RowsChanged(Message):
        """The number of rows may have changed, also by what was done in the background."""

    @dataclass
    class SortAsked(Message):
        """The user clicked the title of a column."""

        column: Column

    def __init__(self, states: RowStates, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._states = states
        self._anchor: tuple[int, Entry] | None = None
        """Where a range of marks begins: the row, and what was there."""

    def sign_of(self, entry: Entry) -> RowSign | None:
        return self._states.sign_of(entry)

    def rows_changed(self) -> None:
        """Look at the store again; a range whose beginning moved is given up."""
        if self._anchor and self.store and self.store.window(self._anchor[0], 1) != [self._anchor[1]]:
            self._anchor = None
        super().rows_changed()
        self.post_message(self.RowsChanged())

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self._anchor:
            for row in self.rows_in_view:
                if min(old, new) <= row <= max(old, new):
                    self.refresh_row(row)
            self.post_message(self.MarksChanged())

    @property
    def range_length(self) -> int:
        """How many rows the range holds that is open; 0 without one."""
        return abs(self.cursor - self._anchor[0]) + 1 if self._anchor else 0

    def looks_marked(self, row: int) -> bool:
        """Whether a row is marked, or would be if the range ended now."""
        if self._anchor and min(self._anchor[0], self.cursor) <= row <= max(self._anchor[0], self.cursor):
            return True
        return super().looks_marked(row)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape belongs to the table only while a range is open."""
        return self._anchor is not None if action == "give_up_range" else super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y == 0:
            if (column := self._renderer.column_at(offset.x)) is not None:
                self.post_message(self.SortAsked(column))
        elif (row := self.row_at(event)) is not None:
            self.cursor = row
            if event.chain == 2:
                self.action_open()

    def action_open(self) -> None:
        if (entry := self.entry) is not None:
            self.post_message(self.Opened(entry))

    def action_mark(self) -> None:
        if self.store is not None and self.entry is not None:
            self.store.toggle(self.cursor)
            self.refresh_row(self.cursor)
            self.post_message(self.MarksChanged())
            self.cursor += 1

    def action_range(self) -> None:
        """Begin a range at the cursor; the second time, mark it."""
        entry = self.entry
        if self.store is None or entry is None:
            return
        if self._anchor is None:
            self._anchor = (self.cursor, entry)
            self.refresh_row(self.cursor)
            self.post_message(self.MarksChanged())
            return
        first, last = sorted((self._anchor[0], self.cursor))
        self._anchor = None
        self.store.mark_range(first, last)
        self.refresh()
        self.post_message(self.MarksChanged())

    def action_give_up_range(self) -> None:
        self._anchor = None
        self.refresh()
        self.post_message(self.MarksChanged())

    def action_marks(self, which: str) -> None:
        """Mark `all` rows, the `others` instead of the marked ones, `none`, or those that were `dropped`."""
        if self.store is not None:
            change = {
                "all": self.store.mark_all,
                "others": self.store.invert,
                "none": self.store.clear_marks,
                "dropped": self.store.bring_back_marks,
            }
            change[which]()
            self._anchor = None
            self.refresh()
            self.post_message(self.MarksChanged())
