"""What can be done to look into an object: previews, links, copies."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import NotAvailableError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.ui.dialogs.dialog import MessageDialog
from cloudstore_tui.ui.dialogs.links import LinkDialog
from cloudstore_tui.ui.dialogs.picking import PickDialog
from cloudstore_tui.ui.screens.preview import PreviewScreen

FOLDER, SEARCH = "acme:exports/reporting/", "acme8:us-east/"
ASKING = (("y",), ("Y", *"curl", "enter"))
"""Keys that ask for a link."""


async def copy(it: Any, words: str) -> None:
    await it.press("Y")
    assert isinstance(it.app.screen, PickDialog)
    await it.type(words)
    await it.press("enter")


async def test_enter_copies_what_the_command_line_takes(browser: Any) -> None:
    async with browser(start=FOLDER) as it:
        await it.press("j", "Y", "enter")
        assert it.app.clipboard == "acme:exports/reporting/report-001.tar"
        assert it.notices == ["acme:exports/reporting/report-001.tar · Copied to your terminal's clipboard."]


@pytest.mark.parametrize(
    ("start", "words", "text"),
    [
        (FOLDER, "name", "report-000.tar"),
        (FOLDER, "key", "exports/reporting/report-000.tar"),
        (SEARCH, "name", "int-0000000.mp3"),
    ],
)
async def test_a_word_finds_what_to_copy(browser: Any, start: str, words: str, text: str) -> None:
    async with browser(start=start) as it:
        await copy(it, words)
        assert it.app.clipboard == text


async def test_the_cursor_finds_it_too(browser: Any) -> None:
    async with browser(start=SEARCH) as it:
        await it.press("Y", *["down"] * 4, "enter")
        assert it.app.clipboard == "id-0000000"


async def test_tags_are_one_line_of_json(browser: Any) -> None:
    async with browser(start=SEARCH) as it:
        await copy(it, "tags json")
        assert json.loads(it.app.clipboard)["agentName"] == "Agent 0"


async def test_what_is_marked_is_copied_one_a_line(browser: Any) -> None:
    async with browser(start=FOLDER) as it:
        await it.press("space", "space")
        await copy(it, "name")
        assert it.app.clipboard == "report-000.tar\nreport-001.tar"
        assert it.notices == ["report-000.tar … · Copied to your terminal's clipboard."]


async def test_a_curl_command_is_copied_and_shown(browser: Any, folders: Any) -> None:
    async with browser(start=FOLDER) as it:
        await copy(it, "curl")
        assert isinstance(it.app.screen, MessageDialog)
        link = "https://aspect-cloud.net/exports/reporting/report-000.tar?sig=s3cret"
        assert it.app.clipboard == f"curl --fail --globoff --output report-000.tar '{link}'"
        assert "curl --fail" in it.text
        assert folders.count("link") == 1


@pytest.mark.parametrize(
    ("name", "local"),
    [
        ("../../.ssh/authorized_keys", "%2E.%2F..%2F.ssh%2Fauthorized_keys"),
        (".bashrc", "%2Ebashrc"),
        ("-o x", "'%2Do x'"),
    ],
)
async def test_the_curl_command_writes_into_this_folder_and_nowhere_else(
    browser: Any, folders: Any, name: str, local: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = folders.entry
    monkeypatch.setattr(folders, "entry", lambda path, _="": entry(path, name))
    async with browser(start=FOLDER) as it:
        await copy(it, "curl")
        assert f"--output {local} 'https" in it.app.clipboard


async def test_what_is_copied_commands_nothing(browser: Any, folders: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = folders.entry
    monkeypatch.setattr(folders, "entry", lambda path, _="": entry(path, "a\nrm -rf x\x1b[201~\x9b\u202e\r"))
    async with browser(start=FOLDER) as it:
        await copy(it, "name")
        assert it.app.clipboard == "a\ufffdrm -rf x\ufffd[201~\ufffd\ufffd\ufffd"


async def test_a_link_is_shown_as_y_shows_it(browser: Any) -> None:
    async with browser(start=FOLDER) as it:
        await copy(it, "signed")
        assert isinstance(it.app.screen, LinkDialog)


async def test_a_folder_has_an_address_and_no_link(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("Y")
        assert "acme:exports/reporting/" in it.text
        assert "curl" not in it.text
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_an_empty_folder_gives_its_own_address_at_once(browser: Any) -> None:
    async with browser(start="acme:imports/") as it:
        await it.press("Y")
        assert it.app.clipboard == "acme:imports/"


@pytest.mark.parametrize("keys", ASKING, ids=" ".join)
async def test_why_there_is_no_link_is_said(browser: Any, folders: Any, keys: tuple[str, ...]) -> None:
    folders.fail["link"] = NotAvailableError("its state is ARCHIVED", state="ARCHIVED", subject="x", hint="Restore it.")
    async with browser(start=FOLDER) as it:
        await it.press(*keys)
        assert it.notices == ["x: its state is ARCHIVED. Restore it."]
        assert "asking" not in it.foot


@pytest.mark.parametrize("keys", ASKING, ids=" ".join)
async def test_escape_gives_up_waiting_for_a_link(browser: Any, folders: Any, keys: tuple[str, ...]) -> None:
    folders.gates["link"] = asyncio.Event()
    async with browser(start=FOLDER) as it:
        await it.press(*keys)
        assert "asking for a link" in it.foot
        await it.press("escape")
        assert folders.cancelled == ["acme:exports/reporting/report-000.tar"]
        assert "asking" not in it.foot


async def test_y_shows_the_whole_link_and_copies_it(browser: Any) -> None:
    async with browser(start=FOLDER) as it:
        await it.press("j", "y")
        assert isinstance(it.app.screen, LinkDialog)
        assert "https://aspect-cloud.net/exports/reporting/report-001.tar?sig=s3cret" in it.text
        assert it.app.clipboard == "https://aspect-cloud.net/exports/reporting/report-001.tar?sig=s3cret"


async def test_a_link_that_comes_after_the_user_has_left_does_not_open(browser: Any, folders: Any) -> None:
    folders.gates["link"] = asyncio.Event()
    async with browser(start=FOLDER) as it:
        await it.press("y")
        it.screen.navigator.travel("up")  # by the mouse: keys wait for the link
        folders.gates["link"].set()
        await it.settle()
        assert it.app.screen is it.screen


async def test_folders_have_no_link(browser: Any, folders: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("y")
        assert it.notices == ["Only files have links. Select one first."]
        assert folders.count("link") == 0


async def test_folders_are_not_looked_into(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.press("p")
        assert it.notices == ["Nothing to preview here."]
        assert it.engine.ranges == []


async def test_what_is_archived_is_said_and_nothing_is_asked(
    browser: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = searches.object
    monkeypatch.setattr(searches, "object", lambda *given: replace(usual(*given), state="ARCHIVED"))
    async with browser(start="acme8:us-east") as it:
        await it.until(lambda: it.rows)
        await it.press("p")
        assert it.app.screen is it.screen
        assert it.notices == ["Archived files can't be previewed. Press B to restore."]
        assert it.engine.ranges == []


async def test_e_opens_another_program_and_the_preview_is_still_there(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(first: int, count: int) -> Piece:
        return Piece(b"hello"[first : first + count], 5)

    pieces = {"report-000.tar": read}
    async with browser(
        start="acme:exports/reporting/", behind={"pieces": pieces}, opener={"text": "no-such-program"}
    ) as it:
        await it.press("p")
        await it.until(lambda: "hello" in it.text)
        await it.press("e")
        await it.until(lambda: it.notices)
        assert isinstance(it.app.screen, PreviewScreen)
        assert "hello" in it.text
        assert it.notices[0].startswith("opener: it names a program that is not there: no-such-program")


async def test_moving_the_cursor_asks_for_nothing(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.press("j", "j", "k")
        assert not isinstance(it.app.screen, PreviewScreen)
        assert it.engine.ranges == []
