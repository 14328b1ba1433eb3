"""The strip below the browser: what runs, how it ended, and how much room it takes."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferBatch, TransferSnapshot
from cloudstore_tui.ui.browser.panes import ActivityStrip
from cloudstore_tui.ui.screens.transfers import TransfersScreen

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
