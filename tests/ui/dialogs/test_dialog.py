"""What all dialogs share: the frame, buttons with their keys, the look of danger, the keys below."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from textual.app import ComposeResult
from textual.widgets import Input

from cloudstore_tui.ui.dialogs.dialog import Dialog, MessageDialog, QuestionDialog
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
