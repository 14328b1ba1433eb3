"""Looking at a result before anything of it is fetched."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial

from textual.screen import Screen

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import Column, ColumnKind
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.fiql import epoch_ms, phrase_value, understand
from cloudstore_tui.fiql.fields import type_plural
from cloudstore_tui.fiql.names import key_of
from cloudstore_tui.ui.browser.actions import Flow
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.listing_flow import ListingFlow
from cloudstore_tui.ui.browser.reading import Reading
from cloudstore_tui.ui.dialogs.histogram_dialog import Bar, Grouping, HistogramDialog
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.spans import QUARTER, SpanUnit, end_of, name_of, spans, unit_for

MOST_VALUES = 200
"""Values that are shown of one column, the most frequent."""

_COUNTED = frozenset({ColumnKind.TEXT, ColumnKind.STATE})
_FIRST = ("agentName", "userName", "queueName", "type", "direction", "state")
"""What people mostly want to know."""
_UNIQUE = frozenset({"name", "id", "checksum"})
"""Fields of which every row has another value."""


class HistogramFlow(Flow):
    """Shows how the loaded rows spread over time and over values, and narrows the query to some of them."""

    def __init__(
        self, screen: Screen[None], listing: ListingFlow, pane: EntriesPane, narrow: Callable[[str], None]
    ) -> None:
        super().__init__(screen, listing)
        self._pane = pane
        self._narrow = narrow

    @property
    def is_possible(self) -> bool:
        """Where there are rows."""
        reading = self.listing.reading
        return reading is not None and reading.store.loaded > 0

    async def run(self) -> None:
        """Count, show, narrow."""
        reading = self.listing.reading
        if reading is None:
            return
        first = unit_for(await reading.store.tally_times(QUARTER))
        units = [first, *(unit for unit in SpanUnit if unit is not first)]
        groupings = [Grouping(unit.value, partial(_by_time, reading, unit), over_time=True) for unit in units]
        columns = _worth_counting([*self._pane.columns, *self._pane.other_columns])
        groupings[1:1] = [Grouping(column.title, partial(_by_value, reading, column)) for column in columns]
        narrows = reading.visit.query is not None and Capability.SEARCH in reading.provider.capabilities
        chosen = await self.screen.app.push_screen_wait(HistogramDialog(groupings, _rows(reading), narrows=narrows))
        if chosen and reading is self.listing.reading:
            self._narrow(chosen)


def _worth_counting(columns: Sequence[Column]) -> list[Column]:
    """Columns of texts, those that people ask for before the others."""
    texts = [column for column in columns if column.kind in _COUNTED and column.name not in _UNIQUE]
    return sorted(texts, key=lambda column: _FIRST.index(column.name) if column.name in _FIRST else len(_FIRST))


async def _by_time(reading: Reading, unit: SpanUnit) -> Sequence[Bar]:
    quarters = await reading.store.tally_times(QUARTER)
    return [
        Bar(name_of(start, unit), count, _time_condition(start, end_of(start, unit), reading.zone))
        for start, count in spans(quarters, unit, reading.zone)
    ]


def _time_condition(start: datetime, end: datetime, zone: tzinfo) -> str:
    """The shortest phrase that means exactly this time."""
    bounds = [epoch_ms(moment.astimezone(UTC)) for moment in (start, end)]
    wanted = "createdTime=ge={};createdTime=lt={}".format(*bounds)
    phrases = (f"on:{start:%Y-%m-%d}", f"on:{start:%Y-%m}", f"since:{start:%Y-%m-%dT%H:%M} until:{end:%Y-%m-%dT%H:%M}")
    # Where clocks go back, a time on the wall is two instants.
    exact = f"since:{start.isoformat()} until:{end.isoformat()}"
    return next((phrase for phrase in phrases if _filter_of(phrase, zone) == wanted), exact)


def _filter_of(phrase: str, zone: tzinfo) -> str:
    try:
        return understand(phrase, zone, datetime.now(UTC)).filter
    except FilterError:
        return ""


async def _by_value(reading: Reading, column: Column) -> Sequence[Bar]:
    found = await reading.store.tally(column, MOST_VALUES)
    key = key_of(column.sort_field)
    title = type_plural if column.name == "type" else str
    return [Bar(title(value), many, f"{key}:{phrase_value(value)}" if value and key else "") for value, many in found]


def _rows(reading: Reading) -> str:
    """Which rows are counted."""
    store, total = reading.store, reading.pager.total
    if reading.pager.ended and not reading.error:
        loaded = counted(store.loaded, "row")
    elif total is not None and total > store.loaded:
        loaded = f"{store.loaded:,} loaded rows of {total:,}"
    else:
        loaded = f"the {store.loaded:,} rows loaded so far"
    if reading.lacking:
        loaded = f"{loaded} ({reading.lacking})"
    return f"{len(store):,} with “{store.filtered_by}” of {loaded}" if store.filtered_by else loaded
