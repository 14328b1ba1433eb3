"""The search line above the entries: what is typed, what it means, what is offered; the table below never moves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from cloudstore_tui.core.models import Location
from cloudstore_tui.fiql.syntax import names_type
from cloudstore_tui.state.memory import FilterHistory
from cloudstore_tui.state.searches import SIGN, SavedSearches
from cloudstore_tui.ui.browser.search_line import (
    LONGEST,
    MeaningLine,
    OfferKind,
    Offers,
    SearchContext,
    SearchInput,
    SuggestionBox,
)
from cloudstore_tui.ui.browser.search_meaning import (
    AVAILABLE,
    EXAMPLE,
    LOCAL_ONLY,
    Analysis,
    Diagnostic,
    Scope,
    analyse,
    in_words,
    is_finished,
)
from cloudstore_tui.ui.browser.search_suggestions import Vocabulary
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.text import show

KEYS = "⏎ search  Esc leave  ^U clear"
SAVE = "Save this search under a name; a value written ?name is asked for each time"
_WIDE, _NARROW = 100, 60
"""Cells of the bar from which on it says everything, and below which only what was typed."""


class SearchBar(Vertical):
    """One line with the phrase of what is shown; while it is typed in, a second one says what it means.

    That line and the box of suggestions lie over what is below.
    """

    DEFAULT_CSS = """
    SearchBar {
        height: 1;
        .search-line { height: 1; }
        .search-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
        .search-side { width: auto; padding: 0 1; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Leave", id="search.close", tooltip="Close the suggestions, then leave the line"),
        Binding("tab", "take", "Take", id="search.take", tooltip="Accept the suggestion or the correction"),
        Binding("up", "older", "Earlier", id="search.older", show=False, tooltip="An earlier search; up in the list"),
        Binding("down", "newer", "Later", id="search.newer", show=False, tooltip="A later search; down in the list"),
        Binding("ctrl+r", "recall", "History", id="search.recall", tooltip="Find an earlier search by its words"),
        Binding("ctrl+t", "scope", "Where", id="search.scope", tooltip="Search the region, all regions, or this place"),
        Binding("ctrl+o", "count", "Count", id="search.count", tooltip="Count the matches without showing them"),
        Binding("ctrl+s", "save", "Save", id="search.save", tooltip=SAVE),
    ]

    @dataclass
    class Asked(Message):
        """The user wants to see what this finds."""

        text: str
        """FIQL or a phrase that has a meaning."""
        scope: Location
        """The place to stay inside."""
        only_count: bool = False
        """Whether it is enough to know how much that is."""
        unfilled: str | None = None
        """Where the text has placeholders, the name of the saved search that it is, if any. `fill` takes the rest."""

    @dataclass
    class SaveAsked(Message):
        """The user wants to give this search a name."""

        text: str
        scope: Location

    class Closed(Message):
        """The user is done with the bar."""

    result: reactive[tuple[str, ...]] = reactive((), init=False, repaint=False)
    """How much was found, for the side of the line; the last parts go first where there is no room."""

    def __init__(self, history: FilterHistory, searches: SavedSearches, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line = SearchInput()
        self._about = SearchContext(history, searches)
        self._side = Static("", classes="search-side", markup=False)
        self._meaning = MeaningLine()
        self._box = SuggestionBox()
        self._offers = Offers(self.line, self._box, self._about)
        self._draft: str | None = None
        """What was typed when the line was left."""
        self._scope = 0
        """Which of the places that hold this one is searched."""
        self._explained: str | None = None
        """The text that the second line tells about."""
        self._insists = False
        """Whether a word is called wrong although somebody may still type at it."""
        self._declined = ""
        """The text for which no guess is wanted."""
        self._corrected = ""
        """The whole text with what is wrong mended, where that is possible."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="search-line"):
            yield Static("Search", classes="search-label", markup=False)
            yield self.line
            yield self._side
        yield from (self._meaning, self._box)

    def on_mount(self) -> None:
        self.watch(self.line, "selection", self._cursor_moved, init=False)

    def on_resize(self) -> None:
        self._show_side()

    # What is shown

    def show(self, phrase: str, scopes: Sequence[Scope], zone: tzinfo, vocabulary: Vocabulary) -> None:
        """Show the phrase of what is on the screen; the vocabulary may go on growing."""
        about = self._about
        about.phrase, about.scopes, about.zone, about.vocabulary = phrase, scopes, zone, vocabulary
        self._draft, self._scope, self._declined = None, 0, ""
        self.line.put(phrase, 0)
        self._reset()

    def watch_result(self) -> None:
        self._show_side()

    @property
    def scope(self) -> Scope:
        scopes = self._about.scopes
        return scopes[self._scope % len(scopes)]

    def begin(self) -> SearchInput:
        """Put the cursor behind what was typed last; the line."""
        self.line.put(self._about.phrase if self._draft is None else self._draft)
        return self.line

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab goes on to the next pane until something is typed."""
        if action == "take":
            return self._offers.kind is not None or self._explained is not None
        return super().check_action(action, parameters)

    def action_close(self) -> None:
        if self._offers.kind is not None:
            self._declined = self.line.value if self._offers.kind is OfferKind.GUESS else self._declined
            self._offers.close()
            self._explain()
        else:
            self.post_message(self.Closed())

    @on(SearchInput.Taken)
    def action_take(self) -> None:
        """Take what is offered, else the corrected text, else go to the next placeholder, else offer something."""
        if self._offers.kind is not None:
            self._offers.take()
        elif self._corrected:
            self.line.put(self._corrected)
        elif not self.line.select_placeholder():
            self._offers.ask()
        self._explain()

    def action_older(self) -> None:
        self._offers.up()
        self._explain()

    def action_newer(self) -> None:
        if self._offers.down():
            self._explain()
        else:
            self.action_close()

    def action_recall(self) -> None:
        """Offer earlier searches that hold what is typed; again for the next one."""
        if not self._offers.search_past():
            notify_plain(self, "No earlier search has these words.")
        self._explain()

    def action_scope(self) -> None:
        """Search in the next larger place; after the largest in the smallest again."""
        self._scope = (self._scope + 1) % len(self._about.scopes)
        self._explain()

    def action_count(self) -> None:
        self._offers.close()
        if self._can_be_sent():
            self.post_message(self.Asked(self.line.value.strip(), self.scope.location, only_count=True))

    def action_save(self) -> None:
        text = self.line.value.strip()
        if not text or text.startswith(SIGN):
            notify_plain(self, "Type a search first, then save it.", "warning")
            return
        self._offers.close()
        self.post_message(self.SaveAsked(text, self.scope.location))

    # What is typed and sent

    @on(Input.Changed)
    def follow(self, event: Input.Changed) -> None:
        event.stop()
        if self.line.value != self._explained:
            self._insists = False
            self._offers.typed()
            self._explain()

    @on(Input.Submitted)
    async def ask(self, event: Input.Submitted) -> None:
        """Send it, unless it cannot work or a word in it is probably something else."""
        event.stop()
        if self._offers.kind is OfferKind.PAST:
            self.action_take()
            return
        if self._offers.kind is OfferKind.GUESS:
            self._offers.take()
        elif self.line.value != self._declined and self._offers.guess():
            self._explain()
            return
        self._offers.close()
        name = self.line.value.split(" ", 1)[0] if self.line.value.startswith(SIGN) else ""
        if self._offers.expand():
            # A value that is asked for stays one value; what is typed over a placeholder in the line could be more.
            self.post_message(self.Asked(self.line.value, self.scope.location, unfilled=name))
        else:
            await self.fill(self.line.value)

    async def fill(self, text: str | None) -> None:
        """Send the text with its placeholders filled, or go to what is wrong with it; without one go on typing."""
        if text is None:
            self._insists = self.line.select_placeholder()
            self._explain()
            return
        if text != self.line.value:
            self.line.put(text)
        if not self._can_be_sent():
            return
        first = self._analysis().first
        if first is not None:
            notify_plain(self, first.text, "warning")
        text, scope = self.line.value.strip(), self.scope.location
        self._about.phrase = text
        self._reset()
        self.post_message(self.Asked(text, scope))
        await asyncio.to_thread(self._about.history.add, text)

    def _can_be_sent(self) -> bool:
        """Whether the text has a meaning; says why, and goes there, if it has none."""
        fatal = self._analysis().fatal
        if fatal is None:
            return True
        self._insists, text = True, self.line.value
        # A quote is closed at the end, everything else mended where it is.
        is_quote = text[fatal.position : fatal.position + 1] in ("'", '"')
        self.line.cursor_position = len(text) if is_quote else min(fatal.position, len(text))
        self._explain()
        return False

    # What is said

    def _analysis(self) -> Analysis:
        about = self._about
        return analyse(self.line.value, about.zone, datetime.now(UTC), about.vocabulary.names, self.scope)

    def _explain(self, *, typed: bool = True) -> None:
        """Say what the text means, or what is wrong with a word that nobody is typing at any more."""
        if not self.line.has_focus:
            return
        text = self.line.value
        # Until something is typed Tab still leads to the next pane.
        self._explained = text if typed else self._explained
        is_long = len(text) > LONGEST and not self._insists
        analysis = Analysis() if is_long or text.startswith(SIGN) else self._analysis()
        first = analysis.first
        if first is not None and not (self._insists or is_finished(text, self.line.cursor_position, first.position)):
            first = None
        self._corrected = first.corrected if first else ""
        self.line.underline(first.position if first else None)
        self._meaning.show(*self._sentence(analysis, first))
        self._place_box()
        self._show_side(analysis)
        self.refresh_bindings()

    def _sentence(self, analysis: Analysis, diagnostic: Diagnostic | None) -> tuple[Content, str, str]:
        """What line two says, what it adds where there is room, and the keys."""
        text = self.line.value
        if diagnostic is not None:
            style, corrected = "$text-error" if diagnostic.fatal else "$text-warning", diagnostic.corrected
            mended = Content("⇥ takes ") + show(corrected) + Content(" · ") if corrected else Content()
            return mended + show(diagnostic.text).stylize_before(style), "", ""
        if self._offers.kind is OfferKind.GUESS and (chosen := self._box.chosen) is not None:
            known = f" ({chosen.note})" if chosen.note else ""
            return Content("Did you mean ") + show(chosen.text) + Content(f"{known}?"), "", "⏎ search this  Esc no"
        if text.startswith(SIGN):
            return show("a saved search; values for its placeholders follow: name=value"), "", "⏎ search"
        if len(text) > LONGEST:
            return Content(f"{len(text):,} characters: Enter reads them"), "", KEYS
        words, only_available = in_words(text, self.scope, self._about.zone, datetime.now(UTC))
        if not text.strip():
            return show(f"{words}; for example {EXAMPLE}"), "", KEYS
        local = analysis.meaning.local if analysis.meaning is not None else ()
        note = LOCAL_ONLY if local else AVAILABLE if only_available else ""
        return show(words), note, KEYS

    def _show_side(self, analysis: Analysis | None = None) -> None:
        """The scope while it is typed, else what was found."""
        width = self.size.width
        if not self.line.has_focus:
            parts = self.result if width >= _WIDE else self.result[:2] if width >= _NARROW else ()
            text = " · ".join(part for part in parts if part)
        else:
            text = self._chip(analysis, width)
        self._side.update(show(text))
        self._side.display = bool(text)

    def _chip(self, analysis: Analysis | None, width: int) -> str:
        scopes, at = self._about.scopes, self._scope
        node = analysis.meaning.node if analysis is not None and analysis.meaning is not None else None
        if scopes[at].types and names_type(node):
            # A search for another type than that of the place is one in its region.
            at += 1
        if width < _NARROW:
            return ""
        following = scopes[(at + 1) % len(scopes)]
        is_region = following.location.region and not following.types
        words = "whole region" if is_region and scopes[at].types else following.words
        hint = f" ▾ (^T: {words})" if width >= _WIDE else " ▾ ^T"
        return f"in: {scopes[at].words}{hint if len(scopes) > 1 else ''}"

    def _place_box(self) -> None:
        chosen = self._box.chosen
        # The question in the line above is all there is to say.
        is_said = self._offers.kind is OfferKind.GUESS and len(self._box.offers) == 1
        self._box.display = chosen is not None and not is_said
        if chosen is None:
            return
        line = self.line
        column = cell_len(line.value[: chosen.start]) - line.scroll_offset.x
        left = line.region.x - self.region.x + max(min(column, line.size.width - 1), 0) - 1
        self._box.place(left, self.size.width, self.screen.size.height - self.region.y - 3)

    # Coming and going

    def on_descendant_focus(self) -> None:
        if self.line.has_focus:
            self._meaning.display = True
            self.call_after_refresh(self._explain, typed=False)

    def on_descendant_blur(self) -> None:
        """Show again what the rows were searched for; what was typed comes back with the next look at the line."""
        if self.screen.focused is self.line:
            # It has the focus again already.
            return
        phrase = self._about.phrase
        self._draft = self.line.value if self.line.value != phrase else None
        self.line.put(phrase, 0)
        self._reset()

    def _reset(self) -> None:
        # What is said and offered matters only to somebody who types.
        self._offers.close()
        self._explained, self._insists, self._corrected = None, False, ""
        self.line.underline(None)
        self._meaning.display = self.line.has_focus
        self._show_side()
        self.refresh_bindings()

    def _cursor_moved(self) -> None:
        """Offer nothing any more where the cursor was moved and nothing was typed."""
        if self._offers.kind not in (None, OfferKind.GUESS) and self.line.value == self._explained:
            self._offers.close()
