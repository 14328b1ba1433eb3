"""One object that was asked back from cold storage."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cloudstore_tui.core.location import Location

USUAL = timedelta(hours=24)
"""Within this the service usually has an object back."""
LONGEST = timedelta(hours=72)
"""After this nobody waits any more."""
LAST_CALL = timedelta(hours=24)
"""So long before a copy goes again, it is time to say so."""


class Stage(StrEnum):
    """How far an order is."""

    WAITING = "waiting"
    """Wanted, but the service was not asked yet."""
    ASKING = "asking"
    """The service is being asked; if that takes long, whoever did it has died."""
    RESTORING = "restoring"
    UNKNOWN = "unknown"
    """It was sent, and nobody knows whether it arrived: the object's state will tell."""
    READY = "ready"
    FETCHED = "fetched"
    FAILED = "failed"


GOING_ON = frozenset({Stage.WAITING, Stage.ASKING, Stage.RESTORING, Stage.UNKNOWN})
"""Stages that something is still to come of."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is known of it; moments are UTC."""

    location: Location
    name: str
    size: int | None
    days: int
    added: datetime
    stage: Stage = Stage.WAITING
    asked: datetime | None = None
    looked: datetime | None = None
    looks: int = 0
    """How often it was looked at in vain."""
    ready: datetime | None = None
    expires: datetime | None = None
    """The earliest moment at which the copy may be gone again."""
    folder: str = ""
    """Where it is to be downloaded to once it is ready; empty if nobody said so."""
    note: str = ""
    """What failed, or why nobody knows."""

    def goes_on(self, now: datetime) -> bool:
        """Whether it makes sense to wait for it."""
        return self.stage in GOING_ON and now - (self.asked or self.added) < LONGEST

    def is_late(self, now: datetime) -> bool:
        """Whether it takes longer than it usually does."""
        return self.stage in GOING_ON and self.asked is not None and now - self.asked > USUAL

    def is_over(self, now: datetime) -> bool:
        """Whether the copy has probably gone again."""
        return self.stage is Stage.READY and self.expires is not None and now >= self.expires

    def ends_soon(self, now: datetime) -> bool:
        """Whether the copy is to be fetched now or never."""
        return self.stage is Stage.READY and self.expires is not None and now < self.expires <= now + LAST_CALL


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)
