"""One transfer as a line of text."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot, UploadRequest
from cloudstore_tui.ui.transfer_text import describe
from cloudstore_tui.ui.widgets.transfer_line import elide, line_text

LOCATION = Location("acme", "", "exports/report.csv")


def download(state: State = State.RUNNING, done: int = 250, size: int | None = 1000) -> TransferSnapshot:
    return TransferSnapshot(
        id=1, request=DownloadRequest(LOCATION, Path()), state=state, done=done, size=size, speed=0.0
    )


@pytest.mark.parametrize("width", [10, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("state", list(State))
def test_a_line_is_exactly_as_wide_as_the_screen(width: int, state: State) -> None:
    error = NetworkError("no answer " * 20) if state is State.FAILED else None
    assert cell_len(line_text(replace(download(state), error=error), width)) == width


def test_every_state_has_words() -> None:
    assert [state for state in State if "get" not in line_text(download(state), 80).split()] == []
    shown = {state: line_text(download(state), 80) for state in State}
    assert len(set(shown.values())) == len(State)


def test_without_unicode_the_bar_is_ascii() -> None:
    assert "###.........  25 %" in line_text(download(), 80, "#.")


def test_without_a_size_there_is_no_bar_but_the_bytes_so_far() -> None:
    line = line_text(replace(download(size=None, done=4_200_000), speed=1_000_000.0), 80)
    assert "4.2 MB" in line
    assert "%" not in line


def test_a_note_says_more_than_the_state() -> None:
    waiting = replace(download(State.WAITING), note="link lost, trying again in 0:08")
    assert "link lost, trying again in 0:08" in line_text(waiting, 80)
    assert "waiting to try again" not in line_text(waiting, 80)


def test_more_than_all_is_all() -> None:
    assert "100 %" in line_text(download(done=5000), 80)


def test_what_is_done_says_how_it_was_checked() -> None:
    assert "done  1.0 kB  md5" in line_text(replace(download(State.DONE, done=1000), level="md5"), 80)


def test_the_name_is_the_wished_one_else_the_object_s_else_the_key_s_end() -> None:
    entry = StoredObject(LOCATION, "by entry")
    assert "report.csv" in line_text(download(), 80)
    assert "by entry" in line_text(replace(download(), request=DownloadRequest(LOCATION, Path(), entry=entry)), 80)
    wished = DownloadRequest(LOCATION, Path(), name="wished", entry=entry)
    assert "wished" in line_text(replace(download(), request=wished), 80)


def test_an_upload_is_a_put_of_a_local_file() -> None:
    upload = replace(download(), request=UploadRequest(Path("/home/me/report.csv"), LOCATION))
    assert line_text(upload, 80).startswith("put report.csv")
    assert "Object: acme:exports/report.csv" in describe(upload)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 10, "short"),
        ("abcdefghij", 7, "abc…hij"),
        ("録音録音録音", 7, "録…音"),
        ("abc", 0, ""),
        ("abc", 1, "…"),
    ],
)
def test_names_are_elided_in_their_middle(text: str, width: int, shown: str) -> None:
    assert elide(text, width) == shown
    assert cell_len(elide(text, width)) <= width
