"""Which pane has the focus, what the one beside the list shows, and in which zone times are."""

from collections.abc import Iterator
from datetime import tzinfo

from textual.screen import Screen

from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.listing import ListingController
from cloudstore_tui.ui.browser.panes import FocusManager
from cloudstore_tui.ui.browser.state import BrowserState
from cloudstore_tui.ui.widgets.chrome import Header
from cloudstore_tui.ui.widgets.detail_pane import DetailMode, DetailPane


class ViewActions(ActionGroup):
    """Changes how things are shown, and nothing else."""

    def __init__(
        self,
        screen: Screen[None],
        listing: ListingController,
        panes: FocusManager,
        detail: DetailPane,
        header: Header,
        browser_state: BrowserState,
        zones: Iterator[tzinfo],
    ) -> None:
        super().__init__(screen, listing)
        self._panes = panes
        self._detail = detail
        self._header = header
        self._browser_state = browser_state
        self._zones = zones

    @action("1", "Places", "Go to the places", id="panes.places", shown=False, everywhere=True, when=lambda _: True)
    def places(self) -> None:
        """A drawer over the list, where the terminal is narrow."""
        self._panes.go("places")

    @action("2", "Entries", "Go to the entries", id="panes.entries", shown=False, everywhere=True, when=lambda _: True)
    def entries(self) -> None:
        """Back to the list."""
        self._panes.go("entries")

    @action(
        "h,left",
        "Left",
        "Go to the pane on the left",
        id="panes.left",
        shown=False,
        everywhere=True,
        when=lambda _: True,
    )
    def left(self) -> None:
        """From the detail to the list, from there to the places."""
        self._panes.go("left")

    @action(
        "tab", "Next pane", "Go to the next pane", id="panes.next", shown=False, everywhere=True, when=lambda _: True
    )
    def next_pane(self) -> None:
        """From the left to the right, and to the first again."""
        self._panes.go("next")

    @action(
        "shift+tab",
        "Pane before",
        "Go to the pane before",
        id="panes.previous",
        shown=False,
        everywhere=True,
        when=lambda _: True,
    )
    def previous_pane(self) -> None:
        """The other way round."""
        self._panes.go("previous")

    @action(
        "i",
        "Preview",
        "Preview, all fields or nothing",
        id="browser.detail",
        shown=False,
        everywhere=True,
        when=lambda _: True,
    )
    def turn_detail(self) -> None:
        """Show something else beside the list: the preview, all fields, nothing."""
        if self._detail.has_focus:
            self._panes.go("entries")
        mode = self._detail.mode.next
        self._detail.show_mode(mode)
        if mode is DetailMode.FIELDS:
            self.runner.start("show_fields")
        for pane in (DetailMode.PREVIEW, DetailMode.FIELDS):
            self._browser_state.hide(pane.value, hidden=pane not in mode.panes)

    @action(
        "Z", "Zone", "Show times in another zone", id="browser.zone", shown=False, everywhere=True, when=lambda _: True
    )
    def zone(self) -> None:
        """The next one of those that matter here."""
        self.listing.show_zone(next(self._zones))
        self._detail.show(self._detail.entry, self.listing.zone)
        self._header.update()
