"""What the user does with a list: search, load, mark, count and sort."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import partial

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import Column, ColumnKind, Location, ResultSize
from cloudstore_tui.core.paging import EtaEstimator
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.fiql.fields import key_of, type_plural
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.phrases import phrase_value, understand
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import Action, ActionGroup
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.listing import ListingState
from cloudstore_tui.ui.browser.navigation import Navigator
from cloudstore_tui.ui.browser.panes import FocusManager
from cloudstore_tui.ui.browser.targets import NavigationTarget, search_from
from cloudstore_tui.ui.dialogs.columns import Bar, ColumnsDialog, Grouping, HistogramDialog, SortDialog
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.format import meter, percent
from cloudstore_tui.ui.report import join_clauses, notify_plain

MAX_MARKED = 100_000
"""Matches up to which all are loaded to be marked."""
POLL_S = 0.25
"""Seconds between two updates of the progress."""
_METER = 8
"""Cells of the progress bar: in 80 columns, the text beside it has to fit."""


@dataclass(eq=False)
class ListingActions(ActionGroup):
    """Search, count, load, mark and sort, and choose columns."""

    navigator: Navigator
    pane: EntriesPane
    panes: FocusManager

    @property
    def is_searched(self) -> bool:
        """Whether the list is the result of a search."""
        state = self.listing.state
        return state is not None and state.target.query is not None

    @property
    def can_search(self) -> bool:
        """Whether there is a search line that does not have the focus."""
        return self.pane.bar.display and not self.pane.bar.line.has_focus

    @Action(
        "f,f7",
        "Search",
        "Search here: words, agent:… or FIQL",
        id="browser.find",
        shown=True,
        everywhere=True,
        when="can_search",
    )
    def find(self) -> None:
        self.panes.show("entries", self.pane.bar.restore_draft())

    @Action(
        "F", "FIQL", "Show and copy the FIQL of this search", id="browser.fiql", everywhere=True, when="is_searched"
    )
    def show_fiql(self) -> None:
        from cloudstore_tui.ui.dialogs.links import FiqlDialog

        target = self.state.target
        if target.query is not None:
            where = target.query.location.address
            self.screen.app.push_screen(FiqlDialog(target.query.filter, where, target.local_words))

    # Counts

    @Action(
        "number_sign",
        "Count",
        "Count the matches and estimate their size",
        shown=False,
        needs=Capability.SEARCH,
        when="is_searched",
        opens=True,
        stops_on_escape=True,
    )
    async def count(self, text: str = "", scope: Location | None = None) -> None:
        """Count what is listed, or what a filter or phrase finds inside a place."""
        state, shown = self.state, self.state.target
        target = shown if scope is None else search_from(state.provider, scope, text, self.listing.zone)
        with self.listing.doing("counting… Esc stops"):
            if target is shown and state.pager.ended and not state.error:
                said = _count_text(target, ResultSize(state.store.loaded, *state.store.sizes), state.lacking)
            elif target.local or target.query is None:
                said = _uncountable_text(target)
            elif target is shown:
                said = _count_text(target, await state.measure(target.query), state.lacking)
            else:
                said = _count_text(target, await state.provider.measure(target.query))
        if self.screen.is_current:
            self.screen.app.push_screen(MessageDialog("Matches", said))
        else:
            notify_plain(self.screen, said)

    # Bars

    @Action("b", "Bars", "Count rows by time, agent, queue …", shown=False, when="has_rows", opens=True)
    async def histogram(self) -> None:
        state = self.state
        first = unit_for(await state.store.tally_times(QUARTER))
        units = [first, *(unit for unit in SpanUnit if unit is not first)]
        groupings = [Grouping(unit.value, partial(_by_time, state, unit), over_time=True) for unit in units]
        columns = _worth_counting([*self.pane.columns, *self.pane.other_columns])
        groupings[1:1] = [Grouping(column.title, partial(_by_value, state, column)) for column in columns]
        narrows = state.target.query is not None and Capability.SEARCH in state.provider.capabilities
        chosen = await self.screen.app.push_screen_wait(
            HistogramDialog(groupings, _rows_counted(state), narrows=narrows)
        )
        if chosen and state is self.listing.state:
            self.navigator.narrow(chosen)

    # Loading

    @property
    def has_more(self) -> bool:
        state = self.listing.state
        return state is not None and not state.pager.ended

    @Action("r,f5,ctrl+r", "Refresh", "Reload; marks and cursor stay")
    def refresh(self) -> None:
        self.listing.read_again()

    @Action("ctrl+e", "Load all", "Load the rest; Esc stops", when="has_more")
    async def load_all(self) -> None:
        await self._read_all(self.state, "loading")

    @Action("A", "Mark all", "Mark all matches, loaded or not", shown=False, when="has_rows")
    async def mark_matching(self) -> None:
        """Load what is left, then mark all; if that is stopped, nothing is marked."""
        state = self.state
        if not state.pager.ended:
            await self._read_all(state, "marking", MAX_MARKED)
        if state is not self.listing.state:
            return
        if state.pager.ended and not state.error:
            await self._mark(state)
        elif state.store.loaded >= MAX_MARKED:
            text = f"More than {MAX_MARKED:,} rows match: none was marked. Narrow the search."
            notify_plain(self.screen, text, "warning")
        else:
            notify_plain(self.screen, "Not all matches were loaded: nothing was marked.", "warning")

    async def _read_all(self, state: ListingState, doing: str, limit: int = 0) -> None:
        """Load what is left, several pages at once, or until `limit` rows are loaded; show the progress."""
        eta, pager = EtaEstimator(state.provider.profile.requests_per_minute), state.pager
        fetched = state.fetched
        async with pager.prefetch():
            self.listing.read_on(everything=True)
            await asyncio.sleep(POLL_S)
            try:
                while self.listing.is_busy and state is self.listing.state and pager is state.pager:
                    eta.update(state.fetched - fetched - eta.rows, _rows_left(state))
                    self.listing.set_status(_progress_text(doing, eta, state))
                    if limit and state.store.loaded >= limit:
                        self.listing.stop()
                    await self.listing.read_for(POLL_S)
            finally:
                self.listing.set_status("")

    async def _mark(self, state: ListingState) -> None:
        while state.store.stale:
            # A filter may still be looking for its rows.
            await state.store.settle()
            await asyncio.sleep(0)
        self.pane.table.action_marks("all")
        marks = state.store.selection
        size = f" ({words.size(marks.size, exact=marks.size_exact)})" if marks.size else ""
        which = "rows" if state.target.query is None else "matches"
        which += " that hold the text" if state.store.filtered_by else ""
        lacks = f" {join_clauses([state.lacking])}" if state.lacking else ""
        said = f"Marked all {marks.count:,} {which}{size}.{lacks}"
        notify_plain(self.screen, said, "warning" if lacks else "information")

    # Order and columns

    @Action("o", "Sort", "Choose another order", opens=True)
    async def sort(self) -> None:
        state, columns = self.state, self.pane.columns
        dialog = SortDialog(columns, present_order(state), self._sorted_rows)
        if (answer := await self.screen.app.push_screen_wait(dialog)) is not None and state is self.listing.state:
            column, descending = answer
            self.listing.sort(column, descending=descending)

    def _sorted_rows(self, column: Column) -> str:
        """Which rows sorting by a column would sort; empty if all are loaded."""
        if self.listing.sorts_on_server(column):
            return "all results"
        return "loaded rows only" if self.has_more else ""

    @Action("O", "Reverse", "Reverse the order", shown=False)
    def reverse(self) -> None:
        state = self.state
        order = present_order(state)
        column = next((column for column in state.columns if order and column.name == order[0]), None)
        if column is not None and order is not None:
            self.listing.sort(column, descending=not order[1])
        elif (first := _first_to_sort(state)) is not None:
            self.listing.sort(first, descending=first.kind is not ColumnKind.TIME)

    @Action("c", "Columns", "Choose columns, order and width", shown=False, opens=True)
    async def columns(self) -> None:
        """Ask for columns, and keep them for lists of this kind."""
        state = self.state
        dialog = ColumnsDialog(self.pane.columns, self.pane.other_columns)
        chosen = await self.screen.app.push_screen_wait(dialog)
        if chosen is not None and state is self.listing.state:
            self.pane.choose(chosen)


def present_order(state: ListingState) -> tuple[str, bool] | None:
    """The name of the column that the list is sorted by, and whether descending; `None` without an order."""
    column, descending = state.store.sorted_by
    return (column.name, descending) if column is not None else state.order


def next_direction(state: ListingState, column: Column) -> bool:
    """Whether a click on a column's title sorts descending: the second click reverses the order."""
    order = present_order(state)
    return not order[1] if order is not None and order[0] == column.name else column.kind.is_measure


def _first_to_sort(state: ListingState) -> Column | None:
    """The column to sort a list without an order by: time for searches, else name."""
    columns = state.columns
    if state.target.query is not None:
        return next((column for column in columns if column.kind is ColumnKind.TIME), None)
    return next((column for column in columns if column.name == "name"), next(iter(columns), None))


def _rows_left(state: ListingState) -> int | None:
    """Roughly how many rows are left to load; `None` while that is unknown."""
    pager = state.pager
    if pager.left is None and pager.total is not None:
        return max(pager.total - state.fetched, 0)
    return pager.left


def _progress_text(doing: str, eta: EtaEstimator, state: ListingState) -> str:
    """`marking ███▎░░░░ 41 %, 0:19 left`; `marking…` while the number of rows is unknown."""
    if eta.left is None:
        return f"{doing}…"
    done, size = state.fetched, state.fetched + eta.left
    left = words.time_left(eta.seconds)
    return f"{doing} {meter(done, size, _METER)} {percent(done, size)} %{f', {left}' if left else ''}"


# Counts


def _count_text(target: NavigationTarget, size: ResultSize, lacks: str = "") -> str:
    verb = "matches" if size.objects == 1 else "match"
    loss = join_clauses([lacks]) if lacks else ""
    parts = (f"{words.counted(size.objects, 'object')} {verb}.", loss, _size_text(size), *_sent_filter(target))
    return "\n".join(part for part in parts if part)


def _uncountable_text(target: NavigationTarget) -> str:
    return "\n".join(
        (
            f"8x8 can't count this; only loaded rows can be searched: {target.local_words}.",
            "Search for it, then press Ctrl+E to load the rest.",
            *_sent_filter(target),
        )
    )


def _sent_filter(target: NavigationTarget) -> tuple[str, ...]:
    filter_ = target.query.filter if target.query is not None else ""
    return (f"Sent: {filter_ or 'no filter'}",)


def _size_text(size: ResultSize) -> str:
    if not size.sampled:
        return ""
    if size.is_exact:
        return f"{words.size(size.bytes)} in total."
    # No margin of error: a few very large objects that were not looked at would make any wrong.
    return f"About {words.size(size.total_bytes)} in total (estimated from {size.sampled:,})."


# Bars

QUARTER = 900
"""Seconds. The offsets of all zones are multiples of it, so quarters add up to hours and days of any zone."""
_MAX_SPANS = 400
"""Spans up to which empty ones are shown as well."""


class SpanUnit(StrEnum):
    """The length of a span."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def unit_for(quarters: Mapping[int, int]) -> SpanUnit:
    """The unit that gives a few dozen spans."""
    if not quarters:
        return SpanUnit.DAY
    days = (max(quarters) - min(quarters)) * QUARTER / 86_400
    return SpanUnit.HOUR if days <= 3 else SpanUnit.DAY if days <= 120 else SpanUnit.MONTH


def spans(quarters: Mapping[int, int], unit: SpanUnit, zone: tzinfo) -> list[tuple[datetime, int]]:
    """The start of each span and its number of rows, the oldest first.

    Spans are identified by their instant: where clocks go back, two of them show the same time.
    """
    counts: Counter[datetime] = Counter()
    for number, many in quarters.items():
        start = start_of(datetime.fromtimestamp(number * QUARTER, UTC).astimezone(zone), unit)
        counts[start.astimezone(UTC)] += many
    if not counts:
        return []
    every = list(_between(min(counts), max(counts), unit, zone))
    instants = every if len(every) <= _MAX_SPANS else sorted(counts)
    return [(instant.astimezone(zone), counts[instant]) for instant in instants]


def start_of(moment: datetime, unit: SpanUnit) -> datetime:
    """The beginning of the span that a moment is in."""
    if unit is SpanUnit.HOUR:
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return day.replace(day=1) if unit is SpanUnit.MONTH else day


def end_of(start: datetime, unit: SpanUnit) -> datetime:
    """When the next span begins."""
    if unit is not SpanUnit.HOUR:
        return _existing(start_of(start + timedelta(days=1 if unit is SpanUnit.DAY else 31), unit))
    # Where clocks change by half an hour, an hour is shorter or longer.
    first = start_of(start, unit).astimezone(UTC)
    quarters = (start.astimezone(UTC) + timedelta(seconds=QUARTER * number) for number in range(1, 13))
    following = (start_of(moment.astimezone(start.tzinfo), unit) for moment in quarters)
    return _existing(next(later for later in following if later.astimezone(UTC) > first))


def name_of(start: datetime, unit: SpanUnit) -> str:
    """`2024-09-01 09:00`, `2024-09-01 Sun`, `2024-09`; an hour that clocks show twice also names its zone."""
    forms = {SpanUnit.HOUR: "%Y-%m-%d %H:00", SpanUnit.DAY: "%Y-%m-%d %a", SpanUnit.MONTH: "%Y-%m"}
    is_twice = unit is SpanUnit.HOUR and start.utcoffset() != start.replace(fold=1 - start.fold).utcoffset()
    return start.strftime(forms[unit] + (" %Z" if is_twice else ""))


def _existing(moment: datetime) -> datetime:
    """The same instant as clocks show it: a time that they skip becomes the one after the gap."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo)


def _between(first: datetime, last: datetime, unit: SpanUnit, zone: tzinfo) -> Iterator[datetime]:
    start = first
    for _number in range(_MAX_SPANS + 1):
        if start > last:
            return
        yield start
        start = end_of(start.astimezone(zone), unit).astimezone(UTC)


MAX_VALUES = 200
"""Bars of one column: those of the most frequent values."""

_COUNTED_KINDS = frozenset({ColumnKind.TEXT, ColumnKind.STATE})
_MOST_WANTED = ("agentName", "userName", "queueName", "type", "direction", "state")
"""The columns that people mostly want to know about."""
_UNIQUE_FIELDS = frozenset({"name", "id", "checksum"})
"""Fields that differ in every row."""


def _worth_counting(columns: Sequence[Column]) -> list[Column]:
    """The text columns, in the order in which people want to know them."""
    texts = [column for column in columns if column.kind in _COUNTED_KINDS and column.name not in _UNIQUE_FIELDS]
    return sorted(
        texts, key=lambda column: _MOST_WANTED.index(column.name) if column.name in _MOST_WANTED else len(_MOST_WANTED)
    )


async def _by_time(state: ListingState, unit: SpanUnit) -> Sequence[Bar]:
    quarters = await state.store.tally_times(QUARTER)
    return [
        Bar(name_of(start, unit), count, _time_condition(start, end_of(start, unit), state.zone))
        for start, count in spans(quarters, unit, state.zone)
    ]


def _time_condition(start: datetime, end: datetime, zone: tzinfo) -> str:
    """The shortest phrase that means exactly this time."""
    bounds = [epoch_ms(moment.astimezone(UTC)) for moment in (start, end)]
    wanted = "createdTime=ge={};createdTime=lt={}".format(*bounds)
    phrases = (f"on:{start:%Y-%m-%d}", f"on:{start:%Y-%m}", f"since:{start:%Y-%m-%dT%H:%M} until:{end:%Y-%m-%dT%H:%M}")
    # Where clocks go back, a local time is two instants.
    exact = f"since:{start.isoformat()} until:{end.isoformat()}"
    return next((phrase for phrase in phrases if _filter_of(phrase, zone) == wanted), exact)


def _filter_of(phrase: str, zone: tzinfo) -> str:
    try:
        return understand(phrase, zone, datetime.now(UTC)).filter
    except FilterError:
        return ""


async def _by_value(state: ListingState, column: Column) -> Sequence[Bar]:
    found = await state.store.tally(column, MAX_VALUES)
    key = key_of(column.sort_field)
    title = type_plural if column.name == "type" else str
    return [Bar(title(value), many, f"{key}:{phrase_value(value)}" if value and key else "") for value, many in found]


def _rows_counted(state: ListingState) -> str:
    """Which rows the bars count."""
    store, total = state.store, state.pager.total
    if state.pager.ended and not state.error:
        loaded = words.counted(store.loaded, "row")
    elif total is not None and total > store.loaded:
        loaded = f"{store.loaded:,} loaded rows of {total:,}"
    else:
        loaded = f"{store.loaded:,} rows loaded so far"
    if state.lacking:
        loaded = f"{loaded} ({state.lacking})"
    return f"{len(store):,} with “{store.filtered_by}” of {loaded}" if store.filtered_by else loaded
