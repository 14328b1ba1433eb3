"""What the sign before a row says, and that it changes with what happens to the object."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.models import Folder, Location, StoredObject
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot
from cloudstore_tui.ui.browser.entry_table import RowStates
from cloudstore_tui.ui.widgets.row_renderer import RowSign

HERE = Location("acme8", "us-east", "id-1")


def transfer(state: State) -> TransferSnapshot:
    return TransferSnapshot(1, DownloadRequest(HERE, Path("/calls")), state)


@pytest.mark.parametrize(
    ("service", "state", "sign"),
    [
        ("AVAILABLE", None, None),
        ("ARCHIVED", None, RowSign.ARCHIVED),
        ("PENDING", None, RowSign.RESTORING),
        ("DELETED", None, RowSign.LOST),
        ("AVAILABLE", State.QUEUED, RowSign.COMING),
        ("AVAILABLE", State.RUNNING, RowSign.COMING),
        ("AVAILABLE", State.DONE, RowSign.HERE),
        ("AVAILABLE", State.SKIPPED, RowSign.HERE),
        ("AVAILABLE", State.FAILED, None),
        ("ARCHIVED", State.CANCELLED, RowSign.ARCHIVED),
    ],
)
def test_the_sign_is_that_of_the_transfer_or_of_the_state(service: str, state: State | None, sign: object) -> None:
    states = RowStates(lambda _: transfer(state) if state is not None else None)
    assert states.sign_of(StoredObject(HERE, "a.mp3", state=service)) is sign


def test_what_arrived_stays_here_when_its_transfer_is_forgotten_and_what_is_asked_back_says_so() -> None:
    states = RowStates(lambda _: None)
    entry = StoredObject(HERE, "a.mp3", state="ARCHIVED")
    assert states.sign_of(Folder(HERE, "a")) is None
    states.note_restores(frozenset({HERE}))
    assert states.sign_of(entry) is RowSign.RESTORING
    states.note_ended([transfer(State.FAILED)])
    assert states.sign_of(entry) is RowSign.RESTORING
    states.note_ended([transfer(State.DONE)])
    assert states.sign_of(entry) is RowSign.HERE


async def test_a_row_shows_how_its_download_goes_on(browser: Any) -> None:
    def row() -> str:
        table = [line.split("│")[1] for line in it.lines if line.count("│") > 1]
        return next(str(line) for line in table if "report-001.tar" in line)

    async with browser(start="acme:exports/reporting/") as it:
        await it.press("j", "d")
        await it.until(lambda: row().startswith(" ↓ report-001.tar"))
        it.engine.become(1, State.DONE)
        await it.until(lambda: row().startswith(" ✓ report-001.tar"))
        await it.press("space")
        assert row().startswith("●✓ report-001.tar")
        it.engine.forget(1)
        await it.settle()
        assert row().startswith("●✓ report-001.tar")
