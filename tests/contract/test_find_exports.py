"""What `find` writes for other programs, against the sandbox."""

import csv
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pexpect
import pytest

from cloudstore_tui.sandbox.server import Ready
from tests.support.commands import Cloudstore

_READ = """
import json, sys
from pyarrow import parquet
print(json.dumps(parquet.read_table(sys.argv[1]).to_pylist(), default=str))
"""


@pytest.fixture
def find(ready: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs `cloudstore find acme8:us-east …` without a terminal."""
    return Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(ready.config)}, tmp_path, "find", "acme8:us-east")


def test_csv_has_the_rows_of_json_in_the_columns_asked_for(find: Cloudstore) -> None:
    asked = ["type:callcenterrecording", "--limit", "150"]
    records = [json.loads(line) for line in find(*asked, "--json").out.splitlines()]
    done = find(*asked, "--format", "csv", "--columns", "id, created,size,agentName,address")
    rows = list(csv.reader(StringIO(done.out)))
    assert rows[0] == ["id", "created", "size", "agentName", "address"]
    wanted = [
        [record["id"], record["created"], str(record["size"]), record["tags"]["agentName"], record["tags"]["address"]]
        for record in records
    ]
    assert [[cell.removeprefix("'") for cell in row] for row in rows[1:]] == wanted
    assert any(row[4].startswith("+1") for row in rows[1:])
    assert done.err == ""


def test_csv_of_nothing_is_its_titles(find: Cloudstore) -> None:
    done = find("type==nothing", "--format", "csv")
    assert done.out == "region,id,type,name,size,created,state,tags\n"
    assert done.code == 0


def test_columns_of_text_have_tabs_between_them_and_those_of_json_are_flat(find: Cloudstore) -> None:
    text = find("type:callcenterrecording", "--limit", "3", "--columns", "id,agentName")
    flat = find("type:callcenterrecording", "--limit", "3", "--columns", "id,agentName,nobody", "--json")
    assert [line.split("\t") for line in text.out.splitlines()] == [
        list(json.loads(line).values()) for line in flat.out.splitlines()
    ]


@pytest.mark.parametrize(
    "options", [["--format", "csv", "--json"], ["--format", "parquet"], ["--columns", "id,,name", "--format", "csv"]]
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(find: Cloudstore, options: list[str]) -> None:
    done = find("type:callcenterrecording", *options)
    assert done.code == 2
    assert done.out.startswith("{") or done.out == ""


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="pyarrow is there")
def test_without_its_library_parquet_is_refused_with_the_cure(find: Cloudstore, tmp_path: Path) -> None:
    done = find("type:callcenterrecording", "-o", "a.parquet")
    assert done.code == 2
    assert "cloudstore-tui[parquet]" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is an extra")
def test_a_parquet_file_has_the_rows_of_json_and_is_never_written_over(find: Cloudstore, tmp_path: Path) -> None:
    asked = ["type:callcenterrecording", "--limit", "250"]
    records = [json.loads(line) for line in find(*asked, "--json").out.splitlines()]
    done = find(*asked, "-o", "a.parquet")
    assert (done.code, done.out, done.err) == (0, "", "")
    told = subprocess.run([sys.executable, "-c", _READ, "a.parquet"], cwd=tmp_path, capture_output=True, check=True)
    rows = json.loads(told.stdout)
    assert [(row["id"], row["size"], dict(row["tags"])) for row in rows] == [
        (record["id"], record["size"], record["tags"]) for record in records
    ]
    before = (tmp_path / "a.parquet").read_bytes()
    again = find(*asked, "-o", "a.parquet")
    assert again.code == 9
    assert (tmp_path / "a.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_a_terminal_is_told_how_much_was_found_while_it_waits(ready: Ready, tmp_path: Path) -> None:
    command = f"{sys.executable} -m cloudstore_tui find acme8: --json > found.jsonl"
    environment = {**os.environ, "CLOUDSTORE_CONFIG": str(ready.config)}
    child = pexpect.spawn("/bin/sh", ["-c", command], cwd=str(tmp_path), env=environment, timeout=60)
    child.expect(re.compile(rb"\r\x1b\[K[0-9,]+ (found|of about [0-9,]+)"))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert (tmp_path / "found.jsonl").read_text().count("\n") > 100


@pytest.mark.parametrize(("ending", "form"), [("csv", "csv"), ("jsonl", "json"), ("txt", "table")])
def test_a_file_has_what_would_be_printed_and_its_name_says_in_which_form(
    find: Cloudstore, tmp_path: Path, ending: str, form: str
) -> None:
    asked = ["type:callcenterrecording", "--limit", "20", "--columns", "id,created,agentName"]
    done = find(*asked, "-o", f"found.{ending}")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / f"found.{ending}").read_text().splitlines() == find(*asked, "--format", form).out.splitlines()
    assert (tmp_path / f"found.{ending}").stat().st_mode & 0o777 == 0o600
    assert find(*asked, "-o", f"found.{ending}").code == 9


def test_a_search_that_fails_leaves_no_file(find: Cloudstore, tmp_path: Path) -> None:
    assert find("agentName==", "-o", "found.csv").code == 2
    assert not list(tmp_path.iterdir())
