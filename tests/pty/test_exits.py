"""However the program ends or rests, the terminal is as it was before."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from cloudstore_tui.sandbox.server import Ready
from tests.support.waiting import PATIENCE

Open = Callable[..., Any]

FOLDER = "acme:exports/reporting/outreach/"
READY = r"outreach-\d{8}\.tar"
SUSPEND, STOP = "\x1a", "\x03"


@pytest.fixture
def browser(terminal: Open, ready: Ready) -> Any:
    """The browser in a folder."""
    shown = terminal(FOLDER, CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(READY)
    return shown


@pytest.mark.parametrize("keys", [("q",), ("\x11",), (STOP, STOP)])
def test_every_way_to_quit(browser: Any, keys: tuple[str, ...]) -> None:
    browser.press(*keys)
    assert browser.end() == 0
    browser.check_restored()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_every_signal_that_can_be_heard(browser: Any, number: int, code: int) -> None:
    os.kill(browser.child.pid, number)
    assert browser.end() == code
    browser.check_restored()


def test_ctrl_z_leads_to_the_shell_although_another_program_runs_this_one(terminal: Open, ready: Ready) -> None:
    script = "import subprocess, sys; subprocess.call([sys.executable, '-m', 'cloudstore_tui', *sys.argv[1:]])"
    command = ("bash", "--norc", "--noprofile", "-i")
    shell = terminal(command=command, PS1="ready> ", CLOUDSTORE_CONFIG=str(ready.config))
    shell.wait_for("ready>")
    shell.child.send(f'{sys.executable} -c "{script}" {FOLDER}\r')
    shell.wait_for(READY)
    shell.press(SUSPEND)
    shell.wait_for("Stopped")
    shell.child.send("fg\r")
    shell.wait_for(READY)
    shell.press("q")
    shell.wait_for("ready> ")


def test_ctrl_z_stops_nothing_where_no_shell_would_wake_it(browser: Any) -> None:
    browser.press(SUSPEND)
    browser.wait_for("no shell to go back to")
    browser.press("j", "q")
    assert browser.end() == 0
    browser.check_restored()


def test_a_program_that_hangs_when_it_is_told_to_end(terminal: Open, ready: Ready) -> None:
    script = (
        "import sys, time\n"
        "from cloudstore_tui.app import CloudStoreApp\n"
        "CloudStoreApp.exit = lambda *_, **__: time.sleep(60)\n"
        "from cloudstore_tui.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    command = (sys.executable, "-c", script)
    shown = terminal(FOLDER, command=command, CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(READY)
    os.kill(shown.child.pid, signal.SIGTERM)
    assert shown.end() == 143
    shown.check_restored()


def test_an_error_of_its_own(terminal: Open, ready: Ready) -> None:
    script = (
        "import sys\n"
        "from cloudstore_tui.app import CloudStoreApp\n"
        "def fail(*_): raise RuntimeError('secret')\n"
        "CloudStoreApp.on_mount = fail\n"
        "from cloudstore_tui.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    command = (sys.executable, "-c", script)
    shown = terminal(FOLDER, command=command, CLOUDSTORE_CONFIG=str(ready.config))
    assert shown.end() == 70
    shown.check_restored()
    assert b"crashed" in shown.sent.rpartition(b"\x1b[?1049l")[2]
    assert b"secret" not in shown.sent


NO_THREAD = """
def refusing(self, start=threading.Thread.start):
    if self.name == {name!r}:
        raise RuntimeError("secret")
    start(self)
threading.Thread.start = refusing
"""
MISTAKE = """
def failing(*given, call=os.{call}):
    if threading.current_thread().name == {name!r}:
        raise RuntimeError("secret")
    return call(*given)
os.{call} = failing
"""


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (NO_THREAD.format(name="terminal-input"), 5, b"no more threads"),
        (NO_THREAD.format(name="terminal-output"), 5, b"no more threads"),
        (NO_THREAD.format(name="transfers"), 5, b"no more threads"),
        (MISTAKE.format(name="terminal-input", call="read"), 5, b"cannot be read any more"),
        (MISTAKE.format(name="terminal-output", call="write"), 129, b""),
    ],
    ids=["input cannot begin", "output cannot begin", "transfers cannot begin", "input fails", "output fails"],
)
def test_a_thread_of_its_own_that_fails(terminal: Open, ready: Ready, fault: str, code: int, words: bytes) -> None:
    script = (
        "import os, signal, sys, threading\n"
        # Before its own handler is there, the end of the terminal is the end of the process.
        "signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))\n"
        f"{fault}"
        "from cloudstore_tui.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    shown = terminal(FOLDER, command=(sys.executable, "-c", script), CLOUDSTORE_CONFIG=str(ready.config))
    if "os.read" in fault:
        shown.wait_for(READY)
        shown.press("j")
    assert shown.end() == code
    assert words in shown.sent
    assert b"Traceback" not in shown.sent
    assert b"secret" not in shown.sent


def test_a_terminal_that_is_gone_ends_the_program(browser: Any) -> None:
    browser.hang_up()
    assert browser.end() == 129


def test_a_terminal_that_is_gone_without_a_word_ends_the_program(terminal: Open, ready: Ready, tmp_path: Path) -> None:
    """In a session of its own a program is not told that its terminal was closed."""
    pid_file = tmp_path / "pid"
    script = 'echo $$ > $0; exec setsid -w "$@"'
    python = (sys.executable, "-m", "cloudstore_tui")
    shown = terminal(FOLDER, command=("sh", "-c", script, str(pid_file), *python), CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(READY)
    (process,) = psutil.Process(shown.child.pid).children() or [psutil.Process(shown.child.pid)]
    shown.hang_up()
    process.wait(PATIENCE)


@pytest.fixture
def shell(terminal: Open, ready: Ready, tmp_path: Path) -> Any:
    """A shell that runs the browser as a job, and puts the terminal into no mode of its own."""
    (tmp_path / ".inputrc").write_text("set enable-bracketed-paste off\n")
    command = ("bash", "--norc", "--noprofile", "-i")
    shown = terminal(command=command, size=(90, 30), CLOUDSTORE_CONFIG=str(ready.config), PS1="ready> ", LINE=FOLDER)
    shown.wait_for(r"ready> ")
    shown.press(f"{sys.executable} -m cloudstore_tui $LINE\r")
    shown.wait_for(READY)
    return shown


def test_suspended_and_back_the_screen_is_the_same(shell: Any) -> None:
    shell.press("j", "j", " ")
    shell.wait_for(r"1 marked")
    shell.settle(0.5)
    before = shell.steady
    shell.press(SUSPEND)
    shell.wait_for(r"Stopped")
    shell.check_modes()
    shell.press("stty -a\r")
    assert " icanon" in shell.wait_for(r" echo ")
    shell.press("fg\r")
    shell.wait_for(READY)
    shell.wait_until(lambda: shell.steady == before, f"the same screen as\n{before}\n")
    shell.press("j", "q")
    shell.wait_for(r"ready> ")
    shell.check_modes()


def test_a_size_that_changed_meanwhile_is_seen(shell: Any) -> None:
    shell.press(SUSPEND)
    shell.wait_for(r"Stopped")
    shell.resize(70, 20)
    shell.press("fg\r")
    shell.wait_for(READY)
    shell.wait_until(lambda: shell.screen.display[-1].rstrip().endswith("^p  ?"), "the line of keys in the last line")
    shell.press(SUSPEND)
    shell.wait_for(r"Stopped")
    shell.press("fg\r")
    shell.wait_for(READY)
    shell.press("q")
    shell.wait_for(r"ready> ")
    shell.check_modes()


def test_stopped_by_others_it_takes_the_terminal_again(shell: Any) -> None:
    (program,) = psutil.Process(shell.child.pid).children()
    program.send_signal(signal.SIGSTOP)
    shell.wait_for(r"Stopped")
    shell.press("clear; fg\r")
    shell.wait_for(READY)
    shell.press("j", "q")
    shell.wait_for(r"ready> ")
    shell.check_modes()


def test_the_end_of_the_shell_is_the_end_of_the_program(shell: Any) -> None:
    (program,) = psutil.Process(shell.child.pid).children()
    os.kill(shell.child.pid, signal.SIGKILL)
    end = time.monotonic() + PATIENCE
    while program.is_running() and program.status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
        shell.read(0.1)
    assert not program.is_running() or program.status() == psutil.STATUS_ZOMBIE
    shell.read(0.3)
    shell.check_modes()


def test_another_program_gets_the_terminal_as_it_was_and_gives_it_back(
    terminal: Open, ready: Ready, tmp_path: Path
) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\nstty -a | grep -o " icanon"\necho "press Enter"\nread line\necho "got $line"\n')
    pager.chmod(0o755)
    shown = terminal(FOLDER, CLOUDSTORE_CONFIG=str(ready.config), PAGER=str(pager))
    shown.wait_for(READY)
    before = shown.text
    shown.press("e")
    text = shown.wait_for(r"press Enter")
    assert "icanon" in text
    assert "PLACES" not in text
    shown.check_modes()
    shown.press("word\r")
    shown.wait_for(READY)
    shown.wait_until(lambda: "got word" not in shown.text, "the browser")
    assert shown.screen.display[0] == before.splitlines()[0]
    shown.press("j", "q")
    assert shown.end() == 0
    shown.check_restored()
