"""A choice on one line."""

from textual.app import App, ComposeResult

from cloudstore_tui.ui.widgets.fields import ChoiceLine


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
