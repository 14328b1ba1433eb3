"""One of many lines, a place to go to, a name, and values for a saved search."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.picking import (
    BookmarksDialog,
    Choice,
    ChoiceResult,
    GotoDialog,
    NameChoice,
    Named,
    NameDialog,
    ParametersDialog,
    PickDialog,
)

PICKS = (Choice("all regions"), Choice("us-east", "here"), Choice("uk"), Choice("[red]\x1b"))


async def test_enter_takes_the_line_under_the_cursor_and_the_arrows_move_it(opened: Any) -> None:
    async with opened(PickDialog("Region", PICKS, 1)) as it:
        await it.press("down", "enter")
        assert it.answers == [ChoiceResult(2)]


async def test_typing_filters_by_words_of_text_and_note(opened: Any) -> None:
    async with opened(PickDialog("Region", PICKS)) as it:
        await it.press(*"HERE us")
        assert "uk" not in it.text
        await it.press("enter")
        assert it.answers == [ChoiceResult(1)]


async def test_nothing_that_fits_is_nothing_to_take(opened: Any) -> None:
    async with opened(PickDialog("Region", PICKS)) as it:
        await it.press("x", "x", "enter")
        assert it.answers == []
        assert "Nothing matches." in it.text
        await it.press("backspace", "backspace")
        assert "us-east" in it.text
        assert "Nothing matches." not in it.text
        await it.press("escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits_and_shows_lines_literally(opened: Any, size: tuple[int, int]) -> None:
    async with opened(PickDialog("Region", PICKS), size) as it:
        assert "[red]␛" in it.text
        assert it.fits()


MARKS = (Choice("reports", "acme:exports/"), Choice("@long", "duration=gt=1"), Choice("xr", "acme8:uk/"))


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), ChoiceResult(0)),
        (("j", "j", "k", "enter"), ChoiceResult(1)),
        (("down", "x"), ChoiceResult(1, "remove")),
        (("delete",), ChoiceResult(0, "remove")),
        (("j", "r"), ChoiceResult(1, "rename")),
        (("escape",), None),
    ],
)
async def test_keys_say_what_to_do_with_the_bookmark_under_the_cursor(opened: Any, keys: Any, answer: Any) -> None:
    async with opened(BookmarksDialog("Bookmarks", MARKS)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


async def test_letters_typed_to_filter_do_nothing_else(opened: Any) -> None:
    async with opened(BookmarksDialog("Bookmarks", MARKS)) as it:
        await it.press("slash", "x", "r")
        assert it.answers == []
        assert "reports" not in it.text
        await it.press("enter")
        assert it.answers == [ChoiceResult(2)]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_bookmarks_fit(opened: Any, size: tuple[int, int]) -> None:
    async with opened(BookmarksDialog("Bookmarks", MARKS * 20), size) as it:
        assert it.fits()


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


THINGS = (NameChoice("This place: acme:exports/", "exports", ("old",)), NameChoice("This object: a.txt", "a.txt"))


async def test_enter_takes_the_sensible_name_and_typing_replaces_it(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("enter")
        assert it.answers == [Named(0, "exports")]
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("q", "m", "enter")
        assert it.answers == [Named(0, "qm")]


async def test_the_arrows_choose_what_is_named_and_propose_its_name(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("down", "enter")
        assert it.answers == [Named(1, "a.txt")]


async def test_a_name_that_was_typed_stays_when_something_else_is_chosen(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press("q", "down", "enter")
        assert it.answers == [Named(1, "q")]


async def test_a_name_that_is_taken_is_said_to_be_replaced(opened: Any) -> None:
    async with opened(NameDialog("Bookmark", THINGS)) as it:
        await it.press(*"old")
        assert "saving replaces it" in it.text
        await it.press("down")
        assert "saving replaces it" not in it.text


async def test_without_a_name_nothing_is_answered(opened: Any) -> None:
    async with opened(NameDialog("Rename", THINGS[:1])) as it:
        await it.press("delete", "space", "enter")
        assert it.answers == []
        await it.press("escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_what_is_named_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(NameDialog("Bookmark", THINGS), size) as it:
        assert it.fits()


FIQL = "agentName==?who;queueName==?queue,agentName==?who"


async def test_each_hole_is_asked_for_once_and_enter_goes_to_what_is_empty(opened: Any) -> None:
    async with opened(ParametersDialog(FIQL, "@mine")) as it:
        assert "Search @mine" in it.text
        assert it.focus == "placeholder-who"
        await it.press("enter")
        assert it.focus == "placeholder-who"
        await it.press(*"Lee", "enter")
        assert it.focus == "placeholder-queue"
        assert "agentName==Lee;queueName==?queue,agentName==Lee" in it.text
        await it.press(*"L3", "enter")
        assert it.answers == ["agentName==Lee;queueName==L3,agentName==Lee"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("queueName==?queue", r"""queueName=='L\',x==1;(y==2) "3"'"""),
        ("queue:?queue since:yesterday", 'queue:"L\',x==1;(y==2) \\"3\\"" since:yesterday'),
    ],
)
async def test_a_value_never_becomes_a_term(opened: Any, text: str, filled: str) -> None:
    async with opened(ParametersDialog(text)) as it:
        await it.paste("""L',x==1;(y==2) "3"\n""")
        it.wait(0.4)
        await it.press("enter")
        assert it.answers == [filled]


async def test_what_follows_a_paste_at_once_is_no_answer(opened: Any) -> None:
    async with opened(ParametersDialog("a==?b")) as it:
        await it.paste("x")
        await it.press("enter")
        assert it.answers == []


async def test_escape_answers_nothing(opened: Any) -> None:
    async with opened(ParametersDialog("a==?b")) as it:
        await it.press("x", "escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_many_holes_and_a_hostile_search_fit(opened: Any, size: tuple[int, int]) -> None:
    text = "name==[/x]\x1b[1m;" + ";".join(f"a{number}==?placeholder-{number}" for number in range(5))
    async with opened(ParametersDialog(text), size) as it:
        assert "\x1b" not in it.text
        assert it.fits()
        for number in range(4):
            await it.press("x", "enter")
            assert it.focus == f"placeholder-placeholder-{number + 1}"
        assert it.fits()
