"""The line in which a search in a preview is typed."""

from textual import on
from textual.app import App, ComposeResult

from cloudstore_tui.ui.widgets.preview_view import PreviewBar


class Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield PreviewBar()

    @on(PreviewBar.Closed)
    def take(self, event: PreviewBar.Closed) -> None:
        self.asked.append(event.text)


async def test_it_is_hidden_until_it_is_needed_and_after() -> None:
    app = Shown()
    async with app.run_test() as pilot:
        bar = app.query_one(PreviewBar)
        assert not bar.display
        bar.open()
        await pilot.pause()
        assert bar.display
        await pilot.press("a", "q", "enter")
        assert (app.asked, bar.display) == (["aq"], False)
        bar.open()
        await pilot.press("escape")
        assert (app.asked, bar.display) == (["aq", None], False)
