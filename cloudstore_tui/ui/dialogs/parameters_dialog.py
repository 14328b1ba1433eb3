"""The values for the placeholders of a saved search."""

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from cloudstore_tui.state.searches import fill, placeholders_of
from cloudstore_tui.ui.dialogs.dialog import Dialog, Field, Note, button
from cloudstore_tui.ui.text import plain, show


class ParametersDialog(Dialog[str | None]):
    """Asks for each placeholder once; answers with the search, in which every value is one value, whatever is in it."""

    AUTO_FOCUS = "Field"
    DEFAULT_CSS = """
    ParametersDialog #filled { margin-top: 1; }
    """

    def __init__(self, text: str, name: str = "") -> None:
        """Ask for the placeholders of `text`, which may be known under a name."""
        super().__init__(show(f"Search {name}".rstrip()), harmless=None)
        self._text = text
        self._names = tuple(dict.fromkeys(placeholder.name for placeholder in placeholders_of(text)))

    def compose_body(self) -> ComposeResult:
        """One line for each placeholder, and what will be searched for."""
        for name in self._names:
            yield Note(plain(name))
            yield Field(widget_id=f"placeholder-{name}")
        yield Note(plain(self._preview), widget_id="filled")

    def compose_buttons(self) -> ComposeResult:
        """Cancel, then the deed."""
        yield button("Cancel", "cancel")
        yield button("Search", "search", enter=True)

    @on(Input.Changed)
    def look(self, event: Input.Changed) -> None:
        """Show what will be searched for."""
        event.stop()
        self.query_one("#filled", Note).say(plain(self._preview))

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Enter goes to what is still empty, and answers when nothing is."""
        event.stop()
        self.action_search()

    def action_search(self) -> None:
        """Answer, or go to the first placeholder without a value."""
        if self.was_pasted:
            return
        values = self._values
        empty = next((name for name in self._names if name not in values), None)
        if empty is None:
            self.dismiss(fill(self._text, values))
        else:
            self.query_one(f"#placeholder-{empty}", Field).focus()

    @property
    def _values(self) -> Mapping[str, str]:
        """What was typed, by placeholder; the empty ones left out."""
        typed = {name: self._typed(name) for name in self._names}
        return {name: value for name, value in typed.items() if value}

    def _typed(self, name: str) -> str:
        fields = self.query(f"#placeholder-{name}").results(Field)
        return next((field.value.strip() for field in fields), "")

    @property
    def _preview(self) -> str:
        return fill(self._text, self._values, partly=True)
