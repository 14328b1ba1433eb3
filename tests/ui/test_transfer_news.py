"""What is told of transfers that ended, and how often."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cloudstore_tui.core.models import Location
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot, ZipRequest
from cloudstore_tui.ui.transfer_news import PAUSE, TransferNews, is_long

WHERE = Location("acme", "", "exports/x.tar")


def ended(state: State = State.DONE) -> TransferSnapshot:
    return TransferSnapshot(1, DownloadRequest(WHERE, Path("/downloads")), state)


async def test_hundreds_that_end_one_after_the_other_are_told_together(browser: Any) -> None:
    async with browser() as it:
        now = [100.0]
        news = TransferNews(it.app, lambda: now[0])
        news.take([ended()], is_busy=True)
        await it.settle()
        assert it.notices == ["Downloaded: /downloads"]
        for _ in range(30):
            news.take([ended(), ended()], is_busy=True)
        news.take([ended(State.FAILED)], is_busy=True)
        await it.settle()
        assert len(it.notices) == 1
        now[0] += PAUSE
        news.take([], is_busy=True)
        await it.settle()
        assert it.notices[1:] == ["60 transfers done.", "1 transfer failed; t shows why."]
        news.take([ended()], is_busy=True)
        news.take([ended()], is_busy=False)
        await it.settle()
        assert it.notices[3:] == ["2 transfers done."]
        news.take([], is_busy=False)
        await it.settle()
        assert len(it.notices) == 4


async def test_a_zip_is_told_with_how_much_was_in_it(browser: Any) -> None:
    async with browser() as it:
        request = ZipRequest((DownloadRequest(WHERE, Path()),) * 412, WHERE, Path("/downloads"))
        TransferNews(it.app).take([TransferSnapshot(1, request, State.DONE)], is_busy=False)
        await it.settle()
        assert it.notices == ["Downloaded: 412 objects to /downloads"]


def test_long_is_more_than_ten_seconds_and_not_what_the_user_cancelled() -> None:
    start = datetime(2024, 9, 1, tzinfo=UTC)

    def took(seconds: int, state: State = State.DONE) -> TransferSnapshot:
        request = DownloadRequest(WHERE, Path())
        return TransferSnapshot(1, request, state, started=start, ended=start + timedelta(seconds=seconds))

    assert is_long(took(11))
    assert not is_long(took(10))
    assert not is_long(took(11, State.CANCELLED))
    assert not is_long(ended())
