"""What every transfer works with."""

from msgspec import Struct, field

from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.fs.disk import Disk, Space
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.hosts import Hosts
from cloudstore_tui.net.transport import Blob
from cloudstore_tui.transfers.workers import Workers


class TransferContext(Struct, frozen=True):
    """One set per engine."""

    blob: Blob
    timeouts: Timeouts
    clock: Clock
    disk: Disk
    polls: tuple[int, ...] = (5, 10, 20)
    """Seconds between looks at a zip job; the last repeats."""
    workers: Workers = field(default_factory=Workers)
    space: Space = field(default_factory=Space)
    hosts: Hosts = field(default_factory=Hosts)

    @property
    def give_up(self) -> float:
        """Seconds without progress after which a transfer fails."""
        return self.timeouts.give_up
