"""What stands beside the files of a call: a dialogue in full, or a line for each turn where there is little room."""

from textual.app import App, ComposeResult

from cloudstore_tui.preview.model import Dialogue, Preview, Text, Turn
from cloudstore_tui.ui.widgets.call_list import CallAside
from cloudstore_tui.ui.widgets.preview_view import PlayerBar
from tests.support.screen import text_of

SAID = Dialogue((Turn("agent", 0.0, "Good morning, you are speaking with Khang."), Turn("caller", 636.0, "Hello.")))
FACTS = (("language", "en-US"), ("confidence", "96 %"))


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield CallAside()
        yield PlayerBar()


async def test_a_dialogue_is_wrapped_beside_who_spoke_when() -> None:
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        aside = app.query_one(CallAside)
        aside.show("Transcript", Preview("transcript", SAID, FACTS))
        await pilot.pause()
        assert text_of(app).splitlines()[:6] == [
            "TRANSCRIPT · en-US · confidence 96 %",
            "",
            "0:00  agent   Good morning, you are",
            "              speaking with Khang.",
            "10:36 caller  Hello.",
            "",
        ]
        aside.show("Notes", Preview("text", Text(("one", "two"))))
        await pilot.pause()
        assert text_of(app).splitlines()[:4] == ["NOTES", "", "one", "two"]
        aside.set_status("Enter reads it.")
        await pilot.pause()
        assert text_of(app).splitlines()[0] == "Enter reads it."


async def test_where_there_are_few_lines_each_turn_has_one() -> None:
    app = Host()
    async with app.run_test(size=(40, 4)) as pilot:
        app.query_one(CallAside).show("Transcript", Preview("transcript", SAID, FACTS))
        await pilot.pause()
        assert text_of(app).splitlines()[:2] == [" 0:00  agent   Good morning, you are s…", " 10:36 caller  Hello."]


async def test_the_place_of_what_is_played_is_on_a_line() -> None:
    app = Host()
    async with app.run_test(size=(40, 6)) as pilot:
        bar = app.query_one(PlayerBar)
        assert not bar.display
        bar.show("▶", 30.0, 60.0, 1.5)
        await pilot.pause()
        shown = text_of(app).splitlines()[-1]
        assert shown.startswith(" ▶ 0:30 / 1:00  1.5×  ")
        assert abs(shown.count("━") - shown.count("─")) <= 1
        bar.show("‖", 60.0, 60.0, 1.0)
        await pilot.pause()
        assert text_of(app).splitlines()[-1].startswith(" ‖ 1:00 / 1:00  ━")
        bar.hide()
        assert not bar.display
