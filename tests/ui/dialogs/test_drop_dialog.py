"""Forgetting transfers of an earlier run is asked about."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot
from cloudstore_tui.ui.dialogs.drop_dialog import DropDialog


def left(count: int, name: str = "") -> list[TransferSnapshot]:
    where = Location("acme", "", "exports/x.tar")
    return [
        TransferSnapshot(
            number, DownloadRequest(where, Path(), name or f"file-{number}.tar"), State.PAUSED, done=41, size=100
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(("y",), True), (("n",), False), (("enter",), False), (("escape",), False), (("right", "enter"), True)],
)
async def test_keys_answer(opened: Any, keys: tuple[str, ...], answer: bool) -> None:
    async with opened(DropDialog(left(3))) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_names_the_first_few_counts_the_rest_and_says_what_is_lost(opened: Any, size: Any) -> None:
    async with opened(DropDialog(left(1_200)), size) as it:
        assert "Drop 1,200 unfinished transfers?" in it.text
        assert "get file-0.tar" in it.text
        assert "paused at 41 %" in it.text
        assert "file-5.tar" not in it.text
        assert it.fits()
        if size[1] > 20:
            assert "and 1,195 more" in it.text
            assert "What arrived of them is deleted: 49.2 kB." in it.text


async def test_hostile_names_are_literal(opened: Any) -> None:
    async with opened(DropDialog(left(1, "[red]a[/x]\x1b]0;x\x07\n\u202eb"))) as it:
        assert "Drop 1 unfinished transfer?" in it.text
        assert "[red]a[/x]" in it.text
        assert not set("\x1b\x07\u202e") & set(it.text)


async def test_a_key_right_after_a_paste_does_not_count(opened: Any) -> None:
    async with opened(DropDialog(left(1))) as it:
        await it.paste("y\n")
        await it.press("y")
        assert it.answers == []
