"""How states of transfers look: the same in every list of them."""

import locale
from collections.abc import Mapping
from typing import Final

from cloudstore_tui.transfers.model import State

LOOKS: Final = """
    .transfers--running { color: $text-primary; }
    .transfers--waiting { color: $text-warning; }
    .transfers--done { color: $text-success; }
    .transfers--failed { color: $text-error; }
    .transfers--other { color: $text-muted; }
    .transfers--head { color: $text-muted; text-style: bold; }
    .transfers--cursor { text-style: bold reverse; }
"""
"""Rules to be put into those of a widget."""

COMPONENTS: Final = frozenset(
    f"transfers--{look}" for look in ("running", "waiting", "done", "failed", "other", "head", "cursor")
)
"""The classes that these rules are about."""

_LOOKS: Mapping[State, str] = {
    State.DONE: "transfers--done",
    State.SKIPPED: "transfers--done",
    State.FAILED: "transfers--failed",
    State.CANCELLED: "transfers--waiting",
    State.WAITING: "transfers--waiting",
    State.PAUSED: "transfers--waiting",
    State.QUEUED: "transfers--waiting",
}


def look_of(state: State) -> str:
    """The class of a state."""
    return _LOOKS.get(state, "transfers--running")


def bar_marks(ascii_only: bool | None = None) -> str:
    """The full and the empty part of a bar; the terminal decides if it is not said."""
    is_plain = "utf" not in locale.getpreferredencoding(False).lower()
    return "#." if (is_plain if ascii_only is None else ascii_only) else "█░"
