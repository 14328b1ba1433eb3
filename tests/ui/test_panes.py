"""The panes of the browser, and the strip below them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferBatch, TransferSnapshot
from cloudstore_tui.ui.browser.panes import ActivityStrip
from cloudstore_tui.ui.screens.transfers import TransfersScreen


async def test_the_pane_with_the_focus_is_known_however_it_got_it(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        panes = it.screen.panes
        assert panes.at == "entries"
        await it.pilot.click(it.screen.places)
        await it.settle()
        assert panes.at == "places"
        await it.press("2", "slash")
        assert panes.at == "entries"


async def test_a_pane_that_is_not_there_is_passed_over(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("i", "i", "tab")
        assert it.focus == "places"
        it.screen.panes.go("detail")
        await it.settle()
        assert it.focus == "places"


async def test_hiding_the_pane_with_the_focus_goes_to_the_entries(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("tab", "i")
        assert it.focus == "table"


async def test_left_goes_one_pane_to_the_left(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("tab", "left")
        assert it.focus == "table"
        await it.press("h")
        assert it.focus == "places"


async def test_panes_stand_side_by_side_between_two_rules(browser: Any) -> None:
    async with browser(size=(120, 40), start="acme:exports/") as it:
        above = next(line for line in it.lines if "┬" in line)
        below = next(line for line in it.lines if "┴" in line)
        assert [at for at, sign in enumerate(above) if sign == "┬"] == [27, 85]
        assert above.replace("┬", "┴") == below
        between = it.lines[it.lines.index(above) + 1 : it.lines.index(below)]
        assert {(line[27], line[85]) for line in between} == {("│", "│")}
        await it.press("i", "i")
        assert [at for at, sign in enumerate(next(line for line in it.lines if "┬" in line)) if sign == "┬"] == [27]


async def test_a_narrow_terminal_is_the_table_and_two_lines_and_places_come_as_a_drawer(browser: Any) -> None:
    async with browser(size=(80, 24), start="acme8:us-east/") as it:
        assert it.screen.entries.table.page_height >= 16
        assert it.screen.detail.region.height == 2
        assert not it.screen.places.display
        await it.press("d")
        await it.until(lambda: it.screen.strip.display)
        assert it.screen.entries.table.page_height >= 14
        width = it.screen.entries.table.region.width
        await it.press("1")
        assert it.focus == "places"
        assert it.screen.places.region.width == 40
        # The table stays as it is under the drawer.
        assert it.screen.entries.table.region.width == width
        await it.press("escape")
        assert not it.screen.places.display
        await it.press("1", "j", "enter")
        assert it.focus == "table"
        assert not it.screen.places.display
        await it.press("tab")
        assert it.focus == "detail"
        assert it.screen.detail.region.height > 6


async def test_a_terminal_made_small_shows_the_pane_with_the_focus(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("1")
        await it.pilot.resize_terminal(29, 8)
        await it.settle()
        assert it.focus == "places"
        assert "acme" in it.text
        assert "readme.txt" not in it.text
        await it.press("escape", "tab")
        assert it.focus == "detail"
        assert it.screen.detail.region.area > 0
        assert it.screen.entries.table.region.area == 0


async def test_a_narrow_terminal_says_how_the_places_come_and_both_say_what_can_be_heard(browser: Any) -> None:
    async with browser(start="acme8:us-east/", size=(80, 24)) as it:
        await it.until(lambda: "1 Places" in it.lines[-1] and "e Play" in it.lines[-1])
        await it.pilot.resize_terminal(120, 40)
        await it.until(lambda: "e Play" in it.lines[-1] and "1 Places" not in it.lines[-1])


START = "acme:exports/reporting/"


def behind(*states: State) -> dict[str, list[TransferSnapshot]]:
    """One batch of 41 files for each state, of which 3 are done."""
    transfers = []
    for number, state in enumerate(states):
        batch = TransferBatch(str(number), "41 recordings", "/calls", 41, 12_400_000)
        request = DownloadRequest(Location("acme", "", f"{number}.mp3"), Path("/calls"), batch=batch)
        rest = replace(request, location=Location("acme", "", "rest"))
        snapshot = TransferSnapshot(2 * number + 1, request, state, done=5_100_000, size=12_400_000, speed=1_900_000.0)
        transfers += [snapshot, *(TransferSnapshot(100 + n, rest, State.QUEUED, size=0) for n in range(37))]
    return {"transfers": transfers}


@pytest.mark.parametrize(
    ("size", "line"),
    [
        ((120, 40), " ↓ 3 of 41 files  ████████▎░░░░░░░░░░░  41 %   5.1 of 12.4 MB   1.9 MB/s   0:04 left → /calls"),
        ((80, 24), " ↓ 3 of 41 ████▏░░░░░ 41 %  1.9 MB/s  0:04 left → /calls"),
    ],
)
async def test_one_line_says_what_runs_how_fast_and_where_to(browser: Any, size: tuple[int, int], line: str) -> None:
    async with browser(start=START, size=size, behind=behind(State.RUNNING)) as it:
        it.engine.push(1)
        await it.until(lambda: it.lines[-2].startswith(line))
        assert it.lines[-2].rstrip().endswith("  t transfers" if size[0] > 100 else "  t")
        assert it.screen.strip.size.height == 1
        await it.pilot.click(ActivityStrip)
        await it.until(lambda: isinstance(it.app.screen, TransfersScreen))


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_where_all_that_was_begun_waits_it_says_why(browser: Any, size: tuple[int, int]) -> None:
    first, *others = behind(State.WAITING)["transfers"]
    first = replace(first, speed=0.0, note="the disk is too full: 230.4 MB needed, 0.9 MB free")
    async with browser(start=START, size=size, behind={"transfers": [first, *others]}) as it:
        it.engine.push(1)
        await it.until(lambda: "41 %" in it.lines[-2])
        assert "  the disk is too full: 230" in it.lines[-2]


@pytest.mark.parametrize(("size", "lines"), [((120, 40), 2), ((80, 24), 1)])
async def test_a_result_has_a_line_of_its_own_where_there_is_room(
    browser: Any, size: tuple[int, int], lines: int
) -> None:
    async with browser(start=START, size=size) as it:
        await it.press("d", "j", "d")
        await it.until(lambda: len(it.engine.transfers) == 2)
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.results)
        await it.until(lambda: it.screen.strip.size.height == lines)
        await it.until(lambda: "↓ 0 of 1" in it.lines[-2])
        it.engine.become(2, State.DONE)
        await it.until(lambda: "✓ report-001.tar" in it.text)
        await it.until(lambda: it.screen.strip.size.height == 1)
        await it.press("t", "escape")
        assert not it.screen.strip.display
