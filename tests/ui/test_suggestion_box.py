"""The box of suggestions that lies over the table."""

from typing import Any

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from cloudstore_tui.ui.browser.search_line import ROWS, SuggestionBox
from cloudstore_tui.ui.browser.search_suggestions import Suggestion


class BoxApp(App[None]):
    def compose(self) -> ComposeResult:
        with Vertical():
            yield SuggestionBox()
            yield Static("below", id="below")


def lines(box: SuggestionBox) -> list[str]:
    strips: list[Any] = [box.render_line(y) for y in range(box.size.height)]
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


async def test_it_moves_nothing_and_shows_a_value_without_the_quotes_that_it_needs() -> None:
    app = BoxApp()
    async with app.run_test() as pilot:
        box = app.query_one(SuggestionBox)
        assert not box.display
        for offers in ([Suggestion('"Khang Glynn"', "38 loaded")], []):
            box.offer(offers, "agent")
            await pilot.pause()
            assert box.display is bool(offers)
            assert app.query_one("#below").region.y == 0
            if offers:
                assert [line.split("  ")[0] for line in lines(box)] == ["› Khang Glynn"]
                assert lines(box)[0].endswith("38 loaded")
                assert (box.border_title, box.region.width) == ("agent", len(SuggestionBox.KEYS) + 8)


async def test_the_chosen_one_is_in_view_and_the_choice_goes_round() -> None:
    app = BoxApp()
    async with app.run_test() as pilot:
        box = app.query_one(SuggestionBox)
        box.offer([Suggestion(f"word{number}") for number in range(20)])
        await pilot.pause()
        assert len(lines(box)) == ROWS
        box.move(-1)
        assert lines(box)[-1] == "› word19"
        box.move(1)
        assert lines(box)[0] == "› word0"
        for _ in range(10):
            box.move(1)
        assert "› word10" in lines(box)
        assert sum(line.startswith("›") for line in lines(box)) == 1


async def test_values_of_rows_reach_the_terminal_as_one_line_without_commands() -> None:
    app = BoxApp()
    async with app.run_test() as pilot:
        box = app.query_one(SuggestionBox)
        box.offer([Suggestion("\x1b]52;c;QQ==\x07[red]", "two\nlines")])
        await pilot.pause()
        (line,) = lines(box)
        assert line.isprintable()
        assert "[red]" in line


async def test_it_fits_small_screens_and_leaves_room_for_what_a_value_means() -> None:
    app = BoxApp()
    async with app.run_test(size=(40, 6)) as pilot:
        box = app.query_one(SuggestionBox)
        box.offer([Suggestion("x" * 100, "3 loaded"), *(Suggestion(f"{number}") for number in range(9))])
        box.place(30, 40, 3)
        await pilot.pause()
        assert box.region.right <= 40
        assert box.size.height == 3
        assert lines(box)[0].endswith("x  3 loaded")
