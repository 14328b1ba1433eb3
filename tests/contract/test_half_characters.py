"""Half a surrogate pair, which JSON allows: it stays what it is in every JSON, and is seen everywhere else."""

import json
from pathlib import Path

import pytest

from cloudstore_tui.sandbox.server import Sandbox
from tests.support.commands import Cloudstore

NAME, VALUE = "half \ud83d pair é.mp3", "\udc00é"


@pytest.fixture
def odd(sandbox: Sandbox, cloudstore: Cloudstore) -> str:
    """The address of an object of which the service tells such a name and such a tag."""
    whole = cloudstore("find", "acme8:us-east", "type:callcenterrecording", "--limit", "1", "--json").records[0]
    told = {"id": whole["id"], "type": whole["type"], "objectState": "AVAILABLE", "storedBytes": whole["size"]}
    told |= {"objectName": NAME, "createdTime": whole["created"], "checksum": whole["checksum"]}
    told |= {"checksumType": whole["checksum_type"], "tags": [{"key": "agentName", "value": VALUE}]}
    sandbox.faults.add(f"field where=api path=/*/objects* name=content value='{json.dumps([told])}' times=0")
    for name in ("objectName", "tags"):
        value = json.dumps(told[name])
        sandbox.faults.add(f"field where=api path=/*/objects/{whole['id']} name={name} value='{value}' times=0")
    return f"acme8:us-east/{whole['id']}"


def test_json_has_the_same_half_and_tables_show_that_there_is_one(
    odd: str, cloudstore: Cloudstore, tmp_path: Path
) -> None:
    for words in (
        ("find", "acme8:us-east"),
        ("ls", "acme8:us-east/"),
        ("find", "acme8:us-east", "--columns", "name,tags"),
    ):
        done = cloudstore(*words, "--json", "--limit", "1")
        assert (done.records[0]["name"], done.records[0]["tags"]["agentName"]) == (NAME, VALUE), done.err
        assert "\\ud83d" in done.out
    shown = cloudstore("ls", "acme8:us-east/", "--limit", "1")
    assert "half ‹D83D› pair é.mp3" in shown.out
    cells = cloudstore("find", "acme8:us-east", "--columns", "name,tags,agentName", "--limit", "1", "--format", "csv")
    assert "half ? pair é.mp3" in cells.out
    assert "\\udc00é" in cells.out
    assert cloudstore("find", "acme8:us-east", "-o", "found.parquet", "--limit", "1").code < 70


def test_what_comes_into_a_folder_is_told_with_the_same_half(odd: str, cloudstore: Cloudstore, tmp_path: Path) -> None:
    done = cloudstore("pull", "acme8:us-east", "--to", "calls", "--sidecar", "--manifest", "csv", "--json")
    assert (done.code, done.report["fetched"]) == (0, 1), done.err
    line = json.loads((tmp_path / "calls/manifest.jsonl").read_text())
    assert (line["name"], line["tags"]["agentName"]) == (NAME, VALUE)
    beside = json.loads((tmp_path / "calls" / line["sidecar"]).read_text())
    assert beside["name"] == NAME
    assert cloudstore("verify", "calls").code == 0
    for words in (("stat", odd), ("get", odd, "--to", "one"), ("call", "show", "acme8:us-east", "x")):
        done = cloudstore(*words, "--json")
        assert done.code in (0, 8), done.err
    assert cloudstore("rm", odd, "--dry-run").code == 0
