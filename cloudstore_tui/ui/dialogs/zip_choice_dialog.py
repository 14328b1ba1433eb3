"""Whether many objects are fetched as zips or one by one."""

from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.transfers.zip.plan import Choice
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.text import show


class ZipChoice(StrEnum):
    """How objects are fetched."""

    ZIP = "zip"
    DIRECT = "direct"


class ZipChoiceDialog(Dialog[ZipChoice | None]):
    """Says what each way would take; the faster one has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zip", "Zip", tooltip="Let the service pack them into zips", id="choice.zip"),
        Binding("o", "direct", "One by one", tooltip="Fetch each of them by itself", id="choice.direct"),
    ]

    def __init__(self, what: str, choice: Choice) -> None:
        """Take how much it is, such as `412 objects, 1.7 GB`, and what either way costs."""
        super().__init__(Content("Download ") + show(what), harmless=None)
        self._choice = choice

    def compose_body(self) -> ComposeResult:
        """What each way takes."""
        for clause in self._choice.why.split("; "):
            yield Static(show(f"{clause[:1].upper()}{clause[1:]}."))
        faster = "The zip is faster." if self._choice.zips else "One by one is as fast, or faster."
        yield Static(faster, classes="dialog-note")

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then both ways."""
        yield button("Cancel", "cancel")
        yield button("One by one", "direct")
        yield button("Zip", "zip")

    def on_mount(self) -> None:
        """Propose the faster way."""
        self.query_one("#zip" if self._choice.zips else "#direct").focus()

    def action_zip(self) -> None:
        """As zips, unless the key may have been pasted."""
        if not self.was_pasted:
            self.dismiss(ZipChoice.ZIP)

    def action_direct(self) -> None:
        """One by one, unless the key may have been pasted."""
        if not self.was_pasted:
            self.dismiss(ZipChoice.DIRECT)
