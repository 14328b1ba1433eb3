"""The command palette: made of the active bindings, and nothing else."""

from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Input

from cloudstore_tui.ui.palette import CommandDialog, commands_of, open_palette
from tests.support.screen import lines_of


class Pane(Button):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "lower", "Down", show=False, tooltip="One line down", id="pane.down"),
        Binding("b", "nothing", "Untold", id="pane.untold"),
        Binding("z", "never", "Never", tooltip="Not here", id="pane.never"),
        Binding("k", "off", "Unbound", show=False, tooltip="Has no key", id="pane.off"),
        Binding("d,s", "fetch", "Download", tooltip="Fetch what is marked", id="pane.fetch"),
    ]

    done = 0

    def action_fetch(self) -> None:
        self.done += 1

    def action_off(self) -> None:
        self.done += 100

    def action_lower(self) -> None: ...

    def action_never(self) -> None: ...

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "never" else True


class Host(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "refresh_all", "Refresh", tooltip="Read again", id="host.refresh"),
        Binding("colon", "command_palette", "Commands", show=False, tooltip="Find an action", id="host.palette"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.recent: list[str] = []

    def compose(self) -> ComposeResult:
        yield Pane("pane")
        yield Input()

    def on_mount(self) -> None:
        self.set_keymap({"pane.off": "unbound-pane.off"})

    def action_refresh_all(self) -> None: ...

    def action_command_palette(self) -> None:
        open_palette(self, self.recent)


def titles(app: App[Any]) -> list[str]:
    return [command.title for command in commands_of(app, app.screen)]


async def test_what_works_here_comes_first_and_what_only_moves_last() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.pause()
        found = titles(app)
        assert found[:2] == ["Download", "Unbound"]
        assert found.index("Refresh") < found.index("Down") == len(found) - 1
        assert not {"Untold", "Never"} & set(found)
        download = commands_of(app, app.screen)[0].pick
        assert (download.text.split(), download.note) == (["Download", "d", "s"], "Fetch what is marked")


async def test_it_knows_only_what_works_where_the_focus_is() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Input).focus()
        await pilot.pause()
        assert "Download" not in titles(app)


async def test_a_chosen_command_runs_where_it_belongs_and_is_on_top_the_next_time() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        pane = app.query_one(Pane)
        pane.focus()
        await pilot.press("colon")
        assert isinstance(app.screen, CommandDialog)
        (row,) = [line for line in lines_of(app) if "Read again" in line]
        assert "Refresh" in row
        assert not any(ord(letter) > 0xFFFF for line in lines_of(app) for letter in line)
        await pilot.press(*"no key", "enter")
        await pilot.pause()
        assert pane.done == 100
        await pilot.press("colon")
        first = next(number for number, line in enumerate(lines_of(app)) if "Unbound" in line)
        assert "Download" in lines_of(app)[first + 1]
        await pilot.press(*"dnld", "enter")
        await pilot.pause()
        assert pane.done == 101


async def test_what_nobody_says_finds_nothing_and_enter_does_nothing() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.press("colon", *"qqqq", "enter")
        assert isinstance(app.screen, CommandDialog)
        await pilot.press("escape")
        assert app.query_one(Pane).done == 0
