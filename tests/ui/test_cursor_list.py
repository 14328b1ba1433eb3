from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from cloudstore_tui.ui.widgets.cursor_list import CursorList


class Numbers(CursorList):
    """Draws numbers and remembers what it drew."""

    drawn: list[int]

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        width = self.size.width
        return Strip([Segment(f"{self.scroll_offset.y + y - 1:<{width}}"[:width])], width)


class NumbersApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Numbers()

    def on_mount(self) -> None:
        numbers = self.query_one(Numbers)
        numbers.drawn = []
        numbers.set_row_count(100)
        numbers.focus()


@asynccontextmanager
async def running(height: int = 21) -> AsyncIterator[tuple[Numbers, Pilot[None]]]:
    app = NumbersApp()
    async with app.run_test(size=(40, height)) as pilot:
        await pilot.pause()
        yield app.query_one(Numbers), pilot


@pytest.mark.parametrize(
    ("start", "key", "row"),
    [
        (0, "j", 1),
        (0, "k", 0),
        (99, "down", 99),
        (50, "up", 49),
        (5, "pagedown", 25),
        (25, "ctrl+b", 5),
        (5, "ctrl+d", 15),
        (15, "ctrl+u", 5),
        (95, "ctrl+f", 99),
        (5, "pageup", 0),
        (5, "G", 99),
        (5, "end", 99),
        (95, "g", 0),
        (95, "home", 0),
    ],
)
async def test_each_key_moves_to_its_row(start: int, key: str, row: int) -> None:
    async with running() as (numbers, pilot):
        numbers.action_go(start)
        await pilot.press(key)
        assert numbers.cursor == row
        assert row in numbers.rows_in_view


async def test_a_jump_paints_one_frame() -> None:
    async with running() as (numbers, pilot):
        numbers.drawn.clear()
        await pilot.press("pagedown")
        await pilot.pause()
        assert sorted(numbers.drawn) == list(range(21))


async def test_a_list_that_shrinks_shows_its_end() -> None:
    async with running() as (numbers, _):
        numbers.action_go(-1)
        numbers.set_row_count(30)
        numbers.cursor = numbers.cursor
        assert numbers.scroll_offset.y == 10
        assert numbers.cursor == 29
        numbers.set_row_count(0)
        numbers.cursor = 5
        assert numbers.cursor == 0
        assert len(numbers.rows_in_view) == 0


async def test_a_smaller_and_a_larger_window_keep_the_cursor_in_view() -> None:
    async with running() as (numbers, pilot):
        for row, height in ((18, 8), (99, 30), (99, 3), (50, 2), (0, 21)):
            numbers.action_go(row)
            await pilot.resize_terminal(40, height)
            await pilot.pause()
            assert numbers.cursor in numbers.rows_in_view
            assert numbers.scroll_offset.y <= 100 - numbers.page_height
