"""The title of a pane."""

import pytest
from textual.app import App, ComposeResult

from cloudstore_tui.ui.widgets.title_rule import TitleRule


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield TitleRule("Entries", ascii_only=False)

    @property
    def line(self) -> str:
        return "".join(segment.text for segment in self.screen._compositor.render_strips()[0])


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("acme › exports", "─acme › exports─────"),
        ("acme › exports › reporting", "─…ports › reporting─"),
        ("字" * 20, "─…字字字字字字字字──"),
        ("", "─" * 20),
    ],
)
async def test_a_long_title_shows_its_end_in_exactly_the_width(title: str, shown: str) -> None:
    app = Host()
    async with app.run_test(size=(20, 3)) as pilot:
        app.query_one(TitleRule).say(title)
        await pilot.pause()
        assert app.line == shown
