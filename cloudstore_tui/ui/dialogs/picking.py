"""Dialogs to choose one of many, an address or a name, and to fill in a saved search."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.state.searches import fill, placeholders_of
from cloudstore_tui.ui.dialogs.dialog import Dialog, DialogList
from cloudstore_tui.ui.dialogs.paths import (
    Candidates,
    CompletingDialog,
    CompletingField,
    Completion,
    complete_word,
    split_last,
)
from cloudstore_tui.ui.report import sentence
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.fields import Field, Note

_GAP = 2
_WIDEST = 34
"""Most cells to which texts are padded to align the notes."""
_LONGEST = 200


class Choice(Struct, frozen=True):
    """One line of a list."""

    text: str
    note: str = ""
    """Further information beside it."""


def matching(choices: Sequence[Choice], typed: str) -> list[int]:
    """Indices of the choices that contain all words typed."""
    words = typed.casefold().split()
    texts = [f"{choice.text} {choice.note}".casefold() for choice in choices]
    return [index for index, text in enumerate(texts) if all(word in text for word in words)]


def lines_of(choices: Sequence[Choice]) -> list[Content]:
    """The lines of a list, with aligned notes."""
    texts = [show(choice.text, _LONGEST) for choice in choices]
    width = min(max((text.cell_length for text in texts), default=0), _WIDEST)
    return [
        text.pad_right(max(width - text.cell_length, 0) + _GAP) + show(choice.note, _LONGEST) if choice.note else text
        for choice, text in zip(choices, texts, strict=True)
    ]


class ChoiceResult(Struct, frozen=True):
    """The chosen line, and what to do with it."""

    index: int
    action: str = "go"


class PickDialog(Dialog[ChoiceResult | None]):
    """A list that is filtered while typing; Enter takes the line under the cursor."""

    AUTO_FOCUS = "#filter"
    ENTER = "take"
    HINT: ClassVar[str] = "Type to filter; Enter takes the line under the cursor."

    def __init__(self, title: str, picks: Sequence[Choice], at: int = 0, *, verb: str = "Go") -> None:
        """Ask for one of `picks`, with the cursor at index `at`."""
        super().__init__(show(title), harmless=None)
        self._picks = tuple(picks)
        self._at = at
        self._verb = verb
        self.shown: list[int] = []
        """Indices of the lines that are shown."""

    def compose_body(self) -> ComposeResult:
        yield Field(widget_id="filter", max_length=_LONGEST)
        yield DialogList(widget_id="picks")
        yield Note(self.HINT)

    @property
    def buttons(self) -> Mapping[str, str]:
        return {"cancel": "Cancel", "take": self._verb}

    def on_mount(self) -> None:
        self._fill("")
        if self._at in self.shown:
            self._list.highlighted = self.shown.index(self._at)

    @on(Input.Changed)
    def filter_lines(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    def action_move(self, step: int) -> None:
        (self._list.action_cursor_down if step > 0 else self._list.action_cursor_up)()

    def action_take(self) -> None:
        self._take("go")

    @property
    def _list(self) -> DialogList:
        return self.query_one("#picks", DialogList)

    def _take(self, action: str) -> None:
        if (at := self._list.highlighted) is not None:
            self.answer(ChoiceResult(self.shown[at], action))

    def matching(self, typed: str) -> list[int]:
        """Indices of the lines to show, in this order."""
        return matching(self._picks, typed)

    def _fill(self, typed: str) -> None:
        shown = self.matching(typed)
        if shown == self.shown and shown:
            return
        self.shown = shown
        self._list.show(lines_of([self._picks[index] for index in shown]), empty="Nothing matches.")


class BookmarksDialog(PickDialog):
    """Chooses a bookmark to open, remove or rename."""

    AUTO_FOCUS = "#picks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "remove", "Remove", tooltip="Forget this bookmark", id="bookmarks.remove"),
        Binding("r", "rename", "Rename", tooltip="Give this bookmark another name", id="bookmarks.rename"),
        Binding("slash", "filter", "Filter", tooltip="Filter the bookmarks", id="bookmarks.filter"),
    ]
    HINT = "Enter goes there; x removes, r renames, / filters. m in the browser adds one."

    @property
    def buttons(self) -> Mapping[str, str]:
        return {"cancel": "Cancel", "remove": "Remove", "rename": "Rename", "take": self._verb}

    def action_filter(self) -> None:
        self.query_one("#filter", Input).focus()

    def action_remove(self) -> None:
        self._take("remove")

    def action_rename(self) -> None:
        self._take("rename")


NamesIn = Callable[[str], Awaitable[Sequence[str]]]
"""Lists the names that can follow an address ending in `:` or `/`."""


async def _nothing(_head: str) -> Sequence[str]:
    return ()


class GotoDialog(CompletingDialog[str | ChoiceResult | None]):
    """Asks for an address, or one of the known places. The caller checks the address."""

    AUTO_FOCUS = "#address"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "go": "Go"}
    ENTER = "go"
    DEFAULT_CSS = "GotoDialog #known { max-height: 12; margin-top: 1; }"

    def __init__(
        self,
        address: str = "",
        profiles: Sequence[str] = (),
        known: Sequence[Choice] = (),
        names_in: NamesIn = _nothing,
    ) -> None:
        """Ask where to go.

        Args:
            address: initial text.
            profiles: names with the colon, for completion.
            known: bookmarks and recent places.
            names_in: lists a folder; results are cached until the dialog closes.
        """
        super().__init__("Go to", harmless=None)
        self._address = address
        self._profiles = tuple(profiles)
        self._known = tuple(known)
        self._names_in = names_in
        self._listed: dict[str, tuple[str, ...]] = {}
        self._shown: list[int] = []

    def compose_body(self) -> ComposeResult:
        yield CompletingField(self._complete, self._address, widget_id="address")
        yield Candidates()
        known = DialogList(widget_id="known")
        known.display = bool(self._known)
        yield known
        more = " Down chooses a bookmark or a recent place." if self._known else ""
        yield Note(f"For example acme:exports/reporting/ or acme8:us-east/; Tab completes.{more}")

    def on_mount(self) -> None:
        self.query_one("#address", Input).select_all()
        self._fill("")

    @on(Input.Changed)
    def look_for_known(self, event: Input.Changed) -> None:
        """Filter the known places."""
        event.stop()
        self._fill("" if event.value == self._address else event.value)

    def action_move(self, step: int) -> None:
        """Move in the known places, also from the field; to the buttons if there are none."""
        known = self.query_one("#known", OptionList)
        at = known.highlighted
        if not self._shown:
            super().action_move(step)
        elif at is None:
            known.highlighted = 0 if step > 0 else None
        else:
            known.highlighted = min(at + step, len(self._shown) - 1) if at + step >= 0 else None

    def action_go(self) -> None:
        """Answer with the known place under the cursor, else with the typed address, if any."""
        at = self.query_one("#known", OptionList).highlighted
        typed = self.query_one("#address", Input).value.strip()
        self.answer(ChoiceResult(self._shown[at]) if at is not None else typed or None)

    def _fill(self, typed: str) -> None:
        self._shown = matching(self._known, typed)
        self.query_one("#known", DialogList).show(lines_of([self._known[index] for index in self._shown]), None)

    async def _complete(self, text: str) -> Completion | None:
        head, tail = split_last(text)
        if ":" not in head:
            return complete_word(text, self._profiles)
        if head not in self._listed and not await self._list(head):
            return None
        found = complete_word(tail, self._listed[head])
        if not found.candidates:
            # Stay in the field: on a button, Enter would discard the text.
            words = "No folder there begins like this." if tail else "There are no folders below this."
            self.query_one(Candidates).set_text(words)
            return None
        return Completion(head + found.text, found.candidates)

    async def _list(self, head: str) -> bool:
        """List the names below an address, unless it cannot be listed."""
        status = self.query_one(Candidates)
        status.set_text("looking…")
        try:
            self._listed[head] = tuple(await self._names_in(head))
        except StorageError as error:
            status.set_text(sentence(error))
            return False
        status.set_text("")
        return True


class NameChoice(Struct, frozen=True):
    """Something that can be named."""

    words: str
    """Its description in the list."""
    name: str
    """The suggested name."""
    taken: Collection[str] = ()
    """Existing names, which it would replace."""


class Named(Struct, frozen=True):
    """The index of the chosen thing, and its name."""

    index: int
    name: str


class NameDialog(Dialog[Named | None]):
    """Asks for a name; the arrows choose what gets it."""

    AUTO_FOCUS = "#name"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "save": "Save"}
    ENTER = "save"

    def __init__(self, title: str, things: Sequence[NameChoice], at: int = 0, *, name: str = "") -> None:
        """Ask what to name and how.

        Args:
            title: of the dialog.
            things: what can be named, at least one.
            at: index of the initial choice.
            name: initial text, instead of the suggested name.
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
        """Choose another thing, and suggest its name unless the user typed one."""
        event.stop()
        old, self._at = self._things[self._at], event.option_index
        if self._field.value in (old.name, ""):
            self._field.value = self._things[self._at].name
            self._field.select_all()
        self._warn()

    def action_move(self, step: int) -> None:
        """Choose the next or previous thing; at the ends, go to the buttons."""
        at = self._at + step
        if 0 <= at < len(self._things):
            self.query_one("#things", OptionList).highlighted = at
        else:
            super().action_move(step)

    def action_save(self) -> None:
        """Answer with the name, if there is one."""
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
    """Asks for the value of each placeholder; answers with the search, in which every value is quoted as one value."""

    AUTO_FOCUS = "Field"
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel", "search": "Search"}
    ENTER = "search"
    DEFAULT_CSS = "ParametersDialog #filled { margin-top: 1; }"

    def __init__(self, text: str, name: str = "") -> None:
        """Ask for the placeholders of `text`, a search that may have a name."""
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
        """Answer, or focus the first empty placeholder."""
        values = self._values
        empty = next((name for name in self._names if name not in values), None)
        if empty is None:
            self.answer(fill(self._text, values))
        else:
            self.query_one(f"#placeholder-{empty}", Field).focus()

    @property
    def _values(self) -> Mapping[str, str]:
        """Values by placeholder, without empty ones."""
        typed = {name: self._typed(name) for name in self._names}
        return {name: value for name, value in typed.items() if value}

    def _typed(self, name: str) -> str:
        fields = self.query(f"#placeholder-{name}").results(Field)
        return next((field.value.strip() for field in fields), "")

    @property
    def _preview(self) -> str:
        return fill(self._text, self._values, partly=True)
