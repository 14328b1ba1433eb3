"""What a list lacks is told wherever the list is."""

from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import ForbiddenError, NetworkError, UnreadableError
from cloudstore_tui.core.models import Location, Query
from cloudstore_tui.core.paging import Page
from cloudstore_tui.ui.browser.targets import NavigationTarget
from cloudstore_tui.ui.format import lacking

REFUSED = ForbiddenError("access is not allowed", subject="acme8:uk/")


def test_the_words_name_what_there_is_and_what_there_is_not() -> None:
    assert lacking(()) == ""
    assert lacking((REFUSED,), {"us-east"}) == "us-east only: uk refused"
    assert lacking((REFUSED,), {""}) == "incomplete: uk refused"
    others = (NetworkError("no answer", subject="acme8:eu/"), UnreadableError(3, subject="acme8:us-east/"))
    assert lacking(others) == "incomplete: eu failed, 3 records unreadable"


@pytest.fixture
def refused(searches: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A search of all regions, one of which refuses."""
    search = searches.search
    searches.results = 250

    async def lossy(query: Any, cursor: str | None = None) -> Page[Any]:
        return replace(await search(query, cursor), failures=(REFUSED,))

    monkeypatch.setattr(searches, "search", lossy)
    return NavigationTarget(Location("acme8"), Query(Location("acme8"), ""), is_search=True)


async def test_a_region_that_refuses_is_shown_in_the_list_in_counts_and_of_marks(browser: Any, refused: Any) -> None:
    async with browser() as it:
        it.screen.navigator.open(refused)
        await it.until(lambda: "us-east only: uk refused" in it.foot)
        assert it.notices == ["acme8:uk/: access is not allowed."]
        await it.press("A")
        await it.until(lambda: any("Marked all 250 matches" in notice for notice in it.notices))
        assert "Us-east only: uk refused." in it.notices[-1]
        await it.press("#")
        await it.until(lambda: "250 objects match." in it.text)
        assert "Us-east only: uk refused." in it.text
        await it.press("escape", "b")
        await it.until(lambda: "250 rows (us-east only: uk" in it.text)


async def test_places_that_could_not_be_listed_are_shown_in_the_tree(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = searches.folders

    async def lossy(location: Location, cursor: str | None = None) -> Page[Any]:
        return replace(await folders(location, cursor), failures=(REFUSED,))

    monkeypatch.setattr(searches, "folders", lossy)
    async with browser() as it:
        await it.press("j", "l")
        await it.until(lambda: "access is not" in it.text)
        assert "us-east" in it.text
