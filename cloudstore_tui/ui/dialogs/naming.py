"""A name for something, and values for the placeholders of a saved search."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, OptionList

from cloudstore_tui.state.searches import fill, placeholders_of
from cloudstore_tui.ui.dialogs.dialog import Dialog, DialogList
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.fields import Field, Note


class NameChoice(Struct, frozen=True):
    """Something that can have the name."""

    words: str
    """What it is, as shown."""
    name: str
    """What it could be called."""
    taken: Collection[str] = ()
    """Names of others of its kind, which it would replace."""


class Named(Struct, frozen=True):
    """The answer: which of them, and its name."""

    index: int
    name: str


class NameDialog(Dialog[Named | None]):
    """Asks for a name; the arrows choose what is to have it while the name is typed."""

    AUTO_FOCUS = "#name"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "save": "Save"}
    ENTER = "save"

    def __init__(self, title: str, things: Sequence[NameChoice], at: int = 0, *, name: str = "") -> None:
        """Ask what to name and how.

        Args:
            title: of the dialog.
            things: what can have the name, at least one.
            at: the index of the one that is meant at first.
            name: what to begin with instead of the name that the thing could have.
        """
        super().__init__(show(title), harmless=None)
        self._things = tuple(things)
        self._at = at
        self._name_given = name

    def compose_body(self) -> ComposeResult:
        thing = self._things[self._at]
        if len(self._things) > 1:
            yield DialogList(*(show(known.words) for known in self._things), widget_id="things")
        else:
            yield Note(show(thing.words).plain)
        yield Field(self._name_given or thing.name, widget_id="name")
        yield Note(widget_id="replaces")
        if len(self._things) > 1:
            yield Note("Up and Down choose what; Enter saves.")

    def on_mount(self) -> None:
        for things in self.query(OptionList):
            things.can_focus = False
            things.highlighted = self._at
        self._field.select_all()
        self._warn()

    @on(Input.Changed)
    def look_at_name(self, event: Input.Changed) -> None:
        event.stop()
        self._warn()

    @on(OptionList.OptionSelected)
    @on(OptionList.OptionHighlighted)
    def choose(self, event: OptionList.OptionMessage) -> None:
        """Another thing is meant: propose its name, unless another one was typed."""
        event.stop()
        old, self._at = self._things[self._at], event.option_index
        if self._field.value in (old.name, ""):
            self._field.value = self._things[self._at].name
            self._field.select_all()
        self._warn()

    def action_move(self, step: int) -> None:
        """Mean the next thing, or the one before; go to the buttons where there is none."""
        at = self._at + step
        if 0 <= at < len(self._things):
            self.query_one("#things", OptionList).highlighted = at
        else:
            super().action_move(step)

    def action_save(self) -> None:
        """Answer with what was typed; without a name nothing is saved."""
        name = self._field.value.strip()
        if name:
            self.answer(Named(self._at, name))

    @property
    def _field(self) -> Field:
        return self.query_one("#name", Field)

    def _warn(self) -> None:
        is_taken = self._field.value.strip() in self._things[self._at].taken
        self.query_one("#replaces", Note).set_text("This name is taken; saving replaces it." if is_taken else "")


class ParametersDialog(Dialog[str | None]):
    """Asks for each placeholder once; answers with the search, in which every value is one value, whatever is in it."""

    AUTO_FOCUS = "Field"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "search": "Search"}
    ENTER = "search"
    DEFAULT_CSS = "ParametersDialog #filled { margin-top: 1; }"

    def __init__(self, text: str, name: str = "") -> None:
        """Ask for the placeholders of `text`, which may be known under a name."""
        super().__init__(show(f"Search {name}".rstrip()), harmless=None)
        self._text = text
        self._names = tuple(dict.fromkeys(placeholder.name for placeholder in placeholders_of(text)))

    def compose_body(self) -> ComposeResult:
        for name in self._names:
            yield Note(plain(name))
            yield Field(widget_id=f"placeholder-{name}")
        yield Note(plain(self._preview), widget_id="filled")

    @on(Input.Changed)
    def _update_filled(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#filled", Note).set_text(plain(self._preview))

    def action_search(self) -> None:
        """Answer, or go to the first placeholder without a value."""
        values = self._values
        empty = next((name for name in self._names if name not in values), None)
        if empty is None:
            self.answer(fill(self._text, values))
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
