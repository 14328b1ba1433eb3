"""What every transfer works with."""

from dataclasses import dataclass, field

from cloudstore_tui.transfers.clock import Clock
from cloudstore_tui.transfers.disk import Disk
from cloudstore_tui.transfers.ports import Blob
from cloudstore_tui.transfers.space import Space
from cloudstore_tui.transfers.workers import Workers


@dataclass(frozen=True, slots=True)
class Means:
    """One set per engine."""

    blob: Blob
    give_up: float
    """Seconds without progress after which a transfer fails."""
    clock: Clock
    disk: Disk
    workers: Workers = field(default_factory=Workers)
    space: Space = field(default_factory=Space)
