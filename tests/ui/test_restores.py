"""The list of all that was asked for."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.errors import MissingError
from cloudstore_tui.core.models import Location
from cloudstore_tui.restores import RestoreRequest, RestoreStore
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.screens.restores import RestoresScreen

NOW = datetime.now(UTC)


def where(id_: str) -> Location:
    # Of a profile that this browser does not have, so that nobody looks after it.
    return Location("other", "us-east", id_)


def listed(names: Iterable[str]) -> RestoreStore:
    store = RestoreStore(state_folder() / "restores.db")
    requests = [
        RestoreRequest(where(name), f"{name}.wav", 1_000_000, 7, NOW + timedelta(seconds=index))
        for index, name in enumerate(names)
    ]
    store.add(requests)
    return store


async def test_people_are_named_where_they_are_known(browser: Any) -> None:
    title = "Recording of Khang Glynn, 1 Sep 2024 09:16"
    store = RestoreStore(state_folder() / "restores.db")
    store.add([RestoreRequest(where("a"), "int-a.wav", 1_000_000, 7, NOW, title=title)])
    async with browser() as it:
        await it.press("Q")
        await it.until(lambda: "Recording of Khang Glynn" in it.text)
        assert "int-a.wav" not in it.text
        MASK.on = True
        await it.app.screen.read()
        await it.until(lambda: "Recording of " in it.text and "Khang" not in it.text)


async def test_it_says_of_each_how_far_it_is_and_until_when(browser: Any) -> None:
    store = listed(("waits", "ready", "over", "failed"))
    store.mark_ready(where("ready"), NOW, NOW + timedelta(days=6, hours=2))
    store.mark_ready(where("over"), NOW, NOW - timedelta(days=1))
    store.mark_failed(where("failed"), MissingError("it was\x1b[2J purged"))
    store.take_ready()
    async with browser() as it:
        await it.press("Q")
        await it.until(lambda: "waits.wav" in it.text)
        assert isinstance(it.app.screen, RestoresScreen)
        assert "1 waiting, 1 ready, 1 failed, 1 expired" in it.lines[0]
        assert it.lines[2].split() == ["What", "State", "Size"]
        (line,) = [line for line in it.lines if "ready.wav" in line]
        assert line.index("ready.wav") == it.lines[2].index("What")
        assert "ready     " in line[line.index("ready.wav") + 9 :]
        assert "the copy expires in 6 days" in it.text
        assert "the copy has expired by now" in it.text
        assert "\x1b" not in it.text
        assert it.notices == []
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_d_downloads_what_is_ready_and_x_forgets_the_one_under_the_cursor(browser: Any) -> None:
    store = listed(("a", "b"))
    store.mark_ready(where("b"), NOW, NOW + timedelta(days=6))
    store.take_ready()
    async with browser() as it:
        await it.press("Q")
        await it.until(lambda: "a.wav" in it.text)
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        assert [one.request.location for one in it.engine.transfers] == [where("b")]
        await it.press("x")
        await it.until(lambda: "a.wav" not in it.text)
        assert [request.location for request in store.requests()] == [where("b")]
        await it.press("j", "k", "x")
        await it.until(lambda: "No restores yet." in it.text)


async def test_what_another_program_puts_on_the_list_is_seen_on_refresh(browser: Any) -> None:
    async with browser(size=(60, 15)) as it:
        await it.press("Q")
        assert "No restores yet." in it.text
        listed(["new"])
        await it.press("r")
        await it.until(lambda: "new.wav" in it.text)
