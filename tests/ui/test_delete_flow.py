"""Objects deleted for good."""

import asyncio
from typing import Any

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.provider import Fate
from cloudstore_tui.ui.dialogs.delete_dialog import DeleteDialog
from cloudstore_tui.ui.dialogs.message_dialog import MessageDialog
from cloudstore_tui.ui.dialogs.quit_dialog import QuitDialog

START = "acme:exports/reporting/"


async def test_exactly_what_was_shown_is_deleted_and_its_rows_go(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("j", "space", "space", "delete")
        assert isinstance(it.app.screen, DeleteDialog)
        assert "report-001.tar" in it.text
        await it.press("y")
        assert folders.calls[-1] == ("delete", ("exports/reporting/report-001.tar", "exports/reporting/report-002.tar"))
        assert len(it.rows) == 10
        assert "report-001.tar" not in it.rows
        assert it.notices == ["2 objects deleted."]
        assert it.foot == "10 entries"


async def test_escape_deletes_nothing(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("X", "escape")
        assert folders.count("delete") == 0
        assert len(it.rows) == 12


async def test_what_was_kept_stays_and_its_reason_can_be_read(browser: Any, folders: Any) -> None:
    folders.refused = {"exports/reporting/report-001.tar": Fate.KEPT, "exports/reporting/report-002.tar": Fate.GONE}
    async with browser(start=START) as it:
        await it.press("space", "space", "space", "f8", "y")
        assert it.notices == ["1 object deleted, 1 object already gone, 1 object not deleted."]
        assert isinstance(it.app.screen, MessageDialog)
        assert "acme:exports/reporting/report-001.tar: not deleted." in it.text
        await it.press("escape")
        assert it.rows[:2] == ["report-001.tar", "report-003.tar"]


async def test_a_failure_removes_nothing(browser: Any, folders: Any) -> None:
    folders.fail["delete"] = NetworkError("no answer came", place="acme:")
    async with browser(start=START) as it:
        await it.press("X", "y")
        assert it.notices == ["acme:: no answer came."]
        assert len(it.rows) == 12


async def test_neither_escape_nor_a_second_key_nor_going_away_cuts_a_deletion_short(browser: Any, folders: Any) -> None:
    folders.gates["delete"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("X", "y")
        assert "deleting 1 object…" in it.foot
        await it.press("X", "escape", "backspace")
        assert not isinstance(it.app.screen, DeleteDialog)
        folders.gates["delete"].set()
        await it.settle()
        assert not folders.cancelled
        assert it.notices == ["1 object deleted."]
        assert it.rows == ["reporting/", "readme.txt"]


async def test_a_read_only_profile_has_no_delete(browser: Any, folders: Any) -> None:
    folders.profile = folders.profile.__class__("acme", "alvaria", read_only=True)
    async with browser(start=START) as it:
        assert "Delete" not in it.keys
        await it.press("delete", "X", "f8")
        assert it.app.screen is it.screen


async def test_quitting_while_it_runs_asks(browser: Any, folders: Any) -> None:
    folders.gates["delete"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("X", "y", "q")
        assert isinstance(it.app.screen, QuitDialog)
        assert "1 object is being deleted." in it.text
        await it.press("n")
        folders.gates["delete"].set()
        await it.settle()
        await it.pilot.press("q")
        await it.pilot.pause()
        assert not it.app.is_running
