"""A line to type in, one to choose from, and the rows of a form."""

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Button

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.ui.widgets.fields import LONGEST_PASTE, ChoiceLine, Field, FormRow
from tests.support.screen import text_of


class Host(App[None]):
    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self.refused = 0
        self.pastes = 0

    def compose(self) -> ComposeResult:
        yield self.field

    def on_field_refused(self) -> None:
        self.refused += 1

    def on_paste(self) -> None:
        self.pastes += 1


async def test_it_does_not_blink() -> None:
    async with Host(Field()).run_test() as pilot:
        assert pilot.app.query_one(Field).cursor_blink is False


async def test_a_paste_is_one_clean_line_in_place_of_what_was_selected() -> None:
    app = Host(Field())
    async with app.run_test() as pilot:
        app.field.value = "old"
        app.field.focus()
        await pilot.pause()
        await app.on_event(events.Paste("a\x1b[31m\x07b\x9b\u202ec\nsecond"))
        await pilot.pause()
        assert app.field.value == "olda[31mbc"
        app.field.action_select_all()
        await app.on_event(events.Paste("new"))
        await pilot.pause()
        assert app.field.value == "new"
        assert app.pastes == 2


async def test_a_huge_paste_is_cut_and_an_empty_one_is_nothing() -> None:
    app = Host(Field())
    async with app.run_test() as pilot:
        app.field.focus()
        await pilot.pause()
        for text in ("", "\n", "\r\n"):
            await app.on_event(events.Paste(text))
        await pilot.pause()
        assert app.field.value == ""
        await app.on_event(events.Paste("x" * 5_000_000))
        await pilot.pause()
        assert len(app.field.value) == LONGEST_PASTE


async def test_a_field_may_refuse_pastes() -> None:
    app = Host(Field(takes_paste=False))
    async with app.run_test() as pilot:
        app.field.focus()
        await pilot.pause()
        await app.on_event(events.Paste("25"))
        await pilot.pause()
        assert (app.field.value, app.refused) == ("", 1)


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
        assert app.first.check()
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


class Choosing(App[None]):
    """A line and what it told."""

    def __init__(self, *words: str, value: str = "") -> None:
        super().__init__()
        self.line = ChoiceLine(words, value, id="line")
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.line

    def on_choice_line_changed(self, event: ChoiceLine.Changed) -> None:
        assert event.control is self.line
        self.told.append(event.value)


async def test_keys_choose_and_go_round() -> None:
    app = Choosing("file", "command", "env")
    async with app.run_test() as pilot:
        app.line.focus()
        await pilot.press("right", "space", "l", "h", "left")
        assert app.line.value == "command"
        assert app.told == ["command", "env", "file", "env", "command"]


async def test_the_choice_is_marked_without_colour() -> None:
    app = Choosing("file", "command", value="command")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert str(app.line.content) == "( ) file  (x) command"


async def test_a_click_chooses_the_word_under_it() -> None:
    app = Choosing("file", "command", "env")
    async with app.run_test() as pilot:
        await pilot.click("#line", offset=(12, 0))
        assert app.line.value == "command"
        await pilot.click("#line", offset=(70, 0))
        assert app.line.value == "command"


async def test_other_words_can_be_offered() -> None:
    app = Choosing("file", "env")
    async with app.run_test() as pilot:
        app.line.offer(["keyring", "file", "env"], "keyring")
        await pilot.pause()
        assert (app.line.value, app.line.words[0]) == ("keyring", "keyring")
        app.line.value = "nothing known"
        assert app.line.value == "keyring"
