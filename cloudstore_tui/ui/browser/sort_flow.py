"""Another order of the entries."""

from textual.screen import Screen

from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.flow import Flow
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.reading import Reading
from cloudstore_tui.ui.dialogs.sort_dialog import SortDialog

_LARGEST_FIRST = frozenset({ColumnKind.SIZE, ColumnKind.TIME, ColumnKind.DURATION})
"""Kinds of values that people mostly want newest, largest or longest first."""


class SortFlow(Flow):
    """Asks for a column and a direction."""

    def __init__(self, screen: Screen[None], listing: ListingFlow, pane: EntriesPane) -> None:
        super().__init__(screen, listing)
        self._pane = pane

    async def run(self) -> None:
        """Ask, sort."""
        reading = self.listing.reading
        if reading is None:
            return
        columns = self._pane.columns
        server = any(self.listing.sorts_on_server(column) for column in columns)
        dialog = SortDialog(columns, present_order(reading), server)
        if (answer := await self.screen.app.push_screen_wait(dialog)) is not None and reading is self.listing.reading:
            column, descending = answer
            self.listing.sort(column, descending=descending)


class ReverseFlow(Flow):
    """Turns the present order round."""

    opens = False

    async def run(self) -> None:
        """Sort by the same column the other way."""
        reading = self.listing.reading
        if reading is None:
            return
        order = present_order(reading)
        column = next((column for column in reading.columns if order and column.name == order[0]), None)
        if column is not None and order is not None:
            self.listing.sort(column, descending=not order[1])
        elif (first := _first_to_sort(reading)) is not None:
            self.listing.sort(first, descending=first.kind is not ColumnKind.TIME)


def present_order(reading: Reading) -> tuple[str, bool] | None:
    """Name of the column that sorts now and whether descending; `None` where nobody chose one."""
    column, descending = reading.store.sorted_by
    return (column.name, descending) if column is not None else reading.order


def next_direction(reading: Reading, column: Column) -> bool:
    """Whether a click on a column's title sorts descending: the other way round the second time."""
    order = present_order(reading)
    return not order[1] if order is not None and order[0] == column.name else column.kind in _LARGEST_FIRST


def _first_to_sort(reading: Reading) -> Column | None:
    """The column that a list without an order is in: newest first for searches, else by name."""
    columns = reading.columns
    if reading.visit.query is not None:
        return next((column for column in columns if column.kind is ColumnKind.TIME), None)
    return next((column for column in columns if column.name == "name"), next(iter(columns), None))
