"""What both services of the sandbox share: where the data is, what time it is, who may come in."""

import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cloudstore_tui.sandbox import DATA_NOW
from cloudstore_tui.sandbox.faults.plan import FaultPlan
from cloudstore_tui.sandbox.log import RequestLog
from cloudstore_tui.sandbox.signing import Signer
from cloudstore_tui.sandbox.switches import Switches


class Clock:
    """The time at which requests are answered, which tests can move: of tokens, links, restores and jobs."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return time.time() + self.offset


@dataclass(slots=True)
class World:
    """The state of one running sandbox."""

    data: Path
    """Folder of everything that is kept."""
    seed: int
    objects: int
    """Recordings to make besides the fixtures."""
    switches: Switches
    data_now: datetime = DATA_NOW
    clock: Clock = field(default_factory=Clock)
    faults: FaultPlan = field(default_factory=FaultPlan)
    log: RequestLog = field(default_factory=RequestLog)
    base_url: str = ""
    """Where the APIs listen; known once the sandbox has started."""
    blob_url: str = ""
    """Where the stores of Alvaria's links listen."""

    @property
    def signer(self) -> Signer:
        """Signs and checks links."""
        return Signer(self.key("signing").encode(), self.clock)

    def key(self, use: str) -> str:
        """A secret of this sandbox for one use, the same at every start with the same seed."""
        return hashlib.blake2b(f"{self.seed}:{use}".encode(), digest_size=20).hexdigest()
