"""One line of a form: what is asked, the answer, and what is wrong with it."""

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Static

from cloudstore_tui.config.draft import complaint
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.ui.dialogs.dialog import Field, Note
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.choice_line import ChoiceLine

_HERE, _NOT_HERE = "> ", "  "
_LONGEST = 4_000


class FormRow(Vertical):
    """A label with a field or a choice; the mark before the label shows where the focus is without any colour."""

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
        self, key: str, label: str, about: str, check: Callable[[str], object] | None = None, *, value: str = ""
    ) -> None:
        """Make a row.

        Args:
            key: names it, and the widget that takes the answer.
            label: what is asked, in a word or two.
            about: what to know before answering.
            check: raises a `StorageError` for an answer that cannot be.
            value: the answer at first.
        """
        super().__init__()
        self.key = key
        self.label = label
        self.about = about
        self._check = check
        self._first = value
        self.control: Field | ChoiceLine = Field(value, widget_id=key, max_length=_LONGEST)
        self._error = Note()
        self._error.add_class("row-error")

    @classmethod
    def choosing(cls, key: str, label: str, about: str, words: Sequence[str], value: str = "") -> "FormRow":
        """A row with a choice instead of a field."""
        row = cls(key, label, about)
        row.control = ChoiceLine(words, value, id=key)
        return row

    def hide_typing(self) -> "FormRow":
        """Show dots for what is typed."""
        if isinstance(self.control, Field):
            self.control.password = True
        return self

    def suggest(self, words: Sequence[str]) -> "FormRow":
        """Offer these for completion while somebody types; Right takes them."""
        if isinstance(self.control, Field) and words:
            self.control.suggester = SuggestFromList(words)
        return self

    def compose(self) -> ComposeResult:
        """Label and answer, and below them what is wrong."""
        with Horizontal(classes="row-line"):
            yield Static(show(_NOT_HERE + self.label), classes="row-label")
            yield self.control
        yield self._error

    @property
    def value(self) -> str:
        """The answer."""
        return self.control.value

    @value.setter
    def value(self, text: str) -> None:
        self.control.value = text

    @property
    def is_answered(self) -> bool:
        """Whether somebody typed something else than what stood there at first."""
        return isinstance(self.control, Field) and self.value != self._first

    def complain(self, text: str) -> None:
        """Say what is wrong with the answer, or nothing."""
        self._error.say(show(text))

    def is_fine(self) -> bool:
        """Whether the answer can be; says so where it cannot."""
        try:
            if self._check is not None:
                self._check(self.value)
        except StorageError as error:
            self.complain(complaint(error))
            return False
        self.complain("")
        return True

    def on_descendant_focus(self) -> None:
        """Mark the row."""
        self._mark(_HERE)

    def on_descendant_blur(self) -> None:
        """Take the mark away, and look at the answer."""
        self._mark(_NOT_HERE)
        if self.display:
            self.is_fine()

    def _mark(self, mark: str) -> None:
        self.query_one(".row-label", Static).update(show(mark + self.label))
