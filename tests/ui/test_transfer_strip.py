"""The strip of transfers: lines, order, keys, and how little is drawn."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot
from cloudstore_tui.ui.browser.transfer_strip import MOST_LINES, TransferStrip
from cloudstore_tui.ui.widgets.transfer_keys import TransferKeys


def transfer(id_: int, state: State = State.RUNNING, name: str = "") -> TransferSnapshot:
    request = DownloadRequest(
        Location("acme8", "us-east", f"id{id_}"), Path("/downloads"), name or f"recording-{id_}.mp3"
    )
    return TransferSnapshot(id=id_, request=request, state=state, done=500_000, size=1_000_000, speed=100_000.0)


class Strip(TransferStrip):
    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> "Strip":
        self.drawn.extend(region.y for region in regions)
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Strip()

    @property
    def strip(self) -> Strip:
        return self.query_one(Strip)

    @property
    def lines(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        text = ["".join(segment.text for segment in strip) for strip in strips]
        return text[: self.strip.outer_size.height] if self.strip.display else []

    @on(TransferKeys.Paused)
    @on(TransferKeys.Resumed)
    @on(TransferKeys.Cancelled)
    @on(TransferKeys.Retried)
    @on(TransferKeys.Cleared)
    @on(TransferKeys.Opened)
    def take(self, message: Message) -> None:
        self.seen.append(message)


async def test_it_is_hidden_while_empty_and_as_high_as_it_needs() -> None:
    app = Host()
    async with app.run_test() as pilot:
        assert not app.strip.display
        for number, height in ((1, 1), (3, 3), (40, MOST_LINES), (0, 0)):
            app.strip.show([transfer(id_) for id_ in range(number)])
            await pilot.pause()
            assert app.strip.display == (number > 0)
            assert len(app.lines) == (height + 1 if height else 0)


@pytest.mark.parametrize(
    ("size", "bar"), [((120, 40), "██████░░░░░░"), ((80, 24), "██████░░░░░░"), ((60, 15), " ███░░░")]
)
async def test_a_running_transfer_shows_bar_percent_speed_and_time_left(size: tuple[int, int], bar: str) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.strip.show([transfer(1)])
        await pilot.pause()
        assert "Transfers: 1 running" in app.lines[0]
        assert app.lines[1].startswith("get recording-1.mp3")
        assert f"{bar}  50 %" in app.lines[1]
        assert "100.0 kB/s  0:05 left" in app.lines[1]


async def test_what_runs_comes_first_then_what_waits_failed_and_ended() -> None:
    app = Host()
    async with app.run_test() as pilot:
        states = [State.DONE, State.FAILED, State.QUEUED, State.RUNNING, State.CANCELLED]
        start = datetime(2024, 9, 1, tzinfo=UTC)
        shown = [transfer(id_, state) for id_, state in enumerate(states)]
        app.strip.show([replace(t, ended=start + timedelta(t.id) if t.state.ended else None) for t in shown])
        await pilot.pause()
        assert [line.split()[1] for line in app.lines[1:]] == [f"recording-{id_}.mp3" for id_ in (3, 2, 1, 4, 0)]
        assert app.lines[0].strip("─ ") == "Transfers: 1 running, 1 waiting, 1 failed, 2 finished"


async def test_only_the_line_whose_text_changed_is_drawn_again() -> None:
    app = Host()
    async with app.run_test() as pilot:
        transfers = [transfer(id_) for id_ in range(4)]
        app.strip.show(transfers)
        await pilot.pause()
        app.strip.drawn.clear()
        app.strip.show(list(transfers))
        assert app.strip.drawn == []
        transfers[2] = replace(transfers[2], done=510_000)
        app.strip.show(transfers)
        assert app.strip.drawn == [2]
        app.strip.drawn.clear()
        app.strip.show([replace(moved, done=moved.done + 1) for moved in transfers])
        assert app.strip.drawn == []


async def test_keys_ask_for_what_the_state_allows() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.strip.show([transfer(1), transfer(2, State.FAILED), transfer(3, State.DONE)])
        await pilot.pause()
        app.strip.focus()
        await pilot.press("r", "x", "j", "x", "r", "down", "x", "r", "c")
        assert app.seen[:2] == [TransferKeys.Cancelled(1), TransferKeys.Retried(2)]
        assert [type(message) for message in app.seen[2:]] == [TransferKeys.Cleared]


async def test_the_cursor_stays_with_its_transfer_and_inside_the_window() -> None:
    app = Host()
    async with app.run_test() as pilot:
        transfers = [transfer(id_) for id_ in range(12)]
        app.strip.show(transfers)
        await pilot.pause()
        app.strip.focus()
        await pilot.press(*["j"] * 7)
        assert app.strip.transfer == transfers[7]
        assert "recording-7.mp3" in app.lines[MOST_LINES]
        app.strip.show([replace(transfers[0], state=State.DONE), *transfers[1:]])
        await pilot.pause()
        assert app.strip.transfer == transfers[7]
        await pilot.press(*["k"] * 3)
        assert app.strip.transfer == transfers[4]
        assert any("recording-4.mp3" in line for line in app.lines)
        app.strip.show(transfers[:2])
        await pilot.pause()
        assert app.strip.transfer == transfers[0]


async def test_keys_on_an_empty_strip_do_nothing() -> None:
    app = Host()
    async with app.run_test():
        for name in ("cancel", "retry", "open", "move(1)"):
            await app.strip.run_action(name)
        assert app.seen == []


async def test_enter_asks_for_a_page_about_a_transfer() -> None:
    app = Host()
    async with app.run_test() as pilot:
        error = NetworkError("no answer", subject="acme8:us-east/id1", hint="Try again later.")
        app.strip.show([replace(transfer(1, State.FAILED), error=error, path=Path("/downloads/recording-1.mp3"))])
        await pilot.pause()
        assert "failed: no answer. Try again later." in app.lines[1]
        app.strip.focus()
        await pilot.press("enter")
        (message,) = app.seen
        assert isinstance(message, TransferKeys.Opened)
        assert message.transfer.id == 1


async def test_a_hostile_name_is_one_literal_line() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.strip.show([transfer(1, name="[red]a[/x]\x1b]0;x\x07\n\u202eb")])
        await pilot.pause()
        assert "[red]a[/x]" in app.lines[1]
        assert not set("\x1b\x07\n\u202e") & set("".join(app.lines))
        assert app.strip.outer_size.height == 2


async def test_a_narrower_screen_elides_names_in_their_middle() -> None:
    app = Host()
    async with app.run_test(size=(120, 24)) as pilot:
        app.strip.show([transfer(1, name="int-" + "0123456789" * 6 + "-end.mp3")])
        await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "int-012" in app.lines[1]
        assert "-end.mp3" in app.lines[1]
        assert "…" in app.lines[1]
        assert "left" in app.lines[1]


async def test_the_cursor_is_seen_only_with_the_focus_and_without_colour() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.strip.show([transfer(1), transfer(2)])
        await pilot.pause()
        app.screen.set_focus(None)
        await pilot.pause()
        segment = next(iter(app.strip.render_line(0)))
        assert segment.style is None or not segment.style.reverse
        app.strip.focus()
        await pilot.pause()
        focused = next(iter(app.strip.render_line(0)))
        assert focused.style is not None
        assert focused.style.reverse


async def test_p_pauses_what_goes_on_and_resumes_what_rests() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.strip.show([transfer(1), transfer(2, State.PAUSED), transfer(3, State.DONE)])
        await pilot.pause()
        app.strip.focus()
        await pilot.press("p", "j", "p", "r", "j", "p")
        assert app.seen == [TransferKeys.Paused(1), TransferKeys.Resumed(2), TransferKeys.Resumed(2)]
        assert "paused at 50 %" in app.lines[2]


async def test_without_the_focus_it_shows_what_runs() -> None:
    app = Host()
    async with app.run_test() as pilot:
        transfers = [transfer(id_) for id_ in range(12)]
        app.strip.show(transfers)
        await pilot.pause()
        app.screen.set_focus(None)
        await pilot.pause()
        app.strip.show([replace(transfers[0], state=State.DONE), *transfers[1:]])
        await pilot.pause()
        assert "recording-1.mp3" in app.lines[1]
