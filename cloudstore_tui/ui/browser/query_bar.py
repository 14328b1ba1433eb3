"""The line above the entries in which a search is typed: FIQL, a phrase, or a saved search."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from cloudstore_tui.state.memory import FilterHistory
from cloudstore_tui.state.searches import SIGN, SavedSearches
from cloudstore_tui.ui.browser.query_comment import QueryComment
from cloudstore_tui.ui.browser.query_context import QueryContext, QueryScope
from cloudstore_tui.ui.browser.query_input import QueryInput
from cloudstore_tui.ui.browser.query_list import QueryList
from cloudstore_tui.ui.browser.query_name import QueryName
from cloudstore_tui.ui.browser.query_note import QueryNote
from cloudstore_tui.ui.browser.query_offers import QueryOffers
from cloudstore_tui.ui.browser.vocabulary import Vocabulary
from cloudstore_tui.ui.report import tell

_EXAMPLE = 'everything; for example agent:"Khang Glynn" since:yesterday, or type==callrecording'
_WHILE_TYPING = frozenset({"close", "take", "older", "newer", "recall", "save", "count"})


class QueryBar(Vertical):
    """The filter of what is shown; another one typed into it is checked before anything is sent."""

    LABEL = "FIQL"
    DEFAULT_CSS = """
    QueryBar {
        height: auto;
        .query-line { height: 1; }
        .query-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="query.close", tooltip="Close the list, then back to the entries"),
        Binding("tab", "take", "Complete", id="query.take", tooltip="Take what is offered, or the corrected filter"),
        Binding("up", "older", "Before", id="query.older", show=False, tooltip="What was sent before; up in the list"),
        Binding("down", "newer", "After", id="query.newer", show=False, tooltip="Down in the list; to the entries"),
        Binding("ctrl+r", "recall", "History", id="query.recall", tooltip="Search what was sent before"),
        Binding("ctrl+t", "count", "Count", id="query.count", tooltip="Count what this finds, without showing it"),
        Binding("ctrl+s", "save", "Save", id="query.save", tooltip="Save this search under a name"),
    ]

    @dataclass
    class Asked(Message):
        """The user wants to see what this finds."""

        text: str
        """FIQL or a phrase that has a meaning."""
        only_count: bool = False
        """Whether it is enough to know how much that is."""
        unfilled: str | None = None
        """Where the text has placeholders, the name of the saved search that it is, if any. `fill` takes the rest."""

    class Closed(Message):
        """The user is done with the bar."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line = QueryInput(_EXAMPLE)
        """The line to type in."""
        self._about = QueryContext()
        self._shown = QueryList()
        self._words = QueryNote()
        self._naming = QueryName()
        self._offers = QueryOffers(self.line, self._shown, self._about)
        self._comment = QueryComment(self.line, self._words, self._about, self)
        self._asked = ("", "")
        self._shown_text, self._editable = "", ""

    def compose(self) -> ComposeResult:
        """Label and line, and below them what is offered and what is said."""
        with Horizontal(classes="query-line"):
            yield Static(self.LABEL, classes="query-label", markup=False)
            yield self.line
        yield from (self._words, self._naming, self._shown)

    def on_mount(self) -> None:
        """Notice when the cursor goes elsewhere."""
        self.watch(self.line, "selection", lambda: _leave_list(self._offers, self._comment), init=False)

    def remember(self, history: FilterHistory, searches: SavedSearches) -> None:
        """Use these from now on: what was sent and what was saved before."""
        self._about.history, self._about.searches = history, searches

    def show(self, text: str, standing: QueryScope, vocabulary: Vocabulary, editable: str = "") -> None:
        """Show the filter of what is on the screen; the vocabulary may go on growing.

        Args:
            text: the filter that was sent.
            standing: where the user is.
            vocabulary: what was seen there.
            editable: how it is offered to be typed on.
        """
        self._about.standing, self._about.vocabulary = standing, vocabulary
        self._shown_text, self._editable = text, editable
        self.line.put(text, 0)
        self._rest()

    def begin(self) -> QueryInput:
        """Offer a line that is right to type on; the line."""
        if self._editable and self.line.value == self._shown_text:
            self.line.put(self._editable)
        return self.line

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab goes on to the next pane until something is typed; a name is typed without any of this."""
        if action in _WHILE_TYPING and not self.line.has_focus:
            return False
        if action == "take":
            return self._offers.is_open or self._comment.of is not None
        return super().check_action(action, parameters)

    def action_close(self) -> None:
        """Close the list, or go back."""
        if self._offers.is_open:
            self._offers.close()
        else:
            self._rest()
            self.post_message(self.Closed())

    @on(QueryInput.Taken)
    def action_take(self) -> None:
        """Take what is offered, else the corrected filter, else go to the next placeholder, else offer something."""
        if self._offers.is_open:
            self._offers.take()
        elif self._comment.corrected:
            self.line.put(self._comment.corrected)
        elif not self.line.select_placeholder():
            self._offers.ask()
        self._speak()

    def action_older(self) -> None:
        """Up in the list, or a filter of the past."""
        self._offers.up()
        self._speak()

    def action_newer(self) -> None:
        """Down in the list, or towards the present, or out of the bar."""
        if self._offers.down():
            self._speak()
        else:
            self.action_close()

    def action_recall(self) -> None:
        """Offer what was sent before and holds what is typed; again for the next one."""
        if not self._offers.search_past():
            tell(self, "Nothing that was sent before holds this.")

    def action_count(self) -> None:
        """Have what this finds counted, if it has a meaning."""
        self._offers.close()
        verdict = self._comment.verdict()
        if verdict.meaning is None or verdict.fatal is not None:
            self._speak()
        else:
            self.post_message(self.Asked(self.line.value.strip(), only_count=True))

    def action_save(self) -> None:
        """Ask for a name."""
        typed, sent = self._asked
        text = self.line.value.strip()
        text = typed if text == sent else text
        if not text or text.startswith(SIGN):
            tell(self, "There is no filter here to save.", "warning")
            return
        where = self._about.standing
        self._naming.open(text, self._about.searches, where.profile, where.region)

    # What happens

    @on(QueryName.Closed)
    def go_on(self) -> None:
        """Back to the line."""
        self.line.focus()

    @on(Input.Changed)
    def follow(self, event: Input.Changed) -> None:
        """Judge and offer while it is typed."""
        event.stop()
        if not self._comment.is_up_to_date:
            self._speak()
            self._offers.typed()

    @on(Input.Submitted)
    async def ask(self, event: Input.Submitted) -> None:
        """Send it, unless it cannot work."""
        event.stop()
        if self._offers.is_past:
            self.action_take()
            return
        self._offers.close()
        name = self.line.value.split(" ", 1)[0] if self.line.value.startswith(SIGN) else ""
        if self._offers.expand():
            # A value that is asked for stays one value; what is typed over a placeholder in the line could be more.
            self.post_message(self.Asked(self.line.value, unfilled=name))
        else:
            await self.fill(self.line.value)

    async def fill(self, text: str | None) -> None:
        """Send the text with its placeholders filled, or go to what is wrong with it; without one go on typing."""
        if text is None:
            self.line.select_placeholder()
            self._speak()
            return
        if text != self.line.value:
            self.line.put(text)
        verdict = self._comment.verdict()
        if verdict.meaning is None or verdict.fatal is not None:
            if verdict.fatal:
                self.line.cursor_position = min(verdict.fatal.position, len(self.line.value))
            # The line scrolls to the cursor with the next frame, and the caret stands below it.
            self.call_after_refresh(self._speak)
            return
        if verdict.first:
            tell(self, verdict.first.text, "warning")
        text = self.line.value.strip()
        self._asked = (text, verdict.meaning.filter)
        self._rest()
        self.post_message(self.Asked(text))
        await asyncio.to_thread(self._about.history.add, text)

    def on_descendant_focus(self) -> None:
        """Say what the filter finds that is here already."""
        self.call_after_refresh(self._comment.speak, typed=False)

    def _speak(self) -> None:
        self._comment.speak()
        self.refresh_bindings()

    @on(events.DescendantBlur)
    def _leave(self) -> None:
        if self.line.value == self._editable:
            # Nothing was typed: it says again what is shown.
            self.line.put(self._shown_text, 0)
        self._rest()

    def _rest(self) -> None:
        # What is said and offered matters only to somebody who types.
        self._offers.close()
        self._comment.rest()
        self.refresh_bindings()


def _leave_list(offers: QueryOffers, comment: QueryComment) -> None:
    """Offer nothing any more where the cursor was moved and nothing was typed."""
    if offers.is_open and comment.is_up_to_date:
        offers.close()
