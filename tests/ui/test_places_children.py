"""Reading the children of places."""

from typing import Any

from cloudstore_tui.core.models import Folder, Location
from cloudstore_tui.core.paging import Page
from cloudstore_tui.ui.browser.places import Place, lines_of, walk


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
