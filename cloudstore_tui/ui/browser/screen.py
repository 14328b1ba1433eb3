"""The browser screen: places on the left, entries, the detail of one of them on the right, transfers below."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import cycle
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import Reactive
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from cloudstore_tui.archive.registry import ArchiveRegistry
from cloudstore_tui.config.settings import Settings
from cloudstore_tui.core.models import Entry, Folder, Location, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Session, StorageProvider
from cloudstore_tui.deletions import DeletionLog
from cloudstore_tui.state.bookmarks import Bookmark
from cloudstore_tui.state.memory import BrowserState, Visited
from cloudstore_tui.state.searches import SavedSearch
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.browser.actions import ActionRunner, bindings_of
from cloudstore_tui.ui.browser.change_actions import DeletionActions, RestoreActions, UploadActions
from cloudstore_tui.ui.browser.download_actions import DownloadActions
from cloudstore_tui.ui.browser.entries_pane import EntriesPane
from cloudstore_tui.ui.browser.entry_table import EntryTable, RowStates
from cloudstore_tui.ui.browser.listing import ListingController
from cloudstore_tui.ui.browser.listing_actions import ListingActions, next_direction
from cloudstore_tui.ui.browser.look_actions import CallFolder, DetailActions, LookActions
from cloudstore_tui.ui.browser.navigation import BookmarkActions, NavigationActions, Navigator
from cloudstore_tui.ui.browser.panes import HEIGHTS, WIDTHS, ActivityStrip, FocusManager
from cloudstore_tui.ui.browser.places_tree import PlacesTree
from cloudstore_tui.ui.browser.search_bar import SearchBar
from cloudstore_tui.ui.browser.targets import NavigationTarget
from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.dialogs.picking import ParametersDialog
from cloudstore_tui.ui.format import archive_badge, zones_to_show
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.opening import kind_of
from cloudstore_tui.ui.report import messages_of, notify_plain
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.screens.home import HomeChoice, Target
from cloudstore_tui.ui.text import home_path
from cloudstore_tui.ui.transfer_text import path_of, result_text
from cloudstore_tui.ui.transfer_watch import BatchProgress, TransferWatch
from cloudstore_tui.ui.widgets.chrome import Badge
from cloudstore_tui.ui.widgets.detail_pane import DetailMode, DetailPane, Subject

WELCOME = "Pick a place and press Enter. ? lists the keys."
TOKEN_WARNING_S = 300
"""Seconds before the end of a login from which on the header warns of it."""
GROUPS = (
    DownloadActions,
    LookActions,
    UploadActions,
    DeletionActions,
    RestoreActions,
    ListingActions,
    NavigationActions,
    BookmarkActions,
    DetailActions,
)
BACK_OUT = "Stop loading, or go to the entries, or clear the filter, or clear the marks"
_quiet = partial(Binding, show=False)
"""A key that the footer does not show."""


class BrowserScreen(BaseScreen[None]):
    """Connects the panes and the groups of actions."""

    CSS_PATH = "browser.tcss"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    # As in the base class, but without a repaint of the whole screen whenever the focus moves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    FOOTER = (
        "places.open",
        "places.expand",
        "entries.open",
        "entries.download",
        "entries.restore",
        "entries.play",
        "entries.open_with",
        "entries.call",
        "entries.upload",
        "browser.find",
        "panes.places",
        "entries.mark",
        "entries.filter",
        "entries.link",
        "entries.delete",
        "browser.transfers",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(*GROUPS),
        Binding("1", "pane('places')", "Places", id="panes.places", tooltip="Go to the places"),
        _quiet("2", "pane('entries')", "Entries", id="panes.entries", tooltip="Go to the entries"),
        _quiet("h,left", "pane('left')", "Left", id="panes.left", tooltip="Go to the left pane"),
        _quiet("tab", "pane('next')", "Next pane", id="panes.next", tooltip="Go to the next pane"),
        _quiet("shift+tab", "pane('previous')", "Pane before", id="panes.previous", tooltip="Go to the previous pane"),
        _quiet("backspace,minus", "travel('up')", "Up", id="browser.up", tooltip="Go to the folder above"),
        _quiet("H,alt+left", "travel('back')", "Back", id="browser.back", tooltip="Go back to where you were"),
        _quiet("L,alt+right", "travel('forward')", "Forward", id="browser.forward", tooltip="Go forward again"),
        _quiet("backslash", "travel('root')", "Top", id="browser.root", tooltip="Top of this profile"),
        _quiet("Z", "zone", "Zone", id="browser.zone", tooltip="Show times in another zone"),
        _quiet("escape", "back_out", "Back out", id="browser.back_out", tooltip=BACK_OUT),
        Binding("t,3", "app.transfers", "Transfers", id="browser.transfers", tooltip="Show all transfers"),
    ]

    def __init__(
        self,
        providers: Mapping[str, StorageProvider],
        watch: TransferWatch,
        settings: Settings,
        call_folder: CallFolder,
        browser_state: BrowserState,
        restores: RestoreWatch,
        archives: ArchiveRegistry,
        deletion_log: DeletionLog,
    ) -> None:
        super().__init__()
        self._providers, self._watch = providers, watch
        self._zones = cycle(zones_to_show(settings.time_zone))
        self._cursor_kind: tuple[object, ...] = ()
        """The kind of entry under the cursor, on which the keys in the footer depend."""
        self.header.badges = self._badges
        self.places = PlacesTree(providers, browser_state, id="places")
        self.detail = DetailPane(self._subject_of, id="detail")
        self.states = RowStates(watch.transfer_of)
        self.entries = EntriesPane(self.places, self.detail, self.states, browser_state, id="entries")
        self.strip = ActivityStrip(id="activity")
        self.archives = archives
        panes = {"places": self.places, "entries": self.entries.table, "detail": self.detail}
        self.panes = FocusManager(self, panes)
        self.browser_state, self.restores = browser_state, restores
        self.listing = ListingController(
            self, self.entries, providers, browser_state.facts, next(self._zones), self._note_answer
        )
        self.navigator = Navigator(self.listing, providers, self.arrive)
        self.uploads = UploadActions(self, self.listing, watch, browser_state.upload_folder)
        self.deletions = DeletionActions(self, self.listing, deletion_log)
        objects = ObjectActions(self, providers, watch, restores, settings, lambda: self.listing.zone)
        self.details = DetailActions(self, self.listing, self.detail, self.panes, objects, browser_state, settings)
        downloads = DownloadActions(self, self.listing, providers, self.places, watch, restores, settings)
        self.actions = ActionRunner(
            self,
            [
                downloads,
                LookActions(self, self.listing, downloads, objects, watch, call_folder),
                self.uploads,
                self.deletions,
                RestoreActions(self, self.listing, restores),
                ListingActions(self, self.listing, self.navigator, self.entries, self.panes),
                NavigationActions(self, self.listing, self.navigator, browser_state),
                BookmarkActions(self, self.listing, self.navigator, browser_state, self.places),
                self.details,
            ],
        )

    def compose(self) -> ComposeResult:
        yield from (self.entries, self.strip)

    def on_mount(self) -> None:
        self.entries.bar.display = False
        self.entries.table.set_status(WELCOME)
        self.watch(self, "focused", self.panes.follow)
        self._watch.changed.subscribe(self, lambda _: self._show_transfers())
        self._watch.finished.subscribe(self, self._notify_result)
        self._watch.ended.subscribe(self, self.uploads.read_arrived)
        self._watch.kept.subscribe(self, lambda _: self.header.update())
        if self._watch.engine.keeps:
            # Home does this, too, but a start at an address skips it.
            _: Worker[None] = self.run_worker(self._watch.load_interrupted, group="kept")
        self._watch.ended.subscribe(self, self.states.note_ended)
        self.restores.in_progress.subscribe(self, self._note_restores)
        self.restores.ready.subscribe(self, lambda _: self._show_restores())
        _looking: Worker[None] = self.run_worker(self._refresh_archives, group="archives")
        self.detail.mode = DetailMode.of(self.browser_state.hidden)
        self.header.show(["cloudstore"])
        self.panes.go("places")

    def begin_at(self, target: Target) -> None:
        if isinstance(target, Profile):
            self.navigator.begin(self._providers[target.name].locate(""))
        elif isinstance(target, SavedSearch):
            self.navigator.search_saved(target)
        elif isinstance(target, Visited) and target.find:
            self.navigator.search(target.find, target.location)
        elif isinstance(target, Visited):
            self.navigator.begin(target.location)
        elif target is HomeChoice.GOTO:
            self.action_run("goto")
        elif target is HomeChoice.FIND:
            self._start_search()

    def _start_search(self) -> None:
        """Open the search line, in the last used of the profiles that can be searched."""
        able = self.navigator.searchable
        here = self.navigator.target.location.profile if self.navigator.target else ""
        if here not in able:
            self.navigator.begin(self.browser_state.recent.last(able) or self._providers[able[0]].locate(""))
        self.action_run("find")
        # A new search, not an edit of the one that is shown.
        self.entries.bar.line.value = ""

    def on_resize(self, event: events.Resize) -> None:
        self.panes.fit(event.size)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        name = str(parameters[0]) if parameters else ""
        if action == "run":
            # In a line only actions that work everywhere are possible, so that the footer shows its own keys.
            return self.actions.is_possible(name, "" if isinstance(self.focused, Input) else self.panes.at)
        if action == "travel":
            return self.navigator.can(name)
        return super().check_action(action, parameters)

    def offers(self, binding: Binding) -> bool:
        """Whether a key does something with the entry under the cursor, so that the footer shows it."""
        if binding.id == "panes.places":
            return self.panes.has_drawer
        if binding.id in ("entries.open", "entries.mark", "entries.filter"):
            return self.entries.table.row_count > 0
        name = _name_of(binding)
        return not name or self.actions.is_offered(name)

    # What the user does with keys

    def on_key(self, event: events.Key) -> None:
        """Say where a key works that does nothing here; a search typed in vain becomes a filter, never commands."""
        if isinstance(self.focused, Input):
            return
        # Look at the active bindings last: that asks every binding, and takes longer than all the rest of a key.
        if self.listing.state is not None and self._is_search_key(event.key) and event.key not in self.active_bindings:
            notify_plain(self, "This service can't search. Filtering the loaded rows.", "warning")
            self.entries.action_filter()
        elif self.focused is self.places and self._is_for_rows(event.key) and event.key not in self.active_bindings:
            notify_plain(
                self,
                "That works in the list. Enter opens this place; d downloads all of it.",
                "warning",
            )

    def is_early(self, key: str) -> bool:
        """Whether a key acts on rows that are still loading."""
        return self.is_active and self.entries.table.has_focus and self.listing.is_awaited and self._is_for_rows(key)

    def _is_for_rows(self, key: str) -> bool:
        """Whether a key acts on rows of the list."""
        of_table, of_screen = (self._keys_of(node).get(key, []) for node in (self.entries.table, self))
        return bool(of_table) or any(self.actions.is_for_rows(_name_of(binding)) for binding in of_screen)

    def _is_search_key(self, key: str) -> bool:
        return any(_name_of(binding) == "find" for binding in self._keys_of(self).get(key, []))

    def _keys_of(self, node: Widget) -> Mapping[str, Sequence[Binding]]:
        bindings, keymap = node._bindings.copy(), self.app._keymap  # noqa: SLF001  # Textual has no public way to them
        bindings.apply_keymap(keymap)
        return bindings.key_to_bindings

    def action_run(self, name: str) -> None:
        if name != "copy" or not self._copy_result():
            self.actions.start(name)

    @property
    def is_opening(self) -> bool:
        return self.is_active and self.actions.is_opening

    def action_pane(self, name: str) -> None:
        self.panes.go(name)

    def action_travel(self, way: str) -> None:
        self.navigator.travel(way)

    def action_zone(self) -> None:
        """Show times in the next of the zones on offer."""
        self.listing.show_zone(next(self._zones))
        self.detail.show(self.detail.entry, self.listing.zone)
        self.header.update()

    @on(ActivityStrip.Opened)
    async def show_transfers(self) -> None:
        await self.run_action("app.transfers")

    def _show_transfers(self) -> None:
        results = self._watch.results
        self.strip.show(self._watch.running, results[-1] if results else None)
        self.entries.table.signs_changed()

    def _notify_result(self, batch: BatchProgress) -> None:
        """Say how a batch ended where the strip is not visible."""
        from cloudstore_tui.ui.screens.call import CallScreen
        from cloudstore_tui.ui.screens.transfers import TransfersScreen

        # Those screens say it themselves.
        is_seen = self.is_active or (self.app.screen.is_modal and self.app.screen_stack[-2] is self)
        if not is_seen and not isinstance(self.app.screen, CallScreen | TransfersScreen):
            notify_plain(self, result_text(batch).strip(), "error" if batch.of_state[State.FAILED] else "information")

    def _copy_result(self) -> bool:
        """Copy the path of the last result while the strip shows it; return whether it did."""
        if not self.strip.shows_result or (path := path_of(self._watch.results[-1])) is None:
            return False
        self._watch.mark_seen()
        notify_plain(self, f"{home_path(path)} · {copy_text(self.app, str(path))}")
        return True

    def dismiss_result(self, key: str) -> None:
        """Clear the last result at a key, once there was time to read it."""
        if not (self._watch.results and self.is_active):
            return
        active = self.active_bindings.get(key)
        if active is None or active.binding.id != "entries.copy":
            self._watch.on_input()

    def action_back_out(self) -> None:
        """Undo one thing: stop loading, else leave the pane, else drop the filter, else the marks."""
        if self.stop():
            return
        if not self.entries.table.has_focus:
            # Until a place is open, there is nothing to do in the entries.
            self.panes.go("entries" if self.listing.state else "places")
        elif not self.entries.clear_filter():
            self.entries.clear_marks()

    def stop(self) -> bool:
        """Stop everything that loads; return whether anything did."""
        return any([self.listing.stop(), self.places.stop(), self.actions.stop()])

    # Messages of the panes

    @on(PlacesTree.Opened)
    def open_place(self, event: PlacesTree.Opened) -> None:
        """Go to a place, bookmark or recent place, or run a saved search."""
        shortcut = event.place.shortcut
        if isinstance(shortcut, Bookmark):
            self.navigator.go_to_bookmark(shortcut)
        elif shortcut is not None:
            self.begin_at(shortcut)
        else:
            self.navigator.go(event.place.location)

    @on(EntryTable.Opened)
    def open_entry(self, event: EntryTable.Opened) -> None:
        if isinstance(event.entry, Folder):
            self.navigator.go(event.entry.location)
        else:
            self.action_run("preview")

    def _note_restores(self, locations: frozenset[Location]) -> None:
        self.states.note_restores(locations)
        self.entries.table.signs_changed()

    def _show_restores(self) -> None:
        """Show which restores are ready or requested, in header, detail and footer."""
        self.header.update()
        self.detail.draw()
        self._offer_keys(self.detail.entry)

    @on(EntryTable.Highlighted)
    def show_detail(self, event: EntryTable.Highlighted) -> None:
        """Show the entry under the cursor, and the keys for its kind."""
        self.detail.show(event.entry, self.listing.zone)
        self._offer_keys(event.entry)

    def _offer_keys(self, entry: Entry | None) -> None:
        asked = entry is not None and entry.location in self.restores.asked
        kind = (kind_of(entry), entry.state, asked) if isinstance(entry, StoredObject) else (type(entry),)
        if kind != self._cursor_kind:
            self._cursor_kind = kind
            self.refresh_bindings()

    def _subject_of(self, entry: Entry, zone: tzinfo) -> Subject:
        """An entry with what the detail pane shows around it."""
        retention = self._providers[entry.location.profile].profile.retention
        call, asked = tuple(self.listing.of_call(entry)), entry.location in self.restores.asked
        return Subject(entry, zone, call, self.listing.folder_totals(), retention=retention, is_asked=asked)

    @on(DetailPane.Rested)
    def show_beginning(self) -> None:
        self.details.follow()

    @on(EntryTable.NearEnd)
    def read_on(self) -> None:
        """Load the next rows before the cursor gets there."""
        self.listing.read_on()

    @on(EntriesPane.Filtered)
    @on(PlacesTree.Counted)
    def update_status(self) -> None:
        """Update the number of rows, or why there are none."""
        self.listing.update_status()

    @on(EntryTable.SortAsked)
    def sort_by(self, event: EntryTable.SortAsked) -> None:
        """Sort by a clicked title; the second click reverses the order."""
        if self.listing.state is not None:
            self.listing.sort(event.column, descending=next_direction(self.listing.state, event.column))

    @on(SearchBar.Asked)
    def search(self, event: SearchBar.Asked) -> None:
        if event.unfilled is not None:
            self.app.push_screen(ParametersDialog(event.text, event.unfilled), self.entries.bar.submit)
        elif event.only_count:
            self.actions.start("count", event.text, event.scope)
        else:
            self.navigator.search(event.text, event.scope)

    async def _refresh_archives(self) -> None:
        await asyncio.to_thread(self.archives.refresh)
        self.header.update()

    def _badges(self) -> Iterator[Badge]:
        """The badges of the header."""
        if stopped := sum(len(batch.kept) for batch in self._watch.batches.values()):
            yield Badge(f"↓ {stopped:,} stopped (t)", "warning")
        if restored := len(self.restores.waiting):
            yield Badge(f"● {restored:,} ready (Q)", "accent")
        state = self.listing.state
        if state is not None and (archive := self.archives.state_of(state.target.location)) is not None:
            yield Badge(*archive_badge(archive))
        if state is not None and state.provider.profile.read_only:
            yield Badge("READ ONLY")
        yield Badge(str(self.listing.zone))
        if state is not None and (words := token_words(state.provider.session, datetime.now(UTC))):
            yield Badge(words, "warning")

    def arrive(self, target: NavigationTarget) -> None:
        if messages := messages_of(self):
            messages.on_place_change()
        self.header.show(target.crumbs)
        self.places.follow(target.location)
        self.panes.go("entries")

    @on(SearchBar.SaveAsked)
    def save_search(self, event: SearchBar.SaveAsked) -> None:
        self.actions.start("bookmark", event.text, event.scope)

    def _note_answer(self) -> None:
        """Take over what a service's answer says about the login and the place."""
        self.header.update()
        self.navigator.remember(self.browser_state)
        if self.listing.state is not None:
            self.places.learn(self.listing.state)


def _name_of(binding: Binding) -> str:
    """The name of the group action that a key runs; empty for other actions."""
    action, _, name = binding.action.removesuffix("')").partition("('")
    return name if action == "run" else ""


def token_words(session: Session, now: datetime) -> str:
    """A warning that the login ends soon, or empty."""
    if session.token_ends is None:
        return ""
    seconds = (session.token_ends - now).total_seconds()
    if seconds > TOKEN_WARNING_S:
        return ""
    return f"token {int(seconds // 60)} min" if seconds >= 60 else "token ends" if seconds > 0 else "token ended"
