"""The real program in a real pseudo-terminal."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cloudstore_tui.sandbox.server import Ready
from tests.support.environment import own_environment
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE

RAW_BYTES = re.compile(rb"\x1b\]52;|\x9b|\x9d")
"""A clipboard write or C1 controls: never without being asked, never from a name."""


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens the program in a terminal, and leaves nothing running."""
    opened: list[Terminal] = []

    def opener(*arguments: str, columns: int = 120, rows: int = 40, **environment: str) -> Terminal:
        program = [sys.executable, "-m", "cloudstore_tui", *arguments]
        opened.append(Terminal(program, tmp_path, environment, columns, rows))
        return opened[-1]

    yield opener
    for shown in opened:
        shown.close()


ENTER, ESCAPE, TAB = "\r", "\x1b", "\t"


def test_the_demo_shows_both_services_and_quits_leaving_nothing(terminal: Open, tmp_path: Path) -> None:
    shown = terminal("demo")
    shown.wait_for(r"acme\b")
    shown.wait_for(r"acme8\b")
    program = psutil.Process(shown.child.pid)
    shown.wait_until(lambda: bool(program.children(recursive=True)), "the sandbox")
    children = program.children(recursive=True)
    shown.press("q")
    assert shown.end() == 0
    psutil.wait_procs(children, timeout=PATIENCE)
    assert not [child for child in children if child.is_running()]
    assert b"\x1b[?1049l" in shown.sent
    assert not RAW_BYTES.search(shown.sent)
    assert not list(tmp_path.iterdir())


def test_a_demo_that_is_killed_leaves_no_folder_behind(terminal: Open, tmp_path: Path) -> None:
    shown = terminal("demo", TMPDIR=str(tmp_path))
    shown.wait_until(lambda: len(list(tmp_path.glob("cloudstore-sandbox-*"))) == 1, "the sandbox")
    children = psutil.Process(shown.child.pid).children(recursive=True)
    assert list(tmp_path.glob("cloudstore-demo-*"))
    shown.child.kill(signal.SIGKILL)
    psutil.wait_procs(children, timeout=PATIENCE)
    assert not list(tmp_path.glob("cloudstore-*"))


def of_service(config: Path, address: str) -> bytes:
    """What the command line gets for an address: the bytes that the service has."""
    environment = own_environment(CLOUDSTORE_CONFIG=str(config))
    command = [sys.executable, "-m", "cloudstore_tui", "get", address, "--to", "-"]
    return subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout


def only_file(folder: Path, ending: str) -> Path:
    (found,) = [path for path in folder.iterdir() if path.name.endswith(ending)]
    return found


@pytest.mark.parametrize(
    ("columns", "rows", "environment"),
    [(120, 40, {}), (80, 24, {"TERM": "linux", "NO_COLOR": "1"}), (80, 24, {"TERM": "screen", "SSH_CONNECTION": "x"})],
)
def test_both_services_are_browsed_and_fetched_from(
    terminal: Open, tmp_path: Path, ready: Ready, columns: int, rows: int, environment: dict[str, str]
) -> None:
    folder = "acme:exports/reporting/outreach/"
    shown = terminal(
        folder, "--no-mouse", columns=columns, rows=rows, CLOUDSTORE_CONFIG=str(ready.config), **environment
    )
    shown.wait_for(r"outreach-\d{8}\.tar")
    shown.press("d")
    shown.wait_for(r"✓ outreach")
    export = only_file(tmp_path, ".tar")
    assert export.read_bytes() == of_service(ready.config, f"{folder}{export.name}")
    shown.press("\x07", *"acme8:us-east/", ENTER)
    shown.wait_for(r"Recording")
    shown.press("f", *"type==callcenterrecording", ENTER)
    shown.wait_for(r"type==callcenterrecording")
    # Rows of one type have no column that tells what they are: those of before are gone.
    shown.wait_until(lambda: "What" not in shown.text and bool(re.search(r"\d\d:\d\d .*kB", shown.text)), "recordings")
    shown.press("d")
    shown.wait_until(lambda: any(path.suffix == ".mp3" for path in tmp_path.iterdir()), "the recording")
    recording = only_file(tmp_path, ".mp3")
    assert recording.stat().st_size > 1000
    shown.press("q")
    assert shown.end() == 0
    assert not RAW_BYTES.search(shown.sent)


def test_upload_link_delete_and_refresh_work_on_a_writable_profile(
    terminal: Open, tmp_path: Path, ready: Ready
) -> None:
    (tmp_path / "dropped.csv").write_text("a,b\n1,2\n")
    folder = "acme:imports/outreach/exclusions/"
    shown = terminal(folder, CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"do-not-call|entries|entry")
    shown.press("u", *"dropped.csv", ENTER, ENTER)
    shown.wait_for(r"Uploaded")
    assert of_service(ready.config, f"{folder}dropped.csv") == b"a,b\n1,2\n"
    shown.press("r", "/", *"dropped", ENTER)
    shown.wait_for(r"1 with .dropped")
    shown.wait_for(r"│ dropped\.csv +\n")
    shown.press("y")
    shown.wait_for(r"Anyone with this link can download")
    assert b"\x1b]52;c;" in shown.sent
    shown.press(ESCAPE)
    shown.press("X")
    shown.wait_for(r"Delete 1 file for good")
    shown.press("y")
    shown.wait_for(r"1 object deleted")
    shown.press("q")
    assert shown.end() == 0
    with pytest.raises(subprocess.CalledProcessError):
        of_service(ready.config, f"{folder}dropped.csv")


def test_a_read_only_profile_offers_neither_upload_nor_delete(terminal: Open, tmp_path: Path, ready: Ready) -> None:
    config = ready.config.with_name("read-only.toml")
    config.write_text(ready.config.read_text().replace("read_only = false", "read_only = true"))
    shown = terminal("acme:imports/outreach/nanp/", CLOUDSTORE_CONFIG=str(config))
    shown.wait_for(r"number-plan")
    shown.wait_for(r"READ ONLY")
    text = shown.wait_for(r"d Download")
    assert "Upload" not in text
    assert "Delete" not in text
    shown.press("u", "X")
    assert "Upload to" not in shown.text
    assert "Delete 1" not in shown.text


def test_a_key_of_the_configuration_takes_the_place_of_the_default(terminal: Open, ready: Ready) -> None:
    config = ready.config.with_name("keys.toml")
    config.write_text(f'{ready.config.read_text()}\n[keys]\n"app.quit" = "f8"\n"entries.delete" = "none"\n')
    shown = terminal("acme:exports/", CLOUDSTORE_CONFIG=str(config))
    shown.wait_for(r"reporting")
    shown.press("q")
    assert shown.child.isalive()
    shown.press("\x1b[19~")
    assert shown.end() == 0


def test_a_wrong_key_name_in_the_configuration_is_said_before_anything_is_drawn(terminal: Open, ready: Ready) -> None:
    config = ready.config.with_name("wrong-keys.toml")
    config.write_text(f'{ready.config.read_text()}\n[keys]\n"entries.downlod" = "f5"\n')
    shown = terminal(CLOUDSTORE_CONFIG=str(config))
    assert shown.end() == 2
    assert b"entries.download" in shown.sent
    assert b"\x1b[?1049h" not in shown.sent


def test_ctrl_l_draws_anew_what_something_else_wrote_over(terminal: Open, ready: Ready) -> None:
    shown = terminal("acme:exports/", columns=80, rows=24, CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"reporting")
    shown.read(1)
    before = shown.text
    shown.screen.erase_in_display(2)
    shown.screen.draw("a message of the system")
    shown.press("\x0c")
    shown.wait_until(lambda: shown.text == before, "the same screen")
