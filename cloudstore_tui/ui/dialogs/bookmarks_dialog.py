"""The bookmarks and saved searches."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from cloudstore_tui.ui.dialogs.dialog import button
from cloudstore_tui.ui.dialogs.pick_dialog import PickDialog


class BookmarksDialog(PickDialog):
    """Goes to one, or answers that it is to be removed or renamed."""

    AUTO_FOCUS = "#picks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "remove", "Remove", tooltip="Forget this bookmark", id="bookmarks.remove"),
        Binding("r", "rename", "Rename", tooltip="Give this bookmark another name", id="bookmarks.rename"),
        Binding("slash", "filter", "Filter", tooltip="Type what the bookmark has to hold", id="bookmarks.filter"),
        Binding("j", "move(1)", "Down", show=False, tooltip="Next bookmark", id="bookmarks.down"),
        Binding("k", "move(-1)", "Up", show=False, tooltip="Bookmark before", id="bookmarks.up"),
    ]
    HINT = "Enter goes there; x removes, r renames, / filters. m in the browser adds one."

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deeds."""
        yield button("Cancel", "cancel")
        yield button("Remove", "remove")
        yield button("Rename", "rename")
        yield button(self._verb, "take", enter=True)

    def action_filter(self) -> None:
        """Go to the line to filter with."""
        self.query_one("#filter", Input).focus()

    def action_remove(self) -> None:
        """Answer that the bookmark under the cursor is to be forgotten."""
        self._answer("remove")

    def action_rename(self) -> None:
        """Answer that the bookmark under the cursor is to have another name."""
        self._answer("rename")
