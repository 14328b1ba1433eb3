"""The question before a large download."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.ui.dialogs.fetching import FetchDialog
from cloudstore_tui.ui.downloads import FetchAnswer, FetchOffer

OFFER = FetchOffer(
    "20,247 call recordings", "17.0 GB", Path("/calls"), 9000, 80_800_000_000, zips=41, in_zip=500, zip_seconds=2280,
    prefers_zip=True, coming=500,
)  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), FetchAnswer.ZIP),
        (("o",), FetchAnswer.DIRECT),
        (("D",), FetchAnswer.ELSEWHERE),
        (("escape",), None),
        (("q",), None),
    ],
)
async def test_keys_answer(opened: Any, keys: tuple[str, ...], answer: FetchAnswer | None) -> None:
    async with opened(FetchDialog(OFFER)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_it_says_how_much_how_long_where_to_and_what_is_left_out(opened: Any, size: tuple[int, int]) -> None:
    async with opened(FetchDialog(OFFER), size) as it:
        assert "Fetch 20,247 call recordings as zips?" in it.text
        assert "17.0 GB in 41 zip jobs of 500, about 38 min." in it.text
        assert "Into      /calls   D changes it" in it.text
        assert "Disk      80.8 GB free" in it.text
        assert "Already being fetched: 500 of them. They are left out." in it.text
        assert "Start 41 zips" in it.text
        assert it.fits()


async def test_a_disk_that_is_too_full_is_told_before(opened: Any) -> None:
    async with opened(FetchDialog(replace(OFFER, free=31_500_000, needed=17_000_000_000))) as it:
        assert "Disk      31.5 MB free, which is not enough" in it.text


async def test_without_zips_there_is_one_way(opened: Any) -> None:
    async with opened(FetchDialog(replace(OFFER, zips=0, prefers_zip=False, seconds=40.0))) as it:
        assert "17.0 GB, about 40 s." in it.text
        assert "zip" not in it.text
        await it.press("o", "z")
        assert it.answers == []
        await it.press("enter")
        assert it.answers == [FetchAnswer.DIRECT]


async def test_nothing_starts_at_the_end_of_a_paste(opened: Any) -> None:
    async with opened(FetchDialog(OFFER)) as it:
        await it.paste("z")
        it.dialog.action_start()
        await it.pilot.pause()
        assert it.answers == []
