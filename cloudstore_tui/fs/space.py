"""What running downloads have still to write, so that together they do not fill the disk."""

from collections.abc import Callable, Hashable

from msgspec import Struct

from cloudstore_tui.core.errors import FullDiskError

MARGIN = 64 * 1024 * 1024
"""Bytes, or a hundredth of the download, that are left to everybody else."""
SHARE = 100
"""But never more than one part in so many of the whole disk: on a small one a fixed margin would be all there is."""


class _Promise(Struct, frozen=True):
    device: int
    remaining: Callable[[], int]


class Space:
    """The promises of all running downloads, by file system."""

    def __init__(self) -> None:
        self._promises: dict[Hashable, _Promise] = {}

    def claim(
        self, owner: Hashable, device: int, remaining: Callable[[], int], free: int, capacity: int | None = None
    ) -> None:
        """Promise a download its space.

        Args:
            owner: whose promise it is.
            device: the file system.
            remaining: gives the bytes that are still to be written.
            free: bytes that may be written to the file system.
            capacity: bytes that it has in all, if that is known.

        Raises:
            FullDiskError: there is not enough, with all that was promised before.
        """
        need = remaining()
        # A copy first: other threads make and end promises meanwhile.
        others = [promise for key, promise in list(self._promises.items()) if key != owner]
        promised = sum(promise.remaining() for promise in others if promise.device == device)
        margin = max(MARGIN, need // 100)
        if capacity is not None:
            margin = min(margin, capacity // SHARE)
        if need and need + margin + promised > free:
            raise _too_full(need, promised, margin, free)
        self._promises[owner] = _Promise(device, remaining)

    def release(self, owner: Hashable) -> None:
        """End a promise, if there is one."""
        self._promises.pop(owner, None)


def _too_full(need: int, promised: int, margin: int, free: int) -> FullDiskError:
    others = f", {_size(promised)} for other downloads" if promised else ""
    reserve = f", {_size(margin)} in reserve" if margin else ""
    return FullDiskError(
        f"the disk is too full: {_size(need)} are needed{others}{reserve}, and {_size(max(free, 0))} are free",
        hint="Free some space and try again.",
    )


def _size(count: int) -> str:
    """Bytes in words, rounded so that no number but 0 becomes 0."""
    # Deferred: only a disk that is full needs it.
    from humanize import naturalsize

    return naturalsize(count, format="%.1f").replace("Bytes", "B").replace("Byte", "B")
