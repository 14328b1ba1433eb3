"""Leaving while something runs."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.questions import QuitDialog


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
    async with opened(QuitDialog(3, keeps=True)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_says_how_much_runs_and_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(QuitDialog(1, keeps=True), size) as it:
        assert "1 transfer is unfinished. It will resume next time." in it.text
        assert it.fits()
        assert it.focus == "cancel"


async def test_a_key_right_after_a_paste_does_not_confirm(opened: Any) -> None:
    async with opened(QuitDialog(1, keeps=True)) as it:
        await it.paste("yes\n")
        it.dialog.action_yes()
        await it.pilot.pause()
        assert it.answers == []
        it.wait(0.35)
        await it.press("y")
        assert it.answers == [True]


@pytest.mark.parametrize(
    ("dialog", "said"),
    [
        (QuitDialog(2, keeps=True), "2 transfers are unfinished. They will resume next time."),
        (QuitDialog(2, keeps=False), "2 transfers are unfinished. What arrived of them is lost."),
        (QuitDialog(0, keeps=True, deleting=31), "31 objects are being deleted."),
        (QuitDialog(0, keeps=True, deleting=1), "1 object is being deleted."),
    ],
)
async def test_it_says_what_becomes_of_what_runs(opened: Any, dialog: QuitDialog, said: str) -> None:
    async with opened(dialog, (120, 24)) as it:
        assert said in it.text
        assert ("transfer" in it.text) == ("transfer" in said)
