"""The screen of one call: all its files, to be read, played, marked and downloaded."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static

from cloudstore_tui.calls import CallPart, CallTree, call_tree, file_names
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location, StoredObject, identity
from cloudstore_tui.core.paging import Page
from cloudstore_tui.preview.model import Preview
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.clipboard import copy_text
from cloudstore_tui.ui.format import counted, lacking
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.object_actions import ObjectActions, is_small_text
from cloudstore_tui.ui.opening import kind_of
from cloudstore_tui.ui.report import notify_plain, report, sentence, show_warnings
from cloudstore_tui.ui.screens.preview import PreviewScreen
from cloudstore_tui.ui.terminal.driver import saves_bandwidth
from cloudstore_tui.ui.text import home_path, show
from cloudstore_tui.ui.transfer_watch import TransferWatch
from cloudstore_tui.ui.widgets.call_list import CallAside, CallList
from cloudstore_tui.ui.widgets.chrome import Crumb, PaneRule
from cloudstore_tui.ui.widgets.row_renderer import RowSign

Find = Callable[[bool], Awaitable[Page[StoredObject]]]
"""Finds the other objects of a call; True searches all regions."""
FolderOf = Callable[[CallTree], Path]
"""The download folder of a call."""
Fetch = Callable[[CallTree, Sequence[StoredObject], bool], Awaitable[bool]]
"""Downloads objects of a call, True as a zip; whether the user agreed."""

WIDE = 110
"""Screen width from which the transcript is beside the list."""
REST_S = 0.5
"""Seconds that the cursor rests before a file is read for the pane."""
_WIDTHS = [(0, "-narrow"), (WIDE, "-wide")]
READ_BYTES = 16 * 1024
"""Bytes of a text that are read for the pane."""
_EXAMPLES = (CallPart.RECORDING, CallPart.TRANSCRIPT, CallPart.SCREEN)
_NARROW_TEXT = 34
"""Cells for the text before the folder, on narrow screens."""


class CallScreen(BaseScreen[None]):
    """Searches for the objects of a call and lists them, with the transcript beside the list."""

    CSS_PATH = "call.tcss"
    AUTO_FOCUS = "#call"
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e,f4,P", "play", "Play", id="call.play", tooltip="Listen to this"),
        Binding("e,f4", "open_with", "View", id="call.open_with", tooltip="Open a copy in another program"),
        Binding("d", "fetch(False)", "Download", id="call.download", tooltip="Download what is marked, or all"),
        Binding("z", "fetch(True)", "Zip", id="call.zip", tooltip="Fetch what is marked, or all, as a zip"),
        Binding("y", "link", "Link", id="call.link", tooltip="Make and copy a link to this file"),
        Binding("Y", "copy_folder", "Path", id="call.copy", show=False, tooltip="Copy the path of the folder"),
        Binding("R", "everywhere", "Other regions", id="call.everywhere", tooltip="Look in all regions"),
        Binding("i", "aside", "Pane", id="call.aside", show=False, tooltip="Show or hide the pane beside the list"),
        Binding("t", "app.transfers", "Transfers", id="call.transfers", show=False, tooltip="Show all transfers"),
        Binding("escape,full_stop,q", "back", "Back", id="call.back", tooltip="Back to where you were"),
    ]

    def __init__(
        self,
        entry: StoredObject,
        objects: ObjectActions,
        watch: TransferWatch,
        zone: tzinfo,
        *,
        find: Find,
        folder_of: FolderOf,
        fetch: Fetch,
    ) -> None:
        super().__init__()
        self._entry = entry
        self._objects, self._watch, self._zone = objects, watch, zone
        self._find, self._folder_of, self._fetch_call = find, folder_of, fetch
        self._tree = CallTree(())
        self._state = ""
        self._status = ""
        self._missing = ""
        self._requested: dict[str, State] = {}
        """States of the downloads that were started here, by identity of the object."""
        self._read: dict[str, Preview] = {}
        self._rest_timer: Timer | None = None
        self.list = CallList(zone, id="call")
        self.aside = CallAside(id="aside")

    def compose(self) -> ComposeResult:
        panes = Container(self.list, self.aside, id="panes")
        yield from (PaneRule(panes, "┬"), panes, PaneRule(panes, "┴"))
        yield Static(id="summary", markup=False)

    def on_mount(self) -> None:
        self._watch.changed.subscribe(self, lambda _: self.follow_transfers())
        self._show(call_tree([self._entry]))
        self._search(everywhere=False)

    def on_resize(self) -> None:
        self._update_header(self._state)
        self._update_summary()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        entry = self.list.entry
        if action == "link":
            return entry is not None and self._objects.can_link(entry)
        if action in ("play", "open_with"):
            return entry is not None and (kind_of(entry) == "audio") == (action == "play")
        return super().check_action(action, parameters)

    # Actions

    @work(group="open", exclusive=True)
    async def action_play(self) -> None:
        entry = self._readable()
        if entry is not None and self._objects.opens_elsewhere(entry):
            await self._objects.open(entry, self._set_status)
        elif entry is not None:
            await self._show_content(entry, listens=True)

    @work(group="open", exclusive=True)
    async def action_open_with(self) -> None:
        if (entry := self._readable()) is not None:
            await self._objects.open(entry, self._set_status)

    @work(group="open", exclusive=True)
    async def action_link(self) -> None:
        if (entry := self.list.entry) is not None:
            await self._objects.link(entry, self._set_status)

    @on(CallList.Opened)
    @work(group="open", exclusive=True)
    async def look_into(self) -> None:
        if (entry := self._readable()) is not None:
            await self._show_content(entry)

    @work(group="fetch", exclusive=True)
    async def action_fetch(self, as_zip: bool) -> None:
        entries = self.list.marked or _fetchable(self._tree)
        if entries:
            await self._fetch(entries, as_zip=as_zip)
        else:
            notify_plain(self, "Nothing of this call can be fetched: none of it is available.", "warning")

    def action_everywhere(self) -> None:
        self._search(everywhere=True)

    def action_aside(self) -> None:
        self.aside.display = not self.aside.display
        self.follow()

    def action_copy_folder(self) -> None:
        folder = str(self._folder_of(self._tree))
        notify_plain(self, f"{folder} · {copy_text(self.app, folder)}")

    def action_back(self) -> None:
        if not self.workers.cancel_group(self, "open"):
            self.dismiss(None)

    # Display

    @on(CallList.Changed)
    def follow(self) -> None:
        """Update the summary, and, once the cursor rests, the pane."""
        self._update_summary()
        self.refresh_bindings()
        entry = self._text_for_aside(self.list.entry)
        known = self._read.get(identity(entry)) if entry is not None else None
        if self._rest_timer is not None:
            self._rest_timer.stop()
        if known is not None or entry is None or not self.aside.display:
            self._draw_aside(entry, known)
            return
        if saves_bandwidth(self.app):
            self.aside.set_status("Press Enter to read it. On slow connections nothing is fetched unasked.")
        elif not self._objects.may_read_unasked(entry):
            self.aside.set_status("Press Enter to read it. Most requests of this minute are used up.")
        else:
            self._rest_timer = self.set_timer(REST_S, lambda: self._read_for_aside(entry))

    def follow_transfers(self) -> None:
        transfer_of = self._watch.transfer_of
        states = {
            identity(entry): transfer.state
            for entry in self._tree.entries
            if (transfer := transfer_of(entry.location)) is not None
        }
        self.list.show_signs(
            {
                name: RowSign.HERE if state is State.DONE else RowSign.COMING
                for name, state in states.items()
                if state in (State.DONE, State.SKIPPED) or not state.ended
            }
        )
        self._requested = {name: state for name, state in states.items() if name in self._requested or not state.ended}
        self._update_summary()

    def _readable(self) -> StoredObject | None:
        entry = self.list.entry
        why = self._objects.why_unreadable(entry) if entry is not None else ""
        if why:
            notify_plain(self, why, "warning")
        return None if why else entry

    async def _show_content(self, entry: StoredObject, *, listens: bool = False) -> None:
        if await self.app.push_screen_wait(PreviewScreen(entry, self._objects, listens=listens)):
            await self._fetch([entry], as_zip=False)

    async def _fetch(self, entries: Sequence[StoredObject], *, as_zip: bool) -> None:
        if await self._fetch_call(self._tree, entries, as_zip):
            self._requested |= {identity(entry): State.QUEUED for entry in entries}
            self._update_summary()

    def _text_for_aside(self, entry: StoredObject | None) -> StoredObject | None:
        """The text to show for an object: itself if it is a small text, else its transcript."""
        if entry is None or is_small_text(entry):
            return entry
        nodes = self._tree.nodes
        of_it = next((node.children for node in nodes if identity(node.entry) == identity(entry)), ())
        near = [node.entry for node in (*of_it, *nodes) if node.part is CallPart.TRANSCRIPT]
        return next((one for one in near if is_small_text(one)), None)

    @work(group="aside", exclusive=True)
    async def _read_for_aside(self, entry: StoredObject) -> None:
        try:
            preview = await self._objects.look_into(entry)(READ_BYTES)
        except StorageError as error:
            # Not requested by the user, so the error is shown only in the pane.
            self.aside.set_status(f"It cannot be shown: {error.message}.")
            return
        self._read[identity(entry)] = preview
        if self._text_for_aside(self.list.entry) == entry:
            self._draw_aside(entry, preview)

    def _draw_aside(self, entry: StoredObject | None, preview: Preview | None) -> None:
        if preview is None:
            # Nothing of the call can be read here.
            if entry is None and self.list.entry is not None:
                self.aside.show_facts(self.list.entry, self._zone)
            else:
                self.aside.set_status("")
            return
        assert entry is not None
        title = next((node.title for node in self._tree.nodes if identity(node.entry) == identity(entry)), entry.name)
        self.aside.show(title, preview)

    @work(group="search", exclusive=True)
    async def _search(self, *, everywhere: bool) -> None:
        self._update_header("looking in all regions…" if everywhere else "looking…")
        try:
            found = await self._find(everywhere)
        except StorageError as error:
            self._update_header(sentence(error))
            raise
        MASK.learn(found.items)
        show_warnings(self, found.warnings)
        for failure in found.failures:
            report(self, failure)
        self._missing = lacking(found.failures)
        self._show(call_tree([self._entry, *self._tree.entries, *found.items], self._entry))
        if len(self._tree.entries) == 1:
            where = "all regions" if everywhere else self._entry.region
            notify_plain(self, f"Nothing else of this call was found in {where}.", "warning")

    def _show(self, tree: CallTree) -> None:
        self._tree = tree
        self.list.show(tree, self.list.entry or self._entry)
        self._update_header("")
        self.follow_transfers()

    def _set_status(self, text: str) -> None:
        self._status = text
        self._update_summary()

    def _update_header(self, state: str) -> None:
        """Show whose call it is and its totals, or a status."""
        self._state = state
        where = self._entry.location
        profile, region = Location(where.profile), Location(where.profile, where.region)
        parents = (Crumb(where.profile, profile), Crumb(where.region, region)) if self.size.width >= WIDE else ()
        crumbs = [*(crumb for crumb in parents if crumb.text), Crumb(self._call)]
        self.header.show(crumbs, state or " · ".join(filter(None, self._facts())))

    @property
    def _call(self) -> str:
        representative = self._tree.representative or self._entry
        who = representative.tag("agentName")
        return f"Call{f' of {who}' if who else ''}, {words.day_and_time(self._tree.start, self._zone)}".rstrip(", ")

    def _facts(self) -> Iterator[str]:
        entries = self._tree.entries
        yield counted(len(entries), "file")
        yield words.total_size(entries)
        if self.size.width >= WIDE:
            available = len(_fetchable(self._tree))
            yield "all available" if available == len(entries) else f"{available:,} of {len(entries):,} available"
        yield self._missing

    def _update_summary(self) -> None:
        """Show what is going on, what was downloaded, or what `d` would download and where to."""
        width = self.size.width
        room = width // 2 if width >= WIDE else width - _NARROW_TEXT
        path = self._folder_of(self._tree).absolute()
        folder = f"{home_path(path)}/"
        folder = folder if len(folder) <= max(room, 20) else f"…/{path.name}/"
        marked = self.list.marked
        entries = marked or _fetchable(self._tree)
        if self._status:
            text = self._status
        elif self._requested:
            text = self._progress(folder)
        elif width < WIDE:
            what = f"{len(marked):,} marked, {words.total_size(marked)} " if marked else ""
            text = f"d {what}→ {folder}"
        else:
            count = f"all {len(entries):,}" if len(entries) == len(self._tree.entries) > 1 else f"{len(entries):,}"
            count = "it" if len(self._tree.entries) == 1 else count
            what = f"the {len(marked):,} marked, {words.total_size(marked)}," if marked else count
            text = f"d fetches {what} into {folder}"
            text += self._short_names(width - len(text) - 2)
        self.query_one("#summary", Static).update(show(f" {text}"))

    def _progress(self, folder: str) -> str:
        total, states = len(self._requested), list(self._requested.values())
        done = sum(state in (State.DONE, State.SKIPPED) for state in states)
        failed = states.count(State.FAILED)
        if failed:
            return f"✗ {failed:,} of {counted(total, 'file')} failed: t shows why"
        if done < total:
            return f"↓ {done:,} of {counted(total, 'file')} → {folder}"
        return f"✓ {counted(total, 'file')} → {folder}   Y copies the path"

    def _short_names(self, room: int) -> str:
        """Examples of the file names, as many as fit."""
        names = file_names(self._tree)
        found = {node.part: names[identity(node.entry)] for node in reversed(self._tree.nodes)}
        examples = [found[part] for part in _EXAMPLES if part in found]
        texts = (f"    short names: {', '.join(examples[:count])}" for count in range(len(examples), 0, -1))
        return next((text for text in texts if len(text) <= room), "")


def _fetchable(tree: CallTree) -> tuple[StoredObject, ...]:
    return tuple(entry for entry in tree.entries if entry.is_available)
