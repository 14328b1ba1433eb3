"""The search bar above the entries: a line to type in, what the text means, suggestions. The table never moves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum, auto
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

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.fiql.syntax import names_type
from cloudstore_tui.state.memory import FilterHistory
from cloudstore_tui.state.searches import SIGN, SavedSearch, SavedSearches, placeholders_of, use
from cloudstore_tui.ui.browser.search_line import LONGEST, MeaningLine, SearchInput, SuggestionBox
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
from cloudstore_tui.ui.browser.search_suggestions import (
    Recall,
    Suggestion,
    Vocabulary,
    did_you_mean,
    key_at,
    matching,
    suggest,
)
from cloudstore_tui.ui.browser.targets import ALL_REGIONS
from cloudstore_tui.ui.report import notify_plain
from cloudstore_tui.ui.text import show

KEYS = "⏎ search  Esc leave  ^U clear"
SAVE = "Save this search under a name; a value written ?name is asked for each time"
_WIDE, _NARROW = 100, 60
"""Cells of the bar from which on it shows everything, and below which it shows the text alone."""


class Offer(Enum):
    """What the box of suggestions holds."""

    COMPLETIONS = auto()
    HISTORY = auto()
    GUESSES = auto()
    """Whole searches: what words without a key were probably meant to be."""


class SearchBar(Vertical):
    """One line with the search that is shown; while it is edited, a second line says what the text means.

    The second line and the box of suggestions lie over what is below.
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
        """The user wants to see what a search finds."""

        text: str
        """FIQL or a phrase, valid but for its placeholders."""
        scope: Location
        """The place to search in."""
        only_count: bool = False
        """Whether only the number of matches is wanted."""
        unfilled: str | None = None
        """If the text has placeholders: the name of the saved search, or empty. `submit` takes the filled text."""

    @dataclass
    class SaveAsked(Message):
        """The user wants to name this search."""

        text: str
        scope: Location

    class Closed(Message):
        """The user has left the bar."""

    result: reactive[tuple[str, ...]] = reactive((), init=False, repaint=False)
    """How much was found, for the right end of the line; where room is short, the last parts are left out."""

    def __init__(self, history: FilterHistory, searches: SavedSearches, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line = SearchInput()
        self._side = Static("", classes="search-side", markup=False)
        self._meaning = MeaningLine()
        self._box = SuggestionBox()
        self._history, self._searches = history, searches
        self._recall = Recall()
        self._phrase = ""
        """The search whose results are shown, as the user typed it."""
        self._scopes: Sequence[Scope] = (Scope(Location(""), ALL_REGIONS),)
        """The places that can be searched in, the smallest first."""
        self._scope = 0
        """The index of the chosen one."""
        self._zone: tzinfo = UTC
        self._vocabulary = Vocabulary()
        self._draft: str | None = None
        """What was typed when the line was left."""
        self._explained: str | None = None
        """The text that the second line is about."""
        self._correction = ""
        """The whole text with its first mistake corrected, where that is possible."""
        self._flags_unfinished = False
        """Whether a mistake is shown even in a word that may still be typed at."""
        self._last_offer = Offer.COMPLETIONS
        self._declined = ""
        """The text whose guesses were declined."""

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

    def watch_result(self) -> None:
        self._show_side()

    def show(self, phrase: str, scopes: Sequence[Scope], zone: tzinfo, vocabulary: Vocabulary) -> None:
        """Show the search whose results are on the screen; the vocabulary may go on growing."""
        self._phrase, self._scopes, self._zone, self._vocabulary = phrase, scopes, zone, vocabulary
        self._draft, self._scope, self._declined = None, 0, ""
        self.line.put(phrase, 0)
        self._reset()

    @property
    def scope(self) -> Scope:
        return self._scopes[self._scope]

    def restore_draft(self) -> SearchInput:
        """Show what was typed last, to be edited; returns the line, which is to get the focus."""
        self.line.put(self._phrase if self._draft is None else self._draft)
        return self.line

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab goes to the next pane until something is typed."""
        if action == "take":
            return self._offer is not None or self._explained is not None
        return super().check_action(action, parameters)

    def action_close(self) -> None:
        if self._offer is None:
            self.post_message(self.Closed())
            return
        if self._offer is Offer.GUESSES:
            self._declined = self.line.value
        self._close_box()
        self._explain()

    @on(SearchInput.Taken)
    def action_take(self) -> None:
        """Take the suggestion, else the correction, else go to the next placeholder, else suggest something."""
        if self._offer is not None:
            self._take_suggestion()
        elif self._correction:
            self.line.put(self._correction)
        elif not self.line.select_placeholder():
            self._suggest()
        self._explain()

    def action_older(self) -> None:
        """Move up in the box; from its first completion, or without a box, go to an older search."""
        if self._offer is Offer.HISTORY or (self._offer is not None and not self._box.is_first_chosen):
            self._box.move(-1)
        elif (text := self._recall.older(self._history.lines, self.line.value)) is not None:
            self._close_box()
            self.line.put(text)
        self._explain()

    def action_newer(self) -> None:
        """Move down in the box; without one, go to a newer search, and after the newest leave the line."""
        if self._offer is not None:
            self._box.move(1)
        elif self._recall.is_active and (text := self._recall.newer()) is not None:
            self._close_box()
            self.line.put(text)
        else:
            self.post_message(self.Closed())
            return
        self._explain()

    def action_recall(self) -> None:
        """Show earlier searches that contain what is typed; pressed again, choose the next of them."""
        if self._offer is Offer.HISTORY:
            self._box.move(1)
        else:
            self._suggest_history()
        if self._offer is None:
            notify_plain(self, "No earlier search has these words.")
        self._explain()

    def action_scope(self) -> None:
        """Search in the next larger place; after the largest in the smallest again."""
        self._scope = (self._scope + 1) % len(self._scopes)
        self._explain()

    def action_count(self) -> None:
        self._close_box()
        if self._is_valid():
            self.post_message(self.Asked(self.line.value.strip(), self.scope.location, only_count=True))

    def action_save(self) -> None:
        text = self.line.value.strip()
        if not text or text.startswith(SIGN):
            notify_plain(self, "Type a search first, then save it.", "warning")
            return
        self._close_box()
        self.post_message(self.SaveAsked(text, self.scope.location))

    # Typing and sending

    @on(Input.Changed)
    def text_changed(self, event: Input.Changed) -> None:
        event.stop()
        text = self.line.value
        if text == self._explained:
            return
        self._flags_unfinished = False
        self._recall.forget()
        if self._last_offer is Offer.HISTORY:
            self._suggest_history()
        elif self.line.has_focus and text and len(text) <= LONGEST:
            self._suggest()
        else:
            self._close_box()
        self._explain()

    @on(Input.Submitted)
    async def press_enter(self, event: Input.Submitted) -> None:
        """Send the search, unless it is invalid or a word in it was probably meant to be something else."""
        event.stop()
        if self._offer is Offer.HISTORY:
            self.action_take()
            return
        if self._offer is Offer.GUESSES:
            self._take_suggestion()
        elif self.line.value != self._declined and self._suggest_guesses():
            self._explain()
            return
        self._close_box()
        name = self.line.value.split(" ", 1)[0] if self.line.value.startswith(SIGN) else ""
        self._expand_saved()
        if placeholders_of(self.line.value):
            # A dialog keeps each value a single value; typed into the line it could become several conditions.
            self.post_message(self.Asked(self.line.value, self.scope.location, unfilled=name))
        else:
            await self.submit(self.line.value)

    async def submit(self, text: str | None) -> None:
        """Send a text without placeholders, or go to what is wrong with it; `None` goes on with typing."""
        if text is None:
            self._flags_unfinished = self.line.select_placeholder()
            self._explain()
            return
        if text != self.line.value:
            self.line.put(text)
        if not self._is_valid():
            return
        if (first := self._analysis().first) is not None:
            notify_plain(self, first.text, "warning")
        text, scope = self.line.value.strip(), self.scope.location
        self._phrase = text
        self._reset()
        self.post_message(self.Asked(text, scope))
        await asyncio.to_thread(self._history.add, text)

    def _is_valid(self) -> bool:
        """Whether the text can be sent; if not, say why and put the cursor there."""
        fatal = self._analysis().fatal
        if fatal is None:
            return True
        self._flags_unfinished, text = True, self.line.value
        # A missing quote is typed at the end, everything else is corrected where it is.
        is_quote = text[fatal.position : fatal.position + 1] in ("'", '"')
        self.line.cursor_position = len(text) if is_quote else min(fatal.position, len(text))
        self._explain()
        return False

    # Suggestions

    @property
    def _offer(self) -> Offer | None:
        """What the box holds; `None` while it is closed."""
        return self._last_offer if self._box.offers else None

    def _show_box(self, offer: Offer, suggestions: Sequence[Suggestion], title: str = "") -> None:
        self._last_offer = offer
        self._box.offer(suggestions, title)
        self.line.has_suggestion = bool(suggestions)

    def _close_box(self) -> None:
        self._show_box(Offer.COMPLETIONS, ())

    def _suggest(self) -> None:
        text, cursor = self.line.value, self.line.cursor_position
        self._show_box(Offer.COMPLETIONS, suggest(text, cursor, self._vocabulary, self._saved()), key_at(text, cursor))

    def _suggest_history(self) -> None:
        text = self.line.value
        found = [Suggestion(line, end=len(text)) for line in matching(self._history.lines, text) if line != text]
        self._show_box(Offer.HISTORY, found, "Earlier searches")

    def _suggest_guesses(self) -> bool:
        """Suggest what words without a key were probably meant to be; return whether there is any guess."""
        self._show_box(Offer.GUESSES, did_you_mean(self.line.value, self._vocabulary))
        return self._offer is not None

    def _saved(self) -> list[SavedSearch]:
        """The saved searches for the place that is shown."""
        here = self._scopes[0].location
        try:
            return [one for one in self._searches.read().values() if one.is_for(here.profile, here.region)]
        except StorageError:
            # Reported where one is used or saved; it must not keep anybody from typing.
            return []

    def _take_suggestion(self) -> None:
        """Put the chosen suggestion into the line.

        Raises:
            StorageError: it is a saved search, and cannot be read.
        """
        chosen, offer = self._box.chosen, self._offer
        self._close_box()
        if chosen is None:
            return
        self.line.put(*chosen.put_into(self.line.value))
        if chosen.text.startswith(SIGN):
            self._expand_saved()
        elif offer is Offer.COMPLETIONS:
            self._suggest()

    def _expand_saved(self) -> None:
        """Replace the name of a saved search by the search, with its first placeholder selected.

        Raises:
            StorageError: there is none of that name, or it cannot be read.
        """
        if self.line.value.startswith(SIGN):
            self.line.put(use(self.line.value, self._searches), 0)
            if not self.line.select_placeholder():
                self.line.action_end()

    # The second line, and the right end of the first

    def _analysis(self) -> Analysis:
        return analyse(self.line.value, self._zone, datetime.now(UTC), self._vocabulary.names, self.scope)

    def _explain(self, *, typed: bool = True) -> None:
        """Say what the text means, or what is wrong with a word that is no longer being typed."""
        if not self.line.has_focus:
            return
        text = self.line.value
        # Until something is typed Tab still leads to the next pane.
        self._explained = text if typed else self._explained
        is_long = len(text) > LONGEST and not self._flags_unfinished
        analysis = Analysis() if is_long or text.startswith(SIGN) else self._analysis()
        first = analysis.first
        if first is not None and not (
            self._flags_unfinished or is_finished(text, self.line.cursor_position, first.position)
        ):
            first = None
        self._correction = first.corrected if first else ""
        self.line.underline(first.position if first else None)
        self._meaning.show(*self._explanation(analysis, first))
        self._place_box()
        self._show_side(analysis)
        self.refresh_bindings()

    def _explanation(self, analysis: Analysis, diagnostic: Diagnostic | None) -> tuple[Content, str, str]:
        """The second line: its words, a note for where there is room, and the keys."""
        text = self.line.value
        if diagnostic is not None:
            style, corrected = "$text-error" if diagnostic.fatal else "$text-warning", diagnostic.corrected
            correction = Content("⇥ takes ") + show(corrected) + Content(" · ") if corrected else Content()
            return correction + show(diagnostic.text).stylize_before(style), "", ""
        if self._offer is Offer.GUESSES and (chosen := self._box.chosen) is not None:
            known = f" ({chosen.note})" if chosen.note else ""
            return Content("Did you mean ") + show(chosen.text) + Content(f"{known}?"), "", "⏎ search this  Esc no"
        if text.startswith(SIGN):
            return show("a saved search; values for its placeholders follow: name=value"), "", "⏎ search"
        if len(text) > LONGEST:
            return Content(f"{len(text):,} characters: Enter reads them"), "", KEYS
        words, only_available = in_words(text, self.scope, self._zone, datetime.now(UTC))
        if not text.strip():
            return show(f"{words}; for example {EXAMPLE}"), "", KEYS
        local = analysis.meaning.local if analysis.meaning is not None else ()
        note = LOCAL_ONLY if local else AVAILABLE if only_available else ""
        return show(words), note, KEYS

    def _show_side(self, analysis: Analysis | None = None) -> None:
        """Show where is searched while the line is edited, else what was found."""
        width = self.size.width
        if self.line.has_focus:
            text = self._scope_words(analysis, width)
        else:
            parts = self.result if width >= _WIDE else self.result[:2] if width >= _NARROW else ()
            text = " · ".join(part for part in parts if part)
        self._side.update(show(text))
        self._side.display = bool(text)

    def _scope_words(self, analysis: Analysis | None, width: int) -> str:
        if width < _NARROW:
            return ""
        scopes, at = self._scopes, self._scope
        node = analysis.meaning.node if analysis is not None and analysis.meaning is not None else None
        if scopes[at].types and names_type(node):
            # A search for another type than that of the place is one in its region.
            at += 1
        following = scopes[(at + 1) % len(scopes)]
        is_region = following.location.region and not following.types
        words = "whole region" if is_region and scopes[at].types else following.words
        hint = f" ▾ (^T: {words})" if width >= _WIDE else " ▾ ^T"
        return f"in: {scopes[at].words}{hint if len(scopes) > 1 else ''}"

    def _place_box(self) -> None:
        chosen = self._box.chosen
        # A single guess is in the second line already.
        is_said = self._offer is Offer.GUESSES and len(self._box.offers) == 1
        self._box.display = chosen is not None and not is_said
        if chosen is None:
            return
        line = self.line
        column = cell_len(line.value[: chosen.start]) - line.scroll_offset.x
        left = line.region.x - self.region.x + max(min(column, line.size.width - 1), 0) - 1
        self._box.place(left, self.size.width, self.screen.size.height - self.region.y - 3)

    # Focus

    def on_descendant_focus(self) -> None:
        if self.line.has_focus:
            self._meaning.display = True
            self.call_after_refresh(self._explain, typed=False)

    def on_descendant_blur(self) -> None:
        """Show the search of the rows again; what was typed comes back when the line is edited next."""
        if self.screen.focused is self.line:
            # It has the focus again already.
            return
        self._draft = self.line.value if self.line.value != self._phrase else None
        self.line.put(self._phrase, 0)
        self._reset()

    def _reset(self) -> None:
        """Drop what matters only while the line is edited."""
        self._close_box()
        self._explained, self._flags_unfinished, self._correction = None, False, ""
        self.line.underline(None)
        self._meaning.display = self.line.has_focus
        self._show_side()
        self.refresh_bindings()

    def _cursor_moved(self) -> None:
        """Close completions and history when the cursor was moved without typing."""
        if self._offer not in (None, Offer.GUESSES) and self.line.value == self._explained:
            self._close_box()
