"""Names of files that tell which is which."""

from typing import Any

from cloudstore_tui.calls import call_tree, file_names


def names(*entries: Any) -> list[str]:
    return list(file_names(call_tree(entries)).values())


def test_a_name_of_its_own_is_kept(make: Any) -> None:
    call = {"callId": "c"}
    found = names(make("r", "callrecording", name="c.mp3", **call), make("p", "postcallsurvey", name="c", **call))
    assert found == ["c.mp3", "c"]


def test_objects_of_one_name_are_called_what_they_are(make: Any) -> None:
    call = {"callId": "c", "name": "c.json"}
    assert names(
        make("t", "transcription", speaker="owner", **call),
        make("u", "transcription", speaker="external", **{**call, "name": "C.json"}),
        make("y", "summary", **call),
        make("x", "hologram", **call),
    ) == ["c transcript owner.json", "C transcript external.json", "c summary.json", "c hologram.json"]


def test_names_without_extension_or_with_nothing_else_are_told_apart_too(make: Any) -> None:
    for name, wanted in (("c", "c survey"), (".json", ".json survey")):
        found = names(make("p", "postcallsurvey", name=name), make("n", "agentnotes", name=name))
        assert found[0] == wanted
