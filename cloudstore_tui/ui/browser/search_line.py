"""What the search bar is made of: the line to type in, the line that says what the text means, the suggestions."""

from collections.abc import Sequence
from typing import ClassVar

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

from cloudstore_tui.state.searches import placeholders_of
from cloudstore_tui.ui.browser.search_meaning import (
    AVAILABLE,
    AVAILABLE_SHORT,
    EXAMPLE,
    TokenPart,
    tokens_of,
)
from cloudstore_tui.ui.browser.search_suggestions import Suggestion
from cloudstore_tui.ui.keys import keys_in_words
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.fields import BarInput

LONGEST = 5_000
"""Characters up to which a text is analysed after each key."""

_WRONG = "search-input--wrong"
_GAP = 2


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
        """Right was pressed at the end of the text, while a suggestion is shown."""

    def __init__(self) -> None:
        super().__init__(_HINT)
        self.highlighter = self._styled  # type: ignore[assignment]  # Textual only calls it
        self.has_suggestion = False
        """Whether Right at the end takes a suggestion."""
        self._wrong: int | None = None

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        # While somebody types, the line below shows an example.
        self.placeholder = "" if has_focus else _HINT

    def put(self, text: str, cursor: int | None = None) -> None:
        """Replace the text without `Changed`; the cursor goes to its end, or to `cursor`."""
        with self.prevent(Input.Changed):
            self.value = text
        self.cursor_position = len(text) if cursor is None else cursor

    def line_of(self, lines: Sequence[str]) -> str:
        """All pasted lines, as conditions of one search."""
        return " ".join(lines)

    def select_placeholder(self) -> bool:
        """Select the next placeholder of a saved search, so that typing replaces it; return whether there is one."""
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
        """Underline the token at a position as wrong; `None` underlines nothing."""
        if position != self._wrong:
            self._wrong = position
            self.refresh()

    def action_cursor_right(self, select: bool = False) -> None:
        if self.has_suggestion and not select and self.cursor_at_end:
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
    """The second line: what the text means or what is wrong with it, then the keys if there is room."""

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
        """Show this; where room is short, the note is shortened and the keys are left out."""
        keys = keys_in_words(self.app, keys)
        if (words, note, keys) != self._status:
            self._status = (words, note, keys)
            self.refresh()

    def render(self) -> Content:
        words, note, keys = self._status
        width, left = self.size.width, Content(" → ") + words
        notes = [text for text in (note, AVAILABLE_SHORT if note == AVAILABLE else "") if text]
        variants = [(text, keys) for text in notes] + [("", keys)] + [(text, "") for text in notes]
        for text, hint in variants:
            line = left + Content.styled(f" · {text}", "$text-accent") if text else left
            room = width - line.cell_length - cell_len(hint) - 1
            if room >= _GAP:
                return line + Content(" " * room) + show(hint)
        return left.truncate(width, ellipsis=True)


ROWS = 6
"""Suggestions that the box shows at once."""
_MAX_WIDTH = 44
"""Cells of a suggestion, and of the note beside it."""


class SuggestionBox(Widget):
    """Suggestions in a box over the table, one of them chosen. It never has the focus: the bar moves the choice."""

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
        """Show these suggestions; none closes the box."""
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
        """Place the box one line below the line that is typed in.

        Args:
            column: where the word begins that a suggestion replaces.
            width: of the line, in cells.
            height: rows from there to the bottom of the screen.
        """
        is_flat = height < ROWS + 2
        self._rows = max(min(len(self.offers), ROWS, height if is_flat else height - 2), 1)
        self.set_class(is_flat, "-flat")
        edge = 0 if is_flat else 2
        texts = [cell_len(plain(offer.label)) + 2 for offer in self.offers]
        notes = [cell_len(plain(offer.note)) + _GAP for offer in self.offers]
        wanted = max(
            min(max(texts, default=0), _MAX_WIDTH) + min(max(notes, default=0), _MAX_WIDTH),
            len(str(self.border_subtitle)) + 6,
        )
        self.styles.width = min(wanted + edge, width)
        self.styles.height = self._rows + edge
        self.styles.offset = (max(min(column, width - wanted - edge), 0), 1)

    def move(self, steps: int) -> None:
        """Move the choice; from either end it goes on at the other."""
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
