"""Kinds of terminals, charsets and sizes: the same walk, and nothing that the terminal does not understand."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from cloudstore_tui.sandbox.server import Ready

Open = Callable[..., Any]

DOWN, ESCAPE = "\x1b[B", "\x1b"
COLOURS_OF_MANY = re.compile(rb"\x1b\[(?:[\d;]*;)?[34]8;[\d;]*m")
TRUE_COLOURS = re.compile(rb"\x1b\[(?:[\d;]*;)?[34]8;2;[\d;]*m")
UTF_8 = {"LANG": "C.UTF-8"}
ASCII = {"LANG": "C"}
NOTHING = {"LANG": ""}
LATIN = {"LANG": "", "LC_ALL": "de_DE.ISO-8859-1"}

LONG = pytest.mark.long

MATRIX = [
    pytest.param("xterm", UTF_8, (80, 24), marks=LONG),
    ("xterm", ASCII, (120, 40)),
    pytest.param("xterm-256color", NOTHING, (80, 24), marks=LONG),
    ("screen", UTF_8, (60, 15)),
    pytest.param("screen", ASCII, (80, 24), marks=LONG),
    ("tmux-256color", UTF_8, (120, 40)),
    pytest.param("tmux-256color", ASCII, (60, 15), marks=LONG),
    pytest.param("linux", UTF_8, (120, 40), marks=LONG),
    ("linux", LATIN, (80, 24)),
    ("vt100", ASCII, (80, 24)),
    pytest.param("vt100", UTF_8, (60, 15), marks=LONG),
]


@pytest.mark.parametrize(("kind", "locale", "size"), MATRIX)
def test_the_same_walk_on_every_terminal(
    terminal: Open, ready: Ready, kind: str, locale: dict[str, str], size: tuple[int, int]
) -> None:
    folder = "acme:exports/reporting/outreach/"
    shown = terminal(folder, size=size, TERM=kind, CLOUDSTORE_CONFIG=str(ready.config), **locale)
    shown.wait_for(r"outreach-\d{8}\.tar")
    shown.press(DOWN, " ")
    shown.wait_for(r"1 marked")
    shown.press("?")
    shown.wait_for(r"Keys|keys")
    shown.press(ESCAPE, "q")
    assert shown.end() == 0
    shown.check_restored()
    if locale is UTF_8:
        assert re.search(r"[│─›·]", shown.sent.decode("utf-8"))
    elif locale is LATIN:
        assert not re.search(r"[\x80-\x9f]", shown.sent.decode("iso-8859-1"))
    else:
        assert shown.sent.isascii()
    if "256" not in kind:
        assert not COLOURS_OF_MANY.search(shown.sent)
    assert not TRUE_COLOURS.search(shown.sent)


def test_names_that_the_charset_lacks_keep_the_columns_in_place(terminal: Open, ready: Ready) -> None:
    shown = terminal("acme8:us-east/", size=(120, 40), LANG="C", CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"Recording")
    rule = [line.index("|") for line in shown.screen.display if "|" in line[:60]]
    assert len(rule) > 20
    assert len(set(rule)) == 1


@pytest.mark.parametrize(("kind", "said"), [("dumb", "TERM is dumb"), ("", "TERM is not set")])
@pytest.mark.parametrize("arguments", [("acme:",), ("demo",)])
def test_a_terminal_that_cannot_draw_is_told_so(
    terminal: Open, ready: Ready, arguments: tuple[str, ...], kind: str, said: str
) -> None:
    shown = terminal(*arguments, TERM=kind, CLOUDSTORE_CONFIG=str(ready.config))
    assert shown.end() == 2
    assert said in shown.text
    assert len(shown.sent.splitlines()) <= 6
    assert b"\x1b" not in shown.sent


def test_colour_is_not_sent_where_it_is_not_wanted(terminal: Open, ready: Ready) -> None:
    shown = terminal("acme:", TERM="xterm-256color", NO_COLOR="1", CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"exports")
    shown.press("j", "?", ESCAPE, "q")
    assert shown.end() == 0
    assert not re.search(rb"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[\d;]*)?m", shown.sent)


@pytest.mark.parametrize("way", ["flag", "setting"])
def test_the_mouse_is_left_to_the_terminal_where_wanted(terminal: Open, ready: Ready, way: str) -> None:
    config = ready.config
    if way == "setting":
        config = ready.config.with_name("no-mouse.toml")
        told = "[settings]\nmouse = false\nlow_bandwidth = true\n"
        text = ready.config.read_text()
        config.write_text(text.replace("[settings]\n", told) if "[settings]" in text else f"{text}\n{told}")
    flags = ["--no-mouse"] if way == "flag" else []
    shown = terminal("acme:", *flags, CLOUDSTORE_CONFIG=str(config))
    shown.wait_for(r"exports")
    shown.press("q")
    assert shown.end() == 0
    assert not re.search(rb"\x1b\[\?10\d\d[hl](?<!1049[hl])", shown.sent)


def test_bytes_that_are_no_characters_are_no_crash(terminal: Open, ready: Ready) -> None:
    shown = terminal("acme:", CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"exports")
    for data in (b"\xe9\xff\xc3", b"\xc3", b"\xe2\x82", b"\x80"):
        shown.child.send(data)
        shown.read(0.2)
    shown.press("q")
    assert shown.end() == 0
