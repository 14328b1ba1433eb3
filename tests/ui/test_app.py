"""The application: quitting, signals, crashes, configuration."""

import asyncio
import os
import re
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import pexpect
import pytest

from cloudstore_tui.core.errors import ConfigError, crash_sentence
from cloudstore_tui.transfers.model import State
from cloudstore_tui.ui.dialogs.questions import QuitDialog
from cloudstore_tui.ui.screens.help import HelpScreen
from tests.support.environment import own_environment
from tests.support.waiting import PATIENCE

START = "acme:exports/reporting/"


@pytest.mark.parametrize("key", ["q", "f10", "ctrl+q"])
async def test_each_key_to_quit_quits(browser: Any, key: str) -> None:
    async with browser(start=START) as it:
        await it.pilot.press(key)
        await it.pilot.pause()
        assert not it.app.is_running
        assert not it.app.return_code


async def test_quitting_asks_while_transfers_run_and_not_afterwards(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("d")
        await it.until(lambda: it.engine.transfers)
        await it.press("q")
        assert isinstance(it.app.screen, QuitDialog)
        await it.press("ctrl+q")
        assert len(it.app.screen_stack) == 3
        await it.press("escape")
        assert it.app.is_running
        it.engine.become(1, State.DONE)
        await it.until(lambda: it.results)
        await it.pilot.press("q")
        await it.pilot.pause()
        assert not it.app.is_running


async def test_ctrl_c_stops_what_loads_and_twice_quits(browser: Any, folders: Any) -> None:
    folders.gates["browse"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("ctrl+c")
        assert folders.cancelled == [START]
        assert it.app.is_running
        await it.pilot.press("ctrl+c")
        await it.pilot.pause()
        assert not it.app.is_running


async def test_ctrl_c_alone_says_what_a_second_one_does(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("ctrl+c")
        assert it.notices == ["Ctrl+C once more quits."]


@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_shows_the_keys_of_where_the_user_is(browser: Any, key: str) -> None:
    async with browser(start=START) as it:
        await it.press(key)
        assert isinstance(it.app.screen, HelpScreen)
        assert re.search(r"space +Mark", it.text)
        await it.press("escape")
        assert it.focus == "table"


async def test_the_palette_runs_an_action(browser: Any) -> None:
    async with browser(start=START) as it:
        await it.press("ctrl+p")
        await it.type("download to a folder")
        await it.press("enter")
        await it.until(lambda: "to which folder" in it.text)


async def test_keys_and_messages_on_home_do_not_wait_for_the_browser(browser: Any) -> None:
    async with browser(home=True) as it:
        await it.press("j", "less_than_sign")
        assert "No messages yet." in it.text
        assert not it.app.is_screen_installed("browser")


async def test_nothing_moves_by_itself(browser: Any) -> None:
    async with browser(start=START) as it:
        assert it.app.animation_level == "none"


async def test_a_theme_that_is_not_there_is_said(browser: Any) -> None:
    async with browser(theme="nowhere") as it:
        assert it.notices[0].startswith("There is no theme nowhere. There are: ")


async def test_a_key_that_cannot_be_is_refused_before_the_screen(browser: Any) -> None:
    with pytest.raises(ConfigError, match=r"unknown action entries\.downlod"):
        async with browser(keys={"entries.downlod": "d"}):
            pass


def test_the_words_of_a_crash_hold_no_value_and_no_message() -> None:
    def broken(secret: str) -> None:
        raise KeyError(secret)

    with pytest.raises(KeyError) as caught:
        broken("canary-secret")
    said = crash_sentence(caught.value)
    assert "KeyError" in said
    assert "canary" not in said
    assert "\n" not in said


PROGRAM = """
import sys
from pathlib import Path
from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.config.profiles import Config

class Nothing:
    providers = {}
    keeps = False
    def submit(self, request): return 1
    def cancel(self, *numbers): pass
    def retry(self, *numbers): pass
    def forget(self, *numbers): pass
    def snapshot(self, numbers=None): return ()
    def listen(self, listener): return lambda: None
    async def interrupted(self): return ()

class Crashing(CloudStoreApp):
    def on_mount(self):
        super().on_mount()
        if "crash" in sys.argv:
            raise KeyError("canary-secret")

    def action_help(self):
        secret = "canary-secret"
        raise KeyError(secret)

app = Crashing(Nothing(), Config(Path("config.toml")))
app.run()
sys.exit(app.return_code or 0)
"""


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Starts the app alone in a real pseudo-terminal."""
    children = []

    def started(*arguments: str) -> Any:
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(PROGRAM))
        environment = own_environment(tmp_path, TERM="xterm-256color", LANG="C.UTF-8")
        command = [str(path), *arguments]
        child = pexpect.spawn(sys.executable, command, cwd=str(tmp_path), env=environment, dimensions=(24, 80))
        children.append(child)
        return child

    yield started
    for child in children:
        child.close(force=True)


@pytest.fixture
def program(start: Any) -> Any:
    """The app, ready for keys."""
    child = start()
    child.expect("Add a profile", timeout=PATIENCE)
    return child


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_with_its_code_and_gives_the_terminal_back(program: Any, number: int, code: int) -> None:
    os.kill(program.pid, number)
    program.expect(pexpect.EOF, timeout=PATIENCE)
    program.close()
    assert program.exitstatus == code
    assert b"\x1b[?1049l" in program.before


def test_a_crash_is_one_sentence_without_secrets_wrapped_at_the_edge_and_ends_with_70(start: Any) -> None:
    program = start("crash")
    program.expect(pexpect.EOF, timeout=PATIENCE)
    program.close()
    assert program.exitstatus == 70
    said = program.before.decode(errors="replace")
    said = said[said.index("\x1b[?1049l") :]
    assert "canary" not in said
    assert "Traceback" not in said
    lines = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", said).splitlines()
    assert all(len(line) <= 80 for line in lines)
    whole = " ".join(" ".join(lines).split())
    assert re.search(r"crashed \(KeyError in \w+\.py line \d+\)\. Finished .* Please report this line\.", whole)


def test_an_action_that_fails_is_shown_without_secrets_and_the_program_goes_on(program: Any) -> None:
    program.send("?")
    # What the line under it held already is not sent again.
    program.expect("KeyError in", timeout=PATIENCE)
    program.send("q")
    program.expect(pexpect.EOF, timeout=PATIENCE)
    program.close()
    assert program.exitstatus == 0
    assert b"canary" not in program.before
