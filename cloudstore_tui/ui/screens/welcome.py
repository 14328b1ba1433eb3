"""The first start: three ways to go on."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.text import show

_LONGEST = 300


class StartChoice(StrEnum):
    """How somebody wants to begin."""

    DEMO = "demo"
    ADD = "add"
    GUIDE = "guide"


_WORDS = {
    StartChoice.DEMO: ("Try it out", "Both services on this machine, with made-up data. Needs no account."),
    StartChoice.ADD: ("Add a profile", "You have API keys for Alvaria or 8x8. Takes about two minutes."),
    StartChoice.GUIDE: ("How to get keys", "Which page, which role, which product, for each service."),
}


class WelcomeScreen(BaseScreen[StartChoice]):
    """What the program is, and where to begin when nothing is configured."""

    CSS_PATH = "welcome.tcss"
    AUTO_FOCUS = "#ways"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "take(0)", "Try", tooltip="Try it with made-up data", id="welcome.demo"),
        Binding("2", "take(1)", "Add", tooltip="Add a profile", id="welcome.add"),
        Binding("3", "take(2)", "Keys", tooltip="Read how to get keys", id="welcome.guide"),
    ]

    def __init__(self, path: Path) -> None:
        """Welcome somebody whose configuration, at a path, holds no profile."""
        super().__init__()
        self._path = path

    def compose(self) -> ComposeResult:
        """A greeting, the ways."""
        with Vertical(id="welcome"):
            yield Static("Welcome to cloudstore", id="title", markup=False)
            yield Static("Browse and download from Alvaria Cloud Media Storage and the 8x8 Cloud Storage Service.")
            yield Static("There is no profile yet. Where do you want to begin?", id="question")
            yield OptionList(*map(_line, StartChoice), id="ways", markup=False, compact=True)
            yield Static(show(f"Profiles are kept in {self._path}", _LONGEST), id="path")

    def on_mount(self) -> None:
        """Say what this is."""
        self.header.show(["cloudstore"])

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Go the way that was chosen."""
        event.stop()
        self.action_take(event.option_index)

    def action_take(self, index: int) -> None:
        """Go the way with this number."""
        self.dismiss(list(StartChoice)[index])


def _line(way: StartChoice) -> Option:
    title, words = _WORDS[way]
    number = list(StartChoice).index(way) + 1
    return Option(Content.assemble((f"{number}  {title}", "bold"), f"\n   {words}\n"), id=way)
