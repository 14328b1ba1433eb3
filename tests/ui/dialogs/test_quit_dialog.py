"""Leaving while something runs."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.quit_dialog import QuitDialog


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("y",), True),
        (("n",), False),
        (("escape",), False),
        (("enter",), False),
        (("right", "enter"), True),
        (("down", "up", "enter"), False),
    ],
)
async def test_keys_answer(opened: Any, keys: tuple[str, ...], answer: bool) -> None:
    async with opened(QuitDialog(3)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_says_how_much_runs_and_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(QuitDialog(1), size) as it:
        assert "Quit while 1 transfer is running?" in it.text
        assert it.fits()
        assert it.focus == "no"


async def test_a_key_right_after_a_paste_does_not_confirm(opened: Any) -> None:
    async with opened(QuitDialog(1)) as it:
        await it.paste("yes\n")
        it.dialog.action_yes()
        await it.pilot.pause()
        assert it.answers == []
        await it.pilot.pause(0.35)
        await it.press("y")
        assert it.answers == [True]
