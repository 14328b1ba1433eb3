"""Everything of one call on a screen of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from cloudstore_tui.calls import CallTree, call_tree
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.losses import lacking
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import report, sentence, tell, tell_warnings
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.call_list import CallList
from cloudstore_tui.ui.widgets.detail_pane import DetailPane

Find = Callable[[bool], Awaitable[Page[StoredObject]]]
"""Finds everything joined to the object; True: in all regions."""
FolderOf = Callable[[CallTree], Path]
"""The folder that the files of a call go to."""


class CallVerb(StrEnum):
    """What can be done with a call."""

    DOWNLOAD = "download"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class CallOrder:
    """What the user wants done, with which objects of which call."""

    verb: CallVerb
    tree: CallTree
    entries: tuple[StoredObject, ...]


class CallScreen(BaseScreen[CallOrder | None]):
    """Looks for the objects of a call, shows them as a tree, and takes one order."""

    CSS_PATH = "call.tcss"
    AUTO_FOCUS = "#call"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "order('download')", "Download", id="call.download", tooltip="Download what is marked, or all"),
        Binding("z", "order('zip')", "Zip", id="call.zip", tooltip="Fetch what is marked, or all, as a zip"),
        Binding("R", "everywhere", "All regions", id="call.everywhere", tooltip="Look in all regions"),
        Binding("escape,full_stop,q", "back", "Back", id="call.back", tooltip="Back to where you were"),
    ]

    def __init__(self, entry: StoredObject, find: Find, folder_of: FolderOf, zone: tzinfo) -> None:
        super().__init__()
        self._entry = entry
        self._find = find
        self._folder_of = folder_of
        self._zone = zone
        self._tree = CallTree(())
        self._state = ""
        self._lacks = ""
        self.list = CallList(id="call")
        self.detail = DetailPane(id="detail")

    def compose(self) -> ComposeResult:
        """Its objects, the detail of one, where they would go."""
        yield self.list
        yield self.detail
        yield Static(id="outlook", markup=False)

    def on_mount(self) -> None:
        """Show the object that is known, and look for the others."""
        self.detail.display = False
        self._show(call_tree([self._entry]))
        self._look(everywhere=False)

    def action_everywhere(self) -> None:
        """Look in all regions."""
        self._look(everywhere=True)

    def action_order(self, verb: str) -> None:
        """Take what is marked, or everything that can be had, and leave."""
        entries = self.list.marked or _fetchable(self._tree)
        if not entries:
            tell(self, "Nothing of this call can be fetched: none of it is available.", "warning")
            return
        self.dismiss(CallOrder(CallVerb(verb), self._tree, entries))

    def action_back(self) -> None:
        """Close the detail, then the screen."""
        if self.detail.display:
            self.detail.display = False
            self.list.focus()
        else:
            self.dismiss(None)

    @on(CallList.Opened)
    def toggle_detail(self) -> None:
        """Show or hide everything about the object under the cursor."""
        self.detail.display = not self.detail.display

    @on(CallList.Changed)
    def follow(self) -> None:
        """Show what is under the cursor, and what would be done."""
        self.detail.show(self.list.entry, self._zone)
        chosen = self.list.marked
        entries = chosen or _fetchable(self._tree)
        what = "marked" if chosen else "to fetch"
        numbers = f"{len(entries):,} of {len(self._tree.entries):,} {what}, {_size(entries)}"
        folder = self._folder_of(self._tree)
        self.query_one("#outlook", Static).update(show(f"{numbers} → {folder.name} in {folder.parent}"))

    def remask(self) -> None:
        """Make the lines above and below again: the mask was turned."""
        self._entitle(self._state)
        self.follow()

    def _look(self, *, everywhere: bool) -> None:
        self.run_worker(self._search(everywhere=everywhere), exclusive=True)

    async def _search(self, *, everywhere: bool) -> None:
        self._entitle("looking in all regions…" if everywhere else "looking…")
        try:
            found = await self._find(everywhere)
        except StorageError as error:
            self._entitle(sentence(error))
            raise
        MASK.learn(found.items)
        tell_warnings(self, found.warnings)
        for failure in found.failures:
            report(self, failure)
        self._lacks = lacking(found.failures)
        self._show(call_tree([self._entry, *self._tree.entries, *found.items], self._entry))
        if len(self._tree.entries) == 1:
            where = "all regions" if everywhere else self._entry.region
            tell(self, f"Nothing else of this call was found in {where}.", "warning")

    def _show(self, tree: CallTree) -> None:
        self._tree = tree
        self.list.show(tree, self.list.entry or self._entry)
        self._entitle(f"{counted(len(tree.entries), 'object')}, {_size(tree.entries)}")

    def _entitle(self, state: str) -> None:
        representative = self._tree.representative or self._entry
        who = representative.tag("agentName")
        self._state = state
        call = " · ".join(part for part in ("Call", words.time(self._tree.start, self._zone), who) if part)
        self.header.show([call], " · ".join(part for part in (state, self._lacks) if part))


def _fetchable(tree: CallTree) -> tuple[StoredObject, ...]:
    return tuple(entry for entry in tree.entries if entry.state in ("", "AVAILABLE"))


def _size(entries: tuple[StoredObject, ...]) -> str:
    sizes = [entry.size for entry in entries if entry.size is not None]
    exact = len(sizes) == len(entries) and all(entry.size_exact for entry in entries)
    return words.size(sum(sizes), exact=exact)
