"""Keys that are typed ahead: the line or dialog that a key opens takes every later one."""

import asyncio
import gc
import warnings
from typing import Any

import pytest
from msgspec.structs import replace
from textual._xterm_parser import XTermParser
from textual.widgets import Input

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.browser.actions import ActionGroup, declarations
from cloudstore_tui.ui.browser.screen import BrowserScreen
from cloudstore_tui.ui.dialogs.fetching import FetchDialog
from cloudstore_tui.ui.dialogs.links import LinkDialog
from cloudstore_tui.ui.dialogs.picking import PickDialog
from cloudstore_tui.ui.dialogs.questions import CancelDialog, DeleteDialog

GO_TO, ENTER, PALETTE = "\x07", "\r", "\x10"
HARMFUL = "daX"
"""Keys that download, mark and delete where a list has the focus."""


def nothing_was_done(it: Any) -> bool:
    state = it.screen.listing.state
    return not (it.engine.transfers or state.store.selection.count or isinstance(it.app.screen, DeleteDialog))


BARS = ("f", "/")
LINES = (GO_TO, "m", "R", "P", "Y", PALETTE, ":", "0")
PATHS = ("D", "u")
SCREENS = ("'", "o", "c", "b", "F", "J", "y", "t", "Q", "?", "!", "X", "\x0e", "p", "<")
QUESTIONS = ("d", "az")
"""The keys that open a bar, a dialog with a line, one for a path, one without, a question."""
ELSEWHERE = (".", "#", "B")
"""Those that are typed ahead of in the tests of calls, of counts and of restores."""
NAMES = {"apostrophe": "'", "full_stop": ".", "number_sign": "#", "ctrl+g": GO_TO, "delete": "X"}


def test_every_key_that_opens_a_line_or_dialog_is_typed_ahead_of() -> None:
    opening = [
        declaration.keys.split(",")[0]
        for group in ActionGroup.__subclasses__()
        for _, declaration in declarations(group)
        if declaration.opens
    ]
    assert len(opening) > 15
    typed = {*BARS, *LINES, *PATHS, *SCREENS, *"".join(QUESTIONS), *ELSEWHERE}
    assert [key for key in opening if NAMES.get(key, key) not in typed] == []


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
@pytest.mark.parametrize("key", BARS)
async def test_a_line_takes_what_is_typed_behind_the_key_that_opens_it(browser: Any, key: str, size: Any) -> None:
    start = "acme8:us-east/" if key == "f" else "acme:exports/reporting/"
    async with browser(start=start, size=size) as it:
        await it.burst(key + HARMFUL)
        await it.until(lambda: isinstance(it.app.focused, Input) and it.app.focused.value == HARMFUL)
        assert nothing_was_done(it)


@pytest.mark.parametrize("key", LINES)
async def test_a_dialog_with_a_line_takes_what_is_typed_behind_its_key(browser: Any, key: str) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.burst(key + HARMFUL)
        await it.until(lambda: isinstance(it.app.focused, Input) and it.app.focused.value.endswith(HARMFUL))
        assert it.app.screen is not it.screen
        assert nothing_was_done(it)


@pytest.mark.parametrize("key", PATHS)
async def test_a_dialog_for_a_path_takes_what_is_typed_behind_its_key(browser: Any, folders: Any, key: str) -> None:
    folders.tree["imports/"] = ["plan.csv"]
    async with browser(start="acme:imports/") as it:
        await it.burst(key + HARMFUL)
        await it.until(lambda: isinstance(it.app.focused, Input) and it.app.focused.value.endswith(HARMFUL))
        assert nothing_was_done(it)


@pytest.mark.parametrize("key", SCREENS)
async def test_a_screen_takes_what_is_typed_behind_its_key(browser: Any, folders: Any, searches: Any, key: str) -> None:
    start = "acme:exports/reporting/" if key == "X" else "acme8:us-east/"

    async def read(first: int, count: int) -> Piece:
        raise NetworkError("no")

    behind = {"pieces": {"int-0000000.mp3": read}}
    async with browser(start=start, behind=behind) as it:
        it.screen.browser_state.searches.save("one", "type==callrecording")
        await it.burst(key + "aa")
        await it.until(lambda: not isinstance(it.app.screen, BrowserScreen))
        await it.settle()
        assert it.screen.listing.state.store.selection.count == 0


@pytest.mark.parametrize("key", QUESTIONS)
async def test_a_question_takes_what_is_typed_behind_its_key(browser: Any, searches: Any, key: str) -> None:
    plain, size = searches.object, 2_000_000_000 if key == "d" else 1000
    searches.object = lambda number, query: replace(plain(number, query), size=size)
    async with browser(start="acme8:us-east/") as it:
        await it.burst(key + "jX")
        await it.until(lambda: isinstance(it.app.screen, FetchDialog))
        await it.settle()
        assert isinstance(it.app.screen, FetchDialog)
        assert not it.engine.transfers


async def test_lines_and_questions_of_other_screens_take_what_is_typed_behind_their_keys(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.burst("?/" + HARMFUL)
        await it.until(lambda: isinstance(it.app.focused, Input) and it.app.focused.value == HARMFUL)
        await it.press("escape", "escape", "escape", "d")
        await it.until(lambda: it.engine.transfers)
        await it.burst("txy" + HARMFUL)
        await it.until(lambda: isinstance(it.app.screen, CancelDialog))
        await it.settle()
        assert isinstance(it.app.screen, CancelDialog)
        assert [one.state for one in it.engine.transfers] == [State.RUNNING]


async def test_keys_wait_for_a_dialog_that_the_service_has_to_be_asked_for(browser: Any, searches: Any) -> None:
    searches.gates["link"] = asyncio.Event()
    async with browser(start="acme8:us-east/") as it:
        await it.burst("ya")
        await it.settle()
        assert it.screen.listing.state.store.selection.count == 0
        searches.gates["link"].set()
        await it.until(lambda: isinstance(it.app.screen, LinkDialog))
        await it.settle()
        assert it.screen.listing.state.store.selection.count == 0


async def test_what_was_typed_for_a_dialog_that_fails_is_for_nothing_else(browser: Any, searches: Any) -> None:
    searches.fail["link"] = NetworkError("no answer")
    async with browser(start="acme8:us-east/") as it:
        await it.burst("yaa")
        await it.until(lambda: it.notices)
        assert it.screen.listing.state.store.selection.count == 0
        await it.press("space")
        assert it.screen.listing.state.store.selection.count == 1


async def test_escape_gives_up_a_dialog_on_its_way_and_what_was_typed_for_it(browser: Any, searches: Any) -> None:
    searches.gates["link"] = asyncio.Event()
    async with browser(start="acme8:us-east/") as it:
        await it.burst("yaa")
        await it.press("escape")
        await it.until(lambda: searches.cancelled)
        await it.press("space")
        assert it.screen.listing.state.store.selection.count == 1
        assert it.app.screen is it.screen


async def test_keys_for_rows_wait_until_there_are_rows(browser: Any, searches: Any) -> None:
    gate = searches.gates["search"] = asyncio.Event()
    async with browser(start="acme8:us-east/") as it:
        await it.burst("jj d")
        assert not it.notices
        gate.set()
        await it.until(lambda: it.engine.transfers)
        assert [one.request.entry.name for one in it.engine.transfers] == ["int-0000002.mp3"]
        assert it.screen.listing.state.store.selection.count == 1


async def test_escape_gives_up_rows_on_their_way_and_what_was_typed_for_them(browser: Any, searches: Any) -> None:
    searches.gates["search"] = asyncio.Event()
    async with browser(start="acme8:us-east/") as it:
        await it.burst("pd")
        await it.press("escape")
        await it.until(lambda: "Stopped. Press r to reload." in it.text)
        assert (it.notices, it.engine.transfers, it.app.screen) == ([], [], it.screen)


async def test_what_is_not_for_rows_waits_for_none(browser: Any, searches: Any) -> None:
    searches.gates["search"] = asyncio.Event()
    async with browser(start="acme8:us-east/") as it:
        await it.burst("fab")
        await it.until(lambda: isinstance(it.app.focused, Input) and it.app.focused.value == "ab")


async def test_keys_are_carried_out_in_the_order_in_which_they_were_typed(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.burst("j jj /11" + ENTER + "a")
        await it.until(lambda: it.screen.listing.state.store.filtered_by == "11")
        await it.until(lambda: it.screen.listing.state.store.selection.count == 3)


@pytest.mark.parametrize("key", [GO_TO + "acme:exports/", PALETTE + "Sort"])
async def test_enter_twice_is_no_end_of_the_program(browser: Any, key: str) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.burst(key + ENTER + ENTER)
        for _ in range(3):
            await it.settle()
        assert it.app.is_running


async def test_a_screen_that_is_closed_twice_closes_once(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("P")
        dialog = it.app.screen
        assert isinstance(dialog, PickDialog)
        dialog.dismiss(None)
        dialog.dismiss(None)
        await it.settle()
        assert it.app.screen is it.screen


async def test_a_paste_waits_for_the_line_too(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.burst("f\x1b[200~type==x\x1b[201~")
        await it.until(lambda: it.screen.entries.bar.line.value == "type==x")


@pytest.mark.parametrize("keys", [f"{ENTER}!yq~q", ".yq!q", "yq", "A#bq"])
async def test_an_end_before_all_keys_were_carried_out_leaves_nothing_behind(browser: Any, keys: str) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        async with browser(home=True) if keys[0] == ENTER else browser(start="acme8:us-east/") as it:
            for event in XTermParser().feed(keys):
                it.app.post_message(event)
            await it.pilot.pause()
        gc.collect()
    assert [str(one.message) for one in heard if "never awaited" in str(one.message)] == []
