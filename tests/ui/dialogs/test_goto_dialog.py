"""Going to an address."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.picking import GotoDialog


async def test_typing_replaces_the_present_address_and_end_goes_on_from_it(opened: Any) -> None:
    async with opened(GotoDialog("acme:", ("acme:", "acme8:"))) as it:
        await it.press("x", "q", "enter")
        assert it.answers == ["xq"]
    async with opened(GotoDialog("acme:", ("acme:", "acme8:"))) as it:
        await it.press("end", "x", "q", "enter")
        assert it.answers == ["acme:xq"]


async def test_nothing_typed_and_escape_mean_to_stay(opened: Any) -> None:
    for key in ("enter", "escape"):
        async with opened(GotoDialog()) as it:
            await it.press("space", key)
            assert it.answers == [None]


async def test_tab_completes_what_is_known(opened: Any) -> None:
    async with opened(GotoDialog("", ("acme:", "acme8:", "[/x]:"))) as it:
        await it.press("a", "tab")
        assert it.dialog.query_one("#address").value == "acme"
        assert "acme8:  acme:" in it.text
        await it.press("8", "tab", "enter")
        assert it.answers == ["acme8:"]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits_and_shows_suggestions_literally(opened: Any, size: tuple[int, int]) -> None:
    async with opened(GotoDialog("", ("[/x]\x1b", "[/x]b")), size) as it:
        await it.press("tab")
        assert "[/x]␛" in it.text
        assert it.fits()
        await it.press("down", "down", "enter")
        assert it.answers == ["[/x]"]
