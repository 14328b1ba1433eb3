"""The frame that all dialogs share: a title, a body that scrolls, a row of buttons, and the keys between them."""

from time import monotonic
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from cloudstore_tui.ui.base_screen import BaseModal

Answer = TypeVar("Answer")

_HEIGHTS = [(0, "-flat"), (24, "-high"), (40, "-tall")]
PASTE_PAUSE = 0.3
"""Seconds after a paste in which nothing is confirmed: what follows a crafted paste arrives as keys."""


class Dialog(BaseModal[Answer], Generic[Answer]):
    """A question over the screen it is about. Escape gives the answer that changes nothing."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: transparent;
        .dialog {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $border; background: $surface; padding: 0 1; scrollbar-size-vertical: 1;
        }
        .dialog Static { width: 1fr; height: auto; }
        .dialog .dialog-title { text-style: bold; dock: top; max-height: 3; }
        .dialog-note { color: $text-muted; }
        .dialog-error { color: $text-error; text-style: bold; }
        .dialog-buttons { height: 1; dock: bottom; margin-top: 1; align-horizontal: right; }
        .dialog-buttons Button { margin-left: 1; min-width: 8; padding: 0; }
        Input { background: $panel; }
        OptionList { border: none; padding: 0; max-height: 7; scrollbar-size-vertical: 1; }
        &.-high OptionList { max-height: 12; }
        &.-tall OptionList { max-height: 20; }
    }
    """
    # In cells: a share of the screen would not count when the frame is measured, and leave a gap below the list.
    VERTICAL_BREAKPOINTS = _HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", tooltip="Close without doing anything", id="dialog.cancel"),
        Binding("right,down", "next", "Next", show=False, tooltip="Go to the next button", id="dialog.next"),
        Binding("left,up", "previous", "Previous", show=False, tooltip="Go to the button before", id="dialog.previous"),
        Binding("pagedown", "page_down", "Further", show=False, tooltip="Read on", id="dialog.page_down"),
        Binding("pageup", "page_up", "Back", show=False, tooltip="Read back", id="dialog.page_up"),
    ]

    def __init__(self, title: Content | str, harmless: Answer) -> None:
        super().__init__()
        self._heading = Content(title) if isinstance(title, str) else title
        self._harmless = harmless
        self._pasted = 0.0

    def compose(self) -> ComposeResult:
        """The frame; what is in it comes from `compose_body` and `compose_buttons`."""
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Static(self._heading, classes="dialog-title")
            yield from self.compose_body()
            with Horizontal(classes="dialog-buttons"):
                yield from self.compose_buttons()

    def compose_body(self) -> ComposeResult:
        """What the dialog says and asks."""
        yield from ()

    def compose_buttons(self) -> ComposeResult:
        """The buttons, the harmless one first."""
        yield button("Cancel", "cancel")

    def action_cancel(self) -> None:
        """Answer with what changes nothing."""
        self.dismiss(self._harmless)

    def action_next(self) -> None:
        """Focus what comes next."""
        self.focus_next()

    def action_previous(self) -> None:
        """Focus what comes before."""
        self.focus_previous()

    def action_page_down(self) -> None:
        """Scroll the body on."""
        self.query_one(".dialog").scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """Scroll the body back."""
        self.query_one(".dialog").scroll_page_up(animate=False)

    def on_paste(self, event: events.Paste) -> None:
        """Remember when something was pasted."""
        event.stop()
        self._pasted = monotonic()

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Run the action that a button is named after."""
        event.stop()
        await self.run_action(event.button.id or "cancel")

    @property
    def was_pasted(self) -> bool:
        """Whether a key may be the end of a pasted text rather than somebody's decision."""
        return monotonic() - self._pasted < PASTE_PAUSE


def button(label: str, action: str) -> Button:
    """A button of one line that runs `action` of its dialog."""
    return Button(Content(label), id=action, compact=True)
