"""The line to type in that bars have."""

from textual import events
from textual.widgets import Input

LONGEST_PASTE = 65_536
"""Characters taken of a pasted text."""


class BarInput(Input):
    """A line whose cursor does not blink, and that takes only what can be drawn from a paste."""

    DEFAULT_CSS = """
    BarInput { width: 1fr; }
    """

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, select_on_focus=False, compact=True)
        # A blinking cursor repaints the line twice a second for ever.
        self.cursor_blink = False

    def on_focus(self) -> None:
        """Go on where the text ends."""
        self.cursor_position = len(self.value)

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line without its control characters."""
        event.prevent_default()
        event.stop()
        line = next(iter(event.text[:LONGEST_PASTE].splitlines()), "")
        clean = "".join(character for character in line if character.isprintable())
        if self.selection.is_empty:
            self.insert_text_at_cursor(clean)
        else:
            self.replace(clean, *self.selection)
