"""How a format says which bytes it wants to see next, so that it needs to know nothing of where they come from."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

from cloudstore_tui.preview.preview import Preview

HEAD = 64 * 1024
"""Bytes that are read of every object."""
MOST_HEAD = 4 * 1024 * 1024
"""Bytes from its start that are read of an object at most, however often more is wanted."""
MOST_READ = 6 * 1024 * 1024
"""Bytes that are read of an object altogether."""
MOST_REQUESTS = 96
"""Pieces that are read of an object."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some bytes of an object."""

    first: int
    count: int


Steps: TypeAlias = Generator[tuple[Stretch, ...], tuple[bytes, ...], Preview]
"""Asks for stretches, is given the bytes of each (fewer, or none, if they cannot be had), ends with what is shown."""
