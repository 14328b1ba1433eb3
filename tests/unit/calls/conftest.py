"""Objects of a call, as short as they can be written."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cloudstore_tui.core.models import Location, StoredObject

Make = Callable[..., StoredObject]


@pytest.fixture
def make() -> Make:
    """`make("r", "callrecording", callId="1")`: id, type and tags."""

    def made(id_: str, type_: str, *, name: str = "", bucket: str = "", minute: int = 0, **tags: str) -> StoredObject:
        return StoredObject(
            Location("acme8", "us-east", id_),
            name or f"{id_}.bin",
            id=id_,
            type=type_,
            bucket_id=bucket,
            created=datetime(2024, 9, 1, 9, minute, tzinfo=UTC),
            tags=tuple(tags.items()),
        )

    return made
