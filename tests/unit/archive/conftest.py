"""Objects for plans and manifests, made up."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.location import Location

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
