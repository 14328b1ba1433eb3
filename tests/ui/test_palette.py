"""The command palette: made of the active bindings, and nothing else."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.widgets import Button, Input

from cloudstore_tui.ui.palette import ActionCommands


class Pane(Button):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,s", "fetch", "Download", tooltip="Fetch what is marked", id="pane.fetch"),
        Binding("b", "nothing", "Untold", id="pane.untold"),
        Binding("z", "never", "Never", tooltip="Not here", id="pane.never"),
        Binding("k", "off", "Unbound", tooltip="Has no key", id="pane.off"),
    ]

    done = 0

    def action_fetch(self) -> None:
        self.done += 1

    def action_off(self) -> None:
        self.done += 100

    def action_never(self) -> None: ...

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "never" else True


class Host(App[None]):
    COMMANDS: ClassVar = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "refresh_all", "Refresh", tooltip="Read again", id="host.refresh"),
    ]

    def compose(self) -> ComposeResult:
        yield Pane("pane")
        yield Input()

    def on_mount(self) -> None:
        self.set_keymap({"pane.off": "unbound-pane.off"})


async def texts(app: App[None], query: str = "") -> dict[str, str]:
    provider = ActionCommands(app.screen)
    hits = provider.search(query) if query else provider.discover()
    return {str(hit.prompt): hit.help or "" async for hit in hits}


async def test_every_enabled_action_with_a_tooltip_is_there_once() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.pause()
        found = await texts(app)
        assert found["Download  d s"] == "Fetch what is marked"
        assert found["Refresh  r"] == "Read again"
        assert found["Unbound"] == "Has no key"
        assert not [text for text in found if "Untold" in text or "Never" in text]


async def test_it_knows_only_what_works_where_the_focus_is() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Input).focus()
        await pilot.pause()
        assert [text for text in await texts(app) if "Download" in text] == []


async def test_words_of_the_tooltip_are_found_too() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(Pane).focus()
        await pilot.pause()
        assert list(await texts(app, "marked")) == ["Download  d s"]
        assert await texts(app, "qqqq") == {}


async def test_a_chosen_command_runs_where_it_belongs() -> None:
    app = Host()
    async with app.run_test() as pilot:
        pane = app.query_one(Pane)
        pane.focus()
        app.action_command_palette()
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"download")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert pane.done == 1
