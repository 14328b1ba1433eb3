"""The screen of all transfers, and its table."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from cloudstore_tui.core.errors import LocalDiskError, NetworkError, NotAvailableError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.left_overs import ForeignTransfer
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    State,
    TransferBatch,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
)
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.questions import CancelDialog, QuitDialog
from cloudstore_tui.ui.format import meter, of_text
from cloudstore_tui.ui.screens.transfers import TransfersScreen
from cloudstore_tui.ui.text import shorten
from cloudstore_tui.ui.transfer_text import result_text, running_text
from cloudstore_tui.ui.transfer_watch import BatchProgress
from cloudstore_tui.ui.widgets.transfer_table import TransferTable
from tests.support.screen import lines_of

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


async def test_questions_and_details_call_a_recording_what_the_list_calls_it(browser: Any) -> None:
    async with browser(start="acme8:us-east/") as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        await it.press("t", "x")
        assert "Cancel Recording of " in it.text
        await it.press("escape", "enter")
        assert isinstance(it.app.screen, MessageDialog)
        assert "─ Recording of " in it.text


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
                "r": "It is done: there is nothing to retry.", "K": "Only waiting transfers can be moved"}  # fmt: skip
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
            "   What                                                Where to                Progress"
        )
        assert it.lines[3].startswith(
            " ▾ ↓ 20,247 call recordings, us-east                   /calls  (41 zips of 2)  ██"
        )
        assert it.lines[4].startswith("     ↓ zip 3   30 Aug 14:02 – 31 Aug 09:02             2 files")
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
    async with browser(start=START, behind={"others": [ForeignTransfer(old(7), 4711)]}) as it:
        await it.press("t")
        await it.until(lambda: "pid 4711" in it.text)
        assert "old-7.tar" in it.text
        it.engine.others = []
        await it.until(lambda: "pid 4711" not in it.text)


async def test_what_another_program_resumes_and_leaves_again_is_shown_once(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.screens.transfers.POLL_S", 0.02)
    async with browser(start=START, behind={"left": [old(7)]}) as it:
        await it.press("t")
        await it.until(lambda: "stopped" in it.text)
        it.engine.left, it.engine.others = [], [ForeignTransfer(old(7), 4711)]
        await it.until(lambda: "pid 4711" in it.text)
        assert it.text.count("old-7.tar") == 1
        # Killed there: it can be resumed here again.
        it.engine.left, it.engine.others = [old(7)], []
        await it.until(lambda: "stopped" in it.text)
        assert it.text.count("old-7.tar") == 1
        await it.press("p")
        await it.until(lambda: not it.engine.left)


async def test_a_journal_that_cannot_be_read_is_shown_in_a_line(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
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
    async with browser(start=START, behind={"others": [ForeignTransfer(old(7), 4711)]}) as it:
        await it.press("t")
        await it.until(lambda: "pid 4711" in it.text)
        drawn: list[object] = []
        looks: list[object] = []
        screen = it.app.screen
        read = it.engine.running_elsewhere

        async def elsewhere() -> Any:
            looks.append(1)
            return await read()

        it.engine.running_elsewhere = elsewhere
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


WHERE = Location("acme8", "us-east")


def transfer(id_: int, state: State = State.RUNNING, name: str = "") -> TransferSnapshot:
    request = DownloadRequest(
        Location("acme8", "us-east", f"id{id_}"), Path("/downloads"), name or f"recording-{id_}.mp3"
    )
    return TransferSnapshot(id=id_, request=request, state=state, done=500_000, size=1_000_000, speed=100_000.0)


def batch_of(
    *transfers: TransferSnapshot, key: str = "b", title: str = "recordings", target: str = "/downloads"
) -> BatchProgress:
    progress = BatchProgress(key, TransferBatch(key, title, target))
    for one in transfers:
        progress.put(one)
    return progress


class Table(TransferTable):
    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> "Table":
        self.drawn.extend([region.y for region in regions] or [-1])
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield Table()

    @property
    def table(self) -> Table:
        return self.query_one(Table)


async def test_only_lines_whose_text_changed_are_drawn_again() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        batches = {"b": batch_of(*(transfer(number) for number in range(1, 5)))}
        app.table.unfolded.add("b")
        app.table.show(batches)
        await pilot.pause()
        app.table.drawn.clear()
        app.table.show(batches)
        assert app.table.drawn == []
        batches["b"].put(replace(transfer(3), done=800_000))
        app.table.show(batches)
        assert app.table.drawn == [1, 4]


async def test_the_cursor_stays_with_its_row_and_rows_where_they_are() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        batches = {key: batch_of(transfer(number), key=key) for number, key in enumerate("abc", 1)}
        app.table.show(batches)
        app.table.go_to("c")
        batches["a"].put(transfer(1, State.DONE))
        batches["c"].put(transfer(3, State.PAUSED))
        app.table.show(batches)
        await pilot.pause()
        assert app.table.row is not None
        assert app.table.row.batch == "c"
        assert [line.split()[1] for line in lines_of(app)[2:5]] == ["✓", "↓", "‖"]
        del batches["b"]
        app.table.show(batches)
        assert app.table.row.batch == "c"


async def test_what_short_targets_leave_is_for_the_titles() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        title, far = "Transcript of Beatriz Carvalho, 1 Sep 2024 23:33", "/archive/of/all/calls/that/we/keep/2024"
        starts = []
        for target in ("/calls", far):
            app.table.show({"b": batch_of(transfer(1), transfer(2), title=title, target=target)})
            await pilot.pause()
            starts.append(lines_of(app)[1].index("Where to"))
            assert (title in lines_of(app)[2]) is (target != far)
        assert starts == [57, 46]


async def test_a_screen_that_grows_gives_targets_the_room_they_need() -> None:
    app = Host()
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.show({"b": batch_of(transfer(1), transfer(2), target="/archive/of/all/calls/that/we/keep/2024")})
        await pilot.pause()
        assert "Where to" not in lines_of(app)[1]
        await pilot.resize_terminal(120, 20)
        await pilot.pause()
        assert lines_of(app)[1].index("Where to") == 46


async def test_transfers_are_called_after_people_or_as_somebody_named_their_file() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        tags, created = (("agentName", "Khang Glynn"),), datetime(2024, 9, 1, 9, 16, tzinfo=UTC)
        entry = StoredObject(WHERE, "int-191.mp3", type="callcenterrecording", created=created, tags=tags)
        summary = replace(entry, type="summary", tags=())
        requests = [DownloadRequest(WHERE, Path("/downloads"), name, entry=entry) for name in ("", "recording.mp3")]
        requests.append(replace(requests[0], entry=summary))
        transfers = [replace(transfer(number), request=request) for number, request in enumerate(requests, 1)]
        app.table.unfolded.add("b")
        app.table.show({"b": batch_of(*transfers)})
        await pilot.pause()
        assert [line[7:44].rstrip() for line in lines_of(app)[3:6]] == [
            "Khang Glynn, 1 Sep 2024 09:16",
            "recording.mp3",
            "Summary, 1 Sep 2024 09:16",
        ]


@pytest.mark.parametrize("width", [200, 120, 109, 80, 60, 40, 20])
async def test_every_line_is_as_wide_as_the_screen_whatever_is_in_it(width: int) -> None:
    states = dict(enumerate(State, 1))
    failed = NetworkError("the connection was reset, and " * 40, subject="x")
    wide = "録音" * 300
    transfers = [transfer(number, state, wide if number % 2 else "") for number, state in states.items()]
    transfers = [replace(one, error=failed) if one.state is State.FAILED else one for one in transfers]
    app = Host()
    async with app.run_test(size=(width, 20)) as pilot:
        batches = {"b": batch_of(*transfers, title=wide), "c": batch_of(*transfers[8:], key="c")}
        app.table.unfolded.add("b")
        app.table.show(batches)
        await pilot.pause()
        assert {cell_len(line) for line in lines_of(app)} == {width}
        for batch in batches.values():
            assert cell_len(running_text([batch], width)) == width
            assert cell_len(result_text(batch, width, hint="Y copies the path")) <= max(width, 40)


@pytest.mark.parametrize("width", [80, 60])
async def test_of_how_many_files_there_are_no_digit_is_left_out(width: int) -> None:
    transfers = [transfer(number, State.QUEUED if number > 2_000 else State.DONE) for number in range(10_215)]
    app = Host()
    async with app.run_test(size=(width, 20)) as pilot:
        app.table.unfolded.add("b")
        app.table.show({"b": batch_of(*transfers, title="exports/ (10,215 files)")})
        await pilot.pause()
        assert ("exports/ (10,215 files) → …" if width == 80 else "exports/ (10,215 … → …") in lines_of(app)[1]
        assert "8,214 more waiting · ✓ 2,001 files done" in lines_of(app)[2]


def test_fifty_thousand_transfers_cost_little_a_look() -> None:
    progress = batch_of(*(transfer(number, State.QUEUED) for number in range(50_000)))
    batches = {"b": progress}
    for number in range(25_000):
        progress.put(transfer(number, State.DONE))
    table = Table()
    table.unfolded.add("b")
    changed = [replace(transfer(number), done=number) for number in range(30_000, 30_004)]
    costs = []
    for _ in range(5):
        begun = time.process_time()
        for one in changed:
            progress.put(one)
        table.show(batches)
        running_text([progress], 120)
        costs.append(time.process_time() - begun)
    assert min(costs) < 0.005
    assert progress.files_done == 25_000


def test_what_is_forgotten_counts_as_done() -> None:
    progress = BatchProgress("b", TransferBatch("b", "4 files", "/x", 4, 4_000_000))
    progress.put(transfer(1, State.DONE))
    progress.put(transfer(2))
    for number in (0, 1):
        progress.forget(number)
        told = (progress.files_done, progress.count, progress.done, progress.size)
        assert told == (3, 4, 3_500_000, 4_000_000)


def test_meters_and_sizes_in_words() -> None:
    assert meter(1, 16, 2) == "▏░"
    assert meter(99, 100, 4) == "███▉"
    assert meter(100, 100, 4) == "████"
    assert of_text(1_200_000_000, 17_000_000_000) == "1.2 of 17.0 GB"
    assert of_text(54_000_000, 420_000_000) == " 54 of 420 MB"
    assert of_text(3, 29) == "  3 of 29 B"


def test_a_long_name_loses_its_middle() -> None:
    assert shorten("very-long-name-of-a-recording.mp3", 20, middle=True) == "very-long-…rding.mp3"


def test_results_say_how_it_ended_and_where() -> None:
    done = replace(transfer(1, State.DONE), level="md5", done=1_000_000)
    assert result_text(batch_of(done, replace(done, id=2))) == " ✓ 2 files, 2.0 MB, all verified → /downloads"
    assert (
        result_text(batch_of(replace(done, done=0), title="a.mp3")) == " ✓ Already there, the same: a.mp3 → /downloads"
    )
    sent = UploadRequest(Path("/tmp/plan.csv"), replace(WHERE, path="nanp/plan.csv"))
    upload = BatchProgress("u", TransferBatch("u", "plan.csv", "acme:imports/nanp/", 1, 29))
    upload.put(TransferSnapshot(9, sent, State.DONE, done=29, size=29, level="size"))
    assert result_text(upload) == " ✓ Uploaded plan.csv, 29 B → acme:imports/nanp/"
    failed = replace(done, id=3, state=State.FAILED, error=NetworkError("the connection was reset", hint="Try again."))
    assert result_text(batch_of(done, failed)) == " ✗ 1 of 2 failed: the connection was reset. Try again."
    assert result_text(batch_of(done, failed), 40) == " ✗ 1 of 2 failed: the connection was re…"
    assert result_text(batch_of(done, failed), 52, hint="t shows why").endswith("connection was …  t shows why ")
    entry = StoredObject(WHERE, "int-191.mp3", type="callcenterrecording", created=datetime(2024, 9, 1, 9, tzinfo=UTC))
    entry = replace(entry, tags=(("agentName", "Khang Glynn"),))
    known = replace(done, request=DownloadRequest(WHERE, Path("/downloads"), entry=entry))
    title = "Recording of Khang Glynn, 1 Sep 2024 09:00"
    assert result_text(batch_of(known, title=title)) == f" ✓ {title}, 1.0 MB, verified → /downloads"
    # Where there is less room, the time goes as a whole.
    narrow = result_text(batch_of(known, title=title), 80, hint="Y copies the path")
    assert narrow == f"{' ✓ Recording of Khang Glynn, 1.0 MB, verified → /downloads':60}  Y copies the path "
