"""The first line of the screen."""

from datetime import UTC, datetime, timedelta

import pytest
from textual.app import App, ComposeResult

from cloudstore_tui.core.provider import Session
from cloudstore_tui.ui.widgets.title_line import TitleLine, TitleState

NOW = datetime(2024, 9, 1, 12, 0, tzinfo=UTC)


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield TitleLine(now=lambda: NOW)

    @property
    def line(self) -> str:
        strip = self.screen._compositor.render_strips()[0]
        return "".join(segment.text for segment in strip)


async def test_the_line_of_the_design() -> None:
    app = Host()
    async with app.run_test(size=(90, 5)) as pilot:
        session = Session(NOW + timedelta(minutes=24, seconds=10))
        app.query_one(TitleLine).show(TitleState("acme8", "us-east", read_only=True, session=lambda: session))
        await pilot.pause()
        assert app.line.startswith(" cloudstore   acme8 · us-east ")
        assert app.line.endswith(" UTC · token 24 min · read-only ")


@pytest.mark.parametrize(("left", "words"), [(3600, "token 60 min"), (59, "token ends"), (0, "token ended")])
async def test_what_is_left_of_the_login(left: int, words: str) -> None:
    app = Host()
    async with app.run_test(size=(90, 5)) as pilot:
        session = Session(NOW + timedelta(seconds=left), note="the service asks to wait 20 s")
        app.query_one(TitleLine).show(TitleState("acme", session=lambda: session))
        await pilot.pause()
        assert f"{words} · the service asks to wait 20 s " in app.line


async def test_a_narrow_terminal_keeps_where_the_user_is() -> None:
    app = Host()
    async with app.run_test(size=(30, 5)) as pilot:
        app.query_one(TitleLine).show(TitleState("acme8", "us-east", zone="Europe/London", read_only=True))
        await pilot.pause()
        assert app.line == " cloudstore   acme8 · us-east ".ljust(30)
