"""A line that takes no room while it has nothing to say."""

from textual.content import Content
from textual.widgets import Static


class Note(Static):
    """Text that comes and goes below a field."""

    DEFAULT_CSS = """
    Note {
        color: $text-muted; width: 1fr; height: auto;
        &.-silent { display: none; }
    }
    """

    def __init__(self, text: str = "", *, widget_id: str | None = None) -> None:
        super().__init__(Content(text), id=widget_id)
        self.set_class(not text, "-silent")

    def say(self, text: Content | str) -> None:
        """Show this, or vanish."""
        content = Content(text) if isinstance(text, str) else text
        if content != self.content:
            self.update(content)
        self.set_class(not content.plain, "-silent")
