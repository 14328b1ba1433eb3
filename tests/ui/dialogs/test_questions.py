"""What is asked before something is stopped, deleted or restored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.ui.dialogs.questions import CancelDialog, ClearZipsDialog, DeleteDialog, QuitDialog, RestoreDialog

YES_OR_NO = [(("y",), True), (("n",), False), (("escape",), False), (("enter",), False), (("right", "enter"), True)]
"""Keys, and whether they say yes, where the harmless button comes first."""


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(("enter",), False), (("escape",), False), (("x", "y", "escape"), False), (("right", "enter"), True)],
)
async def test_only_the_button_cancels(browser: Any, keys: tuple[str, ...], answer: bool) -> None:
    async with browser() as it:
        answers: list[bool | None] = []
        it.app.push_screen(CancelDialog("", 41, 60_000_000), answers.append)
        await it.settle()
        assert "Cancel 41 transfers?" in it.text
        assert "What arrived is deleted: 60.0 MB. Finished files stay." in it.text
        await it.press(*keys)
        assert answers == [answer]


@pytest.mark.parametrize(("keys", "answer"), [*YES_OR_NO, (("down", "up", "enter"), False)])
async def test_keys_answer(opened: Any, keys: tuple[str, ...], answer: bool) -> None:
    async with opened(QuitDialog(3, keeps=True)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_says_how_much_runs_and_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(QuitDialog(1, keeps=True), size) as it:
        assert "1 transfer is unfinished. It will resume next time." in it.text
        assert it.fits()
        assert it.focus == "cancel"


async def test_a_key_right_after_a_paste_does_not_confirm(opened: Any) -> None:
    async with opened(QuitDialog(1, keeps=True)) as it:
        await it.paste("yes\n")
        it.dialog.action_yes()
        await it.pilot.pause()
        assert it.answers == []
        it.wait(0.35)
        await it.press("y")
        assert it.answers == [True]


@pytest.mark.parametrize(
    ("dialog", "said"),
    [
        (QuitDialog(2, keeps=True), "2 transfers are unfinished. They will resume next time."),
        (QuitDialog(2, keeps=False), "2 transfers are unfinished. What arrived of them is lost."),
        (QuitDialog(0, keeps=True, deleting=31), "31 objects are being deleted."),
        (QuitDialog(0, keeps=True, deleting=1), "1 object is being deleted."),
    ],
)
async def test_it_says_what_becomes_of_what_runs(opened: Any, dialog: QuitDialog, said: str) -> None:
    async with opened(dialog, (120, 24)) as it:
        assert said in it.text
        assert ("transfer" in it.text) == ("transfer" in said)


START = datetime(2024, 9, 1, 12, tzinfo=UTC)


def objects(number: int, *, exact: bool = True, name: str = "recording") -> tuple[StoredObject, ...]:
    return tuple(
        StoredObject(
            Location("acme8", "us-east", f"id{index}"),
            f"{name}-{index}",
            size=1_000_000,
            size_exact=exact,
            created=START + timedelta(days=index),
        )
        for index in range(number)
    )


async def test_it_names_everything_with_size_and_age_and_says_from_where(opened: Any) -> None:
    async with opened(DeleteDialog(objects(8)), (80, 24)) as it:
        assert "Delete 8 files for good?" in it.text
        assert "1.0 MB    recording-0" in it.text
        assert "1 Sep 2024" in it.text
        assert "8.0 MB in all, oldest 2024-09-01 12:00, newest 2024-09-08 12:00 UTC" in " ".join(it.text.split())
        assert "From    acme8:us-east/" in it.text
        assert "This cannot be undone." in it.text
        assert "Type 8 to confirm" in it.text
        assert "Esc Keep them" in it.text
        assert it.text.count("Delete 8 files") > 1
        it.dialog.query_one(".names").scroll_end(animate=False)
        await it.pilot.pause()
        assert "recording-7" in it.text
        assert it.dialog.has_class("-danger")


async def test_rounded_and_unknown_sizes_are_not_passed_off_as_exact(opened: Any) -> None:
    entries = (*objects(2, exact=False), StoredObject(Location("acme8"), "unsized"))
    async with opened(DeleteDialog(entries)) as it:
        assert "≈2.0 MB in all, 1 of unknown size" in it.text


async def test_dates_without_a_zone_are_no_crash(opened: Any) -> None:
    entries = (*objects(1), StoredObject(Location("acme"), "old", created=datetime(2020, 1, 2)))
    async with opened(DeleteDialog(entries)) as it:
        assert "oldest 2020-01-02" in " ".join(it.text.split())


@pytest.mark.parametrize(("keys", "answer"), YES_OR_NO)
async def test_one_is_a_yes_or_no_with_cancel_first(opened: Any, keys: tuple[str, ...], answer: bool) -> None:
    async with opened(DeleteDialog(objects(1))) as it:
        assert it.focus == "cancel"
        await it.press(*keys)
        assert it.answers == [answer]


async def test_of_several_the_number_is_typed(opened: Any) -> None:
    async with opened(DeleteDialog(objects(21))) as it:
        assert it.focus == "count"
        await it.press("enter")
        await it.press("y", "enter")
        assert it.answers == []
        assert "Wrong number." in it.text
        await it.press("backspace", "2", "1", "enter")
        assert it.answers == [True]


async def test_of_several_the_yes_button_needs_the_number_too(opened: Any) -> None:
    async with opened(DeleteDialog(objects(21))) as it:
        await it.press("down", "down", "enter")
        assert it.answers == []
        assert it.focus == "count"


async def test_of_several_y_does_not_confirm_outside_the_field_either(opened: Any) -> None:
    async with opened(DeleteDialog(objects(21))) as it:
        await it.press("down")
        assert it.focus == "cancel"
        await it.press("y")
        assert it.answers == []


async def test_letters_in_the_field_are_no_commands(opened: Any) -> None:
    async with opened(DeleteDialog(objects(30))) as it:
        await it.press("n", "y", "q")
        assert it.answers == []
        assert it.dialog.query_one("#count").value == "nyq"
        await it.press("escape")
        assert it.answers == [False]


async def test_a_pasted_number_does_not_count(opened: Any) -> None:
    async with opened(DeleteDialog(objects(25))) as it:
        await it.paste("25\n")
        assert it.dialog.query_one("#count").value == ""
        assert "Pasting does not count." in it.text
        assert it.answers == []


async def test_a_paste_that_breaks_out_into_keys_does_not_confirm(opened: Any) -> None:
    async with opened(DeleteDialog(objects(25))) as it:
        it.dialog.query_one("#count").value = "25"
        await it.paste("x")
        it.dialog.action_confirm()
        await it.pilot.pause()
        assert it.answers == []


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
@pytest.mark.parametrize("number", [1, 25])
async def test_what_is_deleted_fits(opened: Any, size: tuple[int, int], number: int) -> None:
    async with opened(DeleteDialog(objects(number, name="a-long-name-" * 8)), size) as it:
        assert it.fits()


async def test_names_are_shown_literally(opened: Any) -> None:
    async with opened(DeleteDialog(objects(1, name="[/oops] [@click=app.bell]x[/] \x1b[2J\n"))) as it:
        assert "[/oops] [@click=app.bell]x[/]" in it.text
        assert "\x1b" not in it.text


async def test_only_the_typed_number_clears(opened: Any) -> None:
    async with opened(ClearZipsDialog("us-east", 12)) as it:
        await it.press("enter")
        await it.press("1", "enter")
        assert it.answers == []
        assert "Wrong number." in it.text
        await it.press("2", "enter")
        assert it.answers == [True]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_it_warns_that_others_lose_their_jobs(opened: Any, size: tuple[int, int]) -> None:
    async with opened(ClearZipsDialog("us-east", 12), size) as it:
        assert "Empty the queue of zip jobs in us-east?" in it.text
        assert "also jobs of everybody else" in " ".join(it.text.replace("│", " ").split())
        assert it.fits()


async def test_a_pasted_number_does_not_count_and_escape_keeps_all(opened: Any) -> None:
    async with opened(ClearZipsDialog("us-east", 12)) as it:
        await it.paste("12")
        await it.press("enter")
        assert it.answers == []
        await it.press("escape")
        assert it.answers == [False]


def archived(number: int) -> tuple[StoredObject, ...]:
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
    async with opened(RestoreDialog(archived(8), 2)) as it:
        assert "Restore 8 files of acme8?" in it.text
        assert "8.0 MB." in it.text
        assert "and 3 more" in it.text
        assert "2 files are not archived and left out." in it.text
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("typed", ["0", "11", "x", "٣"])
async def test_days_that_the_service_does_not_know_are_refused(opened: Any, typed: str) -> None:
    async with opened(RestoreDialog(archived(1))) as it:
        it.dialog.query_one("#days").value = typed
        await it.press("enter")
        assert it.answers == []
        assert "Not a number of days." in it.text


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_what_is_restored_fits(opened: Any, size: tuple[int, int]) -> None:
    async with opened(RestoreDialog(archived(30), 3), size) as it:
        assert it.fits()
