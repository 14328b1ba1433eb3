"""Does what is to be done about orders: asks the service, looks now and then, and notes what came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import (
    ConflictError,
    MissingError,
    NetworkError,
    StorageError,
    ThrottledError,
    UnsettledError,
)
from cloudstore_tui.core.link import is_loopback
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.restores.ledger import Ledger
from cloudstore_tui.restores.order import Order, Stage, utc_now

PAUSES = (900, 3600)
"""Seconds between two looks at one object: the first pause and the longest."""
PAUSES_HERE = (5, 30)
"""The same where the service is a sandbox on this machine, which is back within seconds."""
NAP = 60.0
"""Seconds after which the list is read again."""
LATER = timedelta(minutes=1)
"""Pause after which the service is asked that could not be reached."""

_GROWTH = 1.3
_LOST = "nobody knows whether the service was asked; asking again does no harm"
AVAILABLE, ARCHIVED = "AVAILABLE", "ARCHIVED"
_ON_THE_WAY = frozenset({ARCHIVED, "PENDING", ""})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done."""

    order: Order
    """As it was before."""
    stage: Stage
    """How far it is now."""
    error: StorageError | None = None


class Keeper:
    """Looks after the orders of some profiles. Other programs may do the same: each step is done by one of them."""

    def __init__(
        self,
        ledger: Ledger,
        provider: Callable[[str], StorageProvider],
        profiles: Callable[[], tuple[str, ...]],
        pauses: tuple[int, ...] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.ledger = ledger
        self._provider = provider
        self._profiles = profiles
        self._pauses = pauses
        self._clock = clock

    async def ask(self) -> AsyncIterator[Step]:
        """Ask for all that waits, one after the other: the pace is that of the profile.

        Raises:
            LocalDiskError: the list cannot be read or written.
        """
        allowed = tuple(name for name in self._profiles() if self._may_ask(name))
        while (order := await asyncio.to_thread(self.ledger.take_waiting, allowed, self._clock())) is not None:
            yield await self._ask(order)

    async def look(self, *, early: bool = False) -> AsyncIterator[Step]:
        """Look at all that is due, or at all there is.

        Raises:
            LocalDiskError: the list cannot be read or written.
        """
        since = self._clock() if early else None
        while (
            order := await asyncio.to_thread(self.ledger.take_due, self._profiles(), self._clock(), since)
        ) is not None:
            yield await self._look(order)

    async def wait(self) -> None:
        """Sleep until something is due, but not for long: another program may have looked meanwhile."""
        most = min([NAP, *(self._pauses_of(name)[0] for name in self._profiles())])
        due = await asyncio.to_thread(self.ledger.next_due, self._profiles(), self._clock())
        left = (due - self._clock()).total_seconds() if due is not None else most
        await asyncio.sleep(min(max(left, 0.1), most))

    def _may_ask(self, profile: str) -> bool:
        return Capability.RESTORE in self._provider(profile).capabilities

    async def _ask(self, order: Order) -> Step:
        where = order.location
        try:
            days = await self._provider(where.profile).restore(where, order.days)
        except UnsettledError as error:
            await self._note(self.ledger.unknown, order, _LOST, self._next(order))
            return Step(order, Stage.UNKNOWN, error)
        except ConflictError:
            # The service says that it is being restored already.
            days = order.days
        except (NetworkError, ThrottledError) as error:
            pause = timedelta(seconds=error.wait or 0) if isinstance(error, ThrottledError) else LATER
            await self._note(self.ledger.wait, order, error.message, self._clock() + max(pause, LATER))
            return Step(order, Stage.WAITING, error)
        except StorageError as error:
            return await self._refused(order, error)
        await self._note(self.ledger.restoring, order, days, self._next(order))
        return Step(order, Stage.RESTORING)

    async def _refused(self, order: Order, error: StorageError) -> Step:
        """Perhaps because it is back already."""
        try:
            entry = await self._provider(order.location.profile).stat(order.location)
        except StorageError:
            entry = None
        if isinstance(entry, StoredObject) and entry.state == AVAILABLE:
            return await self._ready(order)
        await self._note(self.ledger.fail, order, str(error))
        return Step(order, Stage.FAILED, error)

    async def _look(self, order: Order) -> Step:
        try:
            entry = await self._provider(order.location.profile).stat(order.location)
        except MissingError as error:
            await self._note(self.ledger.fail, order, error.message)
            return Step(order, Stage.FAILED, error)
        except StorageError as error:
            # Whatever it is may pass until the next look, also a login that somebody else repairs.
            await self._note(self.ledger.seen, order, self._next(order))
            return Step(order, order.stage, error)
        state = entry.state if isinstance(entry, StoredObject) else ""
        if state == AVAILABLE:
            return await self._ready(order)
        if state not in _ON_THE_WAY:
            await self._note(self.ledger.fail, order, f"its state is {state}")
            return Step(order, Stage.FAILED, MissingError(f"its state is {state}", subject=order.location.address))
        return await self._on_the_way(order, state)

    async def _on_the_way(self, order: Order, state: str) -> Step:
        if state == "PENDING" and order.stage is not Stage.RESTORING:
            await self._note(self.ledger.restoring, order, order.days, self._next(order))
            return Step(order, Stage.RESTORING)
        if order.stage is Stage.ASKING:
            # Its program died while it asked.
            await self._note(self.ledger.unknown, order, _LOST, self._next(order))
            return Step(order, Stage.UNKNOWN)
        await self._note(self.ledger.seen, order, self._next(order))
        return Step(order, order.stage)

    async def _ready(self, order: Order) -> Step:
        now = self._clock()
        # It may have been back since the last look: the copy goes so many days after that at the earliest.
        since = order.looked or order.asked or now
        await self._note(self.ledger.ready, order, now, since + timedelta(days=order.days))
        return Step(order, Stage.READY)

    async def _note(self, write: Callable[..., None], order: Order, *values: object) -> None:
        await asyncio.to_thread(write, order.location, *values)

    def _pauses_of(self, profile: str) -> tuple[int, ...]:
        if self._pauses:
            return self._pauses
        return PAUSES_HERE if is_loopback(self._provider(profile).profile.text("api_base")) else PAUSES

    def _next(self, order: Order) -> datetime:
        pauses = self._pauses_of(order.location.profile)
        first, longest = pauses[0], pauses[-1]
        return self._clock() + timedelta(seconds=min(longest, first * _GROWTH**order.looks))
