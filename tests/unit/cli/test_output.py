"""What commands print."""

import json
from datetime import UTC, datetime

import click
import pytest
from msgspec.structs import replace

from cloudstore_tui.cli.export import columns_of, row_of, text_of
from cloudstore_tui.cli.output import Output, error_record
from cloudstore_tui.core.errors import FilterError, LoginError, MissingError, NetworkError, UsageError
from cloudstore_tui.core.models import Folder, Location, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.records import entry_record

RECORDING = StoredObject(
    Location("acme8", "us-east", "id-1"),
    "name.mp3",
    id="id-1",
    size=12,
    size_exact=True,
    created=datetime(2024, 9, 1, 9, 12, tzinfo=UTC),
    tags=(("a", "1"), ("a", "2"), ("b", "")),
)


def test_a_record_has_what_is_known_and_nothing_else() -> None:
    assert entry_record(RECORDING, "8x8") == {
        "profile": "acme8",
        "provider": "8x8",
        "region": "us-east",
        "id": "id-1",
        "name": "name.mp3",
        "size": 12,
        "size_exact": True,
        "created": "2024-09-01T09:12:00+00:00",
        "tags": {"a": "1", "b": ""},
    }


def test_a_rounded_size_says_so_and_an_unknown_one_is_absent() -> None:
    rounded = entry_record(StoredObject(Location("acme", path="a/b"), "b", size=1024), "alvaria")
    assert rounded["size_exact"] is False
    assert rounded["key"] == "a/b"
    unknown = entry_record(StoredObject(Location("acme", path="a/b"), "b"), "alvaria")
    assert not {"size", "size_exact"} & unknown.keys()


def test_a_folder_is_of_the_type_folder() -> None:
    record = entry_record(Folder(Location("acme", path="exports/"), "exports"), "alvaria")
    assert record == {"profile": "acme", "provider": "alvaria", "name": "exports", "key": "exports/", "type": "folder"}


def test_an_error_line_says_what_whether_again_and_where() -> None:
    assert error_record(NetworkError("no answer", subject="acme:x"), "acme:x") == {
        "error": "acme:x: no answer.",
        "code": 4,
        "retryable": True,
        "path": "acme:x",
    }


def test_errors_decide_the_code_and_stand_where_they_happened(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True)
    output.record(entry_record(RECORDING, "8x8"))
    output.error(MissingError("gone"), "acme8:us-east/x")
    output.error(LoginError("refused"), "acme8:us-east/y")
    shown = capsys.readouterr()
    assert [json.loads(line).get("code") for line in shown.out.splitlines()] == [None, 8, 3]
    assert len(shown.err.splitlines()) == 2
    assert output.code == 1


def test_a_wrong_filter_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).error(FilterError("a value is missing", text="a==;b==1", position=3))
    assert capsys.readouterr().err.splitlines()[1:] == ["  a==;b==1", "     ^"]


def test_messages_never_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).note("name \x1b]0;owned\x07")
    assert capsys.readouterr().err == "name ␛]0;owned␇\n"


def test_a_name_with_line_breaks_in_it_is_one_line_for_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.line(output.row(replace(RECORDING, name="a\nacme8:us-east/other\r\x85\u2028b")))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 1
    assert "a␊acme8:us-east/other␍" in shown


def test_no_line_commands_a_terminal_at_the_end_of_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    output.line("\x1b[31mred\x9b")
    assert capsys.readouterr().out == "␛[31mred‹009B›\n"


def test_no_data_commands_a_terminal_and_its_lines_and_tabs_stay(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).data('a\tb,"two\r\nlines\x1b[31m\x9b",é')
    assert capsys.readouterr().out == 'a\tb,"two\r\nlines␛[31m‹009B›",é\n'


def test_json_holds_every_text_exactly_and_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).record(entry_record(replace(RECORDING, name="a\ud800\x1bé"), "8x8"))
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert json.loads(shown)["name"] == "a\ud800\x1bé"


@pytest.mark.parametrize("ask", ["confirm", "ask_text", "ask_secret"])
def test_no_question_commands_a_terminal(ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("confirm", "prompt"):
        monkeypatch.setattr(click, name, lambda text, **_: asked.append(text))
    getattr(Output(as_json=False), ask)("Replace \x1b[2J?")
    assert asked == ["Replace ␛[2J?"]


# Exports


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
