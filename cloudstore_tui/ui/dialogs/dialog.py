"""The base class of dialogs, their buttons and lists, and dialogs that only ask or show a text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import ClassVar, Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from cloudstore_tui.ui.base_screen import BaseModal
from cloudstore_tui.ui.keys import key_display
from cloudstore_tui.ui.text import show

Answer = TypeVar("Answer")

_HEIGHTS = [(0, "-tiny"), (9, "-flat"), (24, "-high"), (40, "-tall")]
_WIDTH, _TITLE_MARGIN = 76, 6
"""Cells of the frame, and those of its upper edge that a title cannot use."""
_ALWAYS = ("title", "buttons")
"""The widgets that every dialog has."""
PASTE_PAUSE = 0.3
"""Seconds after a paste in which nothing is confirmed, as a crafted paste can end in keys."""


class Dialog(BaseModal[Answer], Generic[Answer]):
    """A question over another screen. Escape answers with `harmless`, which changes nothing."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: transparent;
        .dialog {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $border; border-title-color: $foreground; border-title-style: bold;
            background: $surface; padding: 0 2; scrollbar-size-vertical: 1;
        }
        .dialog Static { width: 1fr; height: auto; }
        .dialog .dialog-title { text-style: bold; margin-bottom: 1; max-height: 3; display: none; }
        .dialog .dialog-line { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        .dialog-note { color: $text-muted; }
        .dialog-error { color: $text-error; text-style: bold; }
        .dialog-buttons { height: 1; dock: bottom; margin-top: 1; align-horizontal: right; }
        .dialog-buttons Button { margin-left: 1; min-width: 8; padding: 0; }
        &.-danger .dialog { border: round $error; border-title-color: $text-error; }
        &.-title-inside .dialog-title { display: block; }
        Input { background: $panel; }
        OptionList {
            border: none; padding: 0; max-height: 7; scrollbar-size-vertical: 1;
            text-wrap: nowrap; text-overflow: ellipsis;
            &:focus { background-tint: transparent; }
        }
        &.-tiny { Footer { display: none; } .dialog { padding: 0 1; } }
        &.-high { OptionList { max-height: 12; margin-bottom: 1; } .dialog { padding: 1 2 0 2; } }
        &.-tall { OptionList { max-height: 20; margin-bottom: 1; } .dialog { padding: 1 2 0 2; } }
    }
    """
    # In cells, as percentages are ignored when the frame is measured, which would leave a gap below the list.
    VERTICAL_BREAKPOINTS = _HEIGHTS
    DANGER: ClassVar[bool] = False
    """Whether the action cannot be undone; the frame is red then."""
    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Cancel"}
    """Labels of the buttons by action, the harmless one first."""
    NEED_BUTTON: ClassVar[frozenset[str]] = frozenset()
    """Actions whose keys work only while `buttons` has them."""
    ENTER: ClassVar[str] = ""
    """The action that Enter runs in a field or list."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", tooltip="Close without doing anything", id="dialog.cancel"),
        Binding("right", "app.focus_next", "Next", show=False, tooltip="Next button", id="dialog.next"),
        Binding("left", "app.focus_previous", "Previous", show=False, tooltip="Previous button", id="dialog.previous"),
        Binding("down", "move(1)", "Down", show=False, tooltip="Next line or button", id="dialog.down"),
        Binding("up", "move(-1)", "Up", show=False, tooltip="Previous line or button", id="dialog.up"),
        Binding("pagedown", "page_down", "Further", show=False, tooltip="Read on", id="dialog.page_down"),
        Binding("pageup", "page_up", "Back", show=False, tooltip="Read back", id="dialog.page_up"),
    ]

    def __init__(self, title: Content | str, harmless: Answer) -> None:
        super().__init__()
        self._heading = Content(title) if isinstance(title, str) else title
        self._harmless = harmless
        self._pasted = 0.0
        self.set_class(self.DANGER, "-danger")

    def compose(self) -> ComposeResult:
        """The frame; subclasses override `compose_body` and `buttons`."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(self._heading, classes="dialog-title")
            yield from self.compose_body()
            with Horizontal(classes="dialog-buttons"):
                for action, words in self.buttons.items():
                    yield KeyButton(words, action, enter=action == self.ENTER)

    def compose_body(self) -> ComposeResult:
        """The content between title and buttons."""
        yield from ()

    @property
    def buttons(self) -> Mapping[str, str]:
        """Override it if the buttons depend on the question."""
        return self.BUTTONS

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return (action not in self.NEED_BUTTON or action in self.buttons) and super().check_action(action, parameters)

    def set_title(self, title: Content | str) -> None:
        """Set the title, on the edge of the frame; inside if it is too long for that, or if there is nothing else."""
        self._heading = Content(title) if isinstance(title, str) else title
        frame = self.query_one(".dialog")
        is_inside = self._heading.cell_length > min(_WIDTH, self.app.size.width) - _TITLE_MARGIN or (
            len(frame.children) == len(_ALWAYS)
        )
        self.set_class(is_inside, "-title-inside")
        frame.border_title = Content("") if is_inside else self._heading
        self.query_one(".dialog-title", Static).update(self._heading)

    def on_resize(self) -> None:
        self.set_title(self._heading)

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The active keys, with the labels of the buttons for footer, help and palette."""
        words = {one.id: one.words for one in self.query(KeyButton)}
        return {
            key: active._replace(binding=replace(active.binding, description=words[active.binding.action], show=True))
            if active.binding.action in words
            else active
            for key, active in super().active_bindings.items()
        }

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    async def press_enter(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        """Enter in a field or list runs the action in `ENTER`."""
        event.stop()
        if self.ENTER:
            await self.run_action(self.ENTER)

    def answer(self, answer: Answer) -> None:
        """Close with an answer, unless the key may be part of a paste."""
        if not self.was_pasted:
            self.dismiss(answer)

    def action_cancel(self) -> None:
        self.dismiss(self._harmless)

    def action_move(self, step: int) -> None:
        """Focus the next or previous widget; dialogs with a field and a list move in the list."""
        self.focus_next() if step > 0 else self.focus_previous()

    def action_page_down(self) -> None:
        self.query_one(".dialog").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        self.query_one(".dialog").scroll_page_up(animate=False)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._pasted = monotonic()

    @property
    def was_pasted(self) -> bool:
        """Whether a key may be the end of a paste rather than a decision."""
        return monotonic() - self._pasted < PASTE_PAUSE


class KeyButton(Button):
    """A one-line button that shows its key while that key works."""

    def __init__(self, label: str, action: str, *, enter: bool = False) -> None:
        """Run `action` of the screen; with `enter`, Enter does the same."""
        super().__init__(Content(label), id=action, compact=True)
        self._action = action
        self.words = label
        """The label without the key."""
        self._has_enter = enter

    def on_mount(self) -> None:
        """Update the key when the focus changes: letters typed into a field are not keys of buttons."""
        self.screen.bindings_updated_signal.subscribe(self, self._show_key)

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.screen.run_action(self._action)

    def _show_key(self, screen: Screen[object]) -> None:
        bindings = (active.binding for active in screen.active_bindings.values())
        own = next((binding for binding in bindings if binding.action == self.id), None)
        if self._has_enter:
            own = Binding("enter", "")
        key = key_display(self.app, own) if own is not None else ""
        label = Content(f"{key.capitalize() if len(key) > 1 else key} {self.words}".strip())
        if label != self.label:
            self.label = label


class DialogList(OptionList):
    """A list in which j and k move the cursor like the arrows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False, tooltip="Next line", id="list.down"),
        Binding("k", "cursor_up", "Up", show=False, tooltip="Previous line", id="list.up"),
    ]

    def __init__(self, *options: Content | Option, widget_id: str) -> None:
        super().__init__(*options, id=widget_id, markup=False, compact=True)

    def show(self, lines: Sequence[Content | Option], at: int | None = 0, *, empty: str = "") -> None:
        """Show lines with the cursor at one of them; if there are none, a sentence that cannot be chosen."""
        self.set_options(lines or ([Option(empty, disabled=True)] if empty else []))
        self.highlighted = at if lines else None


class QuestionDialog(Dialog[bool]):
    """Yes or no; Escape and the initially focused button mean no."""

    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", tooltip="Do it", id="dialog.yes"),
        Binding("n", "cancel", "No", show=False, tooltip="Answer no", id="dialog.no"),
    ]

    def __init__(self, title: Content | str, yes: str, no: str = "Cancel") -> None:
        super().__init__(title, harmless=False)
        self._yes = yes
        self._no = no

    @property
    def buttons(self) -> Mapping[str, str]:
        return {"cancel": self._no, "yes": self._yes}

    def action_yes(self) -> None:
        self.answer(True)


MAX_LINES = 6
"""Lines shown; further ones are counted."""


def more_lines(count: int) -> ComposeResult:
    """A line that counts what is not shown, if anything."""
    if count > 0:
        yield Static(f"  and {count:,} more", classes="dialog-note", markup=False)


class ConsentDialog(QuestionDialog):
    """A question with its reasons, one a line, which may be remote text."""

    def __init__(self, title: str, reasons: Sequence[str], yes: str) -> None:
        super().__init__(title, yes=yes)
        self._reasons = tuple(reasons)

    def compose_body(self) -> ComposeResult:
        for reason in self._reasons[:MAX_LINES]:
            yield Static(Content("  ") + show(reason))
        yield from more_lines(len(self._reasons) - MAX_LINES)


class MessageDialog(Dialog[None]):
    """Shows a text of any length, which may be remote."""

    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Close"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "page_down", "Read on", show=False, tooltip="Read on", id="message.down"),
        Binding("k", "page_up", "Read back", show=False, tooltip="Read back", id="message.up"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__(show(title), harmless=None)
        self._text = text

    def compose_body(self) -> ComposeResult:
        yield Static(Content("\n").join(show(line) for line in self._text.split("\n")))
