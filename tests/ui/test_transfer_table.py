"""The table of all transfers: rows, what is drawn again, and who takes orders."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.left_overs import Elsewhere
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot, ZipRequest
from cloudstore_tui.ui.widgets.transfer_keys import TransferKeys
from cloudstore_tui.ui.widgets.transfer_row import RowForm
from cloudstore_tui.ui.widgets.transfer_table import KEPT, NOTHING, Everything, TransferTable

WHERE = Location("acme8", "us-east")


def transfer(id_: int, state: State = State.RUNNING, name: str = "") -> TransferSnapshot:
    request = DownloadRequest(
        Location("acme8", "us-east", f"id{id_}"), Path("/downloads"), name or f"recording-{id_}.mp3"
    )
    return TransferSnapshot(id=id_, request=request, state=state, done=500_000, size=1_000_000, speed=100_000.0)


def zip_of(count: int, state: State = State.PACKING) -> TransferSnapshot:
    entry = StoredObject(WHERE, "a.mp3", size=4_000_000, size_exact=True)
    members = tuple(DownloadRequest(WHERE, Path(), entry=entry) for _ in range(count))
    return TransferSnapshot(9, ZipRequest(members, WHERE, Path("/downloads")), state)


class Table(TransferTable):
    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> "Table":
        self.drawn.extend([region.y for region in regions] or [-1])
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Table()

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    @property
    def lines(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @on(TransferKeys.Paused)
    @on(TransferKeys.Resumed)
    @on(TransferKeys.Cancelled)
    @on(TransferKeys.Retried)
    @on(TransferKeys.Opened)
    def take(self, message: Message) -> None:
        self.seen.append(message)


async def test_a_row_shows_state_bytes_speed_and_time_left_under_their_titles() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        app.table.show(Everything([transfer(1), replace(transfer(2, State.DONE), level="md5")]))
        await pilot.pause()
        head, first, second = app.lines[:3]
        assert head.split() == ["Name", "State", "Bytes", "Speed", "Left", "Verified"]
        assert "get  recording-1.mp3" in first
        assert "██████░░░░░░  50 %     500.0 kB of 1.0 MB   100.0 kB/s     0:05" in first
        assert first.index("100.0 kB/s") + len("100.0 kB/s") == head.index("Speed") + len("Speed")
        assert second.index("md5") == head.index("Verified")


@pytest.mark.parametrize("width", [20, 60, 80, 109, 110, 200])
@pytest.mark.parametrize("state", list(State))
def test_every_row_is_exactly_as_wide_as_the_table(width: int, state: State) -> None:
    error = NetworkError("no answer " * 20) if state is State.FAILED else None
    form = RowForm(width)
    for shown in (transfer(1, state, "録音" * 30), zip_of(412, state)):
        assert cell_len(form.row(replace(shown, error=error, level="size+etag"))) == width
    assert cell_len(form.head()) == width


def test_what_failed_says_why_and_a_zip_says_how_much_it_packs() -> None:
    error = NetworkError("no answer", subject="acme8:us-east/id1", hint="Try again later.")
    assert "failed: no answer. Try again later." in RowForm(120).row(replace(transfer(1, State.FAILED), error=error))
    row = RowForm(120).row(zip_of(412))
    assert "zip  412 objects" in row
    assert "packing" in row
    assert "1.6 GB" in row
    assert "packing, 0:20 so far" in RowForm(120).row(replace(zip_of(412), note="packing, 0:20 so far"))


async def test_an_empty_table_says_so() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        assert NOTHING in app.lines[1]
        app.table.show(Everything([transfer(1)]))
        await pilot.pause()
        assert "recording-1" in app.lines[1]
        app.table.show(Everything())
        await pilot.pause()
        assert NOTHING in app.lines[1]
        for action in ("pause", "cancel", "retry", "open"):
            await app.table.run_action(action)
        assert app.seen == []


async def test_only_rows_whose_text_changed_are_drawn_again() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        transfers = [transfer(id_) for id_ in range(4)]
        app.table.show(Everything(transfers))
        await pilot.pause()
        app.table.drawn.clear()
        app.table.show(Everything(list(transfers)))
        assert app.table.drawn == []
        transfers[2] = replace(transfers[2], done=620_000)
        app.table.show(Everything(transfers))
        assert app.table.drawn == [3]


async def test_the_cursor_stays_with_its_transfer_and_off_the_titles() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        own = [transfer(1), transfer(2)]
        kept = [transfer(3, State.PAUSED)]
        app.table.show(Everything(own, kept))
        await pilot.pause()
        app.table.focus()
        assert KEPT in app.lines[3]
        await pilot.press("j", "j")
        assert app.table.transfer == kept[0]
        await pilot.press("k")
        assert app.table.transfer == own[1]
        app.table.show(Everything([replace(own[0], state=State.DONE), own[1]], kept))
        assert app.table.transfer == own[1]
        app.table.show(Everything((), kept))
        assert app.table.transfer == kept[0]
        await pilot.press("g")
        assert app.table.transfer == kept[0]


async def test_transfers_of_other_programs_stand_apart_and_take_no_orders() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        app.table.show(Everything([transfer(1)], (), [Elsewhere(transfer(7), 4711), Elsewhere(transfer(8), 4711)]))
        await pilot.pause()
        app.table.focus()
        assert "In another program, pid 4711:" in app.lines[2]
        assert "recording-7" in app.lines[3]
        await pilot.press("j", "p", "x", "r")
        assert app.seen == []
        await pilot.press("enter")
        assert app.seen == [TransferKeys.Opened(transfer(7))]


async def test_a_hostile_name_is_one_literal_row() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        app.table.show(Everything([transfer(1, name="[red]a[/x]\x1b]0;x\x07\n\u202eb")]))
        await pilot.pause()
        assert "[red]a[/x]" in app.lines[1]
        assert not set("\x1b\x07\n\u202e") & set("".join(app.lines))


async def test_at_the_top_the_cursor_stays_with_what_runs() -> None:
    app = Host()
    async with app.run_test(size=(120, 20)) as pilot:
        transfers = [transfer(id_) for id_ in range(100)]
        app.table.show(Everything(transfers))
        await pilot.pause()
        app.table.focus()
        app.table.show(Everything([replace(transfers[0], state=State.DONE), *transfers[1:]]))
        await pilot.pause()
        assert app.table.transfer == transfers[1]
        assert "recording-1.mp3" in app.lines[1]
