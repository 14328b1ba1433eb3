"""The last line of the screen."""

from typing import Any


async def test_what_does_not_fit_is_left_out_but_help_never(browser: Any) -> None:
    async with browser(size=(62, 20), start="acme:exports/") as it:
        assert it.keys.rstrip().endswith("? Help")
        assert "Download" in it.keys
        assert "Quit" not in it.keys


async def test_a_key_can_be_clicked(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.pilot.click("#keys", offset=(it.keys.index("Download") + 2, 0))
        await it.until(lambda: it.engine.transfers)


async def test_keys_of_the_user_are_the_ones_shown(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/", keys={"entries.download": "f6"}) as it:
        assert "f6 Download" in it.keys
        await it.press("d")
        assert not it.engine.transfers
        await it.press("f6")
        await it.until(lambda: it.engine.transfers)
