"""Where to go."""

from collections.abc import Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from cloudstore_tui.ui.dialogs.candidates import Candidates
from cloudstore_tui.ui.dialogs.completing_dialog import CompletingDialog
from cloudstore_tui.ui.dialogs.completing_field import CompletingField
from cloudstore_tui.ui.dialogs.completion import complete_word
from cloudstore_tui.ui.dialogs.dialog import button


class GotoDialog(CompletingDialog[str | None]):
    """Asks for an address; whoever opened it knows whether there is such a place."""

    AUTO_FOCUS = "#address"

    def __init__(self, address: str = "", suggestions: Sequence[str] = ()) -> None:
        super().__init__("Go to", harmless=None)
        self._address = address
        self._suggestions = tuple(suggestions)

    def compose_body(self) -> ComposeResult:
        """The line for the address, and how one looks."""
        yield CompletingField(partial(complete_word, words=self._suggestions), self._address, widget_id="address")
        yield Candidates()
        yield Static(
            "For example acme:exports/reporting/ or acme8:us-east/; Tab completes.", classes="dialog-note", markup=False
        )

    def on_mount(self) -> None:
        """Select the present address, so that typing replaces it."""
        self.query_one("#address", Input).select_all()

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Go", "go")

    @on(Input.Submitted)
    def take_address(self, event: Input.Submitted) -> None:
        """Enter is the answer."""
        event.stop()
        self.action_go()

    def action_go(self) -> None:
        """Answer with what was typed; nothing typed means to stay."""
        if not self.was_pasted:
            self.dismiss(self.query_one("#address", Input).value.strip() or None)
