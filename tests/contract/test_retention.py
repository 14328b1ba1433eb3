"""What a user wrote down of how long the service keeps objects: in lists, in phrases, and for what is fetched."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudstore_tui.sandbox.server import Ready
from tests.support.commands import Cloudstore


@pytest.fixture
def run(cloudstore: Cloudstore, ready: Ready) -> Cloudstore:
    """Commands of profiles with a policy by which some of the sandbox's objects have little time left."""
    text = ready.config.read_text()
    for provider in ("8x8", "alvaria"):
        days = (datetime.now(UTC) - datetime(2024, 9, 1, tzinfo=UTC)).days
        policy = f'provider = "{provider}"\nretention = {{ hot = "{days}d", cold = "1w", summary = {{ hot = "9y" }} }}'
        text = text.replace(f'provider = "{provider}"', policy)
    path = ready.config.with_name("kept.toml")
    path.write_text(text)

    def command(*words: str) -> object:
        return cloudstore(*words, CLOUDSTORE_CONFIG=str(path))

    return command  # type: ignore[return-value]  # called like it


CC = "type:callcenterrecording"


def test_a_list_shows_the_end_and_a_phrase_finds_what_has_little_time_left(
    run: Cloudstore, cloudstore: Cloudstore
) -> None:
    found = run("find", "acme8:us-east", CC, "expires:<8d", "--columns", "created,expires", "--json")
    assert found.code == 0, found.err
    assert "by your policy" in found.err
    assert len(found.records) > 10
    for record in found.records:
        created, expires = (datetime.fromisoformat(record[name]) for name in ("created", "expires"))
        assert expires - created > timedelta(days=7)
        assert expires < datetime.now(UTC) + timedelta(days=8)
    later = run("find", "acme8:us-east", CC, "expires:>8d", "--count")
    everything = run("find", "acme8:us-east", CC, "--count")
    assert int(later.out) + len(found.records) == int(everything.out)

    refused = cloudstore("find", "acme8:us-east", "expires:<8d")
    assert (refused.code, "retention = {" in refused.err) == (2, True)
    none = cloudstore("find", "acme8:us-east", CC, "--limit", "1", "--columns", "id,expires", "--json")
    assert list(none.records[0]) == ["id"]


def test_what_has_little_time_left_is_fetched(run: Cloudstore, cloudstore: Cloudstore, tmp_path: Path) -> None:
    done = run(
        "pull", "acme8:us-east", CC, "since:2024-09-01", "--expiring", "8d", "--to", "due", "--json", "--dry-run"
    )
    assert done.code == 0, done.err
    found = run("find", "acme8:us-east", CC, "since:2024-09-01", "expires:<8d", "--count")
    assert done.records[-1]["found"] == int(found.out) > 0
    everything = run("pull", "acme:exports/reporting/", "--to", "files", "--dry-run", "--json").records[-1]["found"]
    due = run("pull", "acme:exports/reporting/", "--expiring", "1d", "--to", "files", "--dry-run", "--json").records[
        -1
    ]["found"]
    assert 0 < due < everything
    for profile in ("acme8", "acme:exports/"):
        refused = cloudstore("pull", profile, "--expiring", "8d", "--to", "due")
        assert (refused.code, "retention = {" in refused.err) == (2, True), refused.err
    assert not (tmp_path / "due").exists()


def test_doctor_shows_the_policy(run: Cloudstore) -> None:
    told = run("doctor", "acme8", "--json")
    line = next(json.dumps(record) for record in told.records if "retention" in json.dumps(record))
    assert "by your policy" in line
    assert "summary 3,285 days" in line
