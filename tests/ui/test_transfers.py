"""The screen of all transfers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import LocalDiskError, NotAvailableError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferBatch, TransferSnapshot, ZipRequest
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.questions import CancelDialog, QuitDialog
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


async def test_keys_give_orders_for_one_for_the_marked_and_for_all_and_rows_stay(browser: Any) -> None:
    async with browser(start=START, size=(120, 40)) as it:
        await it.press("space", "space", "d")
        await it.until(lambda: len(it.engine.transfers) == 2)
        await it.press("escape", "d")
        await it.until(lambda: len(it.engine.transfers) == 3)
        await it.press("t")
        await it.until(lambda: "2 batches running" in it.lines[0])
        before = [line[4:40] for line in it.lines[3:6]]
        assert [line.split()[2] for line in it.lines[3:5]] == ["2", "report-002.tar"], it.text
        await it.press("l", "j", "p")
        await it.until(lambda: it.lines[4].rstrip().endswith("paused"))
        assert [one.state for one in it.engine.transfers] == [State.PAUSED, State.RUNNING, State.RUNNING]
        await it.press("h", "p")
        await it.until(lambda: [one.state for one in it.engine.transfers].count(State.PAUSED) == 2)
        await it.press("p")
        await it.until(lambda: State.PAUSED not in [one.state for one in it.engine.transfers])
        await it.press("space", "space", "p")
        await it.until(lambda: {one.state for one in it.engine.transfers} == {State.PAUSED})
        assert [line[4:40] for line in it.lines[3:6]] == before
        await it.press("escape", "P")
        await it.until(lambda: {one.state for one in it.engine.transfers} == {State.RUNNING})
        await it.press("g", "x")
        assert isinstance(it.app.screen, CancelDialog)
        assert "Cancel 2 transfers?" in it.text
        assert "What arrived is deleted: 500 B." in it.text
        await it.press("x", "y", "enter")
        assert State.CANCELLED not in [one.state for one in it.engine.transfers]
        await it.press("x", "right", "enter")
        await it.until(lambda: [one.state for one in it.engine.transfers].count(State.CANCELLED) == 2)
        await it.press("r")
        await it.until(lambda: {one.state for one in it.engine.transfers} == {State.RUNNING})
        it.engine.become(3, State.FAILED, NotAvailableError("it is archived", state="ARCHIVED", hint="Restore it."))
        it.engine.become_all([1, 2], State.DONE)
        await it.until(lambda: "it is archived. Restore it." in it.text)
        assert [line.split()[1] for line in it.lines[3:5]] == ["✓", "✗"]
        await it.press("c")
        await it.until(lambda: "2 files" not in it.text)
        assert "✗ report-002.tar" in it.text


async def test_a_key_that_does_nothing_here_is_not_in_the_footer_and_says_why(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        await it.press("t")
        assert "p Pause" in it.keys
        assert "r Retry" not in it.keys
        it.engine.become(1, State.DONE)
        await it.until(lambda: "p Pause" not in it.keys)
        said = {"p": "It has ended: nothing is left to pause.", "x": "It has ended: nothing is left to cancel.",
                "r": "It is done; there is nothing to try again.", "K": "Only what waits can be moved"}  # fmt: skip
        for key, words in said.items():
            await it.press(key)
            assert it.notices[-1].startswith(words)
        assert it.engine.transfers[0].state is State.DONE


async def test_the_key_that_pauses_says_when_it_goes_on_with_what_rests(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        await it.press("t")
        await it.until(lambda: "p Pause" in it.keys and "P Pause all" in it.keys)
        await it.press("p")
        await it.until(lambda: it.engine.transfers[0].state is State.PAUSED)
        await it.until(lambda: "p Resume" in it.keys and "P Resume all" in it.keys and "Pause" not in it.keys)
        await it.press("p")
        await it.until(lambda: it.engine.transfers[0].state is not State.PAUSED)
        await it.until(lambda: "p Pause" in it.keys)


async def test_what_waits_changes_places_in_the_queue(browser: Any) -> None:
    requests = [
        DownloadRequest(Location("acme", "", f"{number}.tar"), Path("/x"), batch=TransferBatch(str(number // 2), "two"))
        for number in range(4)
    ]
    waiting = [TransferSnapshot(number, one, State.QUEUED) for number, one in enumerate(requests, 1)]
    async with browser(start=START, behind={"transfers": waiting}) as it:
        await it.press("t", "g", "J")
        assert it.engine.order == [3, 4, 1, 2]
        await it.press("l", "j", "J")
        assert it.engine.order == [2, 1]
        await it.press("J")
        assert it.notices == ["It is last already."]


async def test_where_the_files_are_can_be_copied_and_opened(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        it.engine.become(1, State.DONE, path=tmp_path / "downloads" / "a.tar")
        await it.press("t", "Y")
        assert it.app.clipboard == str(tmp_path / "downloads" / "a.tar")
        await it.press("o")
        assert it.notices[-1] == f"No file manager here. The folder: {tmp_path / 'downloads'} · Y copies the path."


async def test_a_batch_of_zips_shows_what_happens_and_how_much_is_left(browser: Any) -> None:
    day = datetime(2024, 8, 30, 14, 2, tzinfo=UTC)
    where = Location("acme8", "us-east")
    batch = TransferBatch("b", "20,247 call recordings, us-east", "/calls", 20_247, 17_000_000_000)

    def zip_of(number: int, state: State, **facts: Any) -> TransferSnapshot:
        entries = [StoredObject(where, "a.mp3", size=1_000_000, size_exact=True, created=day + timedelta(hours=hours))
                   for hours in (0, 19)]  # fmt: skip
        members = tuple(DownloadRequest(where, Path("/calls"), entry=entry) for entry in entries)
        return TransferSnapshot(number, ZipRequest(members, where, Path("/calls"), batch=batch), state, **facts)

    transfers = [zip_of(number, State.DONE, size=2_000_000, done=2_000_000, level="") for number in (1, 2)]
    transfers += [zip_of(3, State.RUNNING, size=412_000_000, done=240_000_000, speed=2_388_889.0)]
    transfers += [zip_of(4, State.PACKING)]
    transfers += [zip_of(number, State.QUEUED) for number in range(5, 42)]
    async with browser(start=START, size=(120, 40), behind={"transfers": transfers}) as it:
        await it.press("t")
        assert it.lines[2].startswith(
            "   What                                       Where to                         Progress"
        )
        assert it.lines[3].startswith(
            " ▾ ↓ 20,247 call recordings, us-east          /calls  (41 zips of 2)           ██"
        )
        assert it.lines[4].startswith("     ↓ zip 3   30 Aug 14:02 – 31 Aug 09:02    2 files")
        assert it.lines[4].endswith("█████████▍░░░░░░  240 of 412 MB     1:12 ")
        assert "⟳ zip 4" in it.lines[5]
        assert "the service is packing it" in it.lines[5]
        assert it.lines[6].strip() == "· 37 more waiting"
        assert it.lines[7].strip() == "✓ 2 zips done: 4 files, 4.0 MB, all verified"
        await it.pilot.resize_terminal(80, 24)
        await it.settle()
        assert it.lines[2].startswith(" ▾ ↓ 20,247 call")
        assert it.lines[3].startswith("     ↓ zip 3 of 41   30–31 Aug           █████▉░░░░  240 of 412 MB")
        assert it.lines[5].startswith("     · 37 more waiting · ✓ 2 zips done")


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
        assert "zip of 2 files" in it.text
        assert "Objects: 1 done, 1 failed" in it.text
        assert "done  CRC-32 and size  m0.mp3" in it.text
        assert "failed  m1.mp3: it is archived." in it.text


async def test_what_other_programs_do_is_shown_with_their_process(browser: Any) -> None:
    async with browser(start=START, behind={"others": [Elsewhere(old(7), 4711)]}) as it:
        await it.press("t")
        await it.until(lambda: "pid 4711" in it.text)
        assert "old-7.tar" in it.text
        it.engine.others = []
        await it.until(lambda: "pid 4711" not in it.text)


async def test_a_journal_that_cannot_be_read_is_told_in_a_line(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.screens.transfers.POLL_S", 0.02)
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
    monkeypatch.setattr("cloudstore_tui.ui.screens.transfers.POLL_S", 0.02)
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
        await it.until(lambda: "↓ 2 stopped (t)" in it.lines[0])
        assert it.app.screen is it.screen
        await it.press("t", "P")
        await it.until(lambda: not it.engine.left)
        await it.press("escape")
        await it.until(lambda: "stopped" not in it.lines[0])
        await it.until(lambda: "↓ 0 of 2 files" in it.text)
        await it.press("q")
        assert isinstance(it.app.screen, QuitDialog)


@pytest.mark.parametrize(
    ("keys", "dropped"), [(("x", "y"), []), (("x", "escape"), []), (("x", "right", "enter"), [1, 2])]
)
async def test_nothing_of_an_earlier_run_is_dropped_unasked(browser: Any, keys: Any, dropped: list[int]) -> None:
    async with browser(start=START, behind={"left": [old(1), old(2)]}) as it:
        await it.press("t")
        await it.until(lambda: "stopped" in it.text)
        await it.press(keys[0])
        assert isinstance(it.app.screen, CancelDialog)
        assert "Drop 2 transfers?" in it.text
        await it.press(*keys[1:])
        await it.until(lambda: sorted(it.engine.dropped) == dropped)


async def test_the_key_for_download_drops_nothing_at_the_start(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1)]}) as it:
        await it.burst("dy")
        await it.until(lambda: it.engine.transfers)
        assert it.engine.dropped == []


async def test_without_a_journal_nothing_is_asked_at_the_start(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1)], "keeps": False}) as it:
        assert it.app.screen is it.screen


async def test_what_is_kept_can_be_gone_on_with_or_dropped_later(browser: Any) -> None:
    async with browser(start=START, behind={"left": [old(1), replace(old(2, State.FAILED), note="no answer")]}) as it:
        await it.press("t")
        await it.until(lambda: "stopped" in it.text)
        await it.press("l", "j")
        assert "██████▌░░░░░░░░░  0.4 of 1.0 kB  stopped" in it.lines[4]
        assert "failed: no answer" in it.lines[5]
        await it.press("p")
        await it.until(lambda: "1 batch running" in it.text)
        assert [transfer.id for transfer in it.engine.transfers] == [1]
        await it.press("j", "x", "right", "enter")
        await it.until(lambda: it.engine.dropped == [2])


@pytest.mark.parametrize(("keeps", "asked"), [(True, False), (False, True)])
async def test_what_is_paused_is_lost_only_without_a_journal(browser: Any, keeps: bool, asked: bool) -> None:
    async with browser(start=START, behind={"keeps": keeps}) as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        it.engine.become(1, State.PAUSED)
        await it.until(lambda: not it.screen.strip.display)
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
        await it.until(lambda: not it.app.transfers.unfinished)
        assert len(rung) == rings


async def test_they_are_shown_from_home_too(browser: Any) -> None:
    async with browser(home=True) as it:
        await it.press("t")
        await it.until(lambda: isinstance(it.app.screen, TransfersScreen))
        await it.press("escape")
        assert not isinstance(it.app.screen, TransfersScreen)
