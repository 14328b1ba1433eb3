"""One line to type in: does not blink, and takes only clean text from a paste."""

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import Input

LONGEST_PASTE = 65_536
"""Characters taken of a pasted text."""


class Field(Input):
    """An input whose cursor stands still; letters typed into it are never commands."""

    @dataclass
    class Refused(Message):
        """A text was pasted where only typing counts."""

        field: "Field"

    def __init__(
        self,
        value: str = "",
        *,
        widget_id: str | None = None,
        max_length: int = 0,
        takes_paste: bool = True,
    ) -> None:
        super().__init__(value, id=widget_id, max_length=max_length, select_on_focus=False, compact=True)
        # A blinking cursor repaints the line twice a second for ever.
        self.cursor_blink = False
        self._takes_paste = takes_paste

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line without its control characters; the dialog learns of it, too."""
        event.prevent_default()
        if not self._takes_paste:
            self.post_message(self.Refused(self))
            return
        line = next(iter(event.text[:LONGEST_PASTE].splitlines()), "")
        clean = "".join(character for character in line if character.isprintable())
        if self.selection.is_empty:
            self.insert_text_at_cursor(clean)
        else:
            self.replace(clean, *self.selection)
