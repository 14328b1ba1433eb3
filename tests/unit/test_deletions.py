"""What was deleted: written before and after, by several programs, and never changed."""

import json
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import LocalDiskError, ReadOnlyError, StorageError, UnavailableError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.provider import Deletion, DeletionOutcome
from cloudstore_tui.deletions import BATCH, UNKNOWN, DeletionLog, delete_logged
from tests.support.providers import FakeProvider

PROFILE = Profile("acme8", "8x8", {"client_id": "eght_key"}, secrets=lambda _: Secret("s3cret"))


def entry(id_: str, name: str = "call.mp3") -> StoredObject:
    where = Location("acme8", "us-east", id_)
    return StoredObject(where, name, id_, size=10, size_exact=True, checksum="d41d", checksum_type="MD5")


def test_a_line_before_has_everything_but_secrets_and_a_line_after_has_the_outcome(tmp_path: Path) -> None:
    path = tmp_path / "state" / "deletions.jsonl"
    log = DeletionLog(path)
    batch = log.begin(PROFILE, [entry("a"), entry("b")])
    assert [one.outcome for one in log.read()] == [UNKNOWN, UNKNOWN]
    before = path.read_bytes()
    kept = StorageError("it is still there")
    log.end(
        batch,
        [
            Deletion(entry("a").location, DeletionOutcome.DELETED),
            Deletion(entry("b").location, DeletionOutcome.KEPT, kept),
        ],
    )
    assert path.read_bytes().startswith(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = log.read()
    assert (first.outcome, second.outcome, second.reason) == ("deleted", "not deleted", "it is still there")
    wanted = {"path": "acme8:us-east/a", "client_id": "eght_key", "size": 10, "checksum": "d41d", "name": "call.mp3"}
    assert wanted.items() <= first.fields.items()
    assert first.text("user")
    assert first.text("at").endswith("+00:00")
    assert b"s3cret" not in path.read_bytes()


def test_the_same_object_deleted_twice_is_two_lines(tmp_path: Path) -> None:
    log = DeletionLog(tmp_path / "deletions.jsonl")
    log.begin(PROFILE, [entry("a")])
    log.end(log.begin(PROFILE, [entry("a")]), [Deletion(entry("a").location, DeletionOutcome.GONE)])
    assert [one.outcome for one in log.read()] == [UNKNOWN, "already gone"]


def test_names_of_others_stay_one_line(tmp_path: Path) -> None:
    path = tmp_path / "deletions.jsonl"
    DeletionLog(path).begin(PROFILE, [entry("a", 'x\n{"event":"end"}\r\u2028\udcff')])
    assert path.read_bytes().count(b"\n") == 1
    (one,) = DeletionLog(path).read()
    assert one.outcome == UNKNOWN


def test_programs_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deletions.jsonl"

    def work(number: int) -> None:
        objects = [entry(f"{number}-{index}", "n" * 2000) for index in range(20)]
        log = DeletionLog(path)
        log.end(log.begin(PROFILE, objects), [Deletion(one.location, DeletionOutcome.DELETED) for one in objects])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert [one.outcome for one in DeletionLog(path).read()] == ["deleted"] * 160


def test_half_a_line_of_somebody_who_died_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "deletions.jsonl"
    log = DeletionLog(path)
    log.begin(PROFILE, [entry("a")])
    with path.open("ab") as file:
        file.write(b'{"event": "begin", "batch": "x", "pa')
    log.begin(PROFILE, [entry("b")])
    path.open("ab").close()
    assert [one.text("path") for one in log.read()] == ["acme8:us-east/a", "acme8:us-east/b"]
    assert json.loads(path.read_bytes().splitlines()[-1])["path"] == "acme8:us-east/b"


def test_a_log_that_cannot_be_written_is_said_and_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for path in (Path("/proc/none/deletions.jsonl"), tmp_path / "link", tmp_path / "target" / "x"):
        with pytest.raises(LocalDiskError, match="cannot be written") as refused:
            DeletionLog(path).begin(PROFILE, [entry("a")])
        assert refused.value.hint.startswith("Nothing is deleted")
    assert (tmp_path / "target").read_bytes() == b""


def test_without_a_file_nothing_is_kept() -> None:
    log = DeletionLog()
    log.end(log.begin(replace(PROFILE, options={}), [entry("a")]), [])
    assert log.read() == ()


def test_lines_that_are_no_deletions_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "deletions.jsonl"
    DeletionLog(path).begin(PROFILE, [entry("a")])
    odd = ['{"event": "begin", "batch": [], "path": {}}', '{"event": ["end"]}', "[1]", "\x00", "[" * 100_000]
    with path.open("a") as file:
        file.write("\n".join([*odd, ""]))
    assert [one.text("path") for one in DeletionLog(path).read()] == ["acme8:us-east/a"]


class Deleting(FakeProvider):
    """Deletes whatever it is asked to, or fails as a whole."""

    def __init__(self, failure: StorageError | None = None) -> None:
        super().__init__(PROFILE)
        self.failure = failure
        self.sent: list[Location] = []

    async def stat(self, location: Location) -> Entry:
        raise NotImplementedError

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        raise NotImplementedError

    async def delete(self, locations: Sequence[Location]) -> tuple[Deletion, ...]:
        self.sent += locations
        if self.failure is not None:
            raise self.failure
        return tuple(Deletion(location, DeletionOutcome.DELETED) for location in locations)


class FullLog(DeletionLog):
    """A log whose disk is full after some calls."""

    def __init__(self, path: Path, calls: int) -> None:
        super().__init__(path)
        self.left = calls

    def begin(self, profile: Profile, objects: Sequence[StoredObject]) -> str:
        self._take()
        return super().begin(profile, objects)

    def end(self, batch: str, deletions: Iterable[Deletion]) -> None:
        self._take()
        super().end(batch, deletions)

    def _take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise LocalDiskError("the log of deletions cannot be written: the disk is full")


async def test_nothing_is_sent_that_cannot_be_logged_first(tmp_path: Path) -> None:
    objects = [entry(f"{number}") for number in range(BATCH + 2)]
    provider = Deleting()
    with pytest.raises(LocalDiskError):
        await delete_logged(FullLog(tmp_path / "log", 0), provider, objects)
    assert provider.sent == []
    done = await delete_logged(FullLog(tmp_path / "log", 2), provider, objects)
    assert len(provider.sent) == BATCH
    assert [one.outcome for one in done] == [DeletionOutcome.DELETED] * BATCH + [DeletionOutcome.KEPT] * 2
    assert all("full" in str(one.error) for one in done[BATCH:])


async def test_a_log_that_cannot_be_written_is_reported_with_the_outcome(tmp_path: Path) -> None:
    log = FullLog(tmp_path / "log", 1)
    (one,) = await delete_logged(log, Deleting(), [entry("a")])
    assert (one.outcome, "full" in str(one.error)) == (DeletionOutcome.DELETED, True)
    assert [known.outcome for known in log.read()] == [UNKNOWN]


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (UnavailableError("no answer"), DeletionOutcome.UNKNOWN),
        (ReadOnlyError("the profile is read-only"), DeletionOutcome.KEPT),
    ],
)
async def test_a_deletion_that_fails_as_a_whole_is_in_the_log(
    tmp_path: Path, failure: StorageError, outcome: DeletionOutcome
) -> None:
    log = DeletionLog(tmp_path / "log")
    kept = StorageError("its copy is not good")
    provider = Deleting(failure)
    done = await delete_logged(
        log, provider, [entry("a"), entry("b")], lambda one: kept if one.location.path == "b" else None
    )
    assert [location.path for location in provider.sent] == ["a"]
    assert [(one.outcome, one.error) for one in done] == [(outcome, failure), (DeletionOutcome.KEPT, kept)]
    assert [one.outcome for one in log.read()] == [outcome.value, "not deleted"]
