"""The list below the bar."""

from typing import Any

from textual.app import App, ComposeResult

from cloudstore_tui.ui.browser.query_list import ROWS, QueryList
from cloudstore_tui.ui.browser.query_suggestions import Suggestion


class ListApp(App[None]):
    def compose(self) -> ComposeResult:
        yield QueryList()


def lines(shown: QueryList) -> list[str]:
    strips: list[Any] = [shown.render_line(y) for y in range(shown.size.height)]
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


async def test_it_takes_no_room_while_nothing_is_offered() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        shown = app.query_one(QueryList)
        assert shown.size.height == 0
        shown.offer([Suggestion("agent:", "agentName")])
        await pilot.pause()
        assert lines(shown) == ["› agent:  agentName"]
        shown.offer([])
        await pilot.pause()
        assert shown.size.height == 0


async def test_the_chosen_one_is_in_view_and_the_choice_goes_round() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        shown = app.query_one(QueryList)
        shown.offer([Suggestion(f"word{number}") for number in range(20)])
        await pilot.pause()
        assert len(lines(shown)) == ROWS
        shown.move(-1)
        assert lines(shown)[-1] == "› word19"
        shown.move(1)
        assert lines(shown)[0] == "› word0"
        for _ in range(10):
            shown.move(1)
        assert "› word10" in lines(shown)
        assert sum(line.startswith("›") for line in lines(shown)) == 1


async def test_values_of_rows_reach_the_terminal_as_one_line_without_commands() -> None:
    app = ListApp()
    async with app.run_test() as pilot:
        shown = app.query_one(QueryList)
        shown.offer([Suggestion("\x1b]52;c;QQ==\x07[red]", "two\nlines")])
        await pilot.pause()
        (line,) = lines(shown)
        assert line.isprintable()
        assert "[red]" in line


async def test_long_values_leave_room_for_what_they_mean() -> None:
    app = ListApp()
    async with app.run_test(size=(40, 10)) as pilot:
        shown = app.query_one(QueryList)
        shown.offer([Suggestion("x" * 100, "in 3 loaded rows")])
        await pilot.pause()
        assert lines(shown) == ["› " + "x" * 20 + "  in 3 loaded rows"[:18]]
