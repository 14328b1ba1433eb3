"""What is back is offered, and nothing is fetched by accident."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudstore_tui.core.models import Location
from cloudstore_tui.restores import RestoreRequest, RestoreStatus
from cloudstore_tui.ui.dialogs.ready_dialog import ReadyDialog

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def requests(number: int) -> tuple[RestoreRequest, ...]:
    return tuple(
        RestoreRequest(
            Location("acme8", "us-east", f"{n}"), f"call-{n}.wav", 1_000_000, 7, NOW, RestoreStatus.READY, expires=NOW
        )
        for n in range(number)
    )


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("n", False), ("escape", False), ("enter", False)])
async def test_later_is_the_harmless_answer(opened: Any, key: str, answer: bool) -> None:
    async with opened(ReadyDialog(requests(8))) as it:
        assert "8 archived objects are back. Download now?" in it.text
        assert "8.0 MB, here until 2026-03-01 12:00:00 UTC at least" in it.text
        assert "and 3 more" in it.text
        await it.press(key)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(ReadyDialog(requests(1)), size) as it:
        assert "1 archived object is back" in it.text
        assert it.fits()
