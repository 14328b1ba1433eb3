"""Hostile text in every slot of every widget that the screens use: nothing reaches the terminal, nothing is obeyed."""

from typing import ClassVar

import pytest
from rich.console import Console
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Button, Footer, Header, Input, Label, OptionList, Static, TextArea, Tree
from textual.widgets.option_list import Option

from cloudstore_tui.ui.text import install_guard, plain, show
from tests.support.screen import strips_of

PAYLOADS = [
    "\x1b]52;c;QQ==\x1b\\",
    "\x1b[2J\x1b[31;5m",
    "\x9b31m\x9d0;x\x9c",
    "\x1b]8;;file:///etc/passwd\x1b\\ok",
    "gpj\u202e.exe\u2066\u200f",
    "a\rb\x08c\x00\x7f",
]
MARKUP = ["a[/b]", "[bold red]x[/]", "[@click=app.obey]x[/]", "[link=https://evil]y[/link]", "[", "$error {name} %s"]
OBEYED = "\x1b\x9b\x9d\x9c\u202e\u2066\u200f\x00\x08\x7f\r"


class SlotsApp(App[None]):
    """Every slot, once as the screens fill it and once as a mistake would."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "obey", "Obey")]

    def __init__(self, text: str, *, guarded: bool) -> None:
        super().__init__()
        self.text = text
        self.shown: Content | Text = show(text) if guarded else Text(text)
        self.obeyed = False

    def compose(self) -> ComposeResult:
        text, shown = self.text, self.shown
        yield Header()
        yield Static(shown)
        yield Label(shown)
        yield Static(plain(text), markup=False)
        yield Button(Content(text) if isinstance(shown, Text) else shown)
        yield OptionList(Option(shown))
        tree: Tree[None] = Tree(Text(text) if isinstance(shown, Text) else Text(plain(text)))
        tree.root.add_leaf(Text(text) if isinstance(shown, Text) else Text(plain(text)))
        tree.root.expand()
        yield tree
        yield Input(value=text)
        yield TextArea(text)
        yield Footer()

    def on_mount(self) -> None:
        self.title = self.text
        panel = self.query_one(Label)
        panel.styles.border = ("round", "red")
        content = Content(self.text) if isinstance(self.shown, Text) else self.shown
        panel.border_title = content
        self.notify(self.text, markup=False)

    def action_obey(self) -> None:
        self.obeyed = True

    def drawn(self) -> str:
        """What the terminal would be sent."""
        console = Console(force_terminal=True, color_system="truecolor", width=100)
        return "".join(Strip(list(strip)).render(console) for strip in strips_of(self))


@pytest.fixture(autouse=True)
def _guard() -> None:
    install_guard()


def commands(drawn: str) -> set[str]:
    """The characters that a terminal obeys, apart from the colours that Textual itself sets."""
    return {character for character in strip_colours(drawn) if character in OBEYED}


def strip_colours(drawn: str) -> str:
    rest: list[str] = []
    for part in drawn.split("\x1b["):
        codes, letter, text = part.partition("m")
        rest.append(text if letter and set(codes) <= set("0123456789;") else f"\x1b[{part}" if rest else part)
    return "".join(rest)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
@pytest.mark.parametrize("guarded", [True, False], ids=["as the screens do", "by mistake"])
async def test_no_slot_lets_a_command_through(payload: str, guarded: bool) -> None:
    app = SlotsApp(payload, guarded=guarded)
    async with app.run_test(size=(100, 60), notifications=True) as pilot:
        await pilot.pause()
        assert commands(app.drawn()) == set()


@pytest.mark.parametrize("payload", MARKUP)
async def test_no_slot_obeys_markup(payload: str) -> None:
    app = SlotsApp(payload, guarded=True)
    async with app.run_test(size=(100, 60), notifications=True) as pilot:
        await pilot.pause()
        assert app.drawn().count(payload) >= 8
        for kind in (Static, Label):
            await pilot.click(kind, offset=(1, 0))
        assert not app.obeyed


def test_the_test_would_see_a_command() -> None:
    assert commands("\x1b[1;31mred\x1b[0m") == set()
    assert commands("\x1b[1;31mred\x1b[0m\x1b[2J") == {"\x1b"}
    assert commands("\x1b]52;c;QQ==") == {"\x1b"}
