"""The list of orders: what is kept of them, and who may do the next step."""

import sqlite3
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudstore_tui.core.errors import ConfigError, LocalDiskError
from cloudstore_tui.core.location import Location
from cloudstore_tui.restores.ledger import LEASE, Ledger
from cloudstore_tui.restores.order import LONGEST, Order, Stage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OURS = ("acme8",)


def order(id_: str = "a", profile: str = "acme8", stage: Stage = Stage.WAITING) -> Order:
    asked = NOW if stage is not Stage.WAITING else None
    return Order(Location(profile, "us-east", id_), f"{id_}.wav", 100, 7, NOW, stage, asked=asked)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "restores.db")


def names(orders: Iterable[Order]) -> list[str]:
    return [one.location.path for one in orders]


def test_looking_makes_no_file(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.orders() == ()
    assert ledger.take_waiting(OURS, NOW) is None
    assert ledger.next_due(OURS, NOW) is None
    assert ledger.forget([order().location]) == 0
    assert ledger.take_news() == ()
    assert not (tmp_path / "state").exists()


def test_what_was_added_is_there_for_the_next_program_and_for_nobody_else(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add([order("a"), order("b")])
    path = tmp_path / "state" / "restores.db"
    assert Ledger(path).orders() == (order("a"), order("b"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_two_programs_one_asks_for_each_object(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add([order(f"{number:02}") for number in range(20)])
    others = [Ledger(tmp_path / "state" / "restores.db") for _ in range(4)]

    def take_all(one: Ledger) -> list[str]:
        taken = []
        while (found := one.take_waiting(OURS, NOW)) is not None:
            taken.append(found.location.path)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [name for names_ in pool.map(take_all, others) for name in names_]
    assert sorted(taken) == [f"{number:02}" for number in range(20)]


def test_profiles_that_are_not_at_hand_are_left_alone(ledger: Ledger) -> None:
    ledger.add([order("a", "elsewhere")])
    assert ledger.take_waiting(OURS, NOW) is None
    assert ledger.next_due(OURS, NOW) is None


def test_an_object_is_looked_at_when_it_is_due_and_earlier_only_when_somebody_wants_to_know(ledger: Ledger) -> None:
    ledger.add([order("a", stage=Stage.RESTORING)])
    where = order("a").location
    ledger.restoring(where, 7, NOW + 15 * MINUTE)
    assert ledger.next_due(OURS, NOW) == NOW + 15 * MINUTE
    assert ledger.take_due(OURS, NOW + 14 * MINUTE) is None
    assert names([ledger.take_due(OURS, NOW + 14 * MINUTE, since=NOW + 14 * MINUTE) or order("?")]) == ["a"]
    # The same wish does not look twice.
    assert ledger.take_due(OURS, NOW + 14 * MINUTE, since=NOW + 14 * MINUTE) is None


def test_what_somebody_died_over_is_looked_at_after_a_while(ledger: Ledger) -> None:
    ledger.add([order("a")])
    assert ledger.take_waiting(OURS, NOW) is not None
    assert ledger.take_due(OURS, NOW + LEASE - MINUTE, since=NOW + MINUTE) is None
    left = ledger.take_due(OURS, NOW + LEASE)
    assert left is not None
    assert left.stage is Stage.ASKING


def test_an_order_that_is_on_its_way_is_not_begun_anew_by_a_program_that_knows_nothing_of_it(ledger: Ledger) -> None:
    ledger.add([order("a"), order("b")])
    assert ledger.take_waiting(OURS, NOW) is not None
    ledger.add([order("a"), order("b")])
    assert [one.stage for one in ledger.orders()] == [Stage.ASKING, Stage.WAITING]


def test_nobody_looks_at_what_has_taken_too_long(ledger: Ledger) -> None:
    ledger.add([order("a", stage=Stage.RESTORING), order("b")])
    assert ledger.take_due(OURS, NOW + LONGEST) is None
    assert ledger.take_waiting(OURS, NOW + LONGEST) is None
    assert ledger.next_due(OURS, NOW + LONGEST) is None


def test_that_something_is_ready_is_told_once_and_that_it_ends_once(ledger: Ledger) -> None:
    ledger.add([order("a"), order("b")])
    ledger.ready(order("a").location, NOW, NOW + timedelta(days=7))
    assert names(ledger.take_news()) == ["a"]
    assert ledger.take_news() == ()
    assert ledger.take_warnings(NOW + timedelta(days=5)) == ()
    assert ledger.take_warnings(NOW + timedelta(days=8)) == ()
    assert names(ledger.take_warnings(NOW + timedelta(days=6, hours=1))) == ["a"]
    assert ledger.take_warnings(NOW + timedelta(days=6, hours=1)) == ()


def test_everything_that_can_come_of_an_order_is_kept(ledger: Ledger) -> None:
    ledger.add([order(name) for name in "abcdefg"])
    ledger.restoring(order("a").location, 3, NOW)
    ledger.unknown(order("b").location, "nobody knows", NOW)
    ledger.ready(order("c").location, NOW, NOW + timedelta(days=1))
    ledger.fail(order("d").location, "no permission")
    ledger.fetched(order("e").location)
    ledger.wait(order("f").location, "no network", NOW + MINUTE)
    ledger.seen(order("g").location, NOW + MINUTE)
    ledger.keep(order("g").location, "/calls")
    found = {one.location.path: one for one in ledger.orders()}
    assert [found[name].stage.value for name in "abcdefg"] == [
        *("restoring", "unknown", "ready", "failed", "fetched", "waiting", "waiting"),
    ]
    assert found["a"].days == 3
    assert found["c"].is_over(NOW + timedelta(days=1))
    assert found["c"].ends_soon(NOW)
    assert found["d"].note == "no permission"
    assert found["g"].looks == 1
    assert found["g"].folder == "/calls"
    assert ledger.forget([order("a").location, order("z").location]) == 1


def test_a_file_of_a_newer_version_and_a_broken_one_are_said(tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(ConfigError, match="newer version"):
        Ledger(newer).orders()
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(LocalDiskError, match="damaged"):
        Ledger(broken).orders()
    with pytest.raises(LocalDiskError, match="cannot be written"):
        Ledger(Path("/proc/nothing/restores.db")).add([order()])


@pytest.mark.parametrize(
    "damage", ["UPDATE orders SET stage = 'odd'", "UPDATE orders SET added = 1e30", "DROP TABLE orders"]
)
def test_what_nobody_wrote_there_is_said_to_be_damaged(ledger: Ledger, tmp_path: Path, damage: str) -> None:
    ledger.add([order(stage=Stage.READY)])
    with closing(sqlite3.connect(tmp_path / "state" / "restores.db")) as database, database:
        database.execute(damage)
    with pytest.raises(LocalDiskError, match="damaged"):
        ledger.orders()
