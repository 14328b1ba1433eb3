"""Help: what the keys do, where the user is."""

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input

from cloudstore_tui.ui.screens.help import TYPING, HelpScreen


class Pane(Button):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,s", "fetch", "Download", tooltip="Fetch what is marked", id="pane.fetch"),
        Binding("b", "off", "Unbound", tooltip="Has no key", id="pane.off"),
        *(
            Binding(f"f{number}", f"act({number})", f"Act {number}", tooltip="words " * 12, id=f"pane.act{number}")
            for number in range(1, 13)
        ),
    ]


class Host(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", tooltip="Show the keys", id="host.help"),
        Binding("q,f10", "leave", "Quit", tooltip="Leave", id="host.quit"),
    ]
    left = False

    def compose(self) -> ComposeResult:
        yield Pane("pane")
        yield Input()

    def on_mount(self) -> None:
        self.set_keymap({"pane.off": "unbound-pane.off"})

    def action_help(self) -> None:
        self.push_screen(HelpScreen(self.screen.active_bindings.values()))

    def action_leave(self) -> None:
        self.left = True

    @property
    def text(self) -> str:
        strips = self.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_lists_the_keys_of_the_focused_pane_first(size: tuple[int, int]) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        lines = app.text.splitlines()
        assert lines[1].strip() == "Pane"
        assert lines[2].split() == ["d", "s", "Download:", "Fetch", "what", "is", "marked"]
        assert all(len(line) <= size[0] for line in lines)
        await pilot.press("G")
        assert "Quit: Leave" in app.text
        assert "no key          Unbound: Has no key" in app.text
        assert "unbound-" not in app.text
        assert "Option on a Mac" in " ".join(app.text.split())
        await pilot.press("g")
        assert app.text.splitlines() == lines


async def test_it_can_be_scrolled_line_by_line() -> None:
    app = Host()
    async with app.run_test(size=(60, 15)) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        second = app.text.splitlines()[2][:50]
        await pilot.press("j")
        assert app.text.splitlines()[1][:50] == second
        await pilot.press("k", "down")
        assert app.text.splitlines()[1][:50] == second


@pytest.mark.parametrize("key", ["escape", "q", "question_mark", "f1"])
async def test_it_closes_and_nothing_else_happens(key: str) -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        await pilot.press(key)
        assert not isinstance(app.screen, HelpScreen)
        assert not app.left


async def test_a_line_to_type_in_has_its_own_area() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Input).focus()
        await pilot.pause()
        app.action_help()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HelpScreen)
        assert list(screen.rows()) == [TYPING, "host"]


async def test_it_is_set_anew_for_another_width() -> None:
    app = Host()
    async with app.run_test(size=(120, 24)) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        wide = app.text
        await pilot.resize_terminal(60, 15)
        await pilot.pause()
        assert "Download" in app.text
        assert len(app.text.splitlines()) < len(wide.splitlines())


async def test_a_word_finds_a_key_and_escape_shows_all_again() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        all_keys = app.text
        await pilot.press("slash", *"fetch")
        assert "Download: Fetch what is marked" in app.text
        assert "Act 1" not in app.text
        assert "Quit" not in app.text
        await pilot.press("enter", "escape")
        assert app.text == all_keys
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_letters_that_are_typed_close_nothing_and_a_word_that_nobody_says_is_told() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark", "slash", *"q?qq")
        assert isinstance(app.screen, HelpScreen)
        assert "No key matches." in app.text
