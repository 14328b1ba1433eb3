"""Lines to type in above the entries: the FIQL of a search, and the filter of what is loaded."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from cloudstore_tui import fiql
from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.text import show

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


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with a filter, and where."""

    position: int
    text: str
    fatal: bool
    corrected: str = ""


def object_to(text: str, zone: tzinfo = UTC) -> Objection | None:
    """The first thing that is certain, or else likely, to go wrong with a filter; an empty one is fine."""
    if not text.strip():
        return None
    try:
        problems = fiql.check(fiql.parse(text), text, zone)
    except FilterError as error:
        return Objection(error.position, f"{error.cause}. {error.cure}".strip(), fatal=True)
    problem = next((problem for problem in problems if problem.fatal), next(iter(problems), None))
    if problem is None:
        return None
    return Objection(problem.position, f"{problem.text}. {problem.cure}", problem.fatal, problem.corrected or "")


class QueryBar(Vertical):
    """The FIQL of what is shown; another one typed into it is checked before anything is sent."""

    LABEL = "FIQL"
    DEFAULT_CSS = """
    QueryBar {
        height: auto;
        .query-line { height: 1; }
        .query-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
        .query-problem { color: $text-error; height: auto; max-height: 6; display: none; }
        .query-problem.-shown { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="query.close", tooltip="Back to the entries; the text stays"),
        Binding("down", "close", "Back", id="query.leave", show=False, tooltip="Back to the entries; the text stays"),
        Binding("tab", "correct", "Correct", id="query.correct", tooltip="Take the corrected filter"),
    ]

    @dataclass
    class Asked(Message):
        """The user wants to see what this filter finds."""

        text: str

    class Closed(Message):
        """The user is done with the bar."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual's
        super().__init__(id=id)
        self._zone: tzinfo = UTC
        self._corrected = ""

    def compose(self) -> ComposeResult:
        """Label, line, and room for what is wrong."""
        with Horizontal(classes="query-line"):
            yield Static(self.LABEL, classes="query-label", markup=False)
            yield BarInput("everything; for example type==callrecording;duration=ge=60000")
        yield Static("", classes="query-problem", markup=False)

    @property
    def line(self) -> Input:
        """The line to type in."""
        return self.query_one(BarInput)

    def show(self, text: str, zone: tzinfo = UTC) -> None:
        """Show the filter of what is on the screen; `zone` is what times without zone are taken to be in."""
        self._zone = zone
        with self.line.prevent(Input.Changed):
            self.line.value = text
        self.line.cursor_position = 0
        self._complain(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab corrects only where there is something to take."""
        return bool(self._corrected) if action == "correct" else super().check_action(action, parameters)

    def action_close(self) -> None:
        """Go back."""
        self._complain(None)
        self.post_message(self.Closed())

    def action_correct(self) -> None:
        """Take the corrected filter."""
        self.line.value = self._corrected
        self.line.cursor_position = len(self._corrected)
        self._complain(None)

    @on(Input.Changed)
    def forget_problem(self, event: Input.Changed) -> None:
        """What was wrong may be mended."""
        event.stop()
        self._complain(None)

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        """Send the filter, unless it cannot work."""
        event.stop()
        objection = object_to(event.value, self._zone)
        if objection is None or not objection.fatal:
            self.post_message(self.Asked(event.value))
        if objection is not None and not objection.fatal:
            tell(self, objection.text, "warning")
        elif objection is not None:
            self.line.cursor_position = min(objection.position, len(event.value))
            # The line scrolls to the cursor with the next frame, and the caret stands below it.
            self.call_after_refresh(self._complain, objection)

    def on_descendant_blur(self) -> None:
        """What is wrong matters only to somebody who can mend it."""
        self._complain(None)

    def _complain(self, objection: Objection | None) -> None:
        problem = self.query_one(".query-problem", Static)
        problem.set_class(objection is not None, "-shown")
        corrected = objection.corrected if objection else ""
        if corrected != self._corrected:
            self._corrected = corrected
            self.refresh_bindings()
        if objection is not None:
            problem.update(self._explain(objection))

    def _explain(self, objection: Objection) -> Content:
        line = self.line
        column = cell_len(line.value[: objection.position]) - line.scroll_offset.x
        left = line.region.x - self.region.x + max(min(column, line.size.width - 1), 0)
        parts = [Content(" " * left + "^ ") + show(objection.text)]
        if len(objection.text) + left + 2 > self.size.width:
            parts = [Content(" " * left + "^"), show(objection.text)]
        if objection.corrected:
            parts.append(Content("Tab takes: ") + show(objection.corrected))
        return Content("\n").join(parts)


class FilterBar(Horizontal):
    """Hides loaded entries while it is typed; there only while it is needed."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1; display: none;
        &.-open { display: block; }
        .filter-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,down", "close", "Back", id="filter.close", tooltip="Back to the entries; the filter stays"),
    ]

    @dataclass
    class Changed(Message):
        """Entries with this text are wanted."""

        text: str

    class Closed(Message):
        """The user is done typing."""

    def compose(self) -> ComposeResult:
        """Label and line."""
        yield Static("Filter", classes="filter-label", markup=False)
        yield BarInput("what names or tags hold")

    def open(self, text: str) -> None:
        """Show the bar and type into it."""
        self.add_class("-open")
        line = self.query_one(BarInput)
        with line.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        line.focus()

    def action_close(self) -> None:
        """Go back."""
        self.remove_class("-open")
        self.post_message(self.Closed())

    @on(Input.Changed)
    def pass_on(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        """Enter is done typing."""
        event.stop()
        self.action_close()
