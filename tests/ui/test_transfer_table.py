"""The list of batches: lines in every width, what is drawn again, and what a look at very many costs."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferBatch, TransferSnapshot, UploadRequest
from cloudstore_tui.ui.format import meter, of_text
from cloudstore_tui.ui.text import shorten
from cloudstore_tui.ui.transfer_text import result_text, running_text
from cloudstore_tui.ui.transfer_watch import BatchProgress
from cloudstore_tui.ui.widgets.transfer_table import TransferTable
from tests.support.screen import lines_of

WHERE = Location("acme8", "us-east")


def transfer(id_: int, state: State = State.RUNNING, name: str = "") -> TransferSnapshot:
    request = DownloadRequest(
        Location("acme8", "us-east", f"id{id_}"), Path("/downloads"), name or f"recording-{id_}.mp3"
    )
    return TransferSnapshot(id=id_, request=request, state=state, done=500_000, size=1_000_000, speed=100_000.0)


def batch_of(*transfers: TransferSnapshot, key: str = "b", title: str = "recordings") -> BatchProgress:
    progress = BatchProgress(key, TransferBatch(key, title, "/downloads"))
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


async def test_transfers_are_called_after_people_or_as_somebody_named_their_file() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        tags, created = (("agentName", "Khang Glynn"),), datetime(2024, 9, 1, 9, 16, tzinfo=UTC)
        entry = StoredObject(WHERE, "int-191.mp3", type="callcenterrecording", created=created, tags=tags)
        requests = [DownloadRequest(WHERE, Path("/downloads"), name, entry=entry) for name in ("", "recording.mp3")]
        transfers = [replace(transfer(number), request=request) for number, request in enumerate(requests, 1)]
        app.table.unfolded.add("b")
        app.table.show({"b": batch_of(*transfers)})
        await pilot.pause()
        assert [line[7:44].rstrip() for line in lines_of(app)[3:5]] == [
            "Khang Glynn, 1 Sep 2024 09:16",
            "recording.mp3",
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
