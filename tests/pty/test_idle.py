"""A line on which nothing happens stays silent, whatever is open."""

from collections.abc import Callable
from typing import Any

from cloudstore_tui.sandbox.server import Ready

ESCAPE = "\x1b"
OPENED = {
    "\x10": "Search|command",
    "\x07": "Go to",
    "f": "History",
    "t": "ransfers",
    "y": "Anyone with this link",
}
"""What opens something, and what is seen then."""


def test_nothing_is_sent_while_nothing_happens(terminal: Callable[..., Any], ready: Ready) -> None:
    shown = terminal("acme8:us-east/", size=(100, 30), CLOUDSTORE_CONFIG=str(ready.config), SSH_CONNECTION="a b c d")
    shown.wait_for("Recording")
    # How many there are is asked for a little later.
    shown.wait_for(r"loaded of \d+")
    for key, sign in OPENED.items():
        shown.press(key)
        shown.wait_for(sign)
        shown.settle(0.5)
        before = len(shown.sent)
        shown.read(1)
        assert shown.sent[before:] == b"", f"while {sign} is open"
        shown.press(ESCAPE)
