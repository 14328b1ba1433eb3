"""The disk space that running downloads have reserved."""

from collections.abc import Callable, Hashable

from msgspec import Struct

from cloudstore_tui.core.errors import FullDiskError

MARGIN = 64 * 1024 * 1024
"""Bytes that are left free for others; a hundredth of the download if that is more."""
SHARE = 100
"""The margin is at most one part in this many of the disk: on a small one, a fixed margin would be all there is."""


class _Reservation(Struct, frozen=True):
    device: int
    remaining: Callable[[], int]


class Space:
    """The reservations of one manager, by download. May be used from any thread."""

    def __init__(self) -> None:
        self._reservations: dict[Hashable, _Reservation] = {}

    def claim(
        self, owner: Hashable, device: int, remaining: Callable[[], int], free: int, capacity: int | None = None
    ) -> None:
        """Reserve the space that a download still needs.

        Args:
            owner: the download.
            device: the file system.
            remaining: returns how many bytes are still to be written.
            free: free bytes of the file system.
            capacity: its size in bytes, if known.

        Raises:
            FullDiskError: there is not enough, considering what is reserved already.
        """
        need = remaining()
        # A copy, since other threads claim and release space meanwhile.
        others = [reservation for key, reservation in list(self._reservations.items()) if key != owner]
        reserved = sum(other.remaining() for other in others if other.device == device)
        margin = max(MARGIN, need // 100)
        if capacity is not None:
            margin = min(margin, capacity // SHARE)
        if need and need + margin + reserved > free:
            raise _too_full(need, reserved, margin, free)
        self._reservations[owner] = _Reservation(device, remaining)

    def release(self, owner: Hashable) -> None:
        """Give up a reservation, if there is one."""
        self._reservations.pop(owner, None)


def _too_full(need: int, reserved: int, margin: int, free: int) -> FullDiskError:
    others = f", {_size(reserved)} for other downloads" if reserved else ""
    reserve = f", {_size(margin)} in reserve" if margin else ""
    return FullDiskError(
        f"the disk is too full: {_size(need)} are needed{others}{reserve}, and {_size(max(free, 0))} are free",
        hint="Free some space and try again.",
    )


def _size(count: int) -> str:
    """A number of bytes for people; only 0 becomes 0."""
    # Deferred: only a disk that is full needs it.
    from humanize import naturalsize

    return naturalsize(count, format="%.1f").replace("Bytes", "B").replace("Byte", "B")
