"""Something to read."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.dialog import MessageDialog

HOSTILE = "[red]a[/x] \x1b]52;c;QQ==\x07 \u202eb"


@pytest.mark.parametrize("key", ["escape", "enter", "q"])
async def test_it_closes_without_an_answer(opened: Any, key: str) -> None:
    async with opened(MessageDialog("Title", "Text")) as it:
        await it.press(key)
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_a_long_text_can_be_read_to_its_end(opened: Any, size: tuple[int, int]) -> None:
    lines = "\n".join(f"line {number}." for number in range(60))
    async with opened(MessageDialog("Title", lines), size) as it:
        assert "line 0." in it.text
        assert "line 59." not in it.text
        assert it.fits()
        await it.press(*["pagedown"] * 7)
        assert "line 59." in it.text
        await it.press("k")
        assert "line 59." not in it.text


async def test_a_text_from_elsewhere_is_shown_as_it_is(opened: Any) -> None:
    async with opened(MessageDialog(HOSTILE, f"{HOSTILE}\nsecond")) as it:
        assert it.text.count("[red]a[/x]") == 2
        assert "\x1b" not in it.text
        assert "\u202e" not in it.text
        assert "second" in it.text
