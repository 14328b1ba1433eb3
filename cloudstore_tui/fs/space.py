"""What running downloads have still to write, so that together they do not fill the disk."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from cloudstore_tui.core.errors import FullDiskError

MARGIN = 64 * 1024 * 1024
"""Bytes, or a hundredth of the download, that are left to everybody else."""


@dataclass(frozen=True, slots=True)
class _Promise:
    device: int
    remaining: Callable[[], int]


class Space:
    """The promises of all running downloads, by file system."""

    def __init__(self) -> None:
        self._promises: dict[Hashable, _Promise] = {}

    def claim(self, owner: Hashable, device: int, remaining: Callable[[], int], free: int) -> None:
        """Promise a download its space.

        Raises:
            FullDiskError: there is not enough, with all that was promised before.
        """
        need = remaining()
        # A copy first: other threads make and end promises meanwhile.
        others = [promise for key, promise in list(self._promises.items()) if key != owner]
        promised = sum(promise.remaining() for promise in others if promise.device == device)
        missing = need + max(MARGIN, need // 100) + promised - free
        if need and missing > 0:
            raise FullDiskError(
                f"the disk is too full: {missing / 1e6:,.0f} MB more are needed", hint="Free some space and try again."
            )
        self._promises[owner] = _Promise(device, remaining)

    def release(self, owner: Hashable) -> None:
        """End a promise, if there is one."""
        self._promises.pop(owner, None)
