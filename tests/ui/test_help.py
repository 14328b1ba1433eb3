"""Help: what the keys do, where the user is."""

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input

from cloudstore_tui.ui.screens.help import MOST_USED, MOVING, TYPING, HelpScreen
from tests.support.screen import text_of


class Pane(Button):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,s", "fetch", "Download", tooltip="Fetch what is marked", id="pane.fetch"),
        Binding("b", "off", "Unbound", show=False, tooltip="Has no key", id="pane.off"),
        Binding("j", "lower", "Down", show=False, tooltip="One line down", id="pane.down"),
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


@pytest.mark.parametrize(("size", "columns"), [((120, 40), 3), ((80, 24), 2), ((60, 15), 1)])
async def test_what_is_in_the_footer_comes_first_in_columns(size: tuple[int, int], columns: int) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        lines = text_of(app).splitlines()
        assert lines[2].startswith(" Most used")
        assert lines[3].startswith(" d s         Fetch what is marked")
        assert all(len(line) <= size[0] for line in lines)
        # Each key once, and nothing said twice.
        await pilot.press("G")
        whole = "\n".join(dict.fromkeys(lines + text_of(app).splitlines()))
        assert whole.count("Fetch what is marked") == 1
        assert "Download" not in whole
        assert "unbound-" not in whole
        assert " no key" in whole
        heads = max(sum(title in line for title in ("Most used", "Pane", "Moving")) for line in lines)
        assert heads <= columns


async def test_of_many_keys_the_names_are_shown_where_sentences_have_no_room() -> None:
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        assert "f12         words words" in text_of(app)
        await pilot.resize_terminal(80, 15)
        await pilot.pause()
        assert "Act 1 " in text_of(app)
        assert "words words" not in text_of(app)


async def test_what_only_moves_comes_last() -> None:
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        areas = list(app.screen.areas())
        assert (areas[0], areas[-1]) == (MOST_USED, MOVING)
        assert [row.name for row in app.screen.areas()[MOVING]] == ["Down"]


async def test_it_can_be_scrolled_line_by_line() -> None:
    app = Host()
    async with app.run_test(size=(60, 15)) as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        second = text_of(app).splitlines()[3][:30]
        await pilot.press("j")
        assert text_of(app).splitlines()[2][:30] == second
        await pilot.press("k", "down")
        assert text_of(app).splitlines()[2][:30] == second


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
        assert TYPING in screen.areas()
        assert "pane" not in screen.areas()


async def test_a_word_finds_a_key_and_escape_shows_all_again() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark")
        all_keys = text_of(app)
        await pilot.press("slash", *"fetch")
        assert "d s         Fetch what is marked" in text_of(app)
        assert "words" not in text_of(app)
        assert "Leave" not in text_of(app)
        await pilot.press("enter", "escape")
        assert text_of(app) == all_keys
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_letters_that_are_typed_close_nothing_and_a_word_that_nobody_says_is_shown() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.press("question_mark", "slash", *"q?qq")
        assert isinstance(app.screen, HelpScreen)
        assert "No key matches." in text_of(app)
