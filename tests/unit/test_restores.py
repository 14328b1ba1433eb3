"""Requests for archived objects: the list that several programs keep, and the poller that looks after it."""

import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    BusyError,
    ConfigError,
    ConflictError,
    ForbiddenError,
    LocalDiskError,
    NetworkError,
    OutcomeUnknownError,
    StorageError,
)
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Capability, StorageProvider
from cloudstore_tui.restores import LEASE, MAX_DURATION, RestorePoller, RestoreRequest, RestoreStatus, RestoreStore

# The list


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OURS = ("acme8",)


def request(id_: str = "a", profile: str = "acme8", status: RestoreStatus = RestoreStatus.WAITING) -> RestoreRequest:
    asked = NOW if status is not RestoreStatus.WAITING else None
    return RestoreRequest(Location(profile, "us-east", id_), f"{id_}.wav", 100, 7, NOW, status, asked=asked)


@pytest.fixture
def store(tmp_path: Path) -> RestoreStore:
    return RestoreStore(tmp_path / "state" / "restores.db")


def names(requests: Iterable[RestoreRequest]) -> list[str]:
    return [one.location.path for one in requests]


def test_looking_makes_no_file(store: RestoreStore, tmp_path: Path) -> None:
    assert store.requests() == ()
    assert store.take_waiting(OURS, NOW) is None
    assert store.next_due(OURS, NOW) is None
    assert store.forget([request().location]) == 0
    assert store.take_ready() == ()
    assert not (tmp_path / "state").exists()


def test_what_was_added_is_there_for_the_next_program_and_for_nobody_else(store: RestoreStore, tmp_path: Path) -> None:
    store.add([request("a"), request("b")])
    path = tmp_path / "state" / "restores.db"
    assert RestoreStore(path).requests() == (request("a"), request("b"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_two_programs_one_asks_for_each_object(store: RestoreStore, tmp_path: Path) -> None:
    store.add([request(f"{number:02}") for number in range(20)])
    others = [RestoreStore(tmp_path / "state" / "restores.db") for _ in range(4)]

    def take_all(one: RestoreStore) -> list[str]:
        taken = []
        while (found := one.take_waiting(OURS, NOW)) is not None:
            taken.append(found.location.path)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [name for names_ in pool.map(take_all, others) for name in names_]
    assert sorted(taken) == [f"{number:02}" for number in range(20)]


def test_profiles_that_are_not_at_hand_are_left_alone(store: RestoreStore) -> None:
    store.add([request("a", "elsewhere")])
    assert store.take_waiting(OURS, NOW) is None
    assert store.next_due(OURS, NOW) is None


def test_an_object_is_looked_at_when_it_is_due_and_earlier_only_when_somebody_wants_to_know(
    store: RestoreStore,
) -> None:
    store.add([request("a", status=RestoreStatus.RESTORING)])
    where = request("a").location
    store.mark_restoring(where, 7, NOW + 15 * MINUTE)
    assert store.next_due(OURS, NOW) == NOW + 15 * MINUTE
    assert store.take_due(OURS, NOW + 14 * MINUTE) is None
    assert names([store.take_due(OURS, NOW + 14 * MINUTE, since=NOW + 14 * MINUTE) or request("?")]) == ["a"]
    # The same wish does not look twice.
    assert store.take_due(OURS, NOW + 14 * MINUTE, since=NOW + 14 * MINUTE) is None


def test_what_somebody_died_over_is_looked_at_after_a_while(store: RestoreStore) -> None:
    store.add([request("a")])
    assert store.take_waiting(OURS, NOW) is not None
    assert store.take_due(OURS, NOW + LEASE - MINUTE, since=NOW + MINUTE) is None
    left = store.take_due(OURS, NOW + LEASE)
    assert left is not None
    assert left.status is RestoreStatus.ASKING


def test_an_order_that_is_on_its_way_is_not_begun_anew_by_a_program_that_knows_nothing_of_it(
    store: RestoreStore,
) -> None:
    store.add([request("a"), request("b")])
    assert store.take_waiting(OURS, NOW) is not None
    store.add([request("a"), request("b")])
    assert [one.status for one in store.requests()] == [RestoreStatus.ASKING, RestoreStatus.WAITING]


def test_nobody_looks_at_what_has_taken_too_long(store: RestoreStore) -> None:
    store.add([request("a", status=RestoreStatus.RESTORING), request("b")])
    assert store.take_due(OURS, NOW + MAX_DURATION) is None
    assert store.take_waiting(OURS, NOW + MAX_DURATION) is None
    assert store.next_due(OURS, NOW + MAX_DURATION) is None


def test_a_ready_and_an_expiring_copy_are_announced_once_each(store: RestoreStore) -> None:
    store.add([request("a"), request("b")])
    store.mark_ready(request("a").location, NOW, NOW + timedelta(days=7))
    assert names(store.take_ready()) == ["a"]
    assert store.take_ready() == ()
    assert store.take_expiring(NOW + timedelta(days=5)) == ()
    assert store.take_expiring(NOW + timedelta(days=8)) == ()
    assert names(store.take_expiring(NOW + timedelta(days=6, hours=1))) == ["a"]
    assert store.take_expiring(NOW + timedelta(days=6, hours=1)) == ()


def test_everything_that_can_come_of_an_order_is_kept(store: RestoreStore) -> None:
    store.add([request(name) for name in "abcdefg"])
    store.mark_restoring(request("a").location, 3, NOW)
    store.mark_unknown(request("b").location, "nobody knows", NOW)
    store.mark_ready(request("c").location, NOW, NOW + timedelta(days=1))
    store.mark_failed(request("d").location, ForbiddenError("no permission", subject="acme8:us-east/d", hint="Ask."))
    store.mark_fetched(request("e").location)
    store.mark_waiting(request("f").location, "no network", NOW + MINUTE)
    store.mark_checked(request("g").location, NOW + MINUTE)
    store.set_folder(request("g").location, "/calls")
    found = {one.location.path: one for one in store.requests()}
    assert [found[name].status.value for name in "abcdefg"] == [
        *("restoring", "unknown", "ready", "failed", "fetched", "waiting", "waiting"),
    ]
    assert found["a"].days == 3
    assert found["c"].has_expired(NOW + timedelta(days=1))
    assert found["c"].expires_soon(NOW)
    refused = found["d"].failure(NOW)
    assert (str(refused), refused and refused.code) == ("acme8:us-east/d: no permission. Ask.", 3)
    assert found["g"].checks == 1
    assert found["g"].folder == "/calls"
    assert store.forget([request("a").location, request("z").location]) == 1


def test_a_file_without_titles_is_read_and_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "restores.db"
    RestoreStore(path).add([request("a")])
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE requests DROP COLUMN title")
    store = RestoreStore(path)
    assert [one.title for one in store.requests()] == [""]
    store.add([replace(request("b"), title="Recording of Khang Glynn")])
    assert {one.title for one in store.requests()} == {"", "Recording of Khang Glynn"}


def test_a_file_of_a_newer_version_and_a_broken_one_are_said(tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(ConfigError, match="newer version"):
        RestoreStore(newer).requests()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(LocalDiskError, match="damaged"):
        RestoreStore(broken).requests()
    with pytest.raises(LocalDiskError, match="cannot be written"):
        RestoreStore(Path("/proc/nothing/restores.db")).add([request()])


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE requests SET status = 'odd' WHERE path = 'a'",
        "UPDATE requests SET added = 1e30 WHERE path = 'a'",
        "UPDATE requests SET days = 'many' WHERE path = 'a'",
        "UPDATE requests SET size = x'ff', note = x'ff' WHERE path = 'a'",
        "UPDATE requests SET asked = 'yesterday', due = 'soon' WHERE path = 'a'",
        "UPDATE requests SET folder = CAST(x'ff2f' AS TEXT), expires = 'never' WHERE path = 'a'",
    ],
)
def test_a_row_that_makes_no_sense_is_a_failed_request_and_does_not_stop_the_others(
    store: RestoreStore, tmp_path: Path, damage: str
) -> None:
    store.add([request("a"), request("b"), request("c")])
    with closing(sqlite3.connect(tmp_path / "state" / "restores.db")) as database, database:
        database.execute(damage)
    found = {one.location.path: one for one in store.requests()}
    assert set(found) == {"a", "b", "c"}
    told = found["a"].failure(NOW)
    assert told is not None
    assert (told.code, told.subject) == (5, "acme8:us-east/a")
    assert told.hint
    taken = [store.take_waiting(OURS, NOW + LEASE) for _ in range(3)]
    assert [one.location.path for one in taken if one is not None] == ["b", "c"]
    assert store.next_due(OURS, NOW) is not None
    assert store.take_ready() == ()
    assert store.forget([found["a"].location]) == 1


@pytest.mark.parametrize("damage", ["DROP TABLE requests", "ALTER TABLE requests DROP COLUMN note"])
def test_a_list_without_what_belongs_to_it_is_said_to_be_damaged(
    store: RestoreStore, tmp_path: Path, damage: str
) -> None:
    store.add([request()])
    with closing(sqlite3.connect(tmp_path / "state" / "restores.db")) as database, database:
        database.execute(damage)
    with pytest.raises(LocalDiskError, match="damaged") as damaged:
        store.requests()
    assert "asked for again" in damaged.value.hint


def test_a_list_that_another_program_keeps_locked_is_said_to_be(
    store: RestoreStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.restores.BUSY_TIMEOUT_S", 0.01)
    store.add([request()])
    with closing(sqlite3.connect(tmp_path / "state" / "restores.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for method in (store.requests, store.take_ready, lambda: store.mark_fetched(request().location)):
            with pytest.raises(BusyError, match="locked") as busy:
                method()
            assert busy.value.hint


def test_a_list_that_can_only_be_read_is_read(
    store: RestoreStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([request()])

    def refused(path: object, *_rest: object) -> NoReturn:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("os.access", lambda _path, mode: mode != os.W_OK)
    monkeypatch.setattr("os.open", refused)
    assert names(store.requests()) == ["a"]
    assert store.next_due(OURS, NOW) is not None
    with pytest.raises(LocalDiskError, match="cannot be written: read-only file system") as told:
        store.mark_fetched(request().location)
    assert told.value.hint


class Failing(sqlite3.Connection):
    """Fails the n-th thing that it is asked for, as a disk does that is full or breaks."""

    left = 0
    failure: sqlite3.Error = sqlite3.OperationalError("disk I/O error")

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self._count()
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        self._count()
        return super().executemany(*arguments)

    @classmethod
    def _count(cls) -> None:
        cls.left -= 1
        if cls.left == 0:
            raise cls.failure


CALLS: dict[str, Callable[[RestoreStore], object]] = {
    "requests": lambda store: store.requests(),
    "add": lambda store: store.add([request("b")]),
    "set_folder": lambda store: store.set_folder(request().location, "/calls"),
    "forget": lambda store: store.forget([request().location]),
    "take_waiting": lambda store: store.take_waiting(OURS, NOW),
    "take_due": lambda store: store.take_due(OURS, NOW, NOW),
    "next_due": lambda store: store.next_due(OURS, NOW),
    "mark_restoring": lambda store: store.mark_restoring(request().location, 7, NOW),
    "mark_checked": lambda store: store.mark_checked(request().location, NOW),
    "mark_unknown": lambda store: store.mark_unknown(request().location, "nobody knows", NOW),
    "mark_ready": lambda store: store.mark_ready(request().location, NOW, NOW),
    "mark_waiting": lambda store: store.mark_waiting(request().location, "later", NOW),
    "mark_failed": lambda store: store.mark_failed(request().location, ForbiddenError("no")),
    "mark_fetched": lambda store: store.mark_fetched(request().location),
    "take_ready": lambda store: store.take_ready(),
    "take_expiring": lambda store: store.take_expiring(NOW),
}


def refusal(call: Callable[[], object]) -> LocalDiskError | None:
    try:
        call()
    except LocalDiskError as error:
        return error
    return None


def test_every_method_is_among_those_that_fail_in_turn() -> None:
    methods = {name for name, value in vars(RestoreStore).items() if callable(value) and not name.startswith("_")}
    assert methods == set(CALLS)


@pytest.mark.parametrize("method", list(CALLS))
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT])
def test_whatever_fails_is_a_sentence_and_leaves_the_list_as_it_was(
    store: RestoreStore, monkeypatch: pytest.MonkeyPatch, method: str, code: int
) -> None:
    store.add([request()])
    before = store.requests()
    Failing.failure = sqlite3.OperationalError("the disk")
    Failing.failure.sqlite_errorcode = code
    connect = sqlite3.connect
    steps = 0
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", partial(connect, factory=Failing))
            Failing.left = steps + 1
            told = refusal(lambda: CALLS[method](store))
        if told is None:
            break
        assert told.hint
        assert told.subject == str(store.path)
        assert store.requests() == before
        steps += 1
    assert 1 <= steps < 12


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EIO, errno.ELOOP])
def test_a_folder_that_cannot_be_used_is_a_sentence_for_every_method(
    store: RestoreStore, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store.add([request()])

    def refused(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    for call in CALLS.values():
        with monkeypatch.context() as patched:
            patched.setattr("pathlib.Path.stat", refused)
            patched.setattr("os.open", refused)
            with pytest.raises(LocalDiskError) as told:
                call(store)
            assert told.value.hint


# The poller


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
        (OutcomeUnknownError("no answer"), "ARCHIVED", RestoreStatus.UNKNOWN),
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
