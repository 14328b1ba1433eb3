"""A line to type in."""

from textual import events
from textual.app import App, ComposeResult

from cloudstore_tui.ui.widgets.fields import LONGEST_PASTE, Field


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
