"""The panes of the browser: which has the focus, how they share the screen, what the one beside the list shows.

From `WIDE` columns on places, entries and detail stand side by side. Below that the entries have the whole width, with
two lines of detail under them, and the places come as a drawer over their left half while they have the focus.
"""

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from cloudstore_tui.state.memory import BrowserState
from cloudstore_tui.ui.browser.actions import ActionGroup, action
from cloudstore_tui.ui.browser.listing import ListingController
from cloudstore_tui.ui.widgets.chrome import Header
from cloudstore_tui.ui.widgets.detail_pane import DetailMode, DetailPane

NAMES = ("places", "entries", "detail")
"""All panes, in the order of the Tab key."""
WIDE, LOW = 110, 18
"""Columns from which panes stand side by side, and rows below which only the one with the focus is shown."""
WIDTHS = [(0, "-narrow"), (WIDE, "-wide"), (160, "-vast")]
HEIGHTS = [(0, "-tiny"), (9, "-low"), (LOW, "-high")]


class FocusManager:
    """Leads the focus from pane to pane and lets the style sheet know where it is: `-at-places`."""

    def __init__(self, screen: Screen[None], focused: Mapping[str, Widget]) -> None:
        """Take the widget of each pane that gets the focus; it or one around it has the pane's name as its id."""
        self._screen = screen
        self._focused = focused
        self.at = NAMES[0]
        """The pane with the focus."""

    def go(self, name: str) -> None:
        """Go to a pane by its name, or to the one `left`, `next` or `previous`."""
        if name == "left":
            name = "entries" if self.at == "detail" else "places"
        elif name not in NAMES:
            open_ = [pane for pane in NAMES if self._is_open(pane)]
            step = -1 if name == "previous" else 1
            name = open_[(open_.index(self.at) + step) % len(open_)] if self.at in open_ else open_[0]
        if self._is_open(name):
            self.show(name, self._focused[name])

    def show(self, name: str, widget: Widget) -> None:
        """Focus a widget in a pane."""
        self._mark(name)
        # At once: the next key belongs to it.
        self._screen.set_focus(widget)

    def follow(self, focused: Widget | None) -> None:
        """Note which pane holds what has the focus."""
        for node in focused.ancestors_with_self if focused is not None else []:
            if node.id in NAMES:
                self._mark(node.id)
                return

    def fit(self, size: Size) -> None:
        """Tell the style sheet which pane has the focus, where it makes a difference to the layout."""
        # Where it makes none no class is set: each change of one repaints the whole screen.
        differs = size.width < WIDE or size.height < LOW
        self._screen.update_classes({f"-at-{pane}": differs and pane == self.at for pane in NAMES})

    def _is_open(self, name: str) -> bool:
        return not self._focused[name].has_class("-off")

    def _mark(self, name: str) -> None:
        self.at = name
        self.fit(self._screen.size)


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

    @property
    def has_drawer(self) -> bool:
        """Whether the places are only there while they have the focus."""
        return self.screen.size.width < WIDE and self._panes.at != "places"

    @action(
        "1",
        "Places",
        "Go to the places",
        id="panes.places",
        shown=True,
        everywhere=True,
        offered=lambda self: self.has_drawer,
    )
    def places(self) -> None:
        self._panes.go("places")

    @action("2", "Entries", "Go to the entries", id="panes.entries", everywhere=True)
    def entries(self) -> None:
        self._panes.go("entries")

    @action("h,left", "Left", "Go to the pane on the left", id="panes.left", everywhere=True)
    def left(self) -> None:
        self._panes.go("left")

    @action("tab", "Next pane", "Go to the next pane", id="panes.next", everywhere=True)
    def next_pane(self) -> None:
        self._panes.go("next")

    @action("shift+tab", "Pane before", "Go to the pane before", id="panes.previous", everywhere=True)
    def previous_pane(self) -> None:
        self._panes.go("previous")

    @action("i", "Detail", "Preview, all fields or nothing", id="browser.detail", everywhere=True)
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

    @action("Z", "Zone", "Show times in another zone", id="browser.zone", everywhere=True)
    def zone(self) -> None:
        """The next one of those that matter here."""
        self.listing.show_zone(next(self._zones))
        self._detail.show(self._detail.entry, self.listing.zone)
        self._header.update()
