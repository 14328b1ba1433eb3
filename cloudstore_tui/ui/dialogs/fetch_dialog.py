"""Whether a large download starts, and how."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.dialogs.dialog import Dialog, button
from cloudstore_tui.ui.downloads import FetchAnswer, FetchOffer
from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.transfer_text import elide, home_path, in_time


class FetchDialog(Dialog[FetchAnswer | None]):
    """Says how much it is, how long it takes and where it goes; Enter starts it in the way that is proposed."""

    AUTO_FOCUS = "#start"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "direct", "One by one", tooltip="Fetch each of them by itself", id="fetch.direct"),
        Binding("z", "zip", "As zips", tooltip="Let the service pack them into zips", id="fetch.zip"),
        Binding("D", "elsewhere", "Another folder", tooltip="Name another folder", id="fetch.elsewhere"),
    ]

    def __init__(self, offer: FetchOffer) -> None:
        as_zips = " as zips" if offer.prefers_zip else ""
        super().__init__(Content.assemble("Fetch ", show(offer.what, 60), f"{as_zips}?"), harmless=None)
        self._offer = offer

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only the way that is not proposed."""
        if action in ("zip", "direct"):
            return self._offer.zips > 0
        return super().check_action(action, parameters)

    def compose_body(self) -> ComposeResult:
        """How much, how long, where to, and what is left out."""
        offer = self._offer
        jobs = f" in {counted(offer.zips, 'zip job')} of {offer.in_zip:,}" if offer.prefers_zip else ""
        seconds = offer.zip_seconds if offer.prefers_zip else offer.seconds
        yield Static(f"{offer.size}{jobs}, about {in_time(seconds)}.", markup=False)
        into = show(elide(home_path(offer.folder), 44))
        yield Static(Content.assemble("Into      ", into, ("   D changes it", "$text-muted")), classes="dialog-line")
        if offer.free is not None:
            yield Static(f"Disk      {words.size(offer.free)} free", markup=False)
        if offer.coming:
            line = f"Already being fetched: {offer.coming:,} of them. They are left out."
            yield Static(f"\n{line}", markup=False)
        for note in offer.notes:
            yield Static(show(note), classes="dialog-note")

    def compose_buttons(self) -> ComposeResult:
        """Cancel, the other way, then what is proposed."""
        offer = self._offer
        yield button("Cancel", "cancel")
        if offer.zips and offer.prefers_zip:
            yield button("One by one", "direct")
            yield button(f"Start {counted(offer.zips, 'zip')}", "start", enter=True)
        else:
            if offer.zips:
                yield button(f"As {counted(offer.zips, 'zip')}", "zip")
            yield button("Start", "start", enter=True)

    def action_start(self) -> None:
        """In the way that is proposed."""
        self._answer(FetchAnswer.ZIP if self._offer.prefers_zip else FetchAnswer.DIRECT)

    def action_zip(self) -> None:
        """As zips."""
        self._answer(FetchAnswer.ZIP)

    def action_direct(self) -> None:
        """One by one."""
        self._answer(FetchAnswer.DIRECT)

    def action_elsewhere(self) -> None:
        """Into another folder."""
        self._answer(FetchAnswer.ELSEWHERE)

    def _answer(self, answer: FetchAnswer) -> None:
        if not self.was_pasted:
            self.dismiss(answer)
