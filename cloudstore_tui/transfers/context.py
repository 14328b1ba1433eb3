"""What all transfers of a manager share."""

from msgspec import Struct, field

from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.net.clock import Clock
from cloudstore_tui.net.hosts import Hosts
from cloudstore_tui.net.retry import RetryBudget
from cloudstore_tui.net.transport import Blob
from cloudstore_tui.transfers.space import Space
from cloudstore_tui.transfers.workers import Workers


class TransferContext(Struct, frozen=True):
    """What all transfers of a manager share."""

    blob: Blob
    timeouts: Timeouts
    clock: Clock
    disk: Disk
    polls: tuple[int, ...] = (5, 10, 20)
    """Seconds between looks at a zip job; the last repeats."""
    workers: Workers = field(default_factory=Workers)
    space: Space = field(default_factory=Space)
    hosts: Hosts = field(default_factory=Hosts)

    def budget(self) -> RetryBudget:
        """The time that a transfer may fail in, from now on."""
        return RetryBudget(self.clock, self.timeouts.give_up, self.timeouts.disk)
