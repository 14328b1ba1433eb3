"""A link alone on the screen, for a mouse that the terminal has to itself; and the screen drawn anew."""

import re
from collections.abc import Callable
from typing import Any

from cloudstore_tui.sandbox.server import Ready

MOUSE_OFF, MOUSE_ON = b"\x1b[?1000l", b"\x1b[?1000h"


def test_a_link_is_shown_in_one_piece_and_any_key_returns(terminal: Callable[..., Any], ready: Ready) -> None:
    place = "acme:exports/reporting/outreach/"
    shown = terminal(place, SSH_CONNECTION="a b c d", CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"outreach-\d{8}\.tar")
    shown.press("y")
    shown.wait_for(r"Anyone with this link")
    shown.wait_for(r"Copied to your terminal's clipboard")
    shown.settle(0.5)
    before, sent = shown.steady, len(shown.sent)
    shown.press("v")
    text = shown.wait_for(r"Any key returns")
    assert "PLACES" not in text
    view = shown.sent[sent:]
    assert MOUSE_OFF in view
    assert re.search(rb"\x1b\[\?7h(?:\x1b\[\?25h)?http\S+\r\n\r\nSelect", view), "the link is broken into pieces"
    shown.settle()
    sent = len(shown.sent)
    shown.press("q")
    shown.wait_until(lambda: shown.steady == before, "the dialog as it was")
    assert MOUSE_ON in shown.sent[sent:]
    shown.press("\x1b", "q")
    assert shown.end() == 0
    shown.check_restored()


def test_another_size_while_a_link_is_shown_is_drawn_afterwards(terminal: Callable[..., Any], ready: Ready) -> None:
    shown = terminal("acme:exports/reporting/outreach/", CLOUDSTORE_CONFIG=str(ready.config), SSH_CONNECTION="a b c d")
    shown.wait_for(r"outreach-\d{8}\.tar")
    shown.press("y")
    shown.wait_for(r"Anyone with this link")
    shown.press("v")
    shown.wait_for(r"Any key returns")
    shown.resize(100, 30)
    shown.read(0.5)
    assert b"Anyone" not in shown.sent.rpartition(b"Any key returns")[2]
    shown.press("x")
    shown.wait_for(r"Anyone with this link")
    shown.press("\x1b", "q")
    assert shown.end() == 0


def test_ctrl_l_draws_everything_again(terminal: Callable[..., Any], ready: Ready) -> None:
    shown = terminal("acme:exports/reporting/outreach/", CLOUDSTORE_CONFIG=str(ready.config))
    shown.wait_for(r"outreach-\d{8}\.tar")
    shown.settle(0.3)
    before = shown.steady
    shown.screen.draw("Broadcast message: the machine goes down")
    assert shown.steady != before
    shown.press("\x0c")
    shown.wait_until(lambda: shown.steady == before, "the screen as it was")
