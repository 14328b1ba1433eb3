"""Says what there is to say of a text while it is typed."""

from datetime import UTC, datetime

from rich.cells import cell_len
from textual.widget import Widget

from cloudstore_tui.state.searches import SIGN
from cloudstore_tui.ui.browser.query_context import QueryContext
from cloudstore_tui.ui.browser.query_input import LONGEST, QueryInput
from cloudstore_tui.ui.browser.query_note import QueryNote, labelled
from cloudstore_tui.ui.browser.query_verdict import Verdict, judge


class QueryComment:
    """Judges the text of a line, underlines what is wrong in it, and writes below it what it finds."""

    def __init__(self, line: QueryInput, note: QueryNote, context: QueryContext, edge: Widget) -> None:
        """Speak of `line` in `note`, which begins at the left of `edge`."""
        self.corrected = ""
        """The whole text with what is wrong mended, where that is possible."""
        self.of: str | None = None
        """The text that was typed and judged last; `None` before anything is typed."""
        self._line = line
        self._note = note
        self._context = context
        self._edge = edge

    @property
    def is_up_to_date(self) -> bool:
        """Whether nothing was typed since it spoke."""
        return self._line.value == self.of

    def verdict(self) -> Verdict:
        """What is to be thought of the text as it is now."""
        context = self._context
        return judge(self._line.value, context.standing.zone, datetime.now(UTC), context.vocabulary.names)

    def speak(self, *, typed: bool = True) -> None:
        """Say it, to somebody who types."""
        if not self._line.has_focus:
            return
        text = self._line.value
        self.of = text if typed else self.of
        verdict = Verdict() if len(text) > LONGEST or text.startswith(SIGN) else self.verdict()
        first = verdict.first
        self.corrected = first.corrected if first else ""
        self._line.underline(first.position if first else None)
        self._note.judge(verdict, text, self._column(first.position) if first else 0)

    def rest(self) -> None:
        """Say only what holds for the rows that are shown."""
        self.corrected, self.of = "", None
        self._line.underline(None)
        local = self._context.standing.local
        self._note.say(labelled("Of the fetched rows", local) if local else None)

    def _column(self, position: int) -> int:
        line = self._line
        column = cell_len(line.value[:position]) - line.scroll_offset.x
        return line.region.x - self._edge.region.x + max(min(column, line.size.width - 1), 0)
