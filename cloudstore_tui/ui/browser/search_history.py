"""What was searched for before: going back to it, and saving it under a name."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from cloudstore_tui.state.searches import SIGN, SavedSearches
from cloudstore_tui.ui.report import tell
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.fields import BarInput


class Recall:
    """A walk from the newest line to the oldest and back to what was being typed."""

    def __init__(self) -> None:
        self._lines: tuple[str, ...] = ()
        self._steps = 0
        self._draft = ""

    @property
    def is_back(self) -> bool:
        """Whether a line of the past is shown."""
        return self._steps > 0

    def older(self, lines: Sequence[str], text: str) -> str | None:
        """The line before the one that is shown, `None` at the oldest; `text` is what is typed now."""
        if not self._steps:
            self._lines, self._draft = tuple(line for line in lines if line != text), text
        if self._steps >= len(self._lines):
            return None
        self._steps += 1
        return self._lines[-self._steps]

    def newer(self) -> str | None:
        """The line after the one that is shown; after the newest what was being typed."""
        if not self._steps:
            return None
        self._steps -= 1
        return self._lines[-self._steps] if self._steps else self._draft

    def forget(self) -> None:
        """Begin at the newest again."""
        self._steps = 0


def matching(lines: Sequence[str], text: str) -> tuple[str, ...]:
    """The lines that hold all words of a text, the newest first; capitals do not matter."""
    words = text.casefold().split()
    return tuple(line for line in reversed(lines) if all(word in line.casefold() for word in words))


class SearchNameLine(Vertical):
    """Asks for a name; there only while it is needed."""

    DEFAULT_CSS = """
    SearchNameLine {
        overlay: screen; height: auto; display: none; background: $panel;
        &.-open { display: block; }
        .name-line { height: 1; }
        .name-label { width: auto; padding: 0 1; color: $text-accent; text-style: bold; }
        .name-text { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="naming.close", tooltip="Save nothing"),
    ]

    class Closed(Message):
        """It is done, or not wanted."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._searches = SavedSearches()
        self._where = ("", "")
        self._known: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """Label and line, and what is saved."""
        with Horizontal(classes="name-line"):
            yield Static(f"Save as {SIGN}", classes="name-label", markup=False)
            yield BarInput("a name of letters, digits, - and _; a value written ?name is asked for each time")
        yield Static("", classes="name-text", markup=False)

    def open(self, text: str, searches: SavedSearches, profile: str = "", region: str = "") -> None:
        """Ask for the name of a text, and save it there, for where the user is.

        Raises:
            StorageError: what is saved already cannot be read.
        """
        self._known = frozenset(searches.read())
        self._text, self._searches, self._where = text, searches, (profile, region)
        self.add_class("-open")
        line = self.query_one(BarInput)
        line.value = ""
        line.focus()
        self._say("")

    def action_close(self) -> None:
        """Vanish."""
        self.remove_class("-open")
        self.post_message(self.Closed())

    @on(Input.Changed)
    def warn(self, event: Input.Changed) -> None:
        """Say if another search would be replaced."""
        event.stop()
        self._say(event.value.strip().removeprefix(SIGN))

    @on(Input.Submitted)
    def name_it(self, event: Input.Submitted) -> None:
        """Enter is the answer."""
        event.stop()
        name = event.value.strip().removeprefix(SIGN)
        if not name:
            return
        profile, region = self._where
        self._searches.save(name, self._text, profile=profile, region=region)
        where = f" in {self._searches.path}" if self._searches.path else ", until the program ends"
        tell(self, f"Saved as {SIGN}{name}{where}.")
        self.action_close()

    def _say(self, name: str) -> None:
        words = f"Enter replaces {SIGN}{name} by: " if name in self._known else "Saves: "
        self.query_one(".name-text", Static).update(show(words + self._text))
