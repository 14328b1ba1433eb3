"""What the keys do, where the user is."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from cloudstore_tui.config.keymap import is_off

TYPING = "typing"
"""The area of what a line to type in understands by itself."""

_KEYS_WIDTH = 18
_FOOTNOTE = "Select text with the mouse while holding Shift (Option on a Mac). Esc closes this."


@dataclass
class HelpRow:
    """One action: its keys, and what it does."""

    text: str
    keys: list[str] = field(default_factory=list)


class HelpScreen(Screen[None]):
    """The active keys of the place it was opened from, one block for each area, nearest first."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "close", "Close", tooltip="Back to where you were", id="help.close"),
        Binding("j", "scroll(1)", "Down", show=False, tooltip="One line on", id="help.down"),
        Binding("k", "scroll(-1)", "Up", show=False, tooltip="One line back", id="help.up"),
        Binding("g", "scroll(-100000)", "Top", show=False, tooltip="To the first line", id="help.top"),
        Binding("G", "scroll(100000)", "Bottom", show=False, tooltip="To the last line", id="help.bottom"),
    ]

    def __init__(self, active: Iterable[ActiveBinding]) -> None:
        """Take the keys of a screen; `screen.active_bindings.values()`, read before this one covers it."""
        super().__init__()
        self._active = tuple(active)

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        yield Static("Keys that work here", id="title", markup=False)
        with VerticalScroll(id="help"):
            yield Static("", id="keys", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Set the text anew for the width there is."""
        lines = self._lines(max(event.size.width - 4, 30))
        self.query_one("#keys", Static).update(Content("\n").join(lines))

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Move the text."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)

    def rows(self) -> dict[str, dict[str, HelpRow]]:
        """Area to action to row, in the order in which keys are looked up."""
        areas: dict[str, dict[str, HelpRow]] = {}
        for active in self._active:
            binding = active.binding
            area = (binding.id or "").partition(".")[0] or (TYPING if isinstance(active.node, Input) else "")
            if not area or not binding.description:
                continue
            text = f"{binding.description}: {binding.tooltip}" if binding.tooltip else binding.description
            row = areas.setdefault(area, {}).setdefault(binding.action, HelpRow(text))
            if not is_off(binding.key):
                row.keys.append(self.app.get_key_display(binding))
        return areas

    def _lines(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for area, rows in self.rows().items():
            lines.append(Content.styled(area.capitalize(), "bold $text-primary"))
            for row in rows.values():
                lines.extend(_row_lines(row, width))
            lines.append(Content(""))
        lines.extend(Content(part) for part in textwrap.wrap(_FOOTNOTE, width))
        return lines


def _row_lines(row: HelpRow, width: int) -> list[Content]:
    keys = textwrap.wrap(" ".join(row.keys) or "no key", _KEYS_WIDTH - 3)
    texts = textwrap.wrap(row.text, width - _KEYS_WIDTH)
    height = max(len(keys), len(texts))
    keys += [""] * (height - len(keys))
    texts += [""] * (height - len(texts))
    return [
        Content("  ") + Content.styled(key.ljust(_KEYS_WIDTH - 2), "$text-accent") + Content(text)
        for key, text in zip(keys, texts, strict=True)
    ]
