"""The line for the name of a search."""

from pathlib import Path

from textual.app import App, ComposeResult

from cloudstore_tui.state.searches import SavedSearches
from cloudstore_tui.ui.browser.search_line import SearchNameLine


class NameApp(App[None]):
    closed = 0

    def compose(self) -> ComposeResult:
        yield SearchNameLine()

    def on_search_name_line_closed(self) -> None:
        self.closed += 1


def screen(app: NameApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def test_enter_saves_under_the_name_and_vanishes(tmp_path: Path) -> None:
    searches = SavedSearches(tmp_path / "searches.toml")
    app = NameApp()
    async with app.run_test() as pilot:
        app.query_one(SearchNameLine).open("since:yesterday", searches)
        await pilot.pause()
        assert "Saves: since:yesterday" in screen(app)
        await pilot.press(*"@mine", "enter")
        await pilot.pause()
        assert searches.named("mine").find == "since:yesterday"
        assert app.closed == 1
        assert not app.query_one(SearchNameLine).display


async def test_it_is_said_before_another_search_is_replaced(tmp_path: Path) -> None:
    searches = SavedSearches(tmp_path / "searches.toml")
    searches.save("mine", "a==1")
    app = NameApp()
    async with app.run_test() as pilot:
        app.query_one(SearchNameLine).open("b==2", searches)
        await pilot.press(*"mine")
        await pilot.pause()
        assert "Enter replaces @mine by: b==2" in screen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert searches.named("mine").find == "a==1"
        assert app.closed == 1


async def test_without_a_name_nothing_is_saved(tmp_path: Path) -> None:
    searches = SavedSearches(tmp_path / "searches.toml")
    app = NameApp()
    async with app.run_test() as pilot:
        app.query_one(SearchNameLine).open("b==2", searches)
        await pilot.press("enter")
        assert not searches.read()
        assert app.query_one(SearchNameLine).display
