"""What the user does with a list: read on and again, mark all that matches, and show it in other orders and columns."""

import asyncio
from dataclasses import dataclass

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.core.paging import EtaEstimator
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.listing import ListingState
from cloudstore_tui.ui.dialogs.columns import ColumnsDialog, SortDialog
from cloudstore_tui.ui.format import meter, percent
from cloudstore_tui.ui.report import tell

MAX_MARKED = 100_000
"""Rows up to which everything that matches is read to be marked."""
POLL_S = 0.25
"""Seconds between two looks at how far it is."""
_METER = 8
"""Cells of the bar that says how far reading is: what it is for has to fit beside it in 80 columns."""


@dataclass(eq=False)
class ListingActions(ActionGroup):
    """Reads, marks, sorts and arranges what is listed."""

    pane: EntriesPane

    # Reading

    @property
    def has_more(self) -> bool:
        state = self.listing.state
        return state is not None and not state.pager.ended

    @action("r,f5,ctrl+r", "Refresh", "Reload; marks and cursor stay")
    def refresh(self) -> None:
        """Cursor, marks, filter and order stay."""
        self.listing.read_again()

    @action("ctrl+e", "Load all", "Load the rest; Esc stops", when="has_more")
    async def load_all(self) -> None:
        await self._read_all(self.state, "loading")

    @action("A", "Mark all", "Mark all matches, loaded or not", shown=False, when="has_rows")
    async def mark_matching(self) -> None:
        """Read what is left, then mark it; if that is stopped, nothing is marked."""
        state = self.state
        if not state.pager.ended:
            await self._read_all(state, "marking", MAX_MARKED)
        if state is not self.listing.state:
            return
        if state.pager.ended and not state.error:
            await self._mark(state)
        elif state.store.loaded >= MAX_MARKED:
            much = f"More than {MAX_MARKED:,} rows match: none was marked. Narrow the search."
            tell(self.screen, much, "warning")
        else:
            tell(self.screen, "Not all matches were loaded: nothing was marked.", "warning")

    async def _read_all(self, state: ListingState, doing: str, most: int = 0) -> None:
        """Read what is left, several pages at once, or until `most` rows are there; say how long it will take."""
        eta, pager = EtaEstimator(state.provider.profile.requests_per_minute), state.pager
        fetched = state.fetched
        async with pager.prefetch():
            self.listing.read_on(everything=True)
            await asyncio.sleep(POLL_S)
            try:
                while self.listing.is_busy and state is self.listing.state and pager is state.pager:
                    eta.update(state.fetched - fetched - eta.rows, _left(state))
                    self.listing.set_status(_progress(doing, eta, state))
                    if most and state.store.loaded >= most:
                        self.listing.stop()
                    await self.listing.read_for(POLL_S)
            finally:
                self.listing.set_status("")

    async def _mark(self, state: ListingState) -> None:
        while state.store.stale:
            # Until a filter has found its rows.
            await state.store.settle()
            await asyncio.sleep(0)
        self.pane.table.action_marks("all")
        marks = state.store.selection
        size = f" ({words.size(marks.size, exact=marks.size_exact)})" if marks.size else ""
        which = "matches that hold the text" if state.store.filtered_by else "matches"
        lacks = f" {state.lacking[:1].upper()}{state.lacking[1:]}." if state.lacking else ""
        said = f"Marked all {marks.count:,} {which}{size}.{lacks}"
        tell(self.screen, said, "warning" if lacks else "information")

    # Orders and columns

    @action("o", "Sort", "Choose another order", opens=True)
    async def sort(self) -> None:
        state, columns = self.state, self.pane.columns
        server = any(self.listing.sorts_on_server(column) for column in columns)
        dialog = SortDialog(columns, present_order(state), server)
        if (answer := await self.screen.app.push_screen_wait(dialog)) is not None and state is self.listing.state:
            column, descending = answer
            self.listing.sort(column, descending=descending)

    @action("O", "Reverse", "Reverse the order", shown=False)
    def reverse(self) -> None:
        state = self.state
        order = present_order(state)
        column = next((column for column in state.columns if order and column.name == order[0]), None)
        if column is not None and order is not None:
            self.listing.sort(column, descending=not order[1])
        elif (first := _first_to_sort(state)) is not None:
            self.listing.sort(first, descending=first.kind is not ColumnKind.TIME)

    @action("c", "Columns", "Choose columns, their order and their width", shown=False, opens=True)
    async def columns(self) -> None:
        """Ask for columns, and remember them for lists of this kind."""
        state = self.state
        dialog = ColumnsDialog(self.pane.columns, self.pane.other_columns)
        chosen = await self.screen.app.push_screen_wait(dialog)
        if chosen is not None and state is self.listing.state:
            self.pane.choose(chosen)


def present_order(state: ListingState) -> tuple[str, bool] | None:
    """Name of the column that sorts now and whether descending; `None` where nobody chose one."""
    column, descending = state.store.sorted_by
    return (column.name, descending) if column is not None else state.order


def next_direction(state: ListingState, column: Column) -> bool:
    """Whether a click on a column's title sorts descending: the other way round the second time."""
    order = present_order(state)
    return not order[1] if order is not None and order[0] == column.name else column.kind.is_measure


def _first_to_sort(state: ListingState) -> Column | None:
    """The column that a list without an order is in: newest first for searches, else by name."""
    columns = state.columns
    if state.target.query is not None:
        return next((column for column in columns if column.kind is ColumnKind.TIME), None)
    return next((column for column in columns if column.name == "name"), next(iter(columns), None))


def _left(state: ListingState) -> int | None:
    """Roughly how many rows are still to come; `None` while nobody knows."""
    pager = state.pager
    if pager.left is None and pager.total is not None:
        return max(pager.total - state.fetched, 0)
    return pager.left


def _progress(doing: str, eta: EtaEstimator, state: ListingState) -> str:
    """`marking ███▎░░░░ 41 %, 0:19 left`; without the rest as long as nobody knows how much is to come."""
    if eta.left is None:
        return f"{doing}…"
    done, size = state.fetched, state.fetched + eta.left
    left = words.time_left(eta.seconds)
    return f"{doing} {meter(done, size, _METER)} {percent(done, size)} %{f', {left}' if left else ''}"
