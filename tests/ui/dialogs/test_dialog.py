"""The frame of all dialogs, and those that only ask or tell."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from textual.app import ComposeResult
from textual.widgets import Input

from cloudstore_tui.ui.dialogs.dialog import MAX_LINES, ConsentDialog, Dialog, MessageDialog, QuestionDialog
from cloudstore_tui.ui.widgets.fields import Field


class Risky(QuestionDialog):
    """A question with a line to type in."""

    DANGER = True

    def compose_body(self) -> ComposeResult:
        yield Field(widget_id="count")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(bool(event.value))


class Going(Dialog[bool | None]):
    """Enter does what the second button does."""

    BUTTONS: ClassVar[Mapping[str, str]] = {"cancel": "Stay", "go": "Go"}
    ENTER = "go"

    def __init__(self) -> None:
        super().__init__("Go?", harmless=None)


def frame_colour(it: Any) -> Any:
    return it.dialog.query_one(".dialog").styles.border_top[1]


async def test_title_and_keys_stand_on_the_frame_the_buttons_and_the_last_line(opened: Any) -> None:
    async with opened(QuestionDialog("Quit now?", "Quit", "Stay")) as it:
        await it.pilot.pause()
        lines = [line.rstrip() for line in it.text.split("\n")]
        assert "Quit now?" in it.text
        assert any("Esc Stay" in line and "y Quit" in line for line in lines)
        assert lines[-1] == " esc Stay  y Quit"


async def test_a_button_shows_no_letter_that_would_be_typed_into_a_line(opened: Any) -> None:
    async with opened(Risky("Delete 2 files?", "Delete")) as it:
        assert "y Delete" in it.text
        it.dialog.query_one(Field).focus()
        await it.pilot.pause()
        assert "y Delete" not in it.text
        assert "Delete" in it.text


async def test_the_button_of_enter_says_so_and_danger_has_a_frame_of_its_own(opened: Any) -> None:
    async with opened(Going()) as it:
        assert "Esc Stay" in it.text
        assert "⏎ Go" in it.text
        calm = frame_colour(it)
    async with opened(Risky("Delete?", "Delete")) as it:
        assert frame_colour(it) != calm


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (30, 12)])
async def test_a_title_that_is_too_long_for_the_edge_is_read_inside(opened: Any, size: tuple[int, int]) -> None:
    title = "Objects of this name are there already, and somebody else is using them " + "now."
    async with opened(MessageDialog(title, "Text"), size) as it:
        frame = it.dialog.query_one(".dialog")
        assert "somebody" in it.text
        assert "Text" in it.text
        assert all(line[frame.region.x] in "╭│╰" for line in it.text.split("\n")[frame.region.y : frame.region.bottom])
        await it.pilot.resize_terminal(120, 40)
        assert it.dialog.has_class("-title-inside")


HOSTILE = "[red]a[/x] \x1b]52;c;QQ==\x07 \u202eb"


@pytest.mark.parametrize("key", ["escape", "enter", "q"])
async def test_it_closes_without_an_answer(opened: Any, key: str) -> None:
    async with opened(MessageDialog("Title", "Text")) as it:
        await it.press(key)
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_a_long_text_can_be_read_to_its_end(opened: Any, size: tuple[int, int]) -> None:
    lines = "\n".join(f"line {number}." for number in range(60))
    async with opened(MessageDialog("Title", lines), size) as it:
        assert "line 0." in it.text
        assert "line 59." not in it.text
        assert it.fits()
        await it.press(*["pagedown"] * 7)
        assert "line 59." in it.text
        await it.press("k")
        assert "line 59." not in it.text


async def test_a_text_from_elsewhere_is_shown_as_it_is(opened: Any) -> None:
    async with opened(MessageDialog(HOSTILE, f"{HOSTILE}\nsecond")) as it:
        assert it.text.count("[red]a[/x]") == 2
        assert "\x1b" not in it.text
        assert "\u202e" not in it.text
        assert "second" in it.text


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("n", False), ("escape", False), ("enter", False)])
async def test_each_key_answers_and_the_focus_is_on_no(browser: Any, key: str, answer: bool) -> None:
    answers: list[bool | None] = []
    async with browser() as it:
        it.app.push_screen(ConsentDialog("Replace?", ["[red]a[/b]\x1b.txt"], yes="Replace"), answers.append)
        await it.until(lambda: "[red]a[/b]␛.txt" in it.text)
        await it.press(key)
        assert answers == [answer]


async def test_many_reasons_are_counted(browser: Any) -> None:
    async with browser(size=(60, 15)) as it:
        it.app.push_screen(ConsentDialog("Replace?", [f"file-{number}" for number in range(50)], yes="Replace"))
        await it.until(lambda: f"and {50 - MAX_LINES} more" in it.text)
        assert "y Replace" in it.text
