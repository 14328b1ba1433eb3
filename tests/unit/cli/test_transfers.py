"""The list of transfers, line by line, and the numbers that people type."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession
from cloudstore_tui.cli.transfer import get_command
from cloudstore_tui.cli.transfers import KnownTransfer, batches, find_transfer, heading
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import MissingError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import (
    DownloadRequest,
    State,
    TransferBatch,
    TransferSnapshot,
    UploadRequest,
    ZipRequest,
)

FILM = Location("acme8", "us-east", "0f61827e-8d09-4ac7-a13d-0bb9affb404e")


def entry(*, exact: bool = True) -> StoredObject:
    return StoredObject(location=FILM, name="a\x1b[2Jfilm.mp4", size=13_050_000, size_exact=exact)


def download(
    number: int = 0xAA026293E8, *, size: int | None = None, note: str = "", exact: bool = True
) -> TransferSnapshot:
    request = DownloadRequest(FILM, Path("/calls"), entry=entry(exact=exact))
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return TransferSnapshot(
        number, request, State.RUNNING, done=2_500_000, size=size, started=started, note=note, path=Path("/calls")
    )


def test_a_line_says_the_number_the_state_how_much_and_what() -> None:
    running = KnownTransfer(download(), 4711).line(None)
    assert running == (
        "aa026293e8  running      2.5 MB of 13.1 MB   get  a␛[2Jfilm.mp4  "
        "acme8:us-east/0f61827e-8d09-4ac7-a13d-0bb9affb404e  process 4711"
    )
    waiting = KnownTransfer(download(size=100_000_000, note="no\nnet")).line(None)
    assert "  interrupted  2.5 MB of 100.0 MB  get  " in waiting
    assert waiting.endswith("  (no␊net)")


def test_a_line_is_cut_to_the_terminal() -> None:
    line = KnownTransfer(download(), 4711).line(80)
    assert len(line) == 80
    assert line.endswith("…")


def test_what_one_key_asked_for_stands_together_with_what_is_left_of_it() -> None:
    batch = TransferBatch.of("3 videos, us-east", "/calls", [13_050_000] * 3)
    ours = [KnownTransfer(_of(batch, download(number))) for number in (1, 3)]
    # What another program makes is counted by itself.
    there = [ours[0], KnownTransfer(download(2)), ours[1], KnownTransfer(_of(batch, download(4)), 4711)]
    assert batches(there) == [ours, [there[1]], [there[3]]]
    assert heading(ours, None) == "3 videos, us-east → /calls  2 left, 18.1 MB of 39.1 MB"
    assert len(heading(ours, 30)) == 30
    assert ours[0].line(None, indent=2).startswith("  0000000001  interrupted  ")
    assert ours[0].record()["batch"] == {
        "id": batch.id, "title": batch.title, "target": "/calls", "count": 3, "size": 39_150_000,
    }  # fmt: skip
    assert "batch" not in there[1].record()


def _of(batch: TransferBatch, transfer: TransferSnapshot) -> TransferSnapshot:
    return replace(transfer, request=replace(transfer.request, batch=batch))


def test_a_size_is_told_only_where_it_is_known() -> None:
    assert KnownTransfer(download()).size == 13_050_000
    assert KnownTransfer(download(exact=False)).size is None
    assert KnownTransfer(download(size=7)).size == 7
    assert "size" not in KnownTransfer(download(exact=False)).record()


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (UploadRequest(Path("/a.csv"), Location("acme", "", "imports/x/a.csv")), "upload"),
        (ZipRequest((), Location("acme8", "us-east", ""), Path("/calls"), job="j"), "zip"),
    ],
)
def test_a_record_names_its_kind(request_: UploadRequest | ZipRequest, kind: str) -> None:
    record = KnownTransfer(TransferSnapshot(1, request_, State.QUEUED)).record()
    assert (record["id"], record["kind"], record["state"]) == ("0000000001", kind, "interrupted")


def test_a_number_may_be_shortened_as_long_as_it_is_that_of_one_transfer() -> None:
    there = [KnownTransfer(download(0xAA026293E8)), KnownTransfer(download(0xAA02FFFFFF))]
    assert find_transfer(there, "AA0262") is there[0]
    for text in ("aa02", "aa0", "", "aa0"):
        with pytest.raises(UsageError, match="too short"):
            find_transfer(there, text)
    with pytest.raises(MissingError, match="no such transfer"):
        find_transfer(there, "bb02")


async def test_what_is_to_be_known_of_bytes_in_a_pipe_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def piped(*_given: object) -> TransferSnapshot:
        return replace(download(note="nobody knows whether it is whole"), state=State.DONE)

    monkeypatch.setattr("cloudstore_tui.transfers.pipe.pipe", piped)
    provider = Mock(is_folder=lambda _location: False, object_from_address=lambda _location: entry())
    session = CommandSession(Config(Path("config.toml")), Output(as_json=False))
    monkeypatch.setattr(CommandSession, "provider", lambda _session, _name: provider)
    monkeypatch.setattr(CommandSession, "resolve", lambda _session, _path: (provider, FILM))
    await get_command(session, (FILM.address,), folder="-", name=None, on_conflict=None)
    assert capsys.readouterr().err == f"{FILM.address}: nobody knows whether it is whole.\n"
