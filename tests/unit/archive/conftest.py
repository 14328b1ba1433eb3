"""Objects for plans and manifests, made up; and a whole small service that is pulled from, over a real socket."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from msgspec.structs import replace

from cloudstore_tui.archive.listing import FolderListing
from cloudstore_tui.archive.manifest import place_of
from cloudstore_tui.archive.plan import Loss
from cloudstore_tui.archive.pull import Pull, PullReport
from cloudstore_tui.archive.strategy import PullOptions
from cloudstore_tui.archive.template import KeyNames
from cloudstore_tui.core.errors import MissingError, StorageError
from cloudstore_tui.core.links import Source
from cloudstore_tui.core.models import Entry, Location, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Profile, Secret, Timeouts
from cloudstore_tui.fs.disk import Disk
from cloudstore_tui.transfers.journal.store import JournalStore
from cloudstore_tui.transfers.manager import TransferManager
from tests.support.http import Asked, Reply, serving
from tests.support.providers import FakeProvider

MakeObject = Callable[..., StoredObject]
CREATED = datetime(2024, 9, 1, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def make_object() -> MakeObject:
    """Makes recordings; every field can be another one."""

    def make(
        id_: str = "58bc5748-339b-43c2-ad15-572a35dc3aad", region: str = "us-east", **fields: object
    ) -> StoredObject:
        known: dict[str, object] = {
            "name": "int-191-a.mp3",
            "id": id_,
            "type": "callcenterrecording",
            "mime": "audio/mpeg",
            "size": 10,
            "size_exact": True,
            "created": CREATED,
            "state": "AVAILABLE",
            "tags": (("agentName", "Khang Glynn"), ("callerId", "+16695555518"), ("callId", "int-191-a")),
        }
        return StoredObject(Location("acme8", region, id_), **(known | fields))  # type: ignore[arg-type]  # the test names them

    return make


class Bucket(FakeProvider):
    """A service with folders whose objects a test changes between two pulls."""

    def __init__(self) -> None:
        super().__init__(Profile("acme", "alvaria", requests_per_minute=0))
        self.bodies: dict[str, bytes] = {}
        self.objects: dict[str, StoredObject] = {}
        self.fetched: list[str] = []
        self.failures: tuple[StorageError, ...] = ()
        """What its listing lacks."""
        self.refused: dict[str, StorageError] = {}
        """Why some objects are not given."""
        self.before_answer: Callable[[str], None] = lambda _key: None
        """Called with the key of each object that is fetched."""
        self._stack = ExitStack()
        self.url = self._stack.enter_context(serving(self._give))

    def _give(self, asked: Asked) -> Reply:
        key = unquote(asked.target[1:])
        self.fetched.append(key)
        self.before_answer(key)
        body = self.bodies.get(key)
        return 404 if body is None else 200, body

    def put(self, key: str, body: bytes = b"", **fields: Any) -> StoredObject:
        """Make an object, or a new version of it."""
        body = body or f"the content of {key}".encode()
        self.bodies[key] = body
        known: dict[str, Any] = {"size": len(body), "size_exact": True, "modified": CREATED}
        known |= {"checksum": hashlib.md5(body, usedforsecurity=False).hexdigest(), "checksum_type": "MD5"}
        entry = StoredObject(Location("acme", path=key), key.rpartition("/")[2], **(known | fields))
        self.objects[key] = entry
        return entry

    async def browse(self, location: Location, cursor: str | None = None) -> Page[Entry]:
        return Page(tuple(self.objects.values()), failures=self.failures)

    async def stat(self, location: Location) -> Entry:
        return self.objects[location.path]

    async def source(self, location: Location, known: StoredObject | None = None) -> Source:
        entry = self.objects[location.path]
        if location.path in self.refused:
            raise self.refused[location.path]
        if location.path not in self.bodies:
            raise MissingError("it is gone", subject=location.address)
        url = f"{self.url}/{quote(location.path)}"
        return Source(
            Secret(url), size=entry.size, checksum=entry.checksum, checksum_type=entry.checksum_type, local=True
        )

    async def close(self) -> None:
        self._stack.close()


@dataclass
class Result:
    """What came of one pull."""

    report: PullReport
    losses: list[Loss]
    warnings: list[str]
    fetched: list[str]


@dataclass
class Puller:
    """Pulls a bucket into a folder."""

    bucket: Bucket
    folder: Path

    async def __call__(
        self,
        disk: Disk | None = None,
        journal: JournalStore | None = None,
        begun: Callable[[], None] = lambda: None,
        **options: Any,
    ) -> Result:
        self.bucket.fetched.clear()
        listing = FolderListing(self.bucket, Location("acme", path="in/"))
        known = PullOptions(place_of(self.folder), KeyNames("in/"), scratch=self.folder.parent / "scratch")
        pull = Pull(self.bucket, listing, replace(known, **options), disk=disk)
        engine = TransferManager(lambda _profile: self.bucket, timeouts=Timeouts(give_up=0.5), journal=journal)
        try:
            report = await pull.run(engine, begun)
            return Result(report, list(pull.plan.losses()), pull.warnings, list(self.bucket.fetched))
        finally:
            await pull.close()
            await engine.close()

    def files(self) -> dict[str, bytes]:
        """What is in the folder, without what is ours."""
        found = {path.relative_to(self.folder).as_posix(): path for path in self.folder.rglob("*") if path.is_file()}
        return {
            name: path.read_bytes() for name, path in found.items() if not name.startswith(("manifest.", "events."))
        }

    def manifest(self) -> list[dict[str, Any]]:
        text = (place_of(self.folder).payload / "manifest.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
async def bucket() -> AsyncIterator[Bucket]:
    made = Bucket()
    yield made
    await made.close()


@pytest.fixture
def pull(bucket: Bucket, tmp_path: Path) -> Puller:
    """Pulls everything below `in/` of the bucket into `calls/`."""
    return Puller(bucket, tmp_path / "calls")
