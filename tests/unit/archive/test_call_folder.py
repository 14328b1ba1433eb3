"""The folder of a call."""

from datetime import UTC
from pathlib import Path

import pytest

from cloudstore_tui.archive.template import CallFolder
from cloudstore_tui.config.settings import CALL_FOLDER
from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.models import Location, StoredObject

TAGS = (("startTime", "1725181953000"), ("agentName", "M,DENNIS"), ("callId", "int-1"))
CALL = StoredObject(Location("acme8", "us-east", "r"), "int-1.mp3", id="r", mime="audio/mpeg", tags=TAGS)


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        (CALL_FOLDER, "2024-09-01 09-12 M,DENNIS"),
        ("{start:%Y/%m}/{callId}/", "2024/09/int-1"),
        ("calls", "calls"),
        ("{queueName}", "_"),
    ],
)
def test_it_follows_the_template_and_is_no_file(template: str, folder: str) -> None:
    assert CallFolder(template, UTC).path(CALL, "8x8") == Path(folder)


def test_a_hostile_value_stays_one_folder() -> None:
    hostile = StoredObject(CALL.location, "x", id="r", tags=(("callId", "../../etc"), ("agentName", "/")))
    path = CallFolder("{agentName}/{callId}", UTC).path(hostile, "8x8")
    assert len(path.parts) == 2
    assert ".." not in path.parts
    assert not path.is_absolute()


@pytest.mark.parametrize("template", ["", "/", "{nothing}", "a//b", "{callId", ".."])
def test_a_template_that_cannot_be_used_is_the_fault_of_the_settings(template: str) -> None:
    with pytest.raises(ConfigError) as refused:
        CallFolder(template, UTC)
    assert str(refused.value).startswith("call_folder under [settings]: ")
