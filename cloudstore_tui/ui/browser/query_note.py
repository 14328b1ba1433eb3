"""What is said of a text while it is typed: the error below its place, or what it finds, in words."""

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from cloudstore_tui.ui.browser.query_verdict import Objection, Verdict
from cloudstore_tui.ui.text import show

_ERROR = "$text-error"
_WARNING = "$text-warning"
_LABEL = "$text-accent"


class QueryNote(Static):
    """Lines below the bar; none while there is nothing to say."""

    DEFAULT_CSS = """
    QueryNote {
        height: auto; max-height: 8; color: $text-muted; padding: 0 0 0 1; display: none;
        &.-shown { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def say(self, text: Content | None) -> None:
        """Show this, or vanish."""
        self.set_class(text is not None, "-shown")
        if text is not None:
            self.update(text)

    def judge(self, verdict: Verdict, text: str, column: int) -> None:
        """Show what there is to say of a text whose first objection stands below a column."""
        parts = []
        if verdict.first:
            parts += self._below(verdict.first, column)
        if verdict.reading:
            parts.append(labelled("Finds", verdict.reading))
        meaning = verdict.meaning
        if meaning is not None:
            if meaning.filter not in ("", text.strip()):
                parts.append(labelled("Sends", meaning.filter))
            parts += [labelled("Note", note) for note in meaning.notes]
        self.say(Content("\n").join(parts) if parts else None)

    def _below(self, objection: Objection, column: int) -> list[Content]:
        """A caret, with the sentence beside it if there is room, else in the next line."""
        style = _ERROR if objection.fatal else _WARNING
        caret = Content(" " * (column - 1)) + Content.styled("^", style)
        sentence = show(objection.text).stylize_before(style)
        has_room = column + 1 + cell_len(objection.text) <= self._room
        parts = [caret + Content(" ") + sentence] if has_room else [caret, sentence]
        if objection.corrected:
            parts.append(labelled("Tab takes", objection.corrected))
        return parts

    @property
    def _room(self) -> int:
        """Cells of a line, also while this is hidden."""
        return (self.parent.size.width if isinstance(self.parent, Widget) else 0) - 1


def labelled(label: str, text: str) -> Content:
    """`Finds: recordings of contact centre`."""
    return Content.styled(f"{label}: ", _LABEL) + show(text)
