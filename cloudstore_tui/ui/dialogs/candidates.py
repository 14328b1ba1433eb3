"""What Tab could complete to."""

from textual.content import Content

from cloudstore_tui.ui.dialogs.note import Note
from cloudstore_tui.ui.text import show

MOST_SHOWN = 12
"""Names shown; more do not help to choose."""


class Candidates(Note):
    """A few names in one paragraph, nothing while there is no choice."""

    DEFAULT_CSS = """
    Candidates { max-height: 4; }
    """

    def offer(self, names: tuple[str, ...]) -> None:
        """Show these names."""
        shown = [show(name, 40) for name in names[:MOST_SHOWN]]
        if len(names) > MOST_SHOWN:
            shown.append(Content(f"and {len(names) - MOST_SHOWN:,} more"))
        self.say(Content("  ").join(shown))
