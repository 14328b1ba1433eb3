"""Local files in the way."""

from typing import Any

import pytest

from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui.dialogs.conflict_dialog import ConflictDialog


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("s",), OnConflict.SKIP),
        (("o",), OnConflict.OVERWRITE),
        (("b",), OnConflict.KEEP_BOTH),
        (("enter",), OnConflict.SKIP),
        (("right", "enter"), OnConflict.KEEP_BOTH),
        (("left", "enter"), None),
        (("escape",), None),
    ],
)
async def test_keys_answer(opened: Any, keys: tuple[str, ...], answer: OnConflict | None) -> None:
    async with opened(ConflictDialog(["a.mp3"])) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_five_names_are_shown_literally_and_it_fits(opened: Any, size: tuple[int, int]) -> None:
    names = ["[red]a[/x]\x1b[2J.mp3", *(f"file{number}.mp3" for number in range(1, 8))]
    async with opened(ConflictDialog(names), size) as it:
        assert "8 files are already there" in it.text
        assert "[red]a[/x]" in it.text
        assert "\x1b" not in it.text
        assert [f"file{number}.mp3" in it.text for number in range(1, 7)] == [True] * 4 + [False] * 2
        assert "and 3 more" in it.text
        assert it.fits()


async def test_overwriting_is_never_the_end_of_a_paste(opened: Any) -> None:
    async with opened(ConflictDialog(["a.mp3"])) as it:
        await it.paste("o")
        it.dialog.action_overwrite()
        await it.pilot.pause()
        assert it.answers == []
