"""A line of a form."""

from textual.app import App, ComposeResult
from textual.widgets import Button

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.ui.widgets.fields import FormRow
from tests.support.screen import text_of


def refuse(text: str) -> None:
    if text == "bad":
        raise UsageError("is bad [bold]\x1b[31m", hint="Write good.")


class Form(App[None]):
    """Two lines and a button."""

    def __init__(self, *, is_secret: bool = False) -> None:
        super().__init__()
        offered = ["via.aspect-cloud.net"]
        self.first = FormRow("first", "First", "about it", refuse, suggestions=offered, is_secret=is_secret)
        self.second = FormRow("second", "Second", "about it", choices=["yes", "no"])

    def compose(self) -> ComposeResult:
        yield self.first
        yield self.second
        yield Button("end")


async def test_the_line_with_the_focus_is_marked_without_colour() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.first.control.focus()
        await pilot.pause()
        assert "> First" in text_of(app)
        assert "  Second" in text_of(app)
        await pilot.press("tab")
        assert "  First" in text_of(app)
        assert "> Second" in text_of(app)


async def test_what_is_wrong_is_said_when_the_line_is_left_and_taken_back_when_it_is_right() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.first.control.focus()
        await pilot.press("b", "a", "d")
        assert "Write good" not in text_of(app)
        await pilot.press("tab")
        assert "Is bad [bold]" in text_of(app)
        assert "\x1b" not in text_of(app)
        app.first.value = "good"
        assert app.first.is_fine()
        await pilot.pause()
        assert "Write good" not in text_of(app)


async def test_a_line_that_is_not_shown_says_nothing() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.first.control.focus()
        await pilot.press("b", "a", "d")
        app.first.display = False
        await pilot.pause()
        app.first.display = True
        await pilot.pause()
        assert "Write good" not in text_of(app)


async def test_a_suggestion_is_taken_with_right() -> None:
    app = Form()
    async with app.run_test() as pilot:
        app.first.control.focus()
        await pilot.press("v", "i")
        await pilot.pause(0.1)
        await pilot.press("right")
        assert app.first.value == "via.aspect-cloud.net"


async def test_a_secret_shows_as_dots() -> None:
    app = Form(is_secret=True)
    async with app.run_test() as pilot:
        app.first.control.focus()
        await pilot.press(*"s3cret")
        await pilot.pause()
        assert "s3cret" not in text_of(app)
        assert "••••••" in text_of(app)
