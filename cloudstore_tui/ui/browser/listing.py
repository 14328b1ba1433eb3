"""What the list shows: one state for each thing that is listed, and the controller that fills it page by page."""

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
"""Warnings shown of one listing; the same row may be broken on every page."""


class ListingOverError(Exception):
    """The user has gone elsewhere: what came is not wanted any more."""


@dataclass(eq=False)
class ListingState:
    """What is listed of a target. Belongs to it alone, so that nothing that comes late can land in another one."""

    target: NavigationTarget
    provider: StorageProvider
    zone: tzinfo
    at: str = ""
    """The entry that the cursor is to go to once it is there."""
    top: int = 0
    """The first row in view once the cursor is there."""
    until: int = 0
    """Rows that may be read to find that entry; the first page at least."""
    marks: frozenset[str] = frozenset()
    """Entries to be marked once they are there."""
    error: str = ""
    """Why reading stopped, and what can be done about it."""
    fetched: int = 0
    """Rows that came, also those that were not kept."""
    is_unsorted: bool = False
    """Whether the service gives another order by time than the one that it was asked for."""
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
    def seeks(self) -> bool:
        """Whether more rows are worth reading for the entry that the cursor is to go to."""
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
        """The column that the service sorts by: newest first where nobody asked it for anything else."""
        if self.target.query is None:
            return None
        sort, column = self.target.query.sort, self._sorted_column()
        return (column.name, sort.descending) if sort and column else ("created", True)

    @property
    def words(self) -> str:
        """What stands where rows would be."""
        rest = "" if self.pager.ended else " Ctrl+E loads the rest."
        if self.store.filtered_by and self.store.loaded:
            return f"None of the {self.store.loaded:,} rows loaded holds “{self.store.filtered_by}”.{rest}"
        if self.error:
            return self.error
        if rest and self.target.local and self.fetched:
            return "\n".join((f"Not in the {self.fetched:,} rows loaded so far.{rest}", *self._looked_for))
        if rest:
            return "Stopped. Press r to reload."
        if self.target.query is None:
            return "This folder is empty."
        return "\n".join(("No matches.", *self._reasons))

    @property
    def _reasons(self) -> tuple[str, ...]:
        """Why nothing may have been found, and by which filter."""
        query = self.target.query
        if query is None:
            return ()
        sent = f"Sent: {query.filter or 'none'}"
        if not self.target.written:
            return (sent,)
        if self.fetched:
            return (sent, f"That matches {self.fetched:,}, none of which has the rest.", *self._looked_for)
        return (sent, *why_empty(parse(query.filter) if query.filter else None, query.filter, self.zone))

    @property
    def _looked_for(self) -> tuple[str, ...]:
        """What only loaded rows can be searched for, and what to write for a search of all."""
        return (
            f"Searched there: {self.target.local_words}.",
            "8x8 can't search for part of a text.",
            'Whole values are found everywhere: agent:"First Last", queue:"Name", a number or an id.',
        )

    @property
    def result(self) -> tuple[str, ...]:
        """How much was found, how large that is where it is known, and what can be done with the search."""
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
            *(("f edits", "F shows FIQL") if self.target.written else ()),
        )
        return tuple(filter(None, parts))

    @property
    def _day(self) -> str:
        """The day that all rows are of, if it is one: then it stands in none of them."""
        days = {formatted.day(formatted.local(datetime.fromtimestamp(at, UTC), self.zone)) for at in self.store.span}
        return days.pop() if len(days) == 1 and all(self.store.span) else ""

    @property
    def lacking(self) -> str:
        """What could not be read, in a few words; empty where nothing is lacking."""
        regions = () if self.target.location.region else self._regions
        return lacking(self.pager.failures, regions)

    async def measure(self, query: Query) -> ResultSize:
        """How much matches the query that is listed; the service is asked once."""
        if self._measured is None:
            self._measured = await self.provider.measure(query)
            self.pager.total = self._measured.objects
        return self._measured

    def kept(self, page: Page[Entry]) -> tuple[Entry, ...]:
        """The rows of a page that meet what the service cannot check."""
        self.fetched += len(page.items)
        self.is_unsorted = self.is_unsorted or self._lacks_order(page)
        return tuple(entry for entry in page.items if self.target.keeps(entry))

    def progress(self, *, loading: bool, note: str, known: int | None) -> Progress:
        """How far it is; `known` is how many there are, where the service does not tell with the rows."""
        return Progress(
            loading=loading,
            ended=self.pager.ended and not self.error,
            total=None if self.target.local else known if self.pager.total is None else self.pager.total,
            stopped=bool(self.error),
            order=self._order_words(),
            note=" · ".join(part for part in (self.lacking, self._local_words(), note) if part),
        )

    def learn_types(self, entries: Sequence[Entry]) -> bool:
        """Remember which types came; whether other columns may fit now."""
        self._regions |= {entry.location.region for entry in entries}
        types = self._types | {entry.type for entry in entries if isinstance(entry, StoredObject) and entry.type}
        changed = types != self._types
        self._types = types
        return changed

    def new_failures(self) -> list[StorageError]:
        """What the pages until now lack that was not said before."""
        new = [failure for failure in self.pager.failures if failure.subject not in self._lost]
        self._lost |= {failure.subject for failure in new}
        return new

    def new_warnings(self, page: Page[Entry]) -> list[str]:
        """What a page warns of that was not said before."""
        new = [text for text in dict.fromkeys(page.warnings) if text not in self._warned]
        room = max(MAX_WARNINGS - len(self._warned), 0)
        self._warned += new[:room]
        return new[:room]

    def mark_again(self) -> int:
        """Mark what is to be marked and was loaded; how many of it were not."""
        wanted, self.marks = self.marks, frozenset()
        self.store.mark(wanted)
        return len(wanted) - self.store.selection.count if wanted else 0

    def marked(self) -> frozenset[str]:
        return frozenset(map(identity, self.store.marked()))

    def _sorted_column(self) -> Column | None:
        sort = self.target.query.sort if self.target.query else None
        columns = self.provider.columns(self.target.location, self._types)
        if sort is None:
            return None
        # A field or tag that is only shown where the user chose it.
        other = next((column for column in FIELDS if column.sort_field == sort.field), None)
        known = next((column for column in columns if column.sort_field == sort.field), None)
        return known or other or Column(sort.field, sort.field, sort_field=sort.field)

    def _local_words(self) -> str:
        """How many rows were looked at for those that are shown."""
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
"""Workers that read for Entries: at most one at a time."""

_FARTHEST = 2_000
"""Rows that are read to find the entry which had the cursor; more would take too long."""
_LOOKS = 0.1
"""Least seconds between two looks of the table at new rows."""

POLL_S = 0.5
"""Seconds between two looks at what is waited for."""

Done = Callable[[int], bool]


class ListingController:
    """Fills Entries. Every answer belongs to one state; what comes for another one is dropped."""

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
        self._looked = 0.0
        self.state: ListingState | None = None
        self.zone = zone
        self._note = ""
        self._poll: Timer | None = None
        self._vocabularies: defaultdict[str, Vocabulary] = defaultdict(Vocabulary)

    # What the user wants

    def open(
        self, target: NavigationTarget, *, at: str = "", until: int = 0, top: int = 0, marks: Iterable[str] = ()
    ) -> None:
        """Show a target from its first page on.

        Args:
            target: what to show.
            at: the entry that the cursor goes to as soon as it is there.
            until: rows that may be read to find it.
            top: the first row in view then.
            marks: entries that are marked as soon as they are there.

        Raises:
            LocalDiskError: there is no room for its rows; what is shown stays.
        """
        kept, provider = frozenset(marks), self._providers[target.location.profile]
        state = ListingState(target, provider, self.zone, at=at, top=top, until=min(until, _FARTHEST), marks=kept)
        old, self.state = self.state, state
        self.pane.bar.display = Capability.SEARCH in state.provider.capabilities
        self._show_search(state)
        self._show_columns(state)
        if old is not None:
            old.store.close()
        self._start(self._read(state, lambda new: new > 0 and not state.seeks))

    def read_on(self, *, everything: bool = False) -> None:
        """Read the next page, or all that is left; the former only if nothing is being read and nothing failed."""
        state = self.state
        if state is None or state.pager.ended:
            return
        if everything:
            self._start(self._read(state, lambda _: False))
        elif self._busy is None and not state.error:
            self._start(self._read(state, lambda new: new > 0))

    def read_again(self, *, at: str = "") -> None:
        """Read as much as is loaded again; marks, filter and order stay, and the cursor if it is not to go anywhere."""
        if self.state is not None:
            self.state.at = at
            if at:
                self.pane.table.cursor = 0
            self._start(self._reread(self.state))

    def stop(self) -> bool:
        """Give up what is being read; what came until now stays. Whether something was."""
        was_busy = self._busy is not None
        self.screen.workers.cancel_group(self.screen, GROUP)
        return was_busy

    def sort(self, column: Column, *, descending: bool) -> None:
        """Show another order: the service's where more could come, else that of the rows that are there."""
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
        """Whether another order of a column has to be asked for."""
        state = self.state
        return bool(
            state is not None
            and state.target.query is not None
            and column.sort_field
            # By names that nobody sees.
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
        """Say in the foot line what else goes on; nothing if empty."""
        self._note = note
        self._start_poll()
        self.update_status()

    def update_status(self) -> None:
        """Say how far it is, and why there are no rows."""
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
        """Say in the foot line what goes on, as long as it does."""
        self.set_status(note)
        try:
            yield
        finally:
            self.set_status("")

    # What others need to know

    @property
    def entry(self) -> Entry | None:
        return self.pane.table.entry if self.state is not None else None

    def of_call(self, entry: Entry) -> list[StoredObject]:
        rows = self.state.store.of_call(entry) if self.state is not None else []
        return [row for row in rows if isinstance(row, StoredObject)]

    def around(self) -> str:
        """What there is in the folder that is shown; nothing of searches, whose rows have no more in common."""
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
        """Wait some seconds, or until what is being read has come or was given up."""
        if self._busy is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._busy.wait(), seconds)

    def remove(self, state: ListingState, identities: Iterable[str]) -> None:
        """Take entries off the list that was shown when they were chosen, if it still is."""
        if state is self.state:
            state.store.remove(identities)
            self.pane.table.rows_changed()

    # Reading

    async def _read(self, state: ListingState, is_enough: Done) -> None:
        async with self._busy_with(state):
            state.error = ""
            while not state.pager.ended:
                page = await state.pager.next_page()
                if state is not self.state:
                    raise ListingOverError
                new = state.store.extend(state.kept(page))
                self._take(state, page)
                # Where most rows are not kept, only the user can say how much is worth reading.
                if is_enough(new) or (state.target.local and is_enough(1)):
                    break
                # A service that answers at once must not keep the keys waiting.
                await asyncio.sleep(0)

    async def _reread(self, state: ListingState) -> None:
        async with self._busy_with(state):
            state.error = ""
            pager, wanted, read = state.new_pager(), max(state.fetched, 1), 0
            state.fetched = 0
            with state.store.refresh():
                while not pager.ended and read < wanted:
                    page = await pager.next_page()
                    if state is not self.state:
                        raise ListingOverError
                    state.store.merge(state.kept(page))
                    read += len(page.items)
                    self._take(state, page)
                    await asyncio.sleep(0)
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
                # It stands where rows would be.
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
        if now - self._looked >= _LOOKS:
            self._looked = now
            self.pane.table.rows_changed()
            self.update_status()
        self._seek(state)
        if not state.seeks and (missing := state.mark_again()):
            rows = counted(missing, "marked row")
            notify_plain(self.screen, f"{rows} not loaded again: no longer marked.", "warning")

    def _seek(self, state: ListingState) -> None:
        """Put the cursor where it is to be, unless the user moved it."""
        if state.at:
            self.pane.table.rows_changed()
            row = state.store.index_of(state.at)
            table = self.pane.table
            if row is not None and table.cursor == 0:
                table.cursor = row
                if state.top:
                    table.scroll_to(y=state.top, animate=False, force=True)
            if row is not None or table.cursor or not state.seeks:
                state.at = ""

    def _show_search(self, state: ListingState) -> None:
        target, where = state.target, state.target.location
        scopes = scopes_of(state.provider, where)
        self.pane.bar.show(target.typed, scopes, self.zone, self._vocabularies[where.profile])

    def _start_poll(self) -> None:
        """Look once in a while whether the service is waited for, as long as something is asked of it."""
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
        """How many objects a place holds, where the tree has counted them; `None` of searches."""
        is_counted = not target.written and target.query is not None and self._facts.is_counted(target.location)
        return self._facts.objects(target.location) if is_counted else None
