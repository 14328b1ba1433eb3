"""The line of what waits for the user."""

from textual.app import App, ComposeResult

from cloudstore_tui.ui.browser.waiting_line import WaitingLine


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield WaitingLine(id="waiting")


async def test_it_says_what_waits_and_which_key_leads_there_and_takes_no_room_else() -> None:
    app = Shown()
    async with app.run_test():
        line = app.query_one(WaitingLine)
        assert not line.display
        line.stopped = 2
        assert (line.display, line.text) == (True, "2 transfers stopped half-way: t goes on or drops")
        line.restored = 1
        assert line.text.endswith(" · 1 archived object is back: Q downloads")
        line.stopped = 0
        assert line.text == "1 archived object is back: Q downloads"
        line.restored = 0
        assert not line.display
