"""Searching, and looking at a result before anything of it is fetched: how much it is, and how its rows spread."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import partial

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import Column, ColumnKind, Location, ResultSize
from cloudstore_tui.core.provider import Capability
from cloudstore_tui.fiql.fields import key_of, type_plural
from cloudstore_tui.fiql.measures import epoch_ms
from cloudstore_tui.fiql.phrases import phrase_value, understand
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.listing import ListingState
from cloudstore_tui.ui.browser.navigation import Navigator
from cloudstore_tui.ui.browser.panes import FocusManager
from cloudstore_tui.ui.browser.targets import NavigationTarget, search_from
from cloudstore_tui.ui.dialogs.columns import Bar, Grouping, HistogramDialog
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.report import tell

QUARTER = 900
"""Seconds: the offsets of all zones are multiples of it, so that quarters add up to hours and days of any zone."""
_MAX_SPANS = 400
"""Spans up to which those without rows are shown as well."""


class SpanUnit(StrEnum):
    """How long a span is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def unit_for(quarters: Mapping[int, int]) -> SpanUnit:
    """The unit that gives some dozens of spans."""
    if not quarters:
        return SpanUnit.DAY
    days = (max(quarters) - min(quarters)) * QUARTER / 86_400
    return SpanUnit.HOUR if days <= 3 else SpanUnit.DAY if days <= 120 else SpanUnit.MONTH


def spans(quarters: Mapping[int, int], unit: SpanUnit, zone: tzinfo) -> list[tuple[datetime, int]]:
    """When each span begins, and how many rows are of it, the oldest first.

    Spans are told apart by their instant: where clocks go back, two of them have the same time on the wall.
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
    # Where clocks are changed by half an hour, hours are shorter or longer.
    first = start_of(start, unit).astimezone(UTC)
    quarters = (start.astimezone(UTC) + timedelta(seconds=QUARTER * number) for number in range(1, 13))
    following = (start_of(moment.astimezone(start.tzinfo), unit) for moment in quarters)
    return _existing(next(later for later in following if later.astimezone(UTC) > first))


def name_of(start: datetime, unit: SpanUnit) -> str:
    """`2024-09-01 09:00`, `2024-09-01 Sun`, `2024-09`."""
    return start.strftime({SpanUnit.HOUR: "%Y-%m-%d %H:00", SpanUnit.DAY: "%Y-%m-%d %a", SpanUnit.MONTH: "%Y-%m"}[unit])


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
"""Values that are shown of one column, the most frequent."""

_COUNTED = frozenset({ColumnKind.TEXT, ColumnKind.STATE})
_FIRST = ("agentName", "userName", "queueName", "type", "direction", "state")
"""What people mostly want to know."""
_UNIQUE = frozenset({"name", "id", "checksum"})
"""Fields of which every row has another value."""


@dataclass(eq=False)
class SearchActions(ActionGroup):
    """Goes to the search line, shows the filter behind a search, counts and draws what it finds."""

    navigator: Navigator
    pane: EntriesPane
    panes: FocusManager

    @property
    def is_searched(self) -> bool:
        """Whether what is listed is what a service found."""
        state = self.listing.state
        return state is not None and state.target.query is not None

    @property
    def can_search(self) -> bool:
        """Whether there is a line to type in that is not being typed in."""
        return self.pane.bar.display and not self.pane.bar.line.has_focus

    @action(
        "f,f7",
        "Search",
        "Search here: words, agent:…, since:… or FIQL",
        id="browser.find",
        shown=True,
        everywhere=True,
        when="can_search",
    )
    def find(self) -> None:
        self.panes.show("entries", self.pane.bar.begin())

    @action(
        "F", "FIQL", "Show and copy the FIQL of this search", id="browser.fiql", everywhere=True, when="is_searched"
    )
    def show_fiql(self) -> None:
        from cloudstore_tui.ui.dialogs.links import FiqlDialog

        target = self.state.target
        if target.query is not None:
            where = target.query.location.address
            self.screen.app.push_screen(FiqlDialog(target.query.filter, where, target.local_words))

    # How much it is

    @action(
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
        """Count what is shown, or what a filter or phrase finds inside a place."""
        state, shown = self.state, self.state.target
        target = shown if scope is None else search_from(state.provider, scope, text, self.listing.zone)
        with self.listing.doing("counting… Esc stops"):
            if target is shown and state.pager.ended and not state.error:
                said = _sentences(target, ResultSize(state.store.loaded, *state.store.sizes), state.lacking)
            elif target.local or target.query is None:
                said = _unknown(target)
            elif target is shown:
                said = _sentences(target, await state.measure(target.query), state.lacking)
            else:
                said = _sentences(target, await state.provider.measure(target.query))
        if self.screen.is_current:
            self.screen.app.push_screen(MessageDialog("Matches", said))
        else:
            tell(self.screen, said)

    # How its rows spread

    @action(
        "b", "Bars", "Count the loaded rows by time, agent, queue, type …", shown=False, when="has_rows", opens=True
    )
    async def histogram(self) -> None:
        state = self.state
        first = unit_for(await state.store.tally_times(QUARTER))
        units = [first, *(unit for unit in SpanUnit if unit is not first)]
        groupings = [Grouping(unit.value, partial(_by_time, state, unit), over_time=True) for unit in units]
        columns = _worth_counting([*self.pane.columns, *self.pane.other_columns])
        groupings[1:1] = [Grouping(column.title, partial(_by_value, state, column)) for column in columns]
        narrows = state.target.query is not None and Capability.SEARCH in state.provider.capabilities
        chosen = await self.screen.app.push_screen_wait(HistogramDialog(groupings, _rows(state), narrows=narrows))
        if chosen and state is self.listing.state:
            self.navigator.narrow(chosen)


def _sentences(target: NavigationTarget, size: ResultSize, lacks: str = "") -> str:
    verb = "matches" if size.objects == 1 else "match"
    loss = f"{lacks[:1].upper()}{lacks[1:]}." if lacks else ""
    parts = (f"{words.counted(size.objects, 'object')} {verb}.", loss, _how_large(size), *_sent(target))
    return "\n".join(part for part in parts if part)


def _unknown(target: NavigationTarget) -> str:
    return "\n".join(
        (
            f"8x8 can't count this; only loaded rows can be searched: {target.local_words}.",
            "Search for it, then press Ctrl+E to load the rest.",
            *_sent(target),
        )
    )


def _sent(target: NavigationTarget) -> tuple[str, ...]:
    filter_ = target.query.filter if target.query is not None else ""
    return (f"Sent: {filter_ or 'no filter'}",)


def _how_large(size: ResultSize) -> str:
    if not size.known:
        return ""
    if size.is_exact:
        return f"{words.size(size.bytes)} in total."
    # No more is promised: a few very large objects that were not looked at would make any margin wrong.
    return f"About {words.size(size.total_bytes)} in total (estimated from {size.known:,})."


def _worth_counting(columns: Sequence[Column]) -> list[Column]:
    """Columns of texts, those that people ask for before the others."""
    texts = [column for column in columns if column.kind in _COUNTED and column.name not in _UNIQUE]
    return sorted(texts, key=lambda column: _FIRST.index(column.name) if column.name in _FIRST else len(_FIRST))


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
    # Where clocks go back, a time on the wall is two instants.
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


def _rows(state: ListingState) -> str:
    """Which rows are counted."""
    store, total = state.store, state.pager.total
    if state.pager.ended and not state.error:
        loaded = words.counted(store.loaded, "row")
    elif total is not None and total > store.loaded:
        loaded = f"{store.loaded:,} loaded rows of {total:,}"
    else:
        loaded = f"the {store.loaded:,} rows loaded so far"
    if state.lacking:
        loaded = f"{loaded} ({state.lacking})"
    return f"{len(store):,} with “{store.filtered_by}” of {loaded}" if store.filtered_by else loaded
