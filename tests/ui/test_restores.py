"""The list of all that was asked for."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.location import Location
from cloudstore_tui.restores.ledger import Ledger
from cloudstore_tui.restores.order import Order
from cloudstore_tui.ui.screens.restores import RestoresScreen

NOW = datetime.now(UTC)


def where(id_: str) -> Location:
    # Of a profile that this browser does not have, so that nobody looks after it.
    return Location("other", "us-east", id_)


def listed(names: Iterable[str]) -> Ledger:
    ledger = Ledger(state_folder() / "restores.db")
    orders = [
        Order(where(name), f"{name}.wav", 1_000_000, 7, NOW + timedelta(seconds=index))
        for index, name in enumerate(names)
    ]
    ledger.add(orders)
    return ledger


async def test_it_says_of_each_how_far_it_is_and_until_when(browser: Any) -> None:
    ledger = listed(("waits", "ready", "over", "failed"))
    ledger.ready(where("ready"), NOW, NOW + timedelta(days=6, hours=2))
    ledger.ready(where("over"), NOW, NOW - timedelta(days=1))
    ledger.fail(where("failed"), "it was\x1b[2J purged")
    ledger.take_news()
    async with browser() as it:
        await it.press("Q")
        await it.until(lambda: "waits.wav" in it.text)
        assert isinstance(it.app.screen, RestoresScreen)
        assert "Restores: 1 waiting, 1 ready, 1 failed, 1 expired" in it.text
        assert "the copy expires in 6 days" in it.text
        assert "the copy has expired by now" in it.text
        assert "\x1b" not in it.text
        assert it.notices == []
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_d_downloads_what_is_ready_and_x_forgets_the_one_under_the_cursor(browser: Any) -> None:
    ledger = listed(("a", "b"))
    ledger.ready(where("b"), NOW, NOW + timedelta(days=6))
    ledger.take_news()
    async with browser() as it:
        await it.press("Q")
        await it.until(lambda: "a.wav" in it.text)
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        assert [one.request.location for one in it.engine.transfers] == [where("b")]
        await it.press("x")
        await it.until(lambda: "a.wav" not in it.text)
        assert [order.location for order in ledger.orders()] == [where("b")]
        await it.press("j", "k", "x")
        await it.until(lambda: "Nothing was asked for." in it.text)


async def test_what_another_program_puts_on_the_list_is_seen_on_refresh(browser: Any) -> None:
    async with browser(size=(60, 15)) as it:
        await it.press("Q")
        assert "Nothing was asked for." in it.text
        listed(["new"])
        await it.press("r")
        await it.until(lambda: "new.wav" in it.text)
