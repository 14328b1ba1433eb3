"""`fiql check`, `explain` and `compile`, as their user sees them."""

import json
from typing import Any

import pytest

from cloudstore_tui.cli import main

pytestmark = pytest.mark.usefixtures("_zone")


@pytest.fixture
def _zone(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user in Berlin."""
    file = tmp_path / "config.toml"
    file.write_text('[settings]\ntime_zone = "Europe/Berlin"\n')
    monkeypatch.setenv("CLOUDSTORE_CONFIG", str(file))


class Command:
    """Runs `cloudstore fiql` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["fiql", *words])
        self.out, self.err = self._capsys.readouterr()
        return int(ended.value.code or 0)


@pytest.fixture
def fiql(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def test_compile_prints_the_filter_and_nothing_else_on_stdout(fiql: Command) -> None:
    assert fiql("compile", "type:cc", "agent:Khang Glynn", "on:2024-09-01", "dur:>10m", "invoice") == 0
    assert fiql.out == (
        "type==callcenterrecording;agentName=='Khang Glynn';createdTime=ge=1725141600000;createdTime=lt=1725228000000;"
        "duration=gt=600000\n"
    )
    assert "only fetched rows are searched: name, person or queue contains 'invoice'" in fiql.err


def test_compile_as_json_has_the_notes_and_local_conditions(fiql: Command) -> None:
    assert fiql("compile", "--json", "state:archived", "agent:~khang") == 0
    found = json.loads(fiql.out)
    assert found["fiql"] == "objectState==ARCHIVED"
    assert found["local"] == ["agent contains 'khang'"]
    assert len(found["notes"]) == 1
    assert fiql.err == ""


def test_compile_shows_the_place_of_an_error_and_ends_with_2(fiql: Command) -> None:
    assert fiql("compile", "type:cc", "agnt:x") == 2
    assert fiql.out == ""
    assert "Did you mean `agent:`?" in fiql.err
    assert fiql.err.splitlines()[-2:] == ["  type:cc agnt:x", "          ^"]


def test_compile_takes_a_negation_after_two_dashes(fiql: Command) -> None:
    assert fiql("compile", "--", "-agent:Khang Glynn") == 0
    assert fiql.out == "agentName!='Khang Glynn'\n"


def test_explain_shows_filter_reading_and_tree_of_a_phrase(fiql: Command) -> None:
    assert fiql("explain", 'type:cc agent:"Khang Glynn","Ada L" since:2024-09-01') == 0
    assert fiql.out.splitlines() == [
        "FIQL     type==callcenterrecording;agentName=in=('Khang Glynn','Ada L');createdTime=ge=1725141600000",
        "reading  Call recordings, agent is Khang Glynn or Ada L, created on or after "
        "1 Sep 2024 00:00 CEST; available only (add state:any for all)",
        "tree     AND",
        "         ├─ type==callcenterrecording",
        "         ├─ agentName=in=('Khang Glynn','Ada L')",
        "         └─ createdTime=ge=1725141600000",
    ]


def test_explain_of_a_filter_shows_it_as_written_and_what_is_wrong(fiql: Command) -> None:
    assert fiql("explain", "--json", "a==1,b==2;createdTime=ge=2024-09-01") == 0
    found = json.loads(fiql.out)
    assert found["fiql"] == "a==1,b==2;createdTime=ge=2024-09-01"
    assert found["tree"].startswith("OR\n├─ a==1\n└─ AND\n")
    assert "either a is 1 or (b is 2 and created" in found["reading"]
    assert "`;` binds tighter" in found["notes"][0]
    assert found["notes"][1].startswith("createdTime takes no date")


def test_explain_of_nothing_but_local_conditions_says_what_is_fetched(fiql: Command) -> None:
    assert fiql("explain", "invoice") == 0
    assert fiql.out.splitlines()[:2] == ["FIQL", "reading  everything that is available"]
    assert "only fetched rows" in fiql.out


def test_check_warns_in_words_of_a_state_that_is_only_an_alternative(fiql: Command) -> None:
    assert fiql("check", "a==1,objectState==AVAILABLE") == 0
    warning, valid = fiql.out.splitlines()
    assert warning.startswith("warning: objectState is only one of several alternatives")
    assert valid == "valid: a==1,objectState==AVAILABLE"


def test_check_corrects_a_date_in_the_users_zone(fiql: Command) -> None:
    assert fiql("check", "createdTime=ge=2024-09-01") == 2
    assert "Corrected: createdTime=ge=1725141600000" in fiql.err


def test_control_characters_in_a_filter_are_shown_and_not_obeyed(fiql: Command) -> None:
    assert fiql("compile", "agent:\x1b[31mred\x1b[0m", "agnt:x") == 2
    assert "\x1b" not in fiql.err


def test_explain_takes_words_as_find_does(fiql: Command) -> None:
    assert fiql("explain", "agent:Khang Glynn", "type:cc") == 0
    assert "agentName=='Khang Glynn';type==callcenterrecording" in fiql.out
