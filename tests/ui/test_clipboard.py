"""Copying, near and far."""

import base64
import re
import threading
from collections.abc import Callable

import pyperclip
import pytest
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

from cloudstore_tui.ui.clipboard import LARGEST, SENT, copy_text, is_local, terminal_sequences
from tests.support.waiting import PATIENCE

FAR = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
TEXT = "https://x.8x8.com/a?b=[red]"


def decoded(sequence: str) -> str:
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
    assert match
    return base64.b64decode(match[1]).decode()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sequences: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _driver, data: sequences.append(data))
    return sequences


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts the program into another environment, on a machine with this clipboard."""

    def be(environment: dict[str, str], native: Callable[[str], None] = lambda _: None) -> None:
        for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "TMUX", "STY", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(pyperclip, "copy", native)

    return be


def recorder() -> tuple[list[str], threading.Event, Callable[[str], None]]:
    texts: list[str] = []
    called = threading.Event()

    def native(text: str) -> None:
        texts.append(text)
        called.set()

    return texts, called, native


def test_the_plain_sequence_holds_the_text() -> None:
    (sequence,) = terminal_sequences(TEXT, {})
    assert decoded(sequence) == TEXT


def test_tmux_gets_the_plain_sequence_and_one_to_pass_on() -> None:
    plain, wrapped = terminal_sequences(TEXT, {"TMUX": "/tmp/tmux", "TERM": "screen-256color"})
    assert decoded(plain) == TEXT
    assert wrapped.startswith("\x1bPtmux;\x1b\x1b]52;")
    assert wrapped.endswith("\x1b\\")
    assert wrapped.removeprefix("\x1bPtmux;").removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b") == plain


@pytest.mark.parametrize("environment", [{"STY": "1.pts"}, {"TERM": "screen.xterm-256color"}])
def test_screen_gets_pieces_that_it_does_not_cut(environment: dict[str, str]) -> None:
    plain, wrapped = terminal_sequences("x" * 2000, environment)
    pieces = wrapped.removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert "".join(pieces) == plain
    assert max(map(len, pieces)) <= 252
    assert len(pieces) > 5


def test_what_no_terminal_takes_is_not_sent_in_part() -> None:
    most = (LARGEST - 8) // 4 * 3
    assert terminal_sequences("x" * most, {})
    assert terminal_sequences("x" * (most + 3), {}) == ()


def test_only_a_session_without_ssh_is_local() -> None:
    assert is_local({})
    assert not is_local(FAR)
    assert not is_local({"SSH_TTY": "/dev/pts/1"})


async def test_over_ssh_the_terminal_is_asked_and_nothing_else(written: list[str], around: Callable[..., None]) -> None:
    texts, _, native = recorder()
    app: App[None] = App()
    async with app.run_test():
        written.clear()
        around({**FAR, "TMUX": "x"}, native)
        assert copy_text(app, TEXT) == SENT
        assert [data for data in written if "52;c;" in data] == list(terminal_sequences(TEXT, {"TMUX": "x"}))
    assert texts == []


async def test_locally_the_machine_s_clipboard_is_tried_as_well(
    written: list[str], around: Callable[..., None]
) -> None:
    texts, called, native = recorder()
    app: App[None] = App()
    async with app.run_test():
        around({}, native)
        assert copy_text(app, TEXT) == SENT
        assert called.wait(PATIENCE)
    assert texts == [TEXT]
    assert any("52;c;" in data for data in written)


async def test_a_clipboard_that_fails_or_hangs_disturbs_nobody(around: Callable[..., None]) -> None:
    hang = threading.Event()
    failed = threading.Event()

    def fails(_text: str) -> None:
        failed.set()
        raise RuntimeError("no clipboard")

    def hangs(_text: str) -> None:
        hang.wait(PATIENCE)

    app: App[None] = App()
    async with app.run_test():
        around({}, fails)
        assert copy_text(app, TEXT) == SENT
        assert failed.wait(PATIENCE)
        around({}, hangs)
        assert copy_text(app, TEXT) == SENT
    hang.set()


async def test_the_terminal_is_asked_before_the_machine(written: list[str], around: Callable[..., None]) -> None:
    asked_by_then: list[int] = []
    called = threading.Event()

    def native(_text: str) -> None:
        asked_by_then.append(len(written))
        called.set()

    app: App[None] = App()
    async with app.run_test():
        written.clear()
        around({"TMUX": "x"}, native)
        copy_text(app, TEXT)
        assert called.wait(PATIENCE)
    assert asked_by_then == [2]


@pytest.mark.parametrize("kind", ["linux", "vt100", "vt220"])
async def test_a_terminal_that_has_no_clipboard_is_not_asked(
    written: list[str], kind: str, around: Callable[..., None]
) -> None:
    app: App[None] = App()
    async with app.run_test():
        written.clear()
        around({**FAR, "TERM": kind})
        said = copy_text(app, TEXT)
    assert said == "This terminal has no clipboard: select it on the screen instead."
    assert not [data for data in written if "52;" in data]
    assert terminal_sequences(TEXT, {"TERM": kind, "TMUX": "x"})


async def test_too_much_and_nothing_are_said(around: Callable[..., None]) -> None:
    texts, called, native = recorder()
    app: App[None] = App()
    async with app.run_test():
        around(FAR, native)
        assert "select it on the screen" in copy_text(app, "x" * 80_000)
        assert texts == []
        around({}, native)
        assert "that of this machine only" in copy_text(app, "x" * 80_000)
        assert called.wait(PATIENCE)
        around({}, native)
        assert "nothing to copy" in copy_text(app, "")


async def test_a_text_that_is_no_unicode_is_no_crash(around: Callable[..., None]) -> None:
    app: App[None] = App()
    async with app.run_test():
        around(FAR)
        assert copy_text(app, "a\udcffb") == SENT
