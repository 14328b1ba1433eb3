"""A field that Tab completes."""

from functools import partial

from textual.app import App, ComposeResult
from textual.widgets import Button

from cloudstore_tui.ui.dialogs.paths import CompletingField, complete_word


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.offered: list[tuple[str, ...]] = []

    def compose(self) -> ComposeResult:
        yield CompletingField(partial(complete_word, words=("exports/", "exports-old/", "imports/")))
        yield Button("next")

    def on_completing_field_completed(self, event: CompletingField.Completed) -> None:
        self.offered.append(event.candidates)


async def test_tab_completes_then_offers_then_goes_on() -> None:
    app = Host()
    async with app.run_test() as pilot:
        field = app.query_one(CompletingField)
        field.focus()
        await pilot.press("e", "tab")
        assert (field.value, app.offered[-1]) == ("exports", ("exports-old/", "exports/"))
        await pilot.press("tab")
        assert field.has_focus
        await pilot.press("/", "tab")
        assert (field.value, app.offered[-1]) == ("exports/", ())
        assert not field.has_focus


async def test_shift_tab_still_goes_back() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.query_one(CompletingField).focus()
        await pilot.press("shift+tab")
        assert app.query_one(Button).has_focus
