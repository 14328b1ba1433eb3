"""The 8x8 Cloud Storage Service of the sandbox.

The first of `KEYS` may do everything; `Key.secret(world)` is its secret.
"""

from functools import cache
from pathlib import Path

from starlette.routing import BaseRoute

from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.sandbox.eightbyeight.api import bulk_routes, content_routes, lifecycle_routes, object_routes
from cloudstore_tui.sandbox.eightbyeight.jobs import SandboxJobs
from cloudstore_tui.sandbox.eightbyeight.service import (
    KEYS,
    SWITCHES,
    Key,
    KeyTokens,
    RequestRate,
    Service,
    token_routes,
)
from cloudstore_tui.sandbox.eightbyeight.store import ObjectRecords
from cloudstore_tui.sandbox.world import World

__all__ = ["KEYS", "SWITCHES", "Key", "routes", "seed"]


def seed(world: World) -> None:
    """Create the fixtures and the generated calls, unless the data folder holds them already."""
    _open(world).close()


def routes(world: World) -> list[BaseRoute]:
    """Every route of the service; the data is opened by the first request."""
    store = cache(lambda: _open(world))
    service = Service(world, store, KeyTokens(world), SandboxJobs(), RequestRate())
    # Presigned links last: their pattern is the widest.
    return [
        *token_routes(service),
        *object_routes(service),
        *bulk_routes(service),
        *lifecycle_routes(service),
        *content_routes(service),
    ]


def _open(world: World) -> ObjectRecords:
    path = Path(world.data) / "eightbyeight.sqlite"
    store = ObjectRecords(path)
    if not store.is_filled(world.seed, world.objects):
        store.fill(world.seed, world.objects, fixtures.records(world.seed), fixtures.SPAN)
    return store
