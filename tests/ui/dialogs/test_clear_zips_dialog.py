"""Emptying the queue of zip jobs."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.questions import ClearZipsDialog


async def test_only_the_typed_number_clears(opened: Any) -> None:
    async with opened(ClearZipsDialog("us-east", 12)) as it:
        await it.press("enter")
        await it.press("1", "enter")
        assert it.answers == []
        assert "Wrong number." in it.text
        await it.press("2", "enter")
        assert it.answers == [True]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_warns_that_others_lose_their_jobs(opened: Any, size: tuple[int, int]) -> None:
    async with opened(ClearZipsDialog("us-east", 12), size) as it:
        assert "Empty the queue of zip jobs in us-east?" in it.text
        assert "also jobs of everybody else" in " ".join(it.text.replace("│", " ").split())
        assert it.fits()


async def test_a_pasted_number_does_not_count_and_escape_keeps_all(opened: Any) -> None:
    async with opened(ClearZipsDialog("us-east", 12)) as it:
        await it.paste("12")
        await it.press("enter")
        assert it.answers == []
        await it.press("escape")
        assert it.answers == [False]
