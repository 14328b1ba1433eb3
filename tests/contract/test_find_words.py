"""`find` with words, against the sandbox."""

import re
from pathlib import Path

import pytest

from cloudstore_tui.sandbox.server import Ready, Sandbox
from tests.support.commands import Cloudstore


@pytest.fixture
def find(ready: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs `cloudstore find acme8:us-east …` without a terminal."""
    return Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(ready.config)}, tmp_path, "find", "acme8:us-east")


def test_someone_who_never_heard_of_fiql_finds_the_call(find: Cloudstore) -> None:
    found = find("type:cc", "agent:Khang Glynn", "on:1 Sep 2024", "dur:>10m", "--json")
    assert found.records
    assert {record["tags"]["agentName"] for record in found.records} == {"Khang Glynn"}
    assert all(int(record["tags"]["duration"]) > 600_000 for record in found.records)
    assert all(record["created"].startswith("2024-09-01") for record in found.records)
    assert found.err == ""


@pytest.mark.parametrize("switch", ["E-7=text", "E-8=no match", "E-9=fold", "E-9=wildcards", "E-12=any mention"])
def test_what_is_counted_is_what_is_found_however_the_service_compares(
    find: Cloudstore, sandbox: Sandbox, switch: str
) -> None:
    sandbox.switches.set(dict([switch.split("=", 1)]))
    filter_ = "agentName=='khang glynn',duration=gt=900000,agentName==Khang*,queueName!=nowhere"
    rows = find("--fiql", filter_, "--json")
    counted = find("--fiql", filter_, "--count")
    assert (rows.code, counted.code) == (0, 0)
    assert len(rows.records) == int(counted.out) > 0


@pytest.mark.parametrize("option", ["--count", "--json"])
def test_a_secret_that_is_missing_is_no_fault_of_the_filter(
    find: Cloudstore, ready: Ready, tmp_path: Path, option: str
) -> None:
    text = re.sub(r"(?m)^secret_file = .*$", f'secret_file = "{tmp_path / "none"}"', ready.config.read_text())
    own = tmp_path / "own.toml"
    own.write_text(text)
    found = find("agent:Khang Glynn", option, CLOUDSTORE_CONFIG=str(own))
    assert found.code == 2
    assert "Look at the filter" not in found.err + found.out
    assert str(tmp_path / "none") in found.err + found.out


def test_a_duration_is_right_for_the_unit_of_each_type(find: Cloudstore) -> None:
    both = find("on:2024-09-01", "dur:>2m", "--json")
    limits = {"transcription": 120}
    kinds = {record["type"] for record in both.records}
    assert {"callcenterrecording", "transcription"} <= kinds
    assert all(int(record["tags"]["duration"]) > limits.get(record["type"], 120_000) for record in both.records)
    every = find("on:2024-09-01", "type:transcript", "--json").records
    longer = [record for record in every if int(record["tags"].get("duration", 0)) > 120]
    assert len([record for record in both.records if record["type"] == "transcription"]) == len(longer)
    assert "both are asked for" in both.err


def test_words_and_options_are_joined_by_and(find: Cloudstore) -> None:
    day = ("--since", "2024-09-01", "--until", "2024-09-02")
    assert find("type:callcenterrecording", *day, "--count").out.strip() == "245"
    found = find("type:summary", "--fiql", "type==callcenterrecording,type==summary", *day, "--json").records
    assert {record["type"] for record in found} == {"summary"}


def test_a_filter_in_place_of_words_is_sent_as_written(find: Cloudstore) -> None:
    found = find("type==summary,type==transcription", "--type", "summary", "--limit", "5", "--json").records
    assert {record["type"] for record in found} == {"summary"}
    refused = find("createdTime=ge=2024-09-01")
    assert refused.code == 2
    assert "Corrected: createdTime=ge=1725148800000" in refused.err


def test_local_conditions_are_put_to_the_fetched_rows_and_said(find: Cloudstore) -> None:
    every = find("type:cc", "on:2024-09-01", "--json").records
    some = find("type:cc", "on:2024-09-01", "agent:~KHANG", "--json")
    expected = [record["id"] for record in every if "khang" in record["tags"]["agentName"].lower()]
    assert expected
    assert [record["id"] for record in some.records] == expected
    assert "only fetched rows are searched: agent contains 'KHANG'" in some.err
    counted = find("type:cc", "on:2024-09-01", "agent:~KHANG", "--count")
    assert counted.out.strip() == str(len(expected))
    assert len(find("type:cc", "on:2024-09-01", "agent:~KHANG", "--limit", "1", "--json").records) == 1


def test_an_empty_result_shows_the_filter_and_why_it_may_be_empty(find: Cloudstore) -> None:
    found = find("type:cc", "agent:khang glynn", "on:2024-09-01", "dur:>10m")
    assert found.code == 0
    assert found.out == ""
    assert "Sent: type==callcenterrecording;agentName=='khang glynn';createdTime=ge=" in found.err
    assert "Only available objects" in found.err
    assert "Values are case-sensitive and must match exactly" in found.err
    assert "The unit of duration is milliseconds: longer than 10 min." in found.err
    assert "Times are in UTC (your time_zone setting): created on or after 1 Sep 2024 00:00 UTC" in found.err
    assert "No matches. Sent: agentName==" in find("agent:nobody", "--count").err


def test_an_empty_result_of_local_conditions_says_how_many_were_looked_at(find: Cloudstore) -> None:
    found = find("type:cc", "on:2024-09-01", "zebra")
    assert found.out == ""
    assert "It returned 245, none of which meets the conditions that are checked here." in found.err


def test_a_wrong_word_is_an_error_with_its_place(find: Cloudstore) -> None:
    found = find("type:cc", "agnt:x")
    assert found.code == 2
    assert found.err.splitlines()[-2:] == ["  type:cc agnt:x", "          ^"]


def test_a_saved_search_is_found_by_its_name_with_values_for_its_placeholder(find: Cloudstore, ready: Ready) -> None:
    searches = ready.config.parent / "searches.toml"
    searches.write_text("[long]\nfind = 'type:cc agent:?agent dur:>?length'\n[other]\nfind = 'a==1'\nprofile = 'x'\n")
    try:
        found = find("@long", "agent=Khang Glynn", "length=10m", "on:2024-09-01", "--json")
        assert found.records
        assert {record["tags"]["agentName"] for record in found.records} == {"Khang Glynn"}
        assert all(record["created"].startswith("2024-09-01") for record in found.records)
        missing = find("@long", "agent=Khang Glynn")
        assert missing.code == 2
        assert "fill in ?length" in missing.err
        assert "The placeholders are: agent, length." in find("@long", "agnt=x").err
        assert "Saved: long, other." in find("@lng").err
        assert "is not for acme8" in find("@other").err
    finally:
        searches.unlink()
