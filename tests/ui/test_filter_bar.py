"""The line that filters loaded rows."""

from typing import Any

from cloudstore_tui.ui.widgets.fields import BarInput


async def test_the_filter_hides_rows_while_it_is_typed_and_enter_keeps_it(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        top = it.screen.entries.table.region
        await it.press("slash")
        assert it.screen.entries.table.region == top
        assert "Filter" in it.text
        for letters, left in (("report-", 12), ("01", 2), ("1", 1)):
            await it.type(letters)
            assert len(it.rows) == left
        assert "1 with “report-011”" in it.foot
        await it.press("enter")
        assert it.focus == "table"
        assert it.rows == ["report-011.tar"]
        await it.press("slash")
        assert it.screen.query_one("#filter BarInput", BarInput).value == "report-011"
