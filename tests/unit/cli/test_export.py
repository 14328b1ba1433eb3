"""What an export writes into one cell."""

import pytest

from cloudstore_tui.cli.export import columns_of, row_of, text_of
from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.core.profile import Profile

PROFILE = Profile("acme8", "8x8")
OBJECT = StoredObject(
    Location("acme8", "uk", "id1"), "a.mp3", "id1", "summary", size=5, tags=(("agentName", "Khang"), ("size", "odd"))
)


def test_columns_are_fields_or_else_tags_and_what_is_unknown_is_absent() -> None:
    assert row_of(OBJECT, PROFILE, ("agentName", "size", "created", "nobody")) == {
        "agentName": "Khang",
        "size": 5,
    }
    assert row_of(OBJECT, PROFILE, ("tags",)) == {"tags": {"agentName": "Khang", "size": "odd"}}


def test_values_are_written_as_json_writes_them() -> None:
    assert [text_of(value) for value in (None, 5, True, "a", {"a": "b"})] == ["", "5", "true", "a", '{"a":"b"}']


@pytest.mark.parametrize("text", ["", ",", "a,", "a,,b", "a, a"])
def test_columns_are_different_names(text: str) -> None:
    with pytest.raises(UsageError):
        columns_of(text)


def test_the_path_is_what_other_commands_take() -> None:
    assert row_of(OBJECT, PROFILE, ("path",)) == {"path": "acme8:uk/id1"}


def test_tags_with_half_a_character_are_text_like_others() -> None:
    assert text_of({"a": "\ud800é"}) == '{"a":"\\ud800é"}'
