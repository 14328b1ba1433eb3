"""Every screen and dialog in terminals of every size: nothing that matters is cut off, and nothing breaks."""

from typing import Any

import pytest
from textual.widget import Widget
from textual.widgets import Button

SIZES = ((200, 60), (120, 40), (80, 24), (60, 15))


async def test_focus_and_buttons_are_on_the_screen_in_every_size(shown: Any, surface: str) -> None:
    async with shown(surface, size=SIZES[0]) as it:
        for size in (*SIZES, (20, 5), SIZES[2]):
            await it.pilot.resize_terminal(*size)
            await it.settle()
            screen = it.app.screen
            assert type(screen).__name__ == surface
            assert [len(line) for line in it.lines if len(line) > size[0]] == []
            if size in SIZES:
                buttons = [button for button in screen.query(Button) if is_shown(button)]
                assert [button for button in buttons if not screen.region.contains_region(button.region)] == [], size
                # A list may be longer than the screen, and scroll.
                assert not screen.focused or screen.region.intersection(screen.focused.region).area > 0, size


def is_shown(widget: Widget) -> bool:
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


@pytest.mark.parametrize(
    ("size", "panes"),
    [
        ((200, 60), {"places", "entries", "detail"}),
        ((120, 40), {"places", "entries", "detail"}),
        ((80, 24), {"entries", "detail"}),
        ((60, 15), {"entries"}),
        ((20, 5), {"entries"}),
    ],
)
async def test_panes_are_shown_as_long_as_each_has_room(shown: Any, size: tuple[int, int], panes: set[str]) -> None:
    async with shown("BrowserScreen", size=size) as it:
        there = {name for name in ("places", "entries", "detail") if it.screen.query_one(f"#{name}").region.area}
        assert there == panes
        assert it.screen.entries.table.page_height >= min(5, size[1] - 4)
