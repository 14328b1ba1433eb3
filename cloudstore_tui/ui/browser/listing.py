"""What the list shows: a state for each target, and the controller that fills it page by page."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import structs
from textual.screen import Screen
from textual.timer import Timer

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Column, Entry, Query, ResultSize, Sort, StoredObject, identity
from cloudstore_tui.core.paging import Page, Pager
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.fiql.checker import why_empty
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.state.memory import PlaceFacts
from cloudstore_tui.ui import format as formatted
from cloudstore_tui.ui.browser.entries_pane import EntriesPane, Progress, order_words
from cloudstore_tui.ui.browser.search_meaning import scopes_of
from cloudstore_tui.ui.browser.search_suggestions import Vocabulary
from cloudstore_tui.ui.browser.targets import NavigationTarget, fields_of_one_value, pages_of
from cloudstore_tui.ui.format import counted, lacking, zones_to_show
from cloudstore_tui.ui.layout import FIELDS, shown_words
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import notify_plain, record_message, report, sentence, show_warnings
from cloudstore_tui.ui.widgets.detail_pane import totals
from cloudstore_tui.ui.widgets.row_renderer import REPEATED

MAX_WARNINGS = 3
"""Warnings shown of one listing: the same row may be broken on every page."""


class ListingOverError(Exception):
    """The user has gone elsewhere: the page that came is no longer wanted."""


@dataclass(eq=False)
class ListingState:
    """What is listed of one target. Each target has its own, so that late answers cannot end up in another list."""

    target: NavigationTarget
    provider: StorageProvider
    zone: tzinfo
    at: str = ""
    """The identity of the entry that the cursor goes to as soon as it is loaded."""
    top: int = 0
    """The first row in view then."""
    until: int = 0
    """Rows that may be read to find it, besides the first page."""
    marks: frozenset[str] = frozenset()
    """The identities of entries that are marked as soon as they are loaded."""
    error: str = ""
    """Why reading stopped, and what to do about it."""
    fetched: int = 0
    """Rows that the service sent, also those that a local condition hides."""
    is_unsorted: bool = False
    """Whether the service ignores the order by time that it was asked for."""
    _measured: ResultSize | None = None
    _types: frozenset[str] = frozenset()
    _regions: frozenset[str] = frozenset()
    _warned: list[str] = field(default_factory=list)
    _lost: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        zones = tuple(dict.fromkeys((self.zone, *zones_to_show(ZoneInfo("UTC")))))
        self.store = RowStore(shown=partial(shown_words, zones=zones))
        if self.target.query is None and Capability.SEARCH not in self.provider.capabilities:
            # Services list by bytes: `reporting-archive/` before `reporting/`.
            self.store.sort(Column("name", "Name"))
        self.pager = self.new_pager()

    @property
    def is_seeking(self) -> bool:
        """Whether to go on reading for the entry that the cursor goes to."""
        return bool(self.at) and self.fetched < self.until

    def new_pager(self) -> Pager[Entry]:
        query, place = self.target.query, self.target.location.address
        searches = query is not None and Capability.SEARCH in self.provider.capabilities
        prefetch = partial(self.provider.prefetch, query) if searches and query is not None else None
        return Pager(pages_of(self.provider, self.target), identity, place, prefetch)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that fit what came; those that the query gives one value are the first to be left out."""
        repeated = fields_of_one_value(self.target.query.filter) if self.target.query is not None else ()
        columns = self.provider.columns(self.target.location, self._types)
        return tuple(
            structs.replace(one, rank=max(one.rank, REPEATED)) if one.sort_field in repeated else one for one in columns
        )

    @property
    def order(self) -> tuple[str, bool] | None:
        """The column that the service sorts by, and whether descending: newest first unless asked otherwise."""
        if self.target.query is None:
            return None
        sort, column = self.target.query.sort, self._sorted_column()
        return (column.name, sort.descending) if sort and column else ("created", True)

    @property
    def words(self) -> str:
        """Shown in a list without rows."""
        rest = "" if self.pager.ended else " Ctrl+E loads the rest."
        if self.store.filtered_by and self.store.loaded:
            return f"None of the {self.store.loaded:,} rows loaded holds “{self.store.filtered_by}”.{rest}"
        if self.error:
            return self.error
        if rest and self.target.local and self.fetched:
            return "\n".join((f"Not in the {self.fetched:,} rows loaded so far.{rest}", *self._local_search_hint))
        if rest:
            return "Stopped. Press r to reload."
        if self.target.query is None:
            return "This folder is empty."
        return "\n".join(("No matches.", *self._reasons))

    @property
    def _reasons(self) -> tuple[str, ...]:
        """The filter that was sent, and why it may have found nothing."""
        query = self.target.query
        if query is None:
            return ()
        sent = f"Sent: {query.filter or 'none'}"
        if not self.target.is_search:
            return (sent,)
        if self.fetched:
            return (sent, f"That matches {self.fetched:,}, none of which has the rest.", *self._local_search_hint)
        return (sent, *why_empty(parse(query.filter) if query.filter else None, query.filter, self.zone))

    @property
    def _local_search_hint(self) -> tuple[str, ...]:
        """What was searched for in loaded rows only, and how to search all."""
        return (
            f"Searched there: {self.target.local_words}.",
            "8x8 can't search for part of a text.",
            'Whole values are found everywhere: agent:"First Last", queue:"Name", a number or an id.',
        )

    @property
    def result(self) -> tuple[str, ...]:
        """The number of matches, their size where it is known, and the keys for the search."""
        store, total = self.store, None if self.target.local else self.pager.total
        is_whole = self.pager.ended and not self.error
        if self.target.query is None or not (self.fetched or is_whole):
            return ()
        found = ""
        if is_whole or total is not None:
            number = store.loaded if is_whole or total is None else total
            found = f"{number:,} match" if number else "no match"
        elif self.target.local:
            found = f"{store.loaded:,} so far"
        (known, size), day = store.sizes, self._day
        parts = (
            found,
            formatted.size(size) if is_whole and known else "",
            day if day not in self.target.words else "",
            *(("f edits", "F shows FIQL") if self.target.is_search else ()),
        )
        return tuple(filter(None, parts))

    @property
    def _day(self) -> str:
        """The day that all rows are of, if they are of one: then no row shows it."""
        days = {formatted.day(formatted.local(datetime.fromtimestamp(at, UTC), self.zone)) for at in self.store.span}
        return days.pop() if len(days) == 1 and all(self.store.span) else ""

    @property
    def lacking(self) -> str:
        """What could not be read, in a few words; empty if nothing is missing."""
        regions = () if self.target.location.region else self._regions
        return lacking(self.pager.failures, regions)

    async def measure(self, query: Query) -> ResultSize:
        """Count and size of the matches; the service is asked once."""
        if self._measured is None:
            self._measured = await self.provider.measure(query)
            self.pager.total = self._measured.objects
        return self._measured

    def matching_rows(self, page: Page[Entry]) -> tuple[Entry, ...]:
        """The rows of a page that meet the local conditions."""
        self.fetched += len(page.items)
        self.is_unsorted = self.is_unsorted or self._lacks_order(page)
        return tuple(entry for entry in page.items if self.target.keeps(entry))

    def progress(self, *, loading: bool, note: str, known: int | None) -> Progress:
        """How far reading is; `known` is the total, for services that do not send it with the rows."""
        return Progress(
            loading=loading,
            ended=self.pager.ended and not self.error,
            total=None if self.target.local else known if self.pager.total is None else self.pager.total,
            stopped=bool(self.error),
            order=self._order_words(),
            note=" · ".join(part for part in (self.lacking, self._local_words(), note) if part),
        )

    def learn_types(self, entries: Sequence[Entry]) -> bool:
        """Remember which types came; return whether other columns may fit now."""
        self._regions |= {entry.location.region for entry in entries}
        types = self._types | {entry.type for entry in entries if isinstance(entry, StoredObject) and entry.type}
        changed = types != self._types
        self._types = types
        return changed

    def new_failures(self) -> list[StorageError]:
        """The failures of the pages so far that were not reported yet."""
        new = [failure for failure in self.pager.failures if failure.subject not in self._lost]
        self._lost |= {failure.subject for failure in new}
        return new

    def new_warnings(self, page: Page[Entry]) -> list[str]:
        """The warnings of a page that were not shown yet."""
        new = [text for text in dict.fromkeys(page.warnings) if text not in self._warned]
        room = max(MAX_WARNINGS - len(self._warned), 0)
        self._warned += new[:room]
        return new[:room]

    def mark_again(self) -> int:
        """Mark the entries that are to be marked; return how many of them were not loaded."""
        wanted, self.marks = self.marks, frozenset()
        self.store.mark(wanted)
        return len(wanted - self.marked()) if wanted else 0

    def marked(self) -> frozenset[str]:
        return frozenset(map(identity, self.store.marked()))

    def _sorted_column(self) -> Column | None:
        sort = self.target.query.sort if self.target.query else None
        columns = self.provider.columns(self.target.location, self._types)
        if sort is None:
            return None
        # A field or tag is only shown where the user chose it.
        other = next((column for column in FIELDS if column.sort_field == sort.field), None)
        known = next((column for column in columns if column.sort_field == sort.field), None)
        return known or other or Column(sort.field, sort.field, sort_field=sort.field)

    def _local_words(self) -> str:
        """How many rows were checked for the local conditions."""
        if not self.target.local:
            return ""
        total = self.pager.total
        of = f" of {total:,}" if total is not None and total > self.fetched else ""
        rest = "" if self.pager.ended else "; Ctrl+E searches the rest"
        return f"{self.fetched:,}{of} rows searched{rest}"

    def _lacks_order(self, page: Page[Entry]) -> bool:
        column, sort = self._sorted_column(), self.target.query.sort if self.target.query else None
        if column is None or sort is None or column.name != "created":
            return False
        moments = [entry.created for entry in page.items if isinstance(entry, StoredObject) and entry.created]
        return moments != sorted(moments, reverse=sort.descending)

    def _order_words(self) -> str:
        sort, column = self.target.query.sort if self.target.query else None, self._sorted_column()
        if self.is_unsorted:
            return "not sorted by the service"
        if sort is None or column is None or (column.name == "created" and sort.descending):
            return ""
        return order_words(column, descending=sort.descending)


GROUP = "listing"
"""The group of the worker that fills the list: at most one at a time."""

_MAX_SEEK = 2_000
"""Rows that are read to find the entry that had the cursor; more would take too long."""
_REFRESH_S = 0.1
"""Least seconds between two refreshes of the table while rows come."""

POLL_S = 0.5
"""Seconds between two looks at what the service is waiting for."""


class ListingController:
    """Fills the list. Every answer belongs to one state, and is dropped once another one is shown."""

    def __init__(
        self,
        screen: Screen[None],
        pane: EntriesPane,
        providers: Mapping[str, StorageProvider],
        facts: PlaceFacts,
        zone: tzinfo,
        on_answer: Callable[[], None],
    ) -> None:
        """Fill `pane`; `on_answer` is called whenever a service has answered."""
        self.screen = screen
        self.pane = pane
        self._providers = providers
        self._facts = facts
        self._on_answer = on_answer
        self._busy: asyncio.Event | None = None
        self._refreshed_at = 0.0
        self.state: ListingState | None = None
        self.zone = zone
        self._note = ""
        self._poll: Timer | None = None
        self._vocabularies: defaultdict[str, Vocabulary] = defaultdict(Vocabulary)

    # What the user asks for

    def open(
        self, target: NavigationTarget, *, at: str = "", until: int = 0, top: int = 0, marks: Iterable[str] = ()
    ) -> None:
        """Show a target from its first page on.

        Args:
            target: what to show.
            at: the identity of the entry that the cursor goes to as soon as it is loaded.
            until: rows that may be read to find it.
            top: the first row in view then.
            marks: identities of entries that are marked as soon as they are loaded.

        Raises:
            LocalDiskError: there is no space for its rows; the old list stays.
        """
        kept, provider = frozenset(marks), self._providers[target.location.profile]
        state = ListingState(target, provider, self.zone, at=at, top=top, until=min(until, _MAX_SEEK), marks=kept)
        old, self.state = self.state, state
        self.pane.bar.display = Capability.SEARCH in state.provider.capabilities
        self._show_search(state)
        self._show_columns(state)
        if old is not None:
            old.store.close()
        self._start(self._read(state, lambda new: new > 0 and not state.is_seeking))

    def read_on(self, *, everything: bool = False) -> None:
        """Read the next page, unless something is being read or failed, or everything that is left."""
        state = self.state
        if state is None or state.pager.ended:
            return
        if everything:
            self._start(self._read(state, lambda _: False))
        elif self._busy is None and not state.error:
            self._start(self._read(state, lambda new: new > 0))

    def read_again(self, *, at: str = "") -> None:
        """Read all loaded rows again; marks, filter and order stay, and the cursor unless it goes to the entry `at`."""
        if self.state is not None:
            self.state.at = at
            if at:
                self.pane.table.cursor = 0
            self._start(self._reread(self.state))

    def stop(self) -> bool:
        """Stop reading; the rows that came stay. Return whether anything was being read."""
        was_busy = self._busy is not None
        self.screen.workers.cancel_group(self.screen, GROUP)
        return was_busy

    def sort(self, column: Column, *, descending: bool) -> None:
        """Sort: by the service while rows are left to load, else locally."""
        state = self.state
        if state is None:
            return
        if not self.sorts_on_server(column):
            state.store.sort(column, descending)
            self._show_columns(state)
            return
        assert state.target.query is not None
        query = structs.replace(state.target.query, sort=Sort(column.sort_field, descending))
        at = identity(self.entry) if self.entry else ""
        self.open(replace(state.target, query=query), at=at, marks=state.marked())

    def sorts_on_server(self, column: Column) -> bool:
        """Whether the service has to sort by this column."""
        state = self.state
        return bool(
            state is not None
            and state.target.query is not None
            and column.sort_field
            # The service would sort by its own names of types, which nobody sees.
            and column.name != "type"
            and Capability.SEARCH in state.provider.capabilities
            and not (state.pager.ended and state.store.loaded)
        )

    def show_zone(self, zone: tzinfo) -> None:
        self.zone = zone
        if self.state is not None:
            self.state.zone = zone
            self._show_search(self.state)
            self._show_columns(self.state)

    def set_status(self, note: str) -> None:
        """Show in the status line what else is going on; empty for nothing."""
        self._note = note
        self._start_poll()
        self.update_status()

    def update_status(self) -> None:
        """Show how far reading is, and why there are no rows."""
        state, is_busy = self.state, self._busy is not None
        if state is None:
            return
        waits = state.provider.session.note if is_busy or self._note else ""
        note = " · ".join(part for part in (waits, self._note) if part)
        words = "loading…" if is_busy else state.words
        self.pane.bar.result = state.result
        self.pane.progress(state.progress(loading=is_busy, note=note, known=self._counted(state.target)), words)

    @contextmanager
    def doing(self, note: str) -> Iterator[None]:
        """Show in the status line what is going on, as long as it does."""
        self.set_status(note)
        try:
            yield
        finally:
            self.set_status("")

    # For other parts of the browser

    @property
    def entry(self) -> Entry | None:
        return self.pane.table.entry if self.state is not None else None

    def of_call(self, entry: Entry) -> list[StoredObject]:
        rows = self.state.store.of_call(entry) if self.state is not None else []
        return [row for row in rows if isinstance(row, StoredObject)]

    def folder_totals(self) -> str:
        """Number and size of what is in the listed folder; empty for searches, and until all is loaded."""
        state = self.state
        if state is None or state.target.query is not None or not state.pager.ended:
            return ""
        store = state.store
        files, (_known, size) = store.loaded - store.folders, store.sizes
        return totals(store.folders, files, size, exact=store.sizes_exact)

    @property
    def is_busy(self) -> bool:
        return self._busy is not None

    @property
    def is_awaited(self) -> bool:
        """Whether the first rows are on their way."""
        reads = any(worker.group == GROUP and not worker.is_finished for worker in self.screen.workers)
        return reads and self.state is not None and not self.state.store.loaded

    async def read_for(self, seconds: float) -> None:
        """Wait until reading ends, at most for some seconds."""
        if self._busy is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._busy.wait(), seconds)

    def remove(self, state: ListingState, identities: Iterable[str]) -> None:
        """Take entries off a list, if it is still shown."""
        if state is self.state:
            state.store.remove(identities)
            self.pane.table.rows_changed()

    # Reading

    async def _read(self, state: ListingState, is_enough: Callable[[int], bool]) -> None:
        async with self._busy_with(state):
            state.error = ""
            while not state.pager.ended:
                page = await state.pager.next_page()
                if state is not self.state:
                    raise ListingOverError
                new = state.store.extend(state.matching_rows(page))
                self._take(state, page)
                # Where a local condition hides most rows, the user decides how many to read.
                if is_enough(new) or (state.target.local and is_enough(1)):
                    break
                # Keys come in between, even if the service answers at once.
                await asyncio.sleep(0)

    async def _reread(self, state: ListingState) -> None:
        async with self._busy_with(state):
            state.error = ""
            pager, before = state.new_pager(), state.fetched
            state.fetched = 0
            try:
                with state.store.refresh():
                    while not pager.ended and state.fetched < max(before, 1):
                        page = await pager.next_page()
                        if state is not self.state:
                            raise ListingOverError
                        state.store.merge(state.matching_rows(page))
                        self._take(state, page)
                        await asyncio.sleep(0)
            except BaseException:
                # The rows from before stay, and so does their number: the next attempt reads as many.
                state.fetched = max(state.fetched, before)
                raise
            state.pager = pager
            self.pane.table.ask_again()

    @asynccontextmanager
    async def _busy_with(self, state: ListingState) -> AsyncIterator[None]:
        ended = self._busy = asyncio.Event()
        self._start_poll()
        self.update_status()
        try:
            yield
        except ListingOverError:
            return
        except StorageError as error:
            if state is self.state:
                state.error = sentence(error)
                if state.store.loaded:
                    raise
                # It is shown in place of the rows.
                record_message(self.screen, state.error, "error")
        finally:
            ended.set()
            if self._busy is ended:
                self._busy = None
            if state is self.state:
                self.pane.table.rows_changed()
                self.update_status()
                self.screen.refresh_bindings()
                self._on_answer()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self.screen.run_worker(work, group=GROUP, exclusive=True)

    # Showing

    def _take(self, state: ListingState, page: Page[Entry]) -> None:
        self._vocabularies[state.target.location.profile].learn(page.items)
        MASK.learn(page.items)
        show_warnings(self.screen, state.new_warnings(page))
        for failure in state.new_failures():
            report(self.screen, failure)
        if state.learn_types(page.items):
            self._show_columns(state)
        now = time.monotonic()
        if now - self._refreshed_at >= _REFRESH_S:
            self._refreshed_at = now
            self.pane.table.rows_changed()
            self.update_status()
        self._seek(state)
        if not state.is_seeking and (missing := state.mark_again()):
            rows = counted(missing, "marked row")
            notify_plain(self.screen, f"{rows} not loaded again: no longer marked.", "warning")

    def _seek(self, state: ListingState) -> None:
        """Put the cursor on the entry that it goes to, unless the user has moved it."""
        if state.at:
            self.pane.table.rows_changed()
            row = state.store.index_of(state.at)
            table = self.pane.table
            if row is not None and table.cursor == 0:
                table.cursor = row
                if state.top:
                    table.scroll_to(y=state.top, animate=False, force=True)
            if row is not None or table.cursor or not state.is_seeking:
                state.at = ""

    def _show_search(self, state: ListingState) -> None:
        target, where = state.target, state.target.location
        scopes = scopes_of(state.provider, where)
        self.pane.bar.show(target.typed, scopes, self.zone, self._vocabularies[where.profile])

    def _start_poll(self) -> None:
        """Keep showing why the service makes us wait, as long as it does."""
        if self._poll is None:
            self._poll = self.screen.set_interval(POLL_S, self._poll_waits)

    def _poll_waits(self) -> None:
        if self._poll is not None and self._busy is None and not self._note:
            self._poll.stop()
            self._poll = None
        else:
            self.update_status()

    def _show_columns(self, state: ListingState) -> None:
        self.pane.table.order = None if state.store.sorted_by[0] or state.is_unsorted else state.order
        self.pane.show(state.store, state.columns, state.zone)
        self.update_status()

    def _counted(self, target: NavigationTarget) -> int | None:
        """The number of objects of a place, if the tree has counted them; `None` for searches."""
        is_counted = not target.is_search and target.query is not None and self._facts.is_counted(target.location)
        return self._facts.objects(target.location) if is_counted else None
