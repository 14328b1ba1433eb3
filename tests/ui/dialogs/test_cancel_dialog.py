"""The question before transfers are cancelled."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.questions import CancelDialog


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(("enter",), False), (("escape",), False), (("x", "y", "escape"), False), (("right", "enter"), True)],
)
async def test_only_the_button_cancels(browser: Any, keys: tuple[str, ...], answer: bool) -> None:
    async with browser() as it:
        answers: list[bool | None] = []
        it.app.push_screen(CancelDialog("", 41, 60_000_000), answers.append)
        await it.settle()
        assert "Cancel 41 transfers?" in it.text
        assert "What arrived is deleted: 60.0 MB. Finished files stay." in it.text
        await it.press(*keys)
        assert answers == [answer]
