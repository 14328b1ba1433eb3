"""Input fields, choices, and the notes below them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from cloudstore_tui.config.draft import complaint
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.ui.text import show


class Note(Static):
    """A text below a field, hidden while empty."""

    DEFAULT_CSS = """
    Note { color: $text-muted; width: 1fr; }
    """

    def __init__(self, text: str = "", *, widget_id: str | None = None) -> None:
        super().__init__(Content(text), id=widget_id)
        self.display = bool(text)

    def set_text(self, text: Content | str) -> None:
        """Show a text; an empty one hides the note."""
        content = Content(text) if isinstance(text, str) else text
        if content != self.content:
            self.update(content)
        self.display = bool(content.plain)


LONGEST_PASTE = 65_536
"""Characters of a pasted text that are used."""


class Field(Input):
    """An input with a steady cursor, which accepts one line when pasting."""

    @dataclass
    class Refused(Message):
        """A text was pasted where only typing counts."""

        field: "Field"

    def __init__(
        self,
        value: str = "",
        *,
        widget_id: str | None = None,
        placeholder: str = "",
        max_length: int = 0,
        takes_paste: bool = True,
    ) -> None:
        super().__init__(value, placeholder, id=widget_id, max_length=max_length, select_on_focus=False, compact=True)
        # A blinking cursor would redraw the line twice a second.
        self.cursor_blink = False
        self._takes_paste = takes_paste

    def on_paste(self, event: events.Paste) -> None:
        """Insert one line without control characters. The event bubbles, so that dialogs notice pastes."""
        event.prevent_default()
        if not self._takes_paste:
            self.post_message(self.Refused(self))
            return
        line = self.line_of(event.text[:LONGEST_PASTE].splitlines())
        clean = "".join(character for character in line if character.isprintable())
        if self.selection.is_empty:
            self.insert_text_at_cursor(clean)
        else:
            self.replace(clean, *self.selection)

    def line_of(self, lines: Sequence[str]) -> str:
        """The line to insert from pasted lines: the first."""
        return next(iter(lines), "")


class BarInput(Field):
    """The field of a bar, without a frame."""

    DEFAULT_CSS = """
    BarInput { width: 1fr; }
    """

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder)

    def on_focus(self) -> None:
        self.cursor_position = len(self.value)

    def on_paste(self, event: events.Paste) -> None:
        """Do not pass pastes on to the screen."""
        event.stop()


class LineBar(Horizontal):
    """A line with a label and a field, shown on demand."""

    DEFAULT_CSS = """
    LineBar {
        height: 1; width: 100%; display: none; background: $background;
        .bar-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
    }
    """
    LABEL: ClassVar[str]
    HINT: ClassVar[str]
    """The placeholder."""

    @dataclass
    class Changed(Message):
        """The text changed."""

        text: str

    @dataclass
    class Closed(Message):
        """The line was closed."""

        text: str | None
        """The text if Enter was pressed, else `None`."""

    def compose(self) -> ComposeResult:
        yield Static(self.LABEL, classes="bar-label", markup=False)
        yield BarInput(self.HINT)

    def open(self, text: str | None = None) -> None:
        """Show and focus the line, with its previous text or another one."""
        self.display = True
        line = self.query_one(BarInput)
        if text is not None:
            with line.prevent(Input.Changed):
                line.value = text
        line.focus()

    def action_close(self) -> None:
        self._close(None)

    @on(Input.Changed)
    def pass_on(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        event.stop()
        self._close(event.value)

    def _close(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Closed(text))


class FilterBar(LineBar):
    """Filters loaded entries while typing; lies over the list, so that nothing moves."""

    DEFAULT_CSS = "FilterBar { overlay: screen; }"
    LABEL = "Filter"
    HINT = "what any column or tag holds, in loaded rows"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,down", "close", "Back", id="filter.close", tooltip="Back to the entries; the filter stays"),
    ]


class ChoiceLine(Static, can_focus=True):
    """A choice in one line, marked `(x)` so that it is visible without colour; Left, Right and Space change it."""

    DEFAULT_CSS = """
    ChoiceLine {
        height: 1; width: 1fr;
        &:focus { text-style: bold; color: $text-accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "choose(1)", "Next choice", show=False, tooltip="Choose the next", id="choice.next"),
        Binding("left,h", "choose(-1)", "Choice before", show=False, tooltip="Choose the previous", id="choice.before"),
    ]

    value: reactive[str] = reactive("", init=False, repaint=False)

    @dataclass
    class Changed(Message):
        """The choice changed."""

        line: "ChoiceLine"
        value: str

        @property
        def control(self) -> "ChoiceLine":
            return self.line

    def __init__(self, words: Sequence[str], value: str = "", *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self.words = tuple(words)
        self.set_reactive(ChoiceLine.value, value or self.words[0])

    def validate_value(self, word: str) -> str:
        return word if word in self.words else self.value

    def watch_value(self, word: str) -> None:
        self._draw()
        self.post_message(self.Changed(self, word))

    def offer(self, words: Sequence[str], value: str) -> None:
        """Replace the words to choose from."""
        self.words = tuple(words)
        self._draw()
        self.value = value

    def on_mount(self) -> None:
        self._draw()

    def on_click(self, event: events.Click) -> None:
        if (word := event.style.meta.get("word")) is not None:
            self.value = word

    def action_choose(self, step: int) -> None:
        at = self.words.index(self.value) if self.value in self.words else 0
        self.value = self.words[(at + step) % len(self.words)]

    def _draw(self) -> None:
        parts = [
            Content.styled(f"({'x' if word == self.value else ' '}) {word}", Style.from_meta({"word": word}))
            for word in self.words
        ]
        self.update(Content("  ").join(parts))


_HERE, _NOT_HERE = "> ", "  "
_LONGEST = 4_000


class FormRow(Vertical):
    """A label with a field or a choice; a mark before the label shows the focus without colour."""

    DEFAULT_CSS = """
    FormRow {
        height: auto;
        .row-line { height: 1; }
        .row-label { width: 20; height: 1; }
        Field { width: 1fr; max-width: 56; background: $panel; }
        .row-error { color: $text-error; text-style: bold; padding-left: 20; }
    }
    """

    def __init__(
        self,
        key: str,
        label: str,
        about: str,
        check: Callable[[str], object] | None = None,
        *,
        value: str = "",
        choices: Sequence[str] = (),
        suggestions: Sequence[str] = (),
        is_secret: bool = False,
    ) -> None:
        """Set up a row.

        Args:
            key: id of the row and its widget.
            label: the question in a word or two.
            about: an explanation.
            check: raises a `StorageError` for an invalid answer.
            value: the initial answer.
            choices: words to choose from; without them, the row has a text field.
            suggestions: offered while typing; Right accepts one.
            is_secret: whether the text is hidden.
        """
        super().__init__()
        self.key = key
        self.label = label
        self.about = about
        self._check = check
        self._first = value
        self.control: Field | ChoiceLine
        if choices:
            self.control = ChoiceLine(choices, value, id=key)
        else:
            self.control = Field(value, widget_id=key, max_length=_LONGEST)
            self.control.password = is_secret
            self.control.suggester = SuggestFromList(suggestions) if suggestions else None
        self._error = Note()
        self._error.add_class("row-error")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row-line"):
            yield Static(show(_NOT_HERE + self.label), classes="row-label")
            yield self.control
        yield self._error

    @property
    def value(self) -> str:
        return self.control.value

    @value.setter
    def value(self, text: str) -> None:
        self.control.value = text

    @property
    def is_answered(self) -> bool:
        """Whether the user changed the initial text."""
        return isinstance(self.control, Field) and self.value != self._first

    def show_error(self, text: str) -> None:
        self._error.set_text(show(text))

    def check(self) -> bool:
        """Whether the answer is valid; shows an error if not."""
        try:
            if self._check is not None:
                self._check(self.value)
        except StorageError as error:
            self.show_error(complaint(error) if self.value.strip() else "Required.")
            return False
        self.show_error("")
        return True

    def on_descendant_focus(self) -> None:
        self._mark(_HERE)

    def on_descendant_blur(self) -> None:
        """Remove the mark, and check the answer."""
        self._mark(_NOT_HERE)
        if self.display:
            self.check()

    def _mark(self, mark: str) -> None:
        self.query_one(".row-label", Static).update(show(mark + self.label))
