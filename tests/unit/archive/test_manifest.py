"""The manifest: appended, cut after a crash, compacted, read back, and as a table."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from cloudstore_tui.archive.manifest import (
    NAME,
    Manifest,
    entry_of,
    failed_entry,
    fetched_entry,
    matches_object,
    mtime_of,
    read_manifest,
    write_table,
)
from cloudstore_tui.core.errors import LocalDiskError, NotAvailableError, UnsafeError
from cloudstore_tui.core.models import StoredObject

MakeObject = Callable[..., StoredObject]
NOW = datetime(2024, 9, 2, tzinfo=UTC)


def line(id_: str, **fields: object) -> dict[str, object]:
    return {"profile": "acme8", "region": "us-east", "id": id_, "path": f"{id_}.mp3", **fields}


def ids(folder: Path) -> list[str]:
    return [found["id"] for found in read_manifest(folder / NAME)]


def test_a_half_last_line_is_cut_and_the_rest_stays(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    for id_ in "ab":
        manifest.append(line(id_))
    manifest.close()
    whole = (tmp_path / NAME).read_bytes()
    for cut in range(len(whole)):
        (tmp_path / NAME).write_bytes(whole[:cut])
        manifest = Manifest(tmp_path)
        manifest.append(line("c"))
        manifest.close()
        assert ids(tmp_path) == [*"ab"[: whole[:cut].count(b"\n")], "c"]


def test_a_half_line_longer_than_a_block_is_cut(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(json.dumps(line("a")).encode() + b"\n" + b"x" * 200_000)
    Manifest(tmp_path).close()
    assert (tmp_path / NAME).read_bytes().endswith(b"}\n")


def test_compacting_leaves_the_last_line_of_each_object_and_goes_on(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    for id_, size in (("a", 1), ("b", 2), ("a", 3), ("b", 4), ("c", 5)):
        manifest.append(line(id_, size=size))
    manifest.append(line("a", size=6) | {"region": "uk"})
    manifest.compact()
    manifest.append(line("d", size=7))
    manifest.close()
    assert [found["size"] for found in read_manifest(tmp_path / NAME)] == [3, 4, 5, 6, 7]
    assert [file.name for file in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_lines_that_are_none_are_passed_over(tmp_path: Path) -> None:
    good = json.dumps(line("a"))
    (tmp_path / NAME).write_text(f'{good}\n[1]\nnull\n\n{{"id": 3}}\n{{"path": "x"}}\n{"[" * 100_000}\n{good}\n')
    assert ids(tmp_path) == ["a", "a"]


def test_a_line_that_is_too_long_is_one_damaged_line_whatever_is_in_it(tmp_path: Path) -> None:
    hidden = json.dumps(line("hidden"))
    too_long = "x" * (1 << 22) + hidden
    (tmp_path / NAME).write_text(f"{json.dumps(line('a'))}\n{too_long}\n{json.dumps(line('b'))}\n")
    damaged: list[int] = []
    assert [found["id"] for found in read_manifest(tmp_path / NAME, damaged=damaged.append)] == ["a", "b"]
    assert damaged == [2]


def test_a_link_in_place_of_the_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious")
    (tmp_path / NAME).symlink_to("other")
    with pytest.raises(UnsafeError):
        Manifest(tmp_path)
    with pytest.raises(UnsafeError):
        list(read_manifest(tmp_path / NAME))
    assert (tmp_path / "other").read_text() == "precious"


def test_a_folder_that_may_not_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalDiskError):
        Manifest(tmp_path / "file" / "folder")


def test_a_line_has_all_fields_of_the_object_and_the_file(make_object: MakeObject, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    found = (tmp_path / "x").stat()
    entry = make_object(checksum="abc")
    record = fetched_entry(entry_of(entry, PurePosixPath("2024/x.mp3"), "8x8"), found, "md5", "f00d", NOW)
    assert record["path"] == "2024/x.mp3"
    assert (record["size"], record["size_exact"], record["level"], record["sha256"]) == (10, True, "md5", "f00d")
    assert (record["fetched"], record["mtime"]) == (NOW.isoformat(), mtime_of(found))
    assert record["tags"] == {"agentName": "Khang Glynn", "callerId": "+16695555518", "callId": "int-191-a"}
    assert matches_object(record, entry)
    error = NotAvailableError("its state is ARCHIVED", state="ARCHIVED")
    lost = failed_entry(entry_of(entry, PurePosixPath("2024/x.mp3"), "8x8"), error, record)
    assert (lost["code"], lost["sha256"]) == (8, "f00d")
    assert not matches_object(lost, entry)
    assert "sha256" not in failed_entry(entry_of(entry, PurePosixPath("2024/x.mp3"), "8x8"), error, None)


def test_an_object_that_changed_is_no_longer_the_one_of_its_line(make_object: MakeObject, tmp_path: Path) -> None:
    found = tmp_path.stat()
    path = PurePosixPath("x.mp3")

    def record(entry: StoredObject) -> dict[str, object]:
        return fetched_entry(entry_of(entry, path, "8x8"), found, "", "", NOW) | {"size": 10}

    summed = make_object(checksum="abc")
    assert matches_object(record(summed), make_object(checksum="abc", updated=NOW))
    assert not matches_object(record(summed), make_object(checksum="def"))
    assert not matches_object(record(summed), make_object(checksum="abc", size=11))
    rounded = make_object(size=1000, size_exact=False, modified=NOW)
    assert matches_object(record(rounded), rounded)
    assert not matches_object(record(rounded), make_object(size=2000, size_exact=False, modified=NOW))
    later = datetime(2024, 9, 3, tzinfo=UTC)
    assert not matches_object(record(rounded), make_object(size=1000, size_exact=False, modified=later))


def test_the_table_has_a_column_for_every_tag(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.append(line("a", tags={"agentName": "=cmd|' /C calc'!A0", "callerId": "+16695555518"}))
    manifest.append(line("b", tags={"queueName": "Skills,Billing", "score": "-0.35"}, size=5, error="b: gone."))
    manifest.append(line("c", tags={"note": "1\n=1+1\r@SUM(1);=cmd"}))
    manifest.close()
    with write_table(tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["tag agentName"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["tag callerId"] == "+16695555518"
    assert (rows[1]["tag queueName"], rows[1]["size"], rows[1]["error"]) == ("Skills,Billing", "5", "b: gone.")
    assert rows[1]["tag score"] == "-0.35"
    assert rows[2]["tag note"] == "1\n'=1+1\r'@SUM(1);'=cmd"
    assert len(rows) == 3
