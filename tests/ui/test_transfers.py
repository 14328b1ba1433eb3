"""The screen of all transfers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import LocalDiskError, NotAvailableError
from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot, ZipRequest
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.drop_dialog import DropDialog
from cloudstore_tui.ui.dialogs.quit_dialog import QuitDialog
from cloudstore_tui.ui.screens.transfers import TransfersScreen

START = "acme:exports/reporting/"


def old(id_: int, state: State = State.RUNNING) -> TransferSnapshot:
    request = DownloadRequest(Location("acme", "", f"exports/old-{id_}.tar"), Path("/downloads"))
    return TransferSnapshot(id_, request, state, done=410, size=1000)


async def test_t_opens_it_and_escape_leads_back(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("t")
        assert isinstance(it.app.screen, TransfersScreen)
        assert "No transfers" in it.text
        await it.press("escape")
        assert it.app.screen is it.screen
        assert it.focus == "table"


async def test_keys_give_orders_and_rows_follow(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("space", "space", "d")
        await it.until(lambda: len(it.engine.transfers) == 2)
        await it.press("t")
        await it.until(lambda: "Transfers: 2 running" in it.text)
        await it.press("p")
        await it.until(lambda: "paused at 25 %" in it.text)
        await it.press("p")
        await it.until(lambda: "paused" not in it.text)
        await it.press("x")
        await it.until(lambda: "cancelled" in it.text)
        await it.press("r")
        await it.until(lambda: "2 running" in it.text)
        it.engine.become(1, State.FAILED, NotAvailableError("it is archived", state="ARCHIVED", hint="Restore it."))
        it.engine.become(2, State.DONE)
        await it.until(lambda: "failed: it is archived. Restore it." in it.text)
        await it.press("c")
        await it.until(lambda: "No transfers" in it.text)


async def test_details_of_a_zip_list_its_members_and_their_levels(browser: Any) -> None:
    where = Location("acme8", "us-east")
    members = tuple(DownloadRequest(where, Path(), f"m{number}.mp3") for number in range(2))
    packed = TransferSnapshot(5, ZipRequest(members, where, Path("/downloads")), State.DONE)
    parts = (
        TransferSnapshot(1, members[0], State.DONE, level="crc32+size"),
        TransferSnapshot(2, members[1], State.FAILED, error=NotAvailableError("it is archived", state="ARCHIVED")),
    )
    behind = {"transfers": [packed], "parts": {5: parts}}
    async with browser(start=START, behind=behind) as it:
        await it.press("t", "enter")
        assert isinstance(it.app.screen, MessageDialog)
        assert "zip 2 objects" in it.text
        assert "Objects: 1 done, 1 failed" in it.text
        assert "done  crc32+size  m0.mp3" in it.text
        assert "failed  m1.mp3: it is archived." in it.text


async def test_what_other_programs_do_is_shown_with_their_process(browser: Any) -> None:
    async with browser(start=START, behind={"others": [Elsewhere(old(7), 4711)]}) as it:
        await it.press("t")
        await it.until(lambda: "pid 4711" in it.text)
        assert "old-7.tar" in it.text
        it.engine.others = []
        await it.until(lambda: "pid 4711" not in it.text)


async def test_a_journal_that_cannot_be_read_is_told_in_a_line(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.screens.transfers.LOOK_ROUND", 0.02)
    async with browser(start=START) as it:

        async def broken() -> tuple[TransferSnapshot, ...]:
            raise LocalDiskError("the journal cannot be read")

        it.engine.interrupted = broken
        await it.press("t")
        await it.until(lambda: "the journal cannot be read" in it.lines[0].lower())
        del it.engine.interrupted
        await it.until(lambda: "the journal cannot be read" not in it.lines[0].lower())
        assert it.notices == []


async def test_nothing_is_drawn_while_nothing_changes(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.screens.transfers.LOOK_ROUND", 0.02)
    async with browser(start=START, behind={"others": [Elsewhere(old(7), 4711)]}) as it:
        await it.press("t")
        await it.until(lambda: "pid 4711" in it.text)
        drawn: list[object] = []
        looks: list[object] = []
        screen = it.app.screen
        read = it.engine.elsewhere

        async def elsewhere() -> Any:
            looks.append(1)
            return await read()

        it.engine.elsewhere = elsewhere
        monkeypatch.setattr(screen.table, "refresh", lambda *regions, **_: drawn.append(regions))
        await it.until(lambda: len(looks) > 5)
        assert drawn == []


async def test_what_an_earlier_run_left_is_a_line_and_opens_nothing(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1), old(2, State.FAILED)]}) as it:
        await it.until(lambda: "2 transfers stopped half-way: t goes on or drops" in it.text)
        assert it.app.screen is it.screen
        await it.press("t", "P")
        await it.until(lambda: not it.engine.left)
        await it.press("escape")
        await it.until(lambda: "stopped half-way" not in it.text)
        await it.until(lambda: "Transfers: 2 running" in it.text)
        await it.press("q")
        assert isinstance(it.app.screen, QuitDialog)


@pytest.mark.parametrize(("keys", "dropped"), [(("x", "y"), [1]), (("x", "n"), []), (("X", "y"), [1, 2])])
async def test_nothing_of_an_earlier_run_is_dropped_unasked(browser: Any, keys: Any, dropped: list[int]) -> None:
    async with browser(start=START, behind={"left": [old(1), old(2)]}) as it:
        await it.press("t")
        await it.until(lambda: "Stopped half-way in an earlier run" in it.text)
        await it.press(keys[0])
        assert isinstance(it.app.screen, DropDialog)
        await it.press(keys[1])
        await it.until(lambda: sorted(it.engine.dropped) == dropped)


async def test_the_key_for_download_drops_nothing_at_the_start(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1)]}) as it:
        await it.burst("dy")
        await it.until(lambda: it.engine.transfers)
        assert it.engine.dropped == []


async def test_what_ended_is_told_though_it_is_cleared_before_it_was_seen(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: "1 running" in it.text)
        listeners, it.engine.listeners[:] = list(it.engine.listeners), []
        it.engine.become(1, State.DONE, path=Path("/x/report.tar"))
        it.engine.listeners[:] = listeners
        await it.press("3", "c")
        await it.until(lambda: it.notices == ["Downloaded: /x/report.tar"])
        await it.until(lambda: not it.screen.strip.display)
        assert it.app._watch.unfinished == 0
        await it.pilot.press("q")
        await it.pilot.pause()
        assert not it.app.is_running


async def test_without_a_journal_nothing_is_asked_at_the_start(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1)], "keeps": False}) as it:
        assert it.app.screen is it.screen


async def test_what_is_kept_can_be_gone_on_with_or_dropped_later(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1), replace(old(2, State.FAILED), note="no answer")]}) as it:
        await it.press("t")
        await it.until(lambda: "Stopped half-way in an earlier run" in it.text)
        assert "interrupted at 41 %" in it.text
        assert "failed: no answer" in it.text
        await it.press("p")
        await it.until(lambda: "1 running" in it.text)
        assert [transfer.id for transfer in it.engine.transfers] == [1]
        await it.press("j", "x", "y")
        await it.until(lambda: it.engine.dropped == [2])


@pytest.mark.parametrize(("keeps", "asked"), [(True, False), (False, True)])
async def test_what_is_paused_is_lost_only_without_a_journal(browser: Any, keeps: bool, asked: bool) -> None:
    async with browser(start=START, behind={"keeps": keeps}) as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        it.engine.become(1, State.PAUSED)
        await it.until(lambda: "paused" in it.text)
        await it.pilot.press("q")
        await it.pilot.pause()
        assert isinstance(it.app.screen, QuitDialog) is asked
        assert it.app.is_running is asked


@pytest.mark.parametrize(
    ("bell", "seconds", "state", "rings"),
    [
        (True, 11, State.DONE, 1),
        (True, 11, State.FAILED, 1),
        (True, 9, State.DONE, 0),
        (True, 11, State.CANCELLED, 0),
        (False, 11, State.DONE, 0),
    ],
)
async def test_the_bell_rings_when_a_long_transfer_ends(
    browser: Any, monkeypatch: pytest.MonkeyPatch, bell: bool, seconds: int, state: State, rings: int
) -> None:
    async with browser(start=START, bell=bell) as it:
        rung: list[int] = []
        monkeypatch.setattr(it.app, "bell", lambda: rung.append(1))
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        now = datetime.now(UTC)
        it.engine.transfers[0] = replace(it.engine.transfers[0], started=now - timedelta(seconds=seconds))
        it.engine.become(1, state)
        await it.until(lambda: not it.app._watch.unfinished)
        assert len(rung) == rings
