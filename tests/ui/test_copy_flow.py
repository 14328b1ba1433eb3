"""The address of an entry to the clipboard."""

from typing import Any


async def test_capital_y_copies_what_the_command_line_takes(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("j", "Y")
        assert it.app.clipboard == "acme:exports/reporting/report-001.tar"
        assert it.notices == ["acme:exports/reporting/report-001.tar · Sent to your terminal's clipboard."]


async def test_an_empty_folder_gives_its_own_address(browser: Any) -> None:
    async with browser(start="acme:imports/") as it:
        await it.press("Y")
        assert it.app.clipboard == "acme:imports/"
