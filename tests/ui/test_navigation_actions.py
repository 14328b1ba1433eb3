"""Another profile, another region."""

from datetime import UTC
from typing import Any

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location, Query
from cloudstore_tui.ui.browser.navigation import target_in
from cloudstore_tui.ui.browser.targets import NavigationTarget


async def test_p_goes_to_where_the_user_was_last_in_the_other_profile(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("P", "down", "enter")
        assert it.lines[0].startswith(" acme8 ")
        await it.press("P", "up", "enter")
        await it.until(lambda: it.rows and it.rows[0] == "report-000.tar")


async def test_p_on_the_present_profile_stays(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        asked = len(folders.calls)
        await it.press("P", "enter")
        assert len(folders.calls) == asked


async def test_r_searches_all_regions_for_what_the_place_stands_for_and_names_them(browser: Any, searches: Any) -> None:
    async with browser() as it:
        it.screen.navigator.go(it.engine.providers["acme8"].locate("us-east/").child("callrecording"))
        await it.settle()
        await it.press("R")
        assert "all regions" in it.text
        await it.press("up", "enter")
        method, query = searches.calls[-1]
        assert (method, query.location, query.filter) == ("search", Location("acme8"), "type==callrecording")
        assert "acme8 › all regions" in it.lines[0]
        await it.press("H")
        assert "us-east › Work recordings" in it.lines[0]


async def test_r_says_why_the_regions_are_not_known_and_stays(browser: Any, searches: Any) -> None:
    searches.fail["folders"] = NetworkError("no answer", subject="acme8:")
    async with browser(start="acme8:us-east/") as it:
        rows = it.rows
        await it.press("R")
        assert it.notices[-1] == "acme8:: no answer."
        assert it.rows == rows


async def test_r_is_not_offered_where_there_are_no_regions(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        assert not it.screen.check_action("run", ("region",))


def test_a_search_keeps_its_filter_in_another_region(searches: Any) -> None:
    east = Location("acme8", "us-east")
    found = NavigationTarget(east, Query(east, "a==1"), written=True, typed="a:1")
    there = target_in(found, "uk", searches, UTC)
    assert there == NavigationTarget(Location("acme8", "uk"), Query(Location("acme8", "uk"), "a==1"), written=True)
    assert there.typed == "a:1"
    assert target_in(NavigationTarget(Location("acme8")), "", searches, UTC) == NavigationTarget(Location("acme8"))
    place = target_in(NavigationTarget(east.child("x"), Query(east, "type==x")), "uk", searches, UTC)
    assert place == NavigationTarget(Location("acme8", "uk").child("x"), Query(Location("acme8", "uk"), "type==x"))


async def test_every_part_of_the_path_is_reached_by_a_key(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("0")
        assert [word for word in ("acme", "exports", "reporting") if word in it.text] == [
            "acme",
            "exports",
            "reporting",
        ]
        await it.press("enter")
        assert it.rows == ["reporting/", "readme.txt"]
        assert it.screen.listing.entry.name == "reporting/"
