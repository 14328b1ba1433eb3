"""Stores and entries for the tests of this folder."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.results.row_store import RowStore


def _make(number: int, *, name: str = "", size: int | None = None, **fields: object) -> StoredObject:
    agent = f"Agent {number % 7}"
    return StoredObject(
        Location("acme8", "us-east", f"id-{number}"),
        name or f"recording-{number:05d}.mp3",
        size=size if size is not None else number * 1000,
        created=datetime(2024, 9, 1, tzinfo=UTC) + timedelta(seconds=number * 37 % 1001),
        tags=(("agentName", agent), ("duration", str(number * 13 % 997))),
        **fields,  # type: ignore[arg-type]  # the fields of StoredObject have many types
    )


@pytest.fixture
def make() -> Callable[..., StoredObject]:
    return _make


@pytest.fixture
def store() -> Iterator[RowStore]:
    store = RowStore()
    yield store
    store.close()
