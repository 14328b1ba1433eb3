"""Asking for archived objects: what is shown, and which answers count."""

from typing import Any

import pytest

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.ui.dialogs.questions import RestoreDialog


def objects(number: int) -> tuple[StoredObject, ...]:
    return tuple(
        StoredObject(Location("acme8", "us-east", f"id{index}"), f"call-{index}.wav", size=1_000_000, size_exact=True)
        for index in range(number)
    )


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), 7),
        (("backspace", "1", "0", "enter"), 10),
        (("escape",), None),
        (("tab", "enter"), None),
        (("tab", "tab", "enter"), 7),
    ],
)
async def test_the_answer_is_a_number_of_days_or_nothing(
    opened: Any, keys: tuple[str, ...], answer: int | None
) -> None:
    async with opened(RestoreDialog(objects(8), 2)) as it:
        assert "Restore 8 files of acme8?" in it.text
        assert "8.0 MB." in it.text
        assert "and 3 more" in it.text
        assert "2 files are not archived and left out." in it.text
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("typed", ["0", "11", "x", "٣"])
async def test_days_that_the_service_does_not_know_are_refused(opened: Any, typed: str) -> None:
    async with opened(RestoreDialog(objects(1))) as it:
        it.dialog.query_one("#days").value = typed
        await it.press("enter")
        assert it.answers == []
        assert "Not a number of days." in it.text


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(RestoreDialog(objects(30), 3), size) as it:
        assert it.fits()
