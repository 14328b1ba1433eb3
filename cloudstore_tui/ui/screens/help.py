"""What the keys do, where the user is; a word finds one."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from cloudstore_tui.config.keymap import is_off
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.terminal.reach import key_display
from cloudstore_tui.ui.widgets.filter_bar import FilterBar

TYPING = "typing"
"""The area of what a line to type in understands by itself."""

_KEYS_WIDTH = 18
_FOOTNOTE = "Select text with the mouse while holding Shift (Option on a Mac). Esc closes this."


@dataclass
class HelpRow:
    """One action: its keys, and what it does."""

    text: str
    keys: list[str] = field(default_factory=list)

    def holds(self, area: str, words: Iterable[str]) -> bool:
        """Whether all of the words are in what is said of it."""
        known = f"{area} {self.text} {' '.join(self.keys)}".casefold()
        return all(word in known for word in words)


class HelpScreen(BaseScreen[None]):
    """The active keys of the place it was opened from, one block for each area, nearest first."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "#help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1,q", "close", "Close", tooltip="Back to where you were", id="help.close"),
        Binding("escape", "back_out", "Back", show=False, tooltip="Show all keys again, or close", id="help.back_out"),
        Binding("slash", "filter", "Find", tooltip="Show only keys whose text holds a word", id="help.filter"),
        Binding("pagedown,ctrl+f,space", "page(1)", "Page down", show=False, tooltip="Page on", id="help.page_down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, tooltip="Page back", id="help.page_up"),
        Binding("j", "scroll(1)", "Down", show=False, tooltip="One line on", id="help.down"),
        Binding("k", "scroll(-1)", "Up", show=False, tooltip="One line back", id="help.up"),
        Binding("g,home", "scroll(-100000)", "Top", show=False, tooltip="To the first line", id="help.top"),
        Binding("G,end", "scroll(100000)", "Bottom", show=False, tooltip="To the last line", id="help.bottom"),
    ]

    def __init__(self, active: Iterable[ActiveBinding]) -> None:
        """Take the keys of a screen; `screen.active_bindings.values()`, read before this one covers it."""
        super().__init__()
        self._active = tuple(active)
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(id="help"):
            yield Static("", id="keys", markup=False)
        yield FilterBar(id="filter")

    def on_mount(self) -> None:
        """Say what this is."""
        self.header.show(["Help"], "the keys that work here")

    def on_resize(self, event: events.Resize) -> None:
        """Set the text anew for the width there is."""
        self._set(event.size.width)

    @on(FilterBar.Changed)
    def filter_rows(self, event: FilterBar.Changed) -> None:
        """Show only what holds the words that are typed."""
        event.stop()
        self._wanted = event.text
        self._set(self.size.width)

    @on(FilterBar.Closed)
    def leave_filter(self, event: FilterBar.Closed) -> None:
        """Back to the text."""
        event.stop()
        self.query_one("#help").focus()

    def action_filter(self) -> None:
        """Let the user type a word."""
        self.query_one(FilterBar).open(self._wanted)

    def action_back_out(self) -> None:
        """Show everything again; then close."""
        if self._wanted:
            self._wanted = ""
            self._set(self.size.width)
        else:
            self.action_close()

    def action_close(self) -> None:
        """Back to the screen below."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Move the text."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Move the text by what is in view."""
        text = self.query_one("#help")
        text.scroll_relative(y=pages * max(text.size.height - 1, 1), animate=False)

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
                row.keys.append(key_display(self.app, binding))
        return areas

    def _set(self, width: int) -> None:
        lines = self._lines(max(width - 4, 30))
        self.query_one("#keys", Static).update(Content("\n").join(lines))

    def _lines(self, width: int) -> list[Content]:
        lines: list[Content] = []
        words = self._wanted.casefold().split()
        for area, rows in self.rows().items():
            shown = [row for row in rows.values() if row.holds(area, words)]
            if not shown:
                continue
            lines.append(Content.styled(area.capitalize(), "bold $text-primary"))
            for row in shown:
                lines.extend(_row_lines(row, width))
            lines.append(Content(""))
        if not lines:
            lines.append(Content("No key matches."))
        lines.extend(Content(part) for part in textwrap.wrap(_FOOTNOTE, width) if not words)
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
