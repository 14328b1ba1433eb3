"""Zip or one by one."""

from typing import Any

import pytest

from cloudstore_tui.transfers.zip.plan import Choice
from cloudstore_tui.ui.dialogs.zip_choice_dialog import ZipChoice, ZipChoiceDialog

WHY = "zip: 2 jobs, about 40 s; one by one: 824 requests at 60 a minute, about 14 min"


@pytest.mark.parametrize(
    ("zips", "keys", "answer"),
    [
        (True, ("enter",), ZipChoice.ZIP),
        (False, ("enter",), ZipChoice.DIRECT),
        (True, ("left", "enter"), ZipChoice.DIRECT),
        (True, ("o",), ZipChoice.DIRECT),
        (False, ("z",), ZipChoice.ZIP),
        (True, ("escape",), None),
    ],
)
async def test_the_faster_way_has_the_focus_and_keys_change_it(
    opened: Any, zips: bool, keys: tuple[str, ...], answer: ZipChoice | None
) -> None:
    async with opened(ZipChoiceDialog("412 objects, 1.7 GB", Choice(zips, WHY))) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_says_what_each_way_takes(opened: Any, size: tuple[int, int]) -> None:
    async with opened(ZipChoiceDialog("412 objects, 1.7 GB", Choice(True, WHY)), size) as it:
        assert "Download 412 objects, 1.7 GB" in it.text
        assert "Zip: 2 jobs, about 40 s." in it.text
        assert "One by one: 824 requests at 60 a minute" in it.text
        assert "The zip is faster." in it.text
        assert it.fits()


async def test_a_key_right_after_a_paste_does_not_count(opened: Any) -> None:
    async with opened(ZipChoiceDialog("412 objects", Choice(True, WHY))) as it:
        await it.paste("z\n")
        await it.press("z", "o")
        assert it.answers == []
