"""The line for a filter or phrase."""

from rich.style import Style
from textual.app import App, ComposeResult

from cloudstore_tui.ui.browser.search_line import LONGEST, SearchInput


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
        line.is_offered = True
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
