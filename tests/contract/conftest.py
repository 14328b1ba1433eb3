"""What the contract suite knows of each profile of the sandbox: where to look, and what to expect there."""

import http.client
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import structs

from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.models import Entry, Location, StoredObject, identity
from cloudstore_tui.core.paging import Pager
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.spec import ProviderSpec
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.sandbox.server import Ready
from tests.support.commands import Cloudstore

PROFILES = ("acme", "acme-v2", "acme8")


@dataclass(frozen=True)
class Service:
    """One profile of the sandbox and its landmarks."""

    profile: Profile
    spec: ProviderSpec
    provider: StorageProvider
    folder: str
    """A folder or region with many objects."""
    missing: str
    """An address of nothing."""

    @property
    def has_keys(self) -> bool:
        """Whether objects are named by key, not by id."""
        return self.profile.provider == "alvaria"

    def locate(self, rest: str) -> Location:
        return self.provider.locate(rest)

    async def listing(self, location: Location, most: int = 10_000) -> list[Entry]:
        """All entries of a folder, or the first `most`."""
        pager = Pager(lambda cursor: self.provider.browse(location, cursor), identity)
        found: list[Entry] = []
        async for page in pager:
            found += page.items
            if len(found) >= most:
                break
        return found

    async def an_object(self) -> StoredObject:
        """An object that can be fetched."""
        for entry in await self.listing(self.locate(self.folder), 50):
            if isinstance(entry, StoredObject) and entry.state in ("", "AVAILABLE"):
                return entry
        raise AssertionError(f"no object in {self.folder}")


def landmarks(profile: Profile) -> tuple[str, str]:
    if profile.provider == "alvaria":
        return "exports/reporting/enterprise-historical/", "exports/reporting/outreach/no-such.tar"
    return "us-east/", "us-east/00000000-0000-4000-8000-000000000000"


def spec_of(profile: Profile) -> ProviderSpec:
    return next(spec for spec in PROVIDERS if spec.name == profile.provider)


@pytest.fixture(params=PROFILES)
async def service(request: pytest.FixtureRequest, config: Config) -> AsyncIterator[Service]:
    """Each profile in turn, with nothing pacing it."""
    profile = structs.replace(config.profile(request.param), requests_per_minute=0)
    spec = spec_of(profile)
    provider = spec.open(profile)
    yield Service(profile, spec, provider, *landmarks(profile))
    await provider.close()


Changed = Callable[..., Service]


@pytest.fixture
async def changed(service: Service) -> AsyncIterator[Changed]:
    """The same service with another profile, such as a read-only one or one with a wrong secret."""
    opened: list[StorageProvider] = []

    def change(*, secrets: dict[str, str] | None = None, **fields: object) -> Service:
        profile = structs.replace(service.profile, **fields)
        if secrets is not None:
            known = service.profile.secrets
            profile = structs.replace(
                profile, secrets=lambda name: Secret(secrets[name]) if name in secrets else known(name)
            )
        opened.append(service.spec.open(profile))
        return replace(service, profile=profile, provider=opened[-1])

    yield change
    for provider in opened:
        await provider.close()


def fetch(url: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """What a plain client gets from a URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


@pytest.fixture
def cloudstore(ready: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs a command line in an empty folder."""
    return Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(ready.config)}, tmp_path)


@pytest.fixture
def fetch_plainly() -> Callable[..., tuple[int, bytes]]:
    """Fetches a URL with nothing but the standard library."""
    return fetch
