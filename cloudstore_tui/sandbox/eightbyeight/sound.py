"""What one hears in every recorded call: one conversation, of which a call of N seconds has the first N."""

from functools import cache

from cloudstore_tui.sandbox.content.mp3 import FRAME, frames_in
from cloudstore_tui.sandbox.content.recording import Recording

LONGEST = 1300
"""Seconds: no call is longer."""


def sound_size(seconds: int) -> int:
    """Bytes of the frames that last for so many seconds."""
    return frames_in(seconds) * FRAME


@cache
def call_sound() -> bytes:
    """All frames of the longest call."""
    whole = Recording("mp3", LONGEST)
    return b"".join(whole.read(whole.size - sound_size(LONGEST)))
