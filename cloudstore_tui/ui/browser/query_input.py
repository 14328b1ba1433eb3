"""The line for a filter or phrase: its parts in the styles of what they are."""

from typing import ClassVar

from rich.text import Text
from textual.message import Message
from textual.widgets import Input
from textual.widgets.input import Selection

from cloudstore_tui.state.searches import placeholders_of
from cloudstore_tui.ui.browser.query_tokens import TokenPart, tokens_of
from cloudstore_tui.ui.widgets.bar_input import BarInput

LONGEST = 5_000
"""Characters of a text that is looked at with each key."""

_WRONG = "query-input--wrong"


class QueryInput(BarInput):
    """Shows fields, operators and values apart, and underlines what is wrong."""

    DEFAULT_CSS = """
    QueryInput {
        & > .query-input--field { color: $text-primary; text-style: bold; }
        & > .query-input--operator { color: $text-accent; }
        & > .query-input--join { color: $text-accent; text-style: bold; }
        & > .query-input--value { color: $text-success; }
        & > .query-input--text { text-style: italic; }
        & > .query-input--placeholder { color: $text-warning; text-style: reverse; }
        & > .query-input--saved { color: $text-secondary; text-style: bold; }
        & > .query-input--wrong { color: $text-error; text-style: underline; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"query-input--{part}" for part in TokenPart), _WRONG}

    class Taken(Message):
        """Right was pressed where the text ends and something is offered."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder)
        self.highlighter = self._styled  # type: ignore[assignment]  # Textual only calls it
        self.is_offered = False
        """Whether something could be taken."""
        self._wrong: int | None = None

    def put(self, text: str, cursor: int | None = None) -> None:
        """Show another text as if it had been there, with the cursor at its end or elsewhere."""
        with self.prevent(Input.Changed):
            self.value = text
        self.cursor_position = len(text) if cursor is None else cursor

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

    def underline(self, position: int | None) -> None:
        """Underline the part that is wrong; nothing with `None`."""
        if position != self._wrong:
            self._wrong = position
            self.refresh()

    def action_cursor_right(self, select: bool = False) -> None:
        """Go on by one, or take what is offered where there is nothing to go on to."""
        if self.is_offered and not select and self.cursor_at_end:
            self.post_message(self.Taken())
        else:
            super().action_cursor_right(select)

    def _styled(self, text: Text) -> Text:
        if len(text) > LONGEST:
            return text
        for token in tokens_of(text.plain):
            is_wrong = self._wrong is not None and token.start <= self._wrong < token.end
            style = self.get_component_rich_style(f"query-input--{token.part}", partial=True)
            text.stylize(style, token.start, token.end)
            if is_wrong:
                text.stylize(self.get_component_rich_style(_WRONG, partial=True), token.start, token.end)
        return text
