"""Files in the way."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog
from cloudstore_tui.ui.downloads import Conflict, Side

MD5 = "279f59fda113af25b01ec0ffee000000"
THERE = Side(3_813_176, when=datetime(2024, 11, 29, 14, 12, tzinfo=UTC), md5=MD5)
NEW = Side(3_813_177, when=datetime(2024, 9, 1, 9, 16, tzinfo=UTC))


def conflicts(*names: str) -> list[Conflict]:
    return [Conflict(name, name, THERE, NEW) for name in names]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("s",), OnConflict.SKIP),
        (("o",), OnConflict.OVERWRITE),
        (("k",), OnConflict.KEEP_BOTH),
        (("enter",), OnConflict.SKIP),
        (("left", "enter"), OnConflict.OVERWRITE),
        (("right", "enter"), None),
        (("escape",), None),
    ],
)
async def test_keys_answer(opened: Any, keys: tuple[str, ...], answer: OnConflict | None) -> None:
    async with opened(ConflictDialog(conflicts("a.mp3"), "~/calls")) as it:
        await it.press(*keys)
        assert it.answers == [answer]


async def test_both_sides_are_shown_and_whether_they_are_the_same(opened: Any) -> None:
    title = "Recording of Khang Glynn, 1 Sep 2024 09:16"
    same = Conflict("a.mp3", title, THERE, Side(3_813_176, when=NEW.when, md5=MD5), is_same=True)
    async with opened(ConflictDialog([same], "~/calls"), (80, 24)) as it:
        assert "This file is already in ~/calls" in it.text
        assert title in it.text
        words = " ".join(it.text.split())
        assert "There 3,813,176 bytes 29 Nov 2024 md5 279f59fd… the same" in words
        assert "To fetch 3,813,176 bytes 1 Sep 2024 md5 279f59fd…" in words


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_of_many_five_are_shown_literally_and_it_fits(opened: Any, size: tuple[int, int]) -> None:
    names = ["[red]a[/x]\x1b[2J.mp3", *(f"file{number}.mp3" for number in range(1, 8))]
    async with opened(ConflictDialog(conflicts(*names), "~/calls", count=300), size) as it:
        assert "300 files are already in ~/calls" in it.text
        assert "[red]a[/x]" in it.text
        assert "\x1b" not in it.text
        if size[1] > 20:
            assert [f"file{number}.mp3" in it.text for number in range(1, 7)] == [True] * 4 + [False] * 2
            assert "There 3.8 MB, 29 Nov 2024 · to fetch 3.8 MB, 1 Sep 2024" in it.text
            assert "and 295 more" in it.text
        assert it.fits()


async def test_overwriting_is_never_the_end_of_a_paste(opened: Any) -> None:
    async with opened(ConflictDialog(conflicts("a.mp3"), "~/calls")) as it:
        await it.paste("o")
        it.dialog.action_overwrite()
        await it.pilot.pause()
        assert it.answers == []
