"""Whatever fails in what a screen starts, the user is told, and the program goes on."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudstore_tui.core.errors import BusyError, FullDiskError, LocalDiskError
from cloudstore_tui.restores import RestoreStore
from cloudstore_tui.results.row_store import RowStore
from cloudstore_tui.state.bookmarks import Bookmarks
from cloudstore_tui.state.memory import FilterHistory, HiddenPanes, Layouts, RecentPlaces
from cloudstore_tui.state.searches import SavedSearches
from cloudstore_tui.transfers.model import State

START = "acme8:us-east/"
FULL = FullDiskError("no room is left", subject="/tmp")
SECRET = "canary-secret"


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


async def goes_on(it: Any) -> None:
    """Keys are still carried out, and what is shown is still there."""
    assert it.app.is_running
    await it.press("escape", "escape", "escape")
    await it.press("?")
    assert it.app.screen is not it.screen
    await it.press("escape")
    assert it.app.screen is it.screen


STORES = [
    (RowStore, "tally", "b", "l"),
    (RowStore, "tally_times", "b", ""),
    (RowStore, "mark_all", "a", ""),
    (RowStore, "toggle", " ", ""),
    (RowStore, "filter", "/", "x"),
    (FilterHistory, "add", "f", "type:callrecording\r"),
    (Layouts, "keep", "c", "\r"),
    (HiddenPanes, "keep", "i", ""),
    (RecentPlaces, "add", "H", ""),
    (Bookmarks, "read", "m", ""),
    (Bookmarks, "save", "m", "\r"),
    (SavedSearches, "read", "'", ""),
    (RestoreStore, "requests", "Q", ""),
]


@pytest.mark.parametrize(("store", "method", "key", "more"), STORES, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_store_that_fails_is_shown_and_ends_nothing(
    browser: Any, monkeypatch: pytest.MonkeyPatch, store: type, method: str, key: str, more: str
) -> None:
    async with browser(start=START) as it:
        it.may_be_wrong = True
        for error in (FULL, BusyError("another program holds it", subject="/tmp"), KeyError(SECRET)):
            monkeypatch.setattr(store, method, failing(error))
            await it.burst(key + more)
            await it.settle()
            monkeypatch.undo()
            assert all(isinstance(mistake, KeyError) for mistake in it.app.boundary.bugs)
            assert not any(SECRET in notice for notice in it.notices)
            await goes_on(it)


@pytest.mark.parametrize("later", ["call_after_refresh", "call_next", "call_later", "timer"])
async def test_what_is_called_later_and_fails_is_shown_and_ends_nothing(browser: Any, later: str) -> None:
    async with browser(start=START) as it:
        it.may_be_wrong = True
        if later == "timer":
            it.screen.set_timer(0.01, failing(KeyError(SECRET)))
        else:
            getattr(it.screen, later)(failing(KeyError(SECRET)))
            it.screen.refresh()
        await it.until(lambda: any("Internal error (KeyError in" in notice for notice in it.notices))
        await goes_on(it)


async def test_bars_over_a_full_disk_say_so(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with browser(start=START) as it:
        await it.press("b")
        monkeypatch.setattr(RowStore, "tally", failing(FULL))
        await it.press("l")
        await it.until(lambda: it.notices == ["/tmp: no room is left."])
        await goes_on(it)


@pytest.mark.parametrize("error", [LocalDiskError("it is damaged", subject="restores.db"), ValueError(SECRET)])
async def test_a_damaged_list_of_restores_when_a_download_ends(
    browser: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async with browser(start=START) as it:
        it.may_be_wrong = True
        monkeypatch.setattr(RestoreStore, "mark_fetched", failing(error))
        await it.press("d")
        it.engine.become(1, State.DONE)
        told = "damaged" if isinstance(error, LocalDiskError) else "Internal error (ValueError in"
        await it.until(lambda: any(told in notice for notice in it.notices))
        assert not any(SECRET in notice for notice in it.notices)
        await goes_on(it)


@pytest.mark.parametrize("method", ["interrupted", "running_elsewhere", "snapshot", "submit", "forget"])
async def test_transfers_that_fail_in_an_unknown_way(
    browser: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async with browser(start=START) as it:
        it.may_be_wrong = True
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        monkeypatch.setattr(it.engine, method, failing(ValueError("unknown on_conflict")))
        it.engine.become(1, State.DONE)
        await it.press("d", "t", "c")
        await it.until(lambda: any("Internal error (ValueError" in notice for notice in it.notices))
        monkeypatch.undo()
        await goes_on(it)


async def test_a_bad_row_of_the_journal_at_the_start(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.ui.conftest.FakeEngine.interrupted", failing(ValueError("unknown on_conflict")))
    async with browser(start=START) as it:
        it.may_be_wrong = True
        await it.until(lambda: any("Internal error" in notice for notice in it.notices))
        await goes_on(it)


async def test_what_fails_again_and_again_is_said_once(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with browser(start=START) as it:
        monkeypatch.setattr(RowStore, "toggle", failing(FULL))
        await it.press("space", "space", "space")
        assert it.notices == ["/tmp: no room is left."]


async def test_a_clipboard_program_that_fails_in_an_unknown_way(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.clipboard.pyperclip.copy", failing(KeyError("no display")))
    async with browser(start="acme:imports/") as it:
        await it.press("Y")
        assert it.app.clipboard == "acme:imports/"
