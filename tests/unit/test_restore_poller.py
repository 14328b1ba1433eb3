"""Whoever looks after requests: what becomes of one in each state that the service can tell."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from cloudstore_tui.core.errors import ConflictError, ForbiddenError, NetworkError, StorageError, UnsettledError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.restores import LEASE, RestorePoller, RestoreRequest, RestoreStatus, RestoreStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHERE = Location("acme8", "us-east", "a")


class Service:
    """Answers as the test says."""

    capabilities = frozenset({Capability.RESTORE})
    profile = Profile("acme8", "8x8")

    def __init__(self) -> None:
        self.state = "ARCHIVED"
        self.fails: StorageError | None = None
        self.asked = 0

    async def restore(self, location: Location, days: int) -> int:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return days

    async def stat(self, location: Location) -> StoredObject:
        return StoredObject(location, "a.wav", state=self.state)


class World:
    """A list, a service and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.service = Service()
        self.store = RestoreStore(folder / "restores.db")
        provider = cast(StorageProvider, self.service)
        self.poller = RestorePoller(self.store, lambda _: provider, lambda: ("acme8",), clock=lambda: self.now)
        self.store.add([RestoreRequest(WHERE, "a.wav", 1, 7, NOW)])

    @property
    def request(self) -> RestoreRequest:
        return self.store.requests()[0]

    async def ask(self) -> list[Any]:
        return [step async for step in self.poller.ask()]

    async def look(self, later: timedelta = timedelta()) -> list[Any]:
        self.now += later
        return [step async for step in self.poller.poll()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_looks_are_a_quarter_of_an_hour_apart_and_later_an_hour(world: World) -> None:
    await world.ask()
    pauses = []
    for _ in range(10):
        due = world.store.next_due(("acme8",), world.now)
        assert due is not None
        pauses.append((due - world.now).total_seconds() / 60)
        assert not await world.look(due - world.now - timedelta(seconds=1))
        assert len(await world.look(timedelta(seconds=1))) == 1
    assert pauses[0] == pytest.approx(15)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(60)


async def test_the_copy_may_be_gone_so_many_days_after_the_last_look_that_did_not_see_it(world: World) -> None:
    await world.ask()
    await world.look(timedelta(minutes=15))
    world.service.state = "AVAILABLE"
    await world.look(timedelta(hours=1))
    assert world.request.status is RestoreStatus.READY
    assert world.request.expires == NOW + timedelta(minutes=15, days=7)


@pytest.mark.parametrize(
    ("error", "state", "stage"),
    [
        (UnsettledError("no answer"), "ARCHIVED", RestoreStatus.UNKNOWN),
        (NetworkError("no route"), "ARCHIVED", RestoreStatus.WAITING),
        (ConflictError("being restored already"), "ARCHIVED", RestoreStatus.RESTORING),
        (ForbiddenError("level edit"), "ARCHIVED", RestoreStatus.FAILED),
        (ForbiddenError("not archived"), "AVAILABLE", RestoreStatus.READY),
    ],
)
async def test_every_refusal_leads_somewhere_and_is_sent_once(
    world: World, error: StorageError, state: str, stage: RestoreStatus
) -> None:
    world.service.fails, world.service.state = error, state
    await world.ask()
    assert world.request.status is stage
    assert world.service.asked == 1
    assert await world.ask() == []


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("ARCHIVED", RestoreStatus.UNKNOWN),
        ("PENDING", RestoreStatus.RESTORING),
        ("AVAILABLE", RestoreStatus.READY),
        ("REVOKED", RestoreStatus.FAILED),
    ],
)
async def test_what_somebody_died_over_is_never_sent_again_but_looked_at(
    world: World, state: str, stage: RestoreStatus
) -> None:
    assert world.store.take_waiting(("acme8",), NOW) is not None
    world.service.state = state
    await world.look(LEASE)
    assert world.request.status is stage
    assert world.service.asked == 0


async def test_a_profile_that_may_not_restore_leaves_requests_where_they_are(world: World) -> None:
    world.service.capabilities = frozenset()
    assert await world.ask() == []
    assert world.request.status is RestoreStatus.WAITING


async def test_a_sandbox_on_this_machine_is_looked_at_within_seconds(world: World) -> None:
    world.service.profile = Profile("acme8", "8x8", options={"api_base": "http://127.0.0.1:8899"})
    await world.ask()
    due = world.store.next_due(("acme8",), world.now)
    assert due is not None
    assert (due - world.now).total_seconds() == pytest.approx(5)
