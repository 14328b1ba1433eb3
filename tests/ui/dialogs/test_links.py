"""What is shown to be copied: links, and the FIQL of a search."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from textual.app import App

from cloudstore_tui.core.links import LinkForm, SignedLink
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.ui.dialogs import links
from cloudstore_tui.ui.dialogs.links import FiqlDialog, LinkDialog

NOW = datetime(2024, 9, 1, 12, tzinfo=UTC)
URL = "https://blob.8x8.com/recording.mp3?X-Amz-Signature=" + "0123456789abcdef" * 24


@pytest.fixture(autouse=True)
def _over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never touch the clipboard of the machine that runs the tests."""
    monkeypatch.setenv("SSH_CONNECTION", "a b c d")


def dialog(minutes: float = 60, note: str = "", now: list[datetime] | None = None) -> LinkDialog:
    clock = now or [NOW]
    link = SignedLink(Secret(URL), NOW + timedelta(minutes=minutes), LinkForm.PRESIGNED, note)
    return LinkDialog("acme8:us-east/x", link, now=lambda: clock[0])


def joined(text: str) -> str:
    """The screen without frames and line ends, so that a wrapped text is in one piece again."""
    return "".join(line.strip(" │╭╮╰╯─") for line in text.splitlines())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_whole_link_is_on_the_screen_and_was_copied(opened: Any, size: tuple[int, int]) -> None:
    async with opened(dialog(), size) as it:
        assert URL in joined(it.text)
        assert it.app.clipboard == URL
        assert "Copied to your terminal's clipboard." in it.text
        assert "Anyone with this link can download the file" in it.text
        assert "Expires in 60 minutes (2024-09-01 13:00:00 UTC)." in it.text
        assert it.fits()


async def test_y_copies_again(opened: Any) -> None:
    async with opened(dialog()) as it:
        it.app.copy_to_clipboard("something else")
        await it.press("y")
        assert it.app.clipboard == URL


@pytest.mark.parametrize("key", ["escape", "q", "enter"])
async def test_it_closes(opened: Any, key: str) -> None:
    async with opened(dialog()) as it:
        await it.press(key)
        assert it.answers == [None]


async def test_the_plain_view_gives_the_terminal_the_link_alone(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def show_alone(_app: object, text: str, _hint: str) -> bool:
        shown.append(text)
        return True

    monkeypatch.setattr(links, "show_alone", show_alone)
    async with opened(dialog()) as it:
        await it.press("v")
        assert shown == [URL]
        assert "Link to" in it.text


async def test_without_a_terminal_the_plain_view_is_not_there(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(App, "notify", lambda _, message, **__: told.append(message))
    async with opened(dialog()) as it:
        await it.press("v")
        assert told == ["There is no terminal to show it in."]


async def test_at_60_by_15_it_can_be_scrolled_to_its_end(opened: Any) -> None:
    async with opened(dialog(), (60, 15)) as it:
        assert it.fits()
        assert "(2024-09-01" in it.text
        await it.press("pagedown")
        assert URL[-30:] in joined(it.text)


async def test_the_link_can_be_selected_with_the_mouse(opened: Any) -> None:
    async with opened(dialog()) as it:
        it.dialog.query_one("#url").text_select_all()
        await it.pilot.pause()
        assert it.dialog.get_selected_text() == URL


async def test_a_link_that_ends_says_so_at_once(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: dict[float, Callable[[], None]] = {}
    monkeypatch.setattr(LinkDialog, "set_timer", lambda _, seconds, act: timers.update({seconds: act}))
    now = [NOW]
    async with opened(dialog(minutes=0.5, now=now)) as it:
        assert "in less than a minute" in it.text
        now[0] += timedelta(minutes=1)
        timers[30]()
        await it.pilot.pause()
        assert "This link expired at" in it.text
        assert "Copied" not in it.text
        assert "Anyone with this link" not in it.text


async def test_long_lives_are_shown_in_hours_and_days(opened: Any) -> None:
    async with opened(dialog(minutes=60 * 12)) as it:
        assert "in 12 hours" in it.text
    async with opened(dialog(minutes=60 * 24 * 7)) as it:
        assert "in 7 days" in it.text


async def test_a_note_of_the_service_is_shown_literally(opened: Any) -> None:
    async with opened(dialog(note="[red]other form[/x]\x1b[2J")) as it:
        assert "[red]other form[/x]" in it.text
        assert "\x1b" not in it.text


async def test_it_shows_the_filter_where_it_went_and_what_it_does_not_say(opened: Any) -> None:
    async with opened(FiqlDialog("agentName=='[red]'", "acme8:us-east/", "name contains 'x'")) as it:
        assert "agentName=='[red]'" in it.text
        assert "Sent to acme8:us-east/." in it.text
        assert "Looked for in the loaded rows: name contains 'x'." in it.text
        await it.press("y")
        assert it.app.clipboard == "agentName=='[red]'"
        await it.press("escape")
        assert it.answers == [None]
