"""The tree of places, and what is saved below it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Folder, Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.provider import Session
from cloudstore_tui.state.searches import SavedSearches
from cloudstore_tui.ui.browser.places import MAX_AT_ONCE, Place, lines_of, walk


def tree(it: Any) -> list[str]:
    """The trees, without what is saved and recent below them."""
    rows = it.screen.places.rows
    return [
        row.text.rstrip() for row in rows[: next((at for at, row in enumerate(rows) if not row.text.strip()), None)]
    ]


def cursor(it: Any) -> Any:
    return it.screen.places.rows[it.screen.places.cursor].text.strip()


async def test_right_opens_with_one_request_then_goes_to_the_first_child(browser: Any, folders: Any) -> None:
    async with browser() as it:
        await it.press("l")
        assert tree(it) == ["▾ acme", "  ▸ exports/", "  ▸ imports/", "▸ acme8"]
        assert folders.calls == [("folders", "acme:")]
        assert cursor(it) == "▾ acme"
        await it.press("right")
        assert cursor(it) == "▸ exports/"


async def test_left_closes_then_goes_up_and_opening_again_sends_nothing(browser: Any, folders: Any) -> None:
    async with browser() as it:
        await it.press("l", "l", "l", "l")
        assert cursor(it) == "▸ reporting/"
        await it.press("h")
        assert cursor(it) == "▾ exports/"
        await it.press("h")
        assert "▸ exports/" in tree(it)[1]
        await it.press("left")
        assert cursor(it) == "▾ acme"
        sent = len(folders.calls)
        await it.press("h", "l")
        assert len(tree(it)) == 4
        assert len(folders.calls) == sent


async def test_only_folders_are_in_the_tree_and_an_empty_one_says_so(browser: Any) -> None:
    async with browser() as it:
        await it.press("l", "l", "j", "l")
        assert tree(it)[3] == "     no folders"
        assert "readme.txt" not in it.text


async def test_a_place_says_that_it_loads_only_while_it_loads(browser: Any, folders: Any) -> None:
    folders.gates["folders"] = asyncio.Event()
    async with browser() as it:
        await it.press("l")
        assert tree(it)[1] == "    loading…"
        folders.gates["folders"].set()
        await it.settle()
        assert "loading" not in it.text


async def test_escape_stops_a_place_from_loading_and_it_can_be_opened_again(browser: Any, folders: Any) -> None:
    folders.gates["folders"] = asyncio.Event()
    async with browser() as it:
        await it.press("l", "escape")
        assert tree(it) == ["▸ acme", "▸ acme8"]
        assert folders.cancelled == ["acme:"]
        folders.gates.clear()
        await it.press("1", "l")
        assert tree(it)[1] == "  ▸ exports/"


async def test_the_answer_for_a_place_closed_meanwhile_does_not_open_it(browser: Any, folders: Any) -> None:
    folders.gates["folders"] = asyncio.Event()
    async with browser() as it:
        await it.press("l", "h")
        folders.gates["folders"].set()
        await it.settle()
        assert tree(it) == ["▸ acme", "▸ acme8"]


async def test_an_answer_that_was_given_up_never_mixes_with_the_next_one(browser: Any, folders: Any) -> None:
    hold = asyncio.Event()
    answer = folders.folders

    async def first_is_stubborn(location: Any, cursor: Any = None) -> Any:
        page = await answer(location, cursor)
        while folders.count("folders") == 1 and not hold.is_set():
            try:
                await hold.wait()
            except asyncio.CancelledError:
                continue
        return page

    folders.folders = first_is_stubborn
    async with browser() as it:
        await it.press("l", "escape")
        folders.tree[""] = ["new/"]
        folders.calls.append(("folders", "the second one"))
        await it.press("1", "l")
        assert tree(it)[1] == "  ▸ new/"
        hold.set()
        await it.settle()
        assert tree(it) == ["▾ acme", "  ▸ new/", "▸ acme8"]


async def test_two_places_load_at_once_and_each_gets_its_own(browser: Any, folders: Any) -> None:
    folders.gates["acme:"] = asyncio.Event()
    async with browser() as it:
        await it.press("l", "G", "l")
        assert tree(it)[-1:] == ["  ▸ us-east"]
        assert tree(it)[1] == "    loading…"
        folders.gates["acme:"].set()
        await it.settle()
        assert tree(it)[:4] == ["▾ acme", "  ▸ exports/", "  ▸ imports/", "▾ acme8"]
        assert tree(it)[4:] == ["  ▸ us-east"]


async def test_a_failure_stands_below_the_place_whole_and_enter_tries_again(browser: Any, folders: Any) -> None:
    folders.fail["folders"] = NetworkError("no answer came", subject="acme:", hint="Check the network.")
    async with browser() as it:
        await it.press("l")
        said = " ".join(row.strip() for row in tree(it)[1:-1])
        assert said == "acme:: no answer came. Check the network. r tries again"
        folders.fail.clear()
        await it.press("j", "enter")
        assert tree(it)[1] == "  ▸ exports/"


async def test_what_is_not_read_beside_the_way_is_said_once_and_can_be_read_on_each_level(
    browser: Any, folders: Any
) -> None:
    folders.tree["exports/reporting/"] = ["2024/"]
    folders.tree["exports/reporting/2024/"] = ["09/"]
    folders.tree["exports/reporting/2024/09/"] = ["a.tar"]
    async with browser(start="acme:exports/reporting/2024/09/", size=(160, 40)) as it:
        assert [line.strip() for line in tree(it)].count("more…") == 1
        await it.press("1", "k", "k", "k", "k", "l")
        assert tree(it)[:4] == ["▾ acme", "  ▾ exports/", "   ▾ reporting/", "    ▾ 2024/"]
        assert "  ▸ imports/" in tree(it)
        assert [line.strip() for line in tree(it)].count("more…") == 1


async def test_regions_that_were_not_read_are_called_regions(browser: Any) -> None:
    async with browser(start="acme8:us-east/callcenterrecording/", size=(160, 40)) as it:
        assert "    more regions…" in tree(it)


async def test_a_place_with_very_many_folders_shows_a_thousand_and_more_on_demand(browser: Any, folders: Any) -> None:
    folders.tree[""] = [f"f{number:04}/" for number in range(2_300)]
    folders.page_size = 1_500
    async with browser() as it:
        await it.press("l")
        assert len(tree(it)) == MAX_AT_ONCE + 3
        for names, requests in ((1_500, 1), (2_300, 2)):
            it.screen.places.cursor = tree(it).index("    more…")
            await it.press("enter")
            assert len(tree(it)) == names + 2 + (names < 2_300)
            assert folders.count("folders") == requests
        assert "    more…" not in tree(it)


async def test_r_reads_a_place_again_and_what_was_open_stays_open(browser: Any, folders: Any) -> None:
    async with browser() as it:
        await it.press("l", "j", "l", "k")
        folders.tree[""] = ["added/", "exports/"]
        await it.press("r")
        assert tree(it) == [
            "▾ acme",
            "  ▸ added/",
            "  ▾ exports/",
            "   ▸ reporting/",
            "▸ acme8",
        ]
        assert cursor(it) == "▾ acme"


async def test_going_somewhere_moves_the_tree_along_where_it_is_open(browser: Any) -> None:
    async with browser() as it:
        await it.press("l", "enter", "j", "enter")
        assert "acme › imports" in it.text
        assert cursor(it) == "▸ imports/"


async def test_the_sign_before_a_name_opens_with_the_mouse_and_a_click_shows_it(browser: Any) -> None:
    async with browser() as it:
        await it.pilot.click(it.screen.places, offset=(0, 1))
        await it.settle()
        assert tree(it)[1] == "  ▸ exports/"
        await it.pilot.click(it.screen.places, offset=(6, 2))
        await it.settle()
        assert it.rows == ["reporting/", "readme.txt"]


async def test_services_stand_beside_profiles_and_counts_beside_types_once_they_are_known(
    browser: Any, searches: Any
) -> None:
    searches.types = ("callcenterrecording", "transcription", "voicemail", *(f"kind{number}" for number in range(9)))
    async with browser(size=(160, 40)) as it:
        assert any(line.startswith("▸ acme8") and " 8x8 │" in line for line in it.lines)
        await it.press("G", "l", "l", "l")
        assert tree(it)[1:5] == ["▾ acme8", "  ▾ us-east", "     Everything", "   ▸ Call recordings"]
        assert tree(it)[-1] == "   ▸ 6 more types"
        await it.until(lambda: sum("2,431 │" in line for line in it.lines) == 7)
        await it.press("G", "enter")
        assert "   ▸ kind8" in tree(it)
        assert [line for line in it.lines if "kind8" in line and "·" in line]
    async with browser(size=(160, 40)) as it:
        asked = searches.count("folders")
        await it.press("G", "l", "l", "l")
        assert tree(it)[3:5] == ["     Everything", "   ▸ Call recordings"]
        assert [line for line in it.lines if "Everything" in line and "2,431" in line]
        assert searches.count("folders") == asked, "what is remembered is not asked for again"
        await it.press("r")
        assert searches.count("folders") > asked


async def test_a_key_of_the_list_says_in_the_tree_where_it_works(browser: Any) -> None:
    async with browser(size=(160, 40)) as it:
        for key in ("o", "space", "y"):
            await it.press(key)
        said = "That works in the list. Enter opens this place; d downloads all of it."
        assert it.notices == [said] * 3
        await it.press("H")
        assert len(it.notices) == 3, "there is no way back, and none in the list"


async def test_what_a_place_holds_is_counted_once_it_is_read_and_its_folders_are_still_to_be_read(
    browser: Any, searches: Any
) -> None:
    searches.tells_total, searches.results = False, 150
    async with browser(start="acme8:us-east/callrecording/2024/", size=(160, 40)) as it:
        it.screen.navigator.go(Location("acme8", "us-east", place=("callrecording",)))
        await it.settle()
        await it.press("ctrl+e")
        await it.until(lambda: it.foot.startswith("row 1 of 150"))
        await it.until(lambda: [line for line in it.lines if "Work recordings" in line and "150 │" in line])
        assert [line for line in tree(it) if line.strip() == "▸ 2024"]


async def test_what_the_tree_counts_the_list_says_too(browser: Any, searches: Any) -> None:
    searches.tells_total = False
    async with browser(start="acme8:us-east/", size=(160, 40)) as it:
        await it.until(lambda: it.foot == "row 1 of 100 loaded of 2,431")
        it.screen.navigator.search("agentName==Agent")
        await it.until(lambda: it.foot == "row 1 of 100 loaded")


async def test_nothing_is_counted_unasked_where_the_calls_of_the_minute_are_half_used(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.browser.places_tree.PACE_PAUSE_S", 0.01)
    monkeypatch.setattr("cloudstore_tui.ui.browser.places_tree.COUNT_PAUSE_S", 0.0)
    used, looks = [0.6], []

    def session(_: Any) -> Session:
        looks.append(used[0])
        return Session(pace_used=used[0])

    monkeypatch.setattr(type(searches), "session", property(session))
    async with browser(size=(160, 40)) as it:
        await it.press("G", "l", "l", "l")
        assert "     Everything" in tree(it)
        seen = len(looks)
        await it.until(lambda: len(looks) > seen + 20)
        assert not [line for line in it.lines if "2,431" in line]
        used[0] = 0.4
        await it.until(lambda: [line for line in it.lines if "Everything" in line and "2,431 │" in line])


async def test_the_tree_opens_down_to_where_the_user_is(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/reporting/", size=(160, 40)) as it:
        assert tree(it) == ["▾ acme", "  ▾ exports/", "   ▸ reporting/", "     more…", "▸ acme8"]
        assert cursor(it) == "▸ reporting/"
        assert folders.count("folders") == 0, "the way there is known"
        await it.press("1", "G", "k")
        await it.press("ctrl+g", *["backspace"] * 40, *"acme8:us-east/callrecording/2024/", "enter")
        assert cursor(it) == "▸ 2024"


async def test_what_is_saved_and_where_the_user_was_stands_below(browser: Any, tmp_path: Any) -> None:
    (tmp_path / "bookmarks.toml").write_text('[nightly]\nat = "acme:exports/reporting/"\n')
    (tmp_path / "searches.toml").write_text('[who]\nfind = "agentName==?agent"\n')
    async with browser(start="acme:imports/") as it:
        it.screen.navigator.go(it.screen.navigator.providers["acme"].locate("exports/"))
        await it.settle()
        await it.until(lambda: "RECENT" in it.text)
        rows = [row.text.strip() for row in it.screen.places.rows]
        assert rows[rows.index("SAVED") :] == ["SAVED", "who …", "★ nightly", "", "RECENT", "imports"]
        await it.press("1", "G", "enter")
        assert it.screen.navigator.target.location.path == "imports/"
        it.screen.places.cursor = rows.index("★ nightly")
        await it.press("1", "enter")
        assert it.screen.navigator.target.location.path == "exports/reporting/"


def folder(name: str) -> Folder:
    return Folder(Location("p", path=f"{name}/"), name)


def names(place: Place) -> list[str]:
    return [child.name for child in place.children]


def test_a_page_that_overlaps_the_one_before_adds_only_what_is_new() -> None:
    place = Place(Location("p"), "p")
    place.start_load()
    place.fill(Page((folder("a"), folder("b")), "next"))
    assert place.cursor == "next"
    place.start_load()
    place.fill(Page((folder("b"), folder("c"))))
    assert names(place) == ["a/", "b/", "c/"]
    assert not place.has_more


def test_reading_again_begins_with_the_first_page_and_keeps_what_was_open() -> None:
    place = Place(Location("p"), "p")
    place.start_load()
    place.fill(Page((folder("a"), folder("b")), "next"))
    kept = place.children[1]
    kept.start_load()
    kept.fill(Page((folder("b/x"),)))
    place.start_load(again=True)
    assert place.cursor is None
    place.fill(Page((folder("b"), folder("new"))))
    assert names(place) == ["b/", "new/"]
    assert place.children[0] is kept
    assert kept.is_open


def test_a_failed_reading_again_keeps_what_there_was() -> None:
    place = Place(Location("p"), "p")
    place.start_load()
    place.fill(Page((folder("a"),)))
    place.start_load(again=True)
    place.fail("no answer")
    assert names(place) == ["a/"]
    assert [line.text for line in lines_of([place])] == ["", "", "no answer"]


def test_trees_deeper_than_the_stack_are_no_matter() -> None:
    root = place = Place(Location("p"), "p")
    for depth in range(5_000):
        place.start_load()
        place.fill(Page((folder("x" * (depth % 7) + str(depth)),)))
        place = place.children[0]
    assert len(list(lines_of([root]))) == 5_001
    assert list(walk([root]))[-1] is place


async def test_stopping_says_whether_something_was_stopped(browser: Any, folders: Any) -> None:
    async with browser() as it:
        assert not it.screen.places.stop()
        await it.press("l")
        assert not it.screen.places.stop()


@pytest.fixture
def saved(tmp_path: Path) -> SavedSearches:
    kept = SavedSearches(tmp_path / "searches.toml")
    kept.save("long", "type==callrecording;duration=gt=600000")
    kept.save("who", "agentName==?who", region="us-east")
    kept.save("british", "type==voicemail", region="uk")
    kept.save("others", "type==meeting", profile="beta8")
    return kept


def saved_tree(it: Any) -> list[str]:
    return [row.text.strip() for row in it.screen.places.rows]


def sent(searches: Any) -> Any:
    return [what for name, what in searches.calls if name == "search"][-1]


async def open_saved(it: Any, name: str) -> None:
    """Take a saved search in the tree."""
    await it.press("1")
    it.screen.places.cursor = saved_tree(it).index(name)
    await it.press("enter")


async def test_all_stand_below_the_trees_and_those_with_gaps_say_so(browser: Any, saved: SavedSearches) -> None:
    async with browser() as it:
        assert saved_tree(it)[2:] == ["", "SAVED", "long", "who …", "british", "others"]


async def test_enter_makes_the_search_and_the_cursor_of_the_tree_stays(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await open_saved(it, "long")
        assert sent(searches).filter == "type==callrecording;duration=gt=600000"
        assert sent(searches).location.region == "us-east"
        assert it.focus == "table"
        assert it.screen.places.place.name == "long"
        assert "type==callrecording" in it.screen.entries.bar.line.value


async def test_holes_are_asked_for_first_and_a_value_stays_a_value(
    browser: Any, saved: SavedSearches, searches: Any
) -> None:
    async with browser() as it:
        await open_saved(it, "who …")
        assert "Search @who" in it.text
        assert searches.count("search") == 0
        await it.press("escape")
        assert searches.count("search") == 0
        await it.press("enter")
        await it.type("Lee',type==x")
        await it.press("enter")
        assert sent(searches).filter == r"agentName=='Lee\',type==x'"
        assert sent(searches).location.region == "us-east"


async def test_a_search_is_made_where_it_is_for(browser: Any, saved: SavedSearches, searches: Any) -> None:
    async with browser() as it:
        await open_saved(it, "british")
        assert sent(searches).filter == "type==voicemail"
        assert sent(searches).location.region == "uk"
        await open_saved(it, "others")
        assert "no profile beta8" in it.notices[-1]


async def test_what_is_saved_is_there_at_once(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f", "ctrl+u")
        await it.type("type==meeting")
        await it.press("ctrl+s")
        await it.type("talks")
        await it.press("enter")
        assert "talks" in saved_tree(it)


async def test_a_file_that_cannot_be_read_is_shown_there(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "searches.toml"
    file.write_text("[mine]\n")
    async with browser() as it:
        assert "find is missing" in " ".join(saved_tree(it))
        file.write_text('[mine]\nfind = "type==meeting"\n')
        await it.press("enter", "1")
        assert "mine" in saved_tree(it)


async def test_before_another_search_is_replaced_that_is_said_with_the_sign_and_without(
    browser: Any, saved: SavedSearches
) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("type:callrecording")
        await it.press("ctrl+s")
        for name, is_taken in (("new", False), ("long", True), ("@new", False), ("@long", True)):
            await it.press("ctrl+u")
            await it.type(name)
            assert ("This name is taken" in it.text) is is_taken, name


async def test_what_is_forgotten_is_gone_from_the_tree(browser: Any, saved: SavedSearches) -> None:
    async with browser() as it:
        assert "long" in saved_tree(it)
        await it.press("apostrophe")
        await it.until(lambda: "@long" in it.text)
        await it.press("delete")
        await it.until(lambda: "Forget @long?" in it.text)
        await it.press("tab", "enter")
        await it.until(lambda: "long" not in saved.read())
        await it.until(lambda: "long" not in saved_tree(it))


async def test_both_ways_to_save_a_search_save_it_for_where_it_was_made(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("f")
        await it.type("type:callrecording")
        await it.press("enter", "f", "ctrl+s")
        await it.type("one")
        await it.press("enter", "escape", "m")
        await it.until(lambda: it.app.screen is not it.screen)
        await it.press("end", "enter")
        await it.until(lambda: len(it.screen.browser_state.searches.read()) == 2)
        saved = it.screen.browser_state.searches.read().values()
        assert {(one.profile, one.region, one.find) for one in saved} == {("acme8", "us-east", "type:callrecording")}
