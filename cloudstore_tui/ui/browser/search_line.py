"""The line that a search is typed into: what it shows, what it means, and what is offered for it."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from enum import Enum, auto
from typing import ClassVar

from msgspec import Struct, field
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.models import Location
from cloudstore_tui.state.memory import FilterHistory
from cloudstore_tui.state.searches import SIGN, SavedSearch, SavedSearches, placeholders_of, use
from cloudstore_tui.ui.browser.search_meaning import (
    AVAILABLE,
    AVAILABLE_SHORT,
    EXAMPLE,
    Scope,
    TokenPart,
    tokens_of,
)
from cloudstore_tui.ui.browser.search_suggestions import (
    Suggestion,
    Vocabulary,
    did_you_mean,
    suggest,
)
from cloudstore_tui.ui.browser.targets import ALL_REGIONS
from cloudstore_tui.ui.keys import keys_in_words
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.fields import BarInput

LONGEST = 5_000
"""Characters of a text that is looked at with each key."""

_WRONG = "search-input--wrong"
_GAP = 2


class SearchContext(Struct):
    """What a search is typed in the light of."""

    history: FilterHistory
    """What was sent before."""
    searches: SavedSearches
    phrase: str = ""
    """What the rows on the screen were searched for, as the user typed it."""
    scopes: Sequence[Scope] = (Scope(Location(""), ALL_REGIONS),)
    """Where the user is, the smallest place first."""
    zone: tzinfo = UTC
    """What times without a zone are taken to be in."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary)

    @property
    def saved(self) -> list[SavedSearch]:
        """The searches that can be used here."""
        here = self.scopes[0].location
        try:
            return [one for one in self.searches.read().values() if one.is_for(here.profile, here.region)]
        except StorageError:
            # Told where one is used or saved; it must not stop anybody from typing.
            return []


_HINT = f"f, then for example {EXAMPLE}"


class SearchInput(BarInput):
    """Shows fields, operators and values apart, and underlines what is wrong."""

    DEFAULT_CSS = """
    SearchInput {
        background: transparent;
        & > .search-input--field { color: $text-primary; text-style: bold; }
        & > .search-input--operator { color: $text-accent; }
        & > .search-input--join { color: $text-accent; text-style: bold; }
        & > .search-input--value { color: $text-success; }
        & > .search-input--text { text-style: italic; }
        & > .search-input--placeholder { color: $text-warning; text-style: reverse; }
        & > .search-input--saved { color: $text-secondary; text-style: bold; }
        & > .search-input--wrong { color: $text-error; text-style: underline; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+u", "clear", "Clear", id="search.clear", show=False, tooltip="Clear the search line"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"search-input--{part}" for part in TokenPart), _WRONG}

    class Taken(Message):
        """Right was pressed where the text ends and something is offered."""

    def __init__(self) -> None:
        super().__init__(_HINT)
        self.highlighter = self._styled  # type: ignore[assignment]  # Textual only calls it
        self.is_offered = False
        """Whether something could be taken."""
        self._wrong: int | None = None

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        # While somebody types the line below has an example.
        self.placeholder = "" if has_focus else _HINT

    def put(self, text: str, cursor: int | None = None) -> None:
        """Show another text as if it had been there, with the cursor at its end or elsewhere."""
        with self.prevent(Input.Changed):
            self.value = text
        self.cursor_position = len(text) if cursor is None else cursor

    def line_of(self, lines: Sequence[str]) -> str:
        """What is taken of pasted lines: all of them, as conditions of one search."""
        return " ".join(lines)

    def select_placeholder(self) -> bool:
        """Select the next placeholder of a saved search, so that typing fills it; whether there is one."""
        placeholders = placeholders_of(self.value)
        if not placeholders:
            return False
        next_placeholder = next(
            (placeholder for placeholder in placeholders if placeholder.start >= self.cursor_position), placeholders[0]
        )
        self.selection = Selection(next_placeholder.start, next_placeholder.end)
        return True

    def action_clear(self) -> None:
        self.value = ""

    def underline(self, position: int | None) -> None:
        """Underline the part that is wrong; nothing with `None`."""
        if position != self._wrong:
            self._wrong = position
            self.refresh()

    def action_cursor_right(self, select: bool = False) -> None:
        if self.is_offered and not select and self.cursor_at_end:
            self.post_message(self.Taken())
        else:
            super().action_cursor_right(select)

    def _styled(self, text: Text) -> Text:
        if len(text) > LONGEST:
            return text
        for token in tokens_of(text.plain):
            is_wrong = self._wrong is not None and token.start <= self._wrong < token.end
            style = self.get_component_rich_style(f"search-input--{token.part}", partial=True)
            text.stylize(style, token.start, token.end)
            if is_wrong:
                text.stylize(self.get_component_rich_style(_WRONG, partial=True), token.start, token.end)
        return text


class MeaningLine(Widget):
    """The second line: what a text means or what is wrong with it, and the keys where there is room."""

    DEFAULT_CSS = """
    MeaningLine {
        overlay: screen; height: 1; width: 100%; display: none; background: $background; color: $text-muted;
    }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._status: tuple[Content, str, str] = (Content(""), "", "")

    @property
    def text(self) -> str:
        words, note, _keys = self._status
        return f"{words.plain} ({note})" if note else words.plain

    def show(self, words: Content, note: str, keys: str) -> None:
        """Show this; the note becomes shorter and the keys vanish where there is no room."""
        keys = keys_in_words(self.app, keys)
        if (words, note, keys) != self._status:
            self._status = (words, note, keys)
            self.refresh()

    def render(self) -> Content:
        words, note, keys = self._status
        width, left = self.size.width, Content(" → ") + words
        notes = [more for more in (note, AVAILABLE_SHORT if note == AVAILABLE else "") if more]
        tails = [(more, keys) for more in notes] + [("", keys)] + [(more, "") for more in notes]
        for more, hint in tails:
            whole = left + Content.styled(f" · {more}", "$text-accent") if more else left
            room = width - whole.cell_length - cell_len(hint) - 1
            if room >= _GAP:
                return whole + Content(" " * room) + show(hint)
        return left.truncate(width, ellipsis=True)


ROWS = 6
"""Of the box of suggestions."""
_WIDEST = 44


class SuggestionBox(Widget):
    """Suggestions, one of them chosen, in a box over the table; it never has the focus, the bar moves the choice."""

    DEFAULT_CSS = """
    SuggestionBox {
        overlay: screen; display: none; border: solid $border; background: $panel;
        border-title-color: $text-accent; border-subtitle-color: $text-muted;
        &.-flat { border: none; }
        & > .suggestion-box--note { color: $text-muted; }
        & > .suggestion-box--chosen {
            background: $block-cursor-background; color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &:ansi > .suggestion-box--chosen, &:nocolor > .suggestion-box--chosen { text-style: reverse; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"suggestion-box--note", "suggestion-box--chosen"}
    ALLOW_SELECT = False
    KEYS = "⇥ takes · ↑ earlier · ^S saves"

    def __init__(self) -> None:
        super().__init__()
        self.offers: tuple[Suggestion, ...] = ()
        self._index = 0
        self._rows = ROWS

    @property
    def chosen(self) -> Suggestion | None:
        return self.offers[self._index] if self.offers else None

    @property
    def is_first_chosen(self) -> bool:
        return self._index == 0

    def offer(self, offers: Sequence[Suggestion], title: str = "") -> None:
        """Show these, none to close the box."""
        if tuple(offers) == self.offers and (not offers or self.border_title == title):
            return
        self.offers = tuple(offers)
        self._index = 0
        self.border_title = title
        self.border_subtitle = keys_in_words(self.app, self.KEYS)
        self.place(0, self.app.size.width, self.app.size.height)
        self.display = bool(offers)
        self.refresh(layout=True)

    def place(self, column: int, width: int, height: int) -> None:
        """Lie one line below the line that is typed in, with the text at a column.

        Args:
            column: of the word that a suggestion replaces.
            width: of the line.
            height: rows from there to the end of the screen.
        """
        is_flat = height < ROWS + 2
        self._rows = max(min(len(self.offers), ROWS, height if is_flat else height - 2), 1)
        self.set_class(is_flat, "-flat")
        edge = 0 if is_flat else 2
        texts = [cell_len(plain(offer.label)) + 2 for offer in self.offers]
        notes = [cell_len(plain(offer.note)) + _GAP for offer in self.offers]
        wanted = max(
            min(max(texts, default=0), _WIDEST) + min(max(notes, default=0), _WIDEST),
            len(str(self.border_subtitle)) + 6,
        )
        self.styles.width = min(wanted + edge, width)
        self.styles.height = self._rows + edge
        self.styles.offset = (max(min(column, width - wanted - edge), 0), 1)

    def move(self, steps: int) -> None:
        """Choose another one; it goes on at the other end."""
        if self.offers:
            self._index = (self._index + steps) % len(self.offers)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        rows, width = self._rows, self.size.width
        first = max(min(self._index - rows // 2, len(self.offers) - rows), 0)
        if first + y >= len(self.offers):
            return Strip.blank(width, self.rich_style)
        offer, is_chosen = self.offers[first + y], first + y == self._index
        label, note = f"{'›' if is_chosen else ' '} {plain(offer.label)}", plain(offer.note)
        room = max(width - cell_len(note) - _GAP, min(cell_len(label), width // 2))
        text = set_cell_size(label, room)
        style = self.get_component_rich_style("suggestion-box--chosen") if is_chosen else self.rich_style
        rest = set_cell_size(f"  {note}", width - room)
        return Strip(
            [Segment(text, style), Segment(rest, self.get_component_rich_style("suggestion-box--note"))], width
        )


class Recall:
    """A walk from the newest line to the oldest and back to what was being typed."""

    def __init__(self) -> None:
        self._lines: tuple[str, ...] = ()
        self._steps = 0
        self._draft = ""

    @property
    def is_back(self) -> bool:
        return self._steps > 0

    def older(self, lines: Sequence[str], text: str) -> str | None:
        """The line before the one that is shown, `None` at the oldest; `text` is what is typed now."""
        if not self._steps:
            self._lines, self._draft = tuple(line for line in lines if line != text), text
        if self._steps >= len(self._lines):
            return None
        self._steps += 1
        return self._lines[-self._steps]

    def newer(self) -> str | None:
        """The line after the one that is shown; after the newest what was being typed."""
        if not self._steps:
            return None
        self._steps -= 1
        return self._lines[-self._steps] if self._steps else self._draft

    def forget(self) -> None:
        self._steps = 0


def matching(lines: Sequence[str], text: str) -> tuple[str, ...]:
    """The lines that hold all words of a text, the newest first; capitals do not matter."""
    words = text.casefold().split()
    return tuple(line for line in reversed(lines) if all(word in line.casefold() for word in words))


class OfferKind(Enum):
    """What the box of suggestions holds."""

    NEXT = auto()
    """Words that could follow."""
    PAST = auto()
    """Earlier searches."""
    GUESS = auto()
    """Whole searches, with what the words without a key were probably meant to be."""


class Offers:
    """Fills the box of suggestions, and puts the chosen one into the line."""

    def __init__(self, line: SearchInput, box: SuggestionBox, context: SearchContext) -> None:
        self._line = line
        self._box = box
        self._context = context
        self._recall = Recall()
        self._kind = OfferKind.NEXT

    @property
    def kind(self) -> OfferKind | None:
        """What is offered; `None` while the box is closed."""
        return self._kind if self._box.offers else None

    def close(self) -> None:
        self._show(OfferKind.NEXT, ())

    def guess(self) -> bool:
        """Offer what the words without a key were probably meant to be; whether there is any."""
        self._show(OfferKind.GUESS, did_you_mean(self._line.value, self._context.vocabulary))
        return self.kind is not None

    def typed(self) -> None:
        """Offer what fits to what was just typed."""
        self._recall.forget()
        if self._kind is OfferKind.PAST:
            self._offer_past()
        elif self._line.has_focus and self._line.value and len(self._line.value) <= LONGEST:
            self.ask()
        else:
            self.close()

    def ask(self) -> None:
        text, cursor = self._line.value, self._line.cursor_position
        found = suggest(text, cursor, self._context.vocabulary, self._context.saved)
        self._show(OfferKind.NEXT, found, key_at(text, cursor))

    def take(self) -> None:
        """Put the chosen one into the line.

        Raises:
            StorageError: it is a saved search, and cannot be read.
        """
        chosen, kind = self._box.chosen, self._kind
        self.close()
        if chosen is None:
            return
        self._line.put(*chosen.put_into(self._line.value))
        if chosen.text.startswith(SIGN):
            self.expand()
        elif kind is OfferKind.NEXT:
            self.ask()

    def expand(self) -> bool:
        """Put a saved search in the place of its name; whether it has placeholders to be filled.

        Raises:
            StorageError: there is none, or it cannot be read.
        """
        if self._line.value.startswith(SIGN):
            self._line.put(use(self._line.value, self._context.searches), 0)
            if not self._line.select_placeholder():
                self._line.action_end()
        return bool(placeholders_of(self._line.value))

    def search_past(self) -> bool:
        """Offer earlier searches that hold what is typed, or choose the next of them; whether there is any."""
        if self.kind is OfferKind.PAST:
            self._box.move(1)
        else:
            self._offer_past()
        return self.kind is not None

    def up(self) -> None:
        """Up in the list, or back to an earlier search."""
        if self.kind is OfferKind.PAST or (self.kind is not None and not self._box.is_first_chosen):
            self._box.move(-1)
        else:
            self._go_to(self._recall.older(self._context.history.lines, self._line.value))

    def down(self) -> bool:
        """Down in the list, or on to a later search; whether there was either."""
        if self.kind is not None:
            self._box.move(1)
        elif self._recall.is_back:
            self._go_to(self._recall.newer())
        else:
            return False
        return True

    def _offer_past(self) -> None:
        typed = self._line.value
        lines = matching(self._context.history.lines, typed)
        found = [Suggestion(line, end=len(typed)) for line in lines if line != typed]
        self._show(OfferKind.PAST, found, "Earlier searches")

    def _go_to(self, text: str | None) -> None:
        if text is not None:
            self.close()
            self._line.put(text)

    def _show(self, kind: OfferKind, offers: Sequence[Suggestion], title: str = "") -> None:
        self._kind = kind
        self._box.offer(offers, title)
        self._line.is_offered = bool(offers)


def key_at(text: str, cursor: int) -> str:
    """The key of the value that is typed at a cursor; empty where a key is typed."""
    key = ""
    for token in tokens_of(text[:cursor]):
        key = token.of(text) if token.part is TokenPart.FIELD else "" if token.part is TokenPart.TEXT else key
    return key if text[:cursor].rstrip(" ") == text[:cursor] else ""
