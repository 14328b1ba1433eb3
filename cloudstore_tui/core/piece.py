"""Bytes out of the middle of an object."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one object; fewer than were asked for where the object ends."""

    data: bytes
    total: int | None = None
    """Bytes of the whole object, if the store told."""
    ranged: bool = True
    """Whether the store can begin in the middle of an object."""


ReadPiece: TypeAlias = Callable[[int, int], Awaitable[Piece]]
"""Reads so many bytes from an offset of one object."""
