"""The widgets of the search line."""

from typing import Any

from rich.style import Style
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from cloudstore_tui.ui.browser.search_line import LONGEST, ROWS, SearchInput, SuggestionBox
from cloudstore_tui.ui.browser.search_suggestions import Suggestion


class InputApp(App[None]):
    taken = 0

    def compose(self) -> ComposeResult:
        yield SearchInput()

    def on_search_input_taken(self) -> None:
        self.taken += 1


def styles(line: SearchInput) -> dict[str, Style]:
    return {segment.text: segment.style or Style() for segment in line.render_line(0)}


async def test_each_part_has_a_style_of_its_own() -> None:
    app = InputApp()
    async with app.run_test():
        line = app.query_one(SearchInput)
        line.put("agentName==Lee;queue==x")
        shown = styles(line)
        assert shown["agentName"].bold
        assert shown["agentName"].color != shown["Lee"].color != shown["=="].color


async def test_what_is_wrong_is_underlined() -> None:
    app = InputApp()
    async with app.run_test():
        line = app.query_one(SearchInput)
        line.put("agnt:x state:archived")
        line.underline(0)
        assert styles(line)["agnt"].underline
        assert not styles(line)["state"].underline
        line.underline(None)
        assert not styles(line)["agnt"].underline


async def test_right_takes_only_at_the_end_and_only_what_is_offered() -> None:
    app = InputApp()
    async with app.run_test() as pilot:
        line = app.query_one(SearchInput)
        line.focus()
        await pilot.press("a", "right")
        assert app.taken == 0
        line.has_suggestion = True
        await pilot.press("right")
        assert app.taken == 1
        await pilot.press("left", "right")
        assert app.taken == 1


async def test_the_key_that_leads_to_the_line_is_not_named_in_it() -> None:
    app = InputApp()
    async with app.run_test() as pilot:
        line = app.query_one(SearchInput)
        app.set_focus(None)
        await pilot.pause()
        assert line.placeholder.startswith("f, then")
        line.focus()
        await pilot.pause()
        assert line.placeholder == ""


async def test_holes_are_selected_one_after_the_other() -> None:
    app = InputApp()
    async with app.run_test():
        line = app.query_one(SearchInput)
        line.put("a:?one b:?two", 0)
        found = []
        for _ in range(3):
            assert line.select_placeholder()
            found.append(line.selected_text)
        assert found == ["?one", "?two", "?one"]
        line.put("a==1")
        assert not line.select_placeholder()


async def test_a_text_without_end_is_not_looked_at() -> None:
    app = InputApp()
    async with app.run_test():
        line = app.query_one(SearchInput)
        line.put("agent:x " * LONGEST, 0)
        assert not any(style.bold for style in styles(line).values())


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
