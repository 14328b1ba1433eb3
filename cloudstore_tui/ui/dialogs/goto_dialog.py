"""Where to go."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.ui.dialogs.completing import (
    Candidates,
    CompletingDialog,
    CompletingField,
    Completion,
    complete_word,
)
from cloudstore_tui.ui.dialogs.dialog import Note, button
from cloudstore_tui.ui.dialogs.pick_dialog import Pick, Picked, lines_of
from cloudstore_tui.ui.report import sentence

NamesIn = Callable[[str], Awaitable[Sequence[str]]]
"""Finds what can follow an address that ends with `:` or `/`."""


async def _nothing(_head: str) -> Sequence[str]:
    return ()


class GotoDialog(CompletingDialog[str | Picked | None]):
    """Asks for an address, or for one of the places that are known; whoever opened it knows whether it can be."""

    AUTO_FOCUS = "#address"
    DEFAULT_CSS = """
    GotoDialog #known { max-height: 12; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", show=False, tooltip="To the known places, and the next one", id="goto.down"),
        Binding("up", "move(-1)", "Up", show=False, tooltip="The known place before", id="goto.up"),
    ]

    def __init__(
        self,
        address: str = "",
        profiles: Sequence[str] = (),
        known: Sequence[Pick] = (),
        names_in: NamesIn = _nothing,
    ) -> None:
        """Ask where to go.

        Args:
            address: to begin with.
            profiles: with the colon.
            known: bookmarks and recent places.
            names_in: lists one folder; what it gave is kept until the dialog closes.
        """
        super().__init__("Go to", harmless=None)
        self._address = address
        self._profiles = tuple(profiles)
        self._known = tuple(known)
        self._names_in = names_in
        self._listed: dict[str, tuple[str, ...]] = {}
        self._asked = ""
        self._shown: list[int] = []

    def compose_body(self) -> ComposeResult:
        """The line for the address, and the places that are known."""
        yield CompletingField(self._complete, self._address, widget_id="address")
        yield Candidates()
        known = OptionList(id="known", markup=False, compact=True)
        known.display = bool(self._known)
        yield known
        more = " Down chooses a bookmark or a recent place." if self._known else ""
        yield Note(f"For example acme:exports/reporting/ or acme8:us-east/; Tab completes.{more}")

    def on_mount(self) -> None:
        """Select the present address, so that typing replaces it."""
        self.query_one("#address", Input).select_all()
        self._fill("")

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Go", "go", enter=True)

    @on(Input.Changed)
    def look_for_known(self, event: Input.Changed) -> None:
        """Show the known places that hold what is typed."""
        event.stop()
        self._fill("" if event.value == self._address else event.value)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def take_address(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        """Enter is the answer."""
        event.stop()
        self.action_go()

    def action_move(self, step: int) -> None:
        """Move the cursor of the known places, from the line too; to the buttons where there are none."""
        known = self.query_one("#known", OptionList)
        at = known.highlighted
        if not self._shown:
            self.action_next() if step > 0 else self.action_previous()
        elif at is None:
            known.highlighted = 0 if step > 0 else None
        else:
            known.highlighted = min(at + step, len(self._shown) - 1) if at + step >= 0 else None

    def action_go(self) -> None:
        """Answer with the known place under the cursor, or with what was typed; nothing typed means to stay."""
        if self.was_pasted:
            return
        at = self.query_one("#known", OptionList).highlighted
        typed = self.query_one("#address", Input).value.strip()
        self.dismiss(Picked(self._shown[at]) if at is not None else typed or None)

    def _fill(self, typed: str) -> None:
        words = typed.casefold().split()
        self._shown = [index for index, pick in enumerate(self._known) if pick.holds(words)]
        known = self.query_one("#known", OptionList)
        known.clear_options()
        known.add_options(lines_of([self._known[index] for index in self._shown]))
        known.highlighted = None

    def _complete(self, text: str) -> Completion | None:
        cut = max(text.rfind(":"), text.rfind("/")) + 1
        head, tail = text[:cut], text[cut:]
        if ":" not in head:
            return complete_word(text, self._profiles)
        if head not in self._listed:
            # At most one folder at a time; Escape closes the dialog, which ends the worker.
            if head != self._asked:
                self._asked = head
                self.run_worker(self._list(head), group="names", exclusive=True)
            return None
        found = complete_word(tail, self._listed[head])
        if not found.candidates:
            # Going on to the buttons would let Enter cancel what was typed.
            words = "No folder there begins like this." if tail else "There are no folders below this."
            self.query_one(Candidates).say(words)
            return None
        return Completion(head + found.text, found.candidates)

    async def _list(self, head: str) -> None:
        said = self.query_one(Candidates)
        said.say("looking…")
        try:
            self._listed[head] = tuple(await self._names_in(head))
        except StorageError as error:
            self._asked = ""
            said.say(sentence(error))
            return
        said.say("")
        field = self.query_one("#address", CompletingField)
        if field.has_focus and field.value.startswith(head):
            field.action_complete()
