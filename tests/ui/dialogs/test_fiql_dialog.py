"""The filter behind a search."""

from typing import Any

from cloudstore_tui.ui.dialogs.links import FiqlDialog


async def test_it_shows_the_filter_where_it_went_and_what_it_does_not_say(opened: Any) -> None:
    async with opened(FiqlDialog("agentName=='[red]'", "acme8:us-east/", "name contains 'x'")) as it:
        assert "agentName=='[red]'" in it.text
        assert "Sent to acme8:us-east/." in it.text
        assert "Looked for in the loaded rows: name contains 'x'." in it.text
        await it.press("y")
        assert it.app.clipboard == "agentName=='[red]'"
        await it.press("escape")
        assert it.answers == [None]
