"""What commands make of the names of local files: as targets, as sources, and in what they suggest to type."""

import os
import shlex
import stat
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

Cloudstore = Callable[..., Any]
FOLDER = "acme:imports/outreach/nanp/"


@pytest.mark.parametrize(
    "names", [("mon/plan.csv", "tue/plan.csv"), ("plan.csv", "plan.csv"), ("plan.csv", "./plan.csv")]
)
def test_files_that_would_become_one_object_are_refused_before_anything_is_sent(
    cloudstore: Cloudstore, tmp_path: Path, names: tuple[str, ...]
) -> None:
    for folder in ("mon", "tue", "."):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "plan.csv").write_text(folder)
    (tmp_path / "other.csv").write_text("other")
    done = cloudstore("put", "other.csv", *names, FOLDER)
    assert done.code == 2
    assert f"{FOLDER}plan.csv: {Path(names[0])} and {Path(names[1])} would both become this object" in done.err
    assert cloudstore("stat", f"{FOLDER}other.csv").code == 8


def test_what_cannot_be_sent_is_told_as_what_it_is(cloudstore: Cloudstore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    odd = os.fsdecode(b"caf\xe9.csv")
    (tmp_path / odd).write_text("x")
    for name, words in {
        "pipe": "is a pipe or a device",
        "folder": "is a folder, and put sends files",
        "link": "is a link to nothing",
        "missing": "no such file",
        odd: "its name is not UTF-8",
    }.items():
        done = cloudstore("put", name, FOLDER)
        assert done.code == 2
        assert words in done.err
        assert name[:3] in done.err


@pytest.mark.parametrize("folder", ["calls", "calls/monday"])
@pytest.mark.parametrize(
    "command",
    [
        ("get", f"{FOLDER}number-plan.csv"),
        ("pull", FOLDER),
        ("watch", FOLDER),
        ("restore", "acme8:us-east/x", "--then-get"),
        ("call", "get", "acme8:us-east/x"),
        ("zip", "get", "acme8:us-east/x"),
    ],
)
def test_a_folder_that_is_a_link_to_nothing_is_reported_as_that(
    cloudstore: Cloudstore, tmp_path: Path, command: tuple[str, ...], folder: str
) -> None:
    (tmp_path / "calls").symlink_to("nowhere")
    done = cloudstore(*command, "--to", folder)
    assert done.code == 2
    assert "calls: is a link to a folder that is not there" in done.err


def test_paths_behind_an_equals_sign_are_read_as_the_shell_reads_them(
    cloudstore: Cloudstore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for to in ("--to=~/calls", "--to=$HOME/calls"):
        assert cloudstore("get", f"{FOLDER}number-plan.csv", to).code == 0
    assert [path.name for path in (tmp_path / "home" / "calls").iterdir()] == ["number-plan.csv"]


def test_the_curl_line_writes_to_the_current_folder_whatever_the_object_is_called(
    cloudstore: Cloudstore, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    for name in (".bashrc", "a [1-9]{x} 'b'.csv", "-o"):
        (tmp_path / "files" / name).write_text("x")
        assert cloudstore("put", f"files/{name}", FOLDER).code == 0
        words = shlex.split(cloudstore("url", f"{FOLDER}{name}", "--curl").out)
        assert words[:4] == ["curl", "--fail", "--globoff", "--output"]
        assert words[4][0] not in ".-/"
        assert words[5].startswith("http")
        assert cloudstore("rm", f"{FOLDER}{name}", "--yes").code == 0


def test_a_suggested_command_quotes_what_it_names(cloudstore: Cloudstore) -> None:
    done = cloudstore("get", "acme:exports/a b/$(x)/")
    assert done.code == 2
    assert "cloudstore pull 'acme:exports/a b/$(x)/' --to DIR" in done.err


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is an extra")
def test_a_parquet_file_is_for_its_owner_alone(cloudstore: Cloudstore, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert cloudstore("find", "acme8:us-east", "--limit", "3", "-o", "found.parquet").code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "found.parquet").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["found.parquet"]


def test_objects_that_would_share_a_local_name_on_some_disk_get_files_of_their_own(
    cloudstore: Cloudstore, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    names = ("Plan.csv", "plan.CSV", "pla\u0301n.csv", "pl\u00e1n.csv")
    for name in names:
        (tmp_path / "files" / name).write_text(name)
        assert cloudstore("put", f"files/{name}", FOLDER).code == 0
    addresses = [f"{FOLDER}{name}" for name in names]
    done = cloudstore("get", *addresses, "--to", "got", "--on-conflict", "overwrite", "--json")
    assert done.code == 0
    got = {path.name: path.read_text() for path in (tmp_path / "got").iterdir()}
    assert sorted(got.values()) == sorted(names)
    assert len({name.casefold() for name in got}) == len(names)
    assert cloudstore("rm", *addresses, "--yes").code == 0
