"""A pull from a service whose every answer the test decides, over a real socket, onto a real disk."""

import hashlib
import json
import os
import threading
from contextlib import suppress
from datetime import UTC
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudstore_tui.archive.bag import seal
from cloudstore_tui.archive.runs import RunLog, RunOutcome, new_report
from cloudstore_tui.archive.template import Template
from cloudstore_tui.archive.verify import Found, verify_folder
from cloudstore_tui.core.errors import ForbiddenError, MissingError, UnreadableError, UnsafeError, common_code
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.transfers.workers import Stop


def verified(folder: Path) -> dict[str, Found]:
    return {finding.path: finding.found for finding in verify_folder(folder, Stop())}


# What the service does not list


async def test_what_the_listing_lacks_is_in_the_report_and_in_the_manifest(bucket: Any, pull: Any) -> None:
    bucket.put("in/a")
    bucket.failures = (
        ForbiddenError("this key may not read here", subject="acme8:uk/"),
        UnreadableError(2, subject="acme8:us-east/"),
    )
    done = await pull()
    assert (done.report.found, done.report.fetched, done.report.missing) == (1, 1, 0)
    assert not done.report.is_complete
    assert [failure.subject for failure in done.report.unlisted] == ["acme8:uk/", "acme8:us-east/"]
    lines = [line for line in pull.manifest() if line.get("event") == "unlisted"]
    assert [(line["where"], line["code"]) for line in lines] == [("acme8:uk/", 3), ("acme8:us-east/", 4)]
    assert verified(pull.folder)["acme8:uk/"] is Found.NOT_FETCHED
    assert not (await pull()).report.is_complete
    assert len(pull.manifest()) == 3
    bucket.failures = ()
    assert (await pull()).report.is_complete
    assert len(pull.manifest()) == 1
    bucket.failures = (ForbiddenError("this key may not read here", subject="acme8:uk/"),)
    done = await pull()
    assert (done.fetched, done.report.is_complete) == ([], False)
    assert verified(pull.folder)["acme8:uk/"] is Found.NOT_FETCHED


async def test_what_could_not_be_listed_is_forgotten_by_no_pull_of_something_else(bucket: Any, pull: Any) -> None:
    bucket.put("in/a")
    bucket.failures = (ForbiddenError("this key may not read here", subject="acme8:uk/"),)
    await pull(asked="acme8 on:2024-09-01")
    bucket.failures = ()
    bucket.put("in/b")
    assert (await pull(asked="acme8 on:2024-09-02")).report.is_complete
    (lines,) = [finding for finding in verify_folder(pull.folder, Stop()) if finding.found is Found.NOT_FETCHED]
    assert (lines.path, lines.text.startswith("not listed when this was pulled: acme8 on:2024-09-01: ")) == (
        "acme8:uk/",
        True,
    )
    assert seal(pull.folder, Stop()).missing == 1
    assert (await pull(asked="acme8 on:2024-09-01")).report.is_complete
    assert [line["path"] for line in pull.manifest()] == ["a", "b"]


async def test_each_object_that_was_not_tried_is_reported_by_its_own_address(bucket: Any, pull: Any) -> None:
    for number in range(40):
        bucket.put(f"in/{number}")
    await bucket.close()
    done = await pull()
    assert (done.report.missing, done.report.found) == (40, 40)
    assert {loss.error.subject for loss in done.losses} == {f"acme:in/{number}" for number in range(40)}
    assert all(line["error"].startswith(f"acme:{line['key']}:") for line in pull.manifest())


async def test_objects_that_the_key_may_not_read_keep_no_others_from_coming(bucket: Any, pull: Any) -> None:
    for number in range(80):
        bucket.put(f"in/{number:03}")
        bucket.refused[f"in/{number:03}"] = ForbiddenError("the key may not read it", subject=f"acme:in/{number:03}")
    bucket.put("in/zz")
    done = await pull()
    assert (done.report.fetched, done.report.missing) == (1, 80)
    assert common_code([loss.error for loss in done.losses]) == 3


# Names that are taken


async def test_failures_with_successes_between_them_do_not_end_a_pull(
    bucket: Any, pull: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.archive.fetch.MAX_DOWNLOADS", 1)
    monkeypatch.setattr("cloudstore_tui.archive.fetch.MAX_CONSECUTIVE_FORBIDDEN", 2)
    for number in range(12):
        entry = bucket.put(f"in/{number:02}")
        if number % 2:
            bucket.refused[entry.location.path] = ForbiddenError("this key may not read it")
    done = await pull()
    assert (done.report.fetched, done.report.missing) == (6, 6)
    assert len(pull.files()) == 6


async def test_a_file_of_ours_makes_room_for_a_folder_of_its_name(bucket: Any, pull: Any) -> None:
    bucket.put("in/a")
    assert (await pull(sidecars=True)).report.is_complete
    bucket.put("in/a/b")
    done = await pull(sidecars=True)
    assert (done.report.had, done.report.fetched, done.losses) == (1, 1, [])
    assert done.fetched == ["in/a/b"]
    moved = next(line["path"] for line in pull.manifest() if line["key"] == "in/a")
    assert set(pull.files()) == {"a/b", "a/b.json", moved, f"{moved}.json"}
    assert pull.files()[moved] == b"the content of in/a"
    again = await pull(sidecars=True)
    assert (again.report.had, again.fetched) == (2, [])
    assert set(verified(pull.folder).values()) == {Found.GOOD}


async def test_a_file_of_ours_makes_room_although_its_object_is_not_listed_any_more(bucket: Any, pull: Any) -> None:
    bucket.put("in/a")
    assert (await pull(sidecars=True)).report.is_complete
    old = bucket.objects.pop("in/a")
    bucket.put("in/a/b")
    done = await pull(sidecars=True)
    assert (done.report.found, done.report.fetched, done.losses) == (1, 1, [])
    moved = next(line["path"] for line in pull.manifest() if line["key"] == "in/a")
    assert set(pull.files()) == {"a/b", "a/b.json", moved, f"{moved}.json"}
    assert set(verified(pull.folder).values()) == {Found.GOOD}
    bucket.objects["in/a"] = old
    again = await pull(sidecars=True)
    assert (again.report.had, again.fetched) == (2, [])


async def test_a_file_that_was_changed_here_does_not_make_room(bucket: Any, pull: Any) -> None:
    bucket.put("in/a")
    await pull()
    (pull.folder / "a").write_text("precious")
    bucket.put("in/a/b")
    bucket.put("in/c")
    done = await pull()
    assert common_code([loss.error for loss in done.losses]) == 9
    assert [loss.error.subject for loss in done.losses] == [str(pull.folder / "a")]
    assert (pull.folder / "a").read_text() == "precious"
    assert pull.files()["c"] == b"the content of in/c"


@pytest.mark.parametrize("template", ["{bucket_id}", "{bucket_id}/{name}", "{bucket_id}.jsonl/{name}"])
@pytest.mark.parametrize("name", ["manifest.jsonl", "Manifest.CSV", "manifest"])
async def test_names_of_ours_get_a_suffix_and_everything_is_fetched(
    bucket: Any, pull: Any, tmp_path: Path, template: str, name: str
) -> None:
    for number in range(8):
        bucket.put(f"in/{number}", bucket_id=name)
    bucket.put("in/other", bucket_id="other")
    naming = Template(template, UTC)
    done = await pull(naming=naming, table=True)
    assert (done.report.fetched, done.losses) == (9, [])
    assert (pull.folder / "manifest.jsonl").is_file()
    assert len(pull.manifest()) == 9
    assert (await pull(naming=naming, table=True)).fetched == []


async def test_names_that_the_disk_refuses_do_not_end_the_pull(bucket: Any, pull: Any) -> None:
    for number in range(80):
        bucket.put(f"in/{'/'.join(['d' * 170] * 31)}/{number}")
    bucket.put("in/zz")
    done = await pull()
    assert pull.files() == {"zz": b"the content of in/zz"}
    assert (done.report.missing, done.report.fetched) == (80, 1)


async def test_a_folder_that_is_swapped_for_a_link_meanwhile_is_never_left(
    bucket: Any, pull: Any, tmp_path: Path
) -> None:
    for number in range(6):
        bucket.put(f"in/2024/09/{number}")
    outside = tmp_path / "outside"
    (outside / "09").mkdir(parents=True)

    folder, names, one_at_a_time = pull.folder / "2024", count(), threading.Lock()

    def swap(_key: str) -> None:
        with one_at_a_time:
            while not folder.is_symlink():
                folder.rename(tmp_path / f"moved-{next(names)}")
                # The pull may make it anew in between.
                with suppress(FileExistsError):
                    folder.symlink_to(outside)

    bucket.before_answer = swap
    done = await pull(sidecars=True, table=True)
    assert list((outside / "09").iterdir()) == []
    assert done.report.missing == 6
    assert {loss.error.code for loss in done.losses} <= {5, 7}
    assert not done.report.is_complete


# New versions


@pytest.mark.parametrize("has_checksum", [True, False])
async def test_a_new_version_is_fetched_beside_the_old_one(bucket: Any, pull: Any, has_checksum: bool) -> None:
    more = {} if has_checksum else {"checksum": "", "checksum_type": ""}
    bucket.put("in/x.tar", b"first", **more)
    await pull()
    for number, body in enumerate((b"second", b"the third"), 1):
        bucket.put("in/x.tar", body, **more)
        done = await pull()
        assert (done.report.changed, done.report.fetched, done.losses) == (1, 1, [])
        assert len(pull.files()) == len(pull.manifest()) == number + 1
        present = next(line for line in pull.manifest() if "superseded" not in line)
        assert pull.files()[present["path"]] == body
        assert present["sha256"] == hashlib.sha256(body).hexdigest()
        again = await pull()
        assert (again.report.had, again.report.changed, again.fetched) == (1, 0, [])
    assert pull.files()["x.tar"] == b"first"
    found = verified(pull.folder)
    assert sorted(found.values()) == [Found.GOOD, Found.OLDER, Found.OLDER]
    assert found["x.tar"] is Found.OLDER
    (pull.folder / "x.tar").write_bytes(b"fIrst")
    assert verified(pull.folder)["x.tar"] is Found.CHANGED


async def test_a_new_version_takes_the_place_of_the_old_one_if_the_user_wants_that(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    await pull()
    bucket.put("in/x.tar", b"second")
    done = await pull(on_conflict=OnConflict.OVERWRITE)
    assert (done.report.changed, done.report.fetched) == (1, 1)
    assert pull.files() == {"x.tar": b"second"}
    digests = {hashlib.sha256(body).hexdigest() for body in (b"first", b"second")}
    assert {line["sha256"] for line in pull.manifest()} == digests
    assert [line["sha256"] for line in pull.manifest() if "superseded" in line] == [
        hashlib.sha256(b"first").hexdigest()
    ]
    assert (await pull()).report.had == 1
    found = [finding.found for finding in verify_folder(pull.folder, Stop())]
    assert sorted(found) == [Found.GOOD, Found.OLDER]


async def test_a_new_version_that_fails_first_is_fetched_by_the_next_pull(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    await pull()
    bucket.put("in/x.tar", b"second")
    bucket.bodies["in/x.tar"] = b"sec0nd"
    assert common_code([loss.error for loss in (await pull()).losses]) == 6
    found = [finding.found for finding in verify_folder(pull.folder, Stop())]
    assert sorted(found) == [Found.NOT_FETCHED, Found.OLDER]
    bucket.put("in/x.tar", b"second")
    done = await pull()
    assert (done.report.changed, done.report.fetched, done.losses) == (1, 1, [])
    older = [line for line in pull.manifest() if "superseded" in line]
    assert [line["checksum"] for line in older] == [hashlib.md5(b"first", usedforsecurity=False).hexdigest()]


async def test_a_seal_counts_a_new_version_that_is_missing(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    await pull()
    bucket.put("in/x.tar", b"second")
    bucket.refused["in/x.tar"] = ForbiddenError("this key may not read it", subject="acme:in/x.tar")
    await pull()
    assert seal(pull.folder, Stop()).missing == 1


async def test_a_seal_counts_an_object_whose_file_is_gone(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    bucket.put("in/y.tar")
    await pull()
    (pull.folder / "x.tar").unlink()
    assert seal(pull.folder, Stop()).missing == 1


async def test_a_name_that_no_bag_can_hold_is_reported(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar")
    await pull()
    (pull.folder / os.fsdecode(b"\xff.txt")).write_text("?")
    with pytest.raises(UnsafeError, match="its name is not UTF-8, and cannot be sealed"):
        seal(pull.folder, Stop())
    (pull.folder / os.fsdecode(b"\xff.txt")).unlink()
    assert seal(pull.folder, Stop()).missing == 0


async def test_an_object_that_is_as_it_was_again_is_not_fetched_again(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    await pull()
    bucket.put("in/x.tar", b"second")
    await pull()
    bucket.put("in/x.tar", b"first")
    done = await pull()
    assert (done.fetched, done.losses) == ([], [])
    assert len(pull.files()) == len(pull.manifest()) == 2
    assert (await pull()).report.had == 1


class OneName:
    """Calls every object alike."""

    def path(self, entry: Any, service: str) -> tuple[str, ...]:
        return ("x",)


async def test_an_object_of_another_pull_is_never_overwritten(bucket: Any, pull: Any) -> None:
    for key in ("in/a", "in/b") * 2:
        bucket.objects.clear()
        bucket.put(key, f"of {key}".encode())
        done = await pull(naming=OneName(), on_conflict=OnConflict.OVERWRITE)
        assert done.report.is_complete
    assert done.fetched == []
    assert sorted(pull.files().values()) == [b"of in/a", b"of in/b"]
    assert list(verified(pull.folder).values()) == [Found.GOOD, Found.GOOD]
    # What is no object's gives way.
    (pull.folder / "x").write_bytes(b"OF IN/A!")
    bucket.objects.clear()
    bucket.put("in/c")
    await pull(naming=OneName(), on_conflict=OnConflict.OVERWRITE)
    assert pull.files()["x"] == b"the content of in/c"


async def test_objects_of_the_same_bytes_and_name_never_share_a_file(bucket: Any, pull: Any) -> None:
    for keys in (("in/a",), ("in/b",), ("in/a", "in/b"), ("in/b",)):
        bucket.objects.clear()
        for key in keys:
            bucket.put(key, b"the same")
        done = await pull(naming=OneName())
        assert done.report.is_complete
        assert set(verified(pull.folder).values()) == {Found.GOOD}
    assert list(pull.files().values()) == [b"the same"] * 2
    # A manifest from before has both in one file.
    lines = pull.manifest()
    (pull.folder / lines[1]["path"]).unlink()
    shared = [{**line, "path": lines[0]["path"]} for line in lines]
    (pull.folder / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in shared))
    (pull.folder / "events.jsonl").unlink()
    bucket.put("in/a", b"the same")
    assert (await pull(naming=OneName())).report.is_complete
    assert list(pull.files().values()) == [b"the same"] * 2


async def test_a_sidecar_replaces_no_other_file(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.mp3.json", b"an object of this name")
    await pull()
    bucket.objects.clear()
    bucket.put("in/x.mp3")
    bucket.put("in/y.mp3")
    (pull.folder / "y.mp3.json").write_text("precious")
    done = await pull(sidecars=True)
    assert (done.report.fetched, done.report.missing, done.report.is_complete) == (2, 0, False)
    assert [(error.code, error.subject) for error in done.report.unwritten] == [(9, f"{pull.folder}/y.mp3.json")]
    there = pull.files()
    assert (there["y.mp3.json"], there["x.mp3.json"]) == (b"precious", b"an object of this name")
    (pull.folder / "y.mp3.json").unlink()
    assert (await pull(sidecars=True)).report.is_complete
    # The other way round: an object comes that has the name of the sidecar of another.
    bucket.objects.clear()
    bucket.put("in/y.mp3.json", b"an object of that name")
    assert (await pull(on_conflict=OnConflict.OVERWRITE)).report.is_complete
    assert set(verified(pull.folder).values()) == {Found.GOOD}


async def test_an_object_whose_file_another_took_the_place_of_is_not_here(bucket: Any, pull: Any) -> None:
    bucket.put("in/a", b"of in/a")
    await pull(naming=OneName())
    (pull.folder / "x").write_bytes(b"changed")
    bucket.objects.clear()
    bucket.put("in/b", b"of in/b")
    await pull(naming=OneName(), on_conflict=OnConflict.OVERWRITE)
    bucket.objects.clear()
    bucket.put("in/a", b"of in/a")
    # The file there is as long as that of the object, and as old.
    done = await pull(naming=OneName(), on_conflict=OnConflict.OVERWRITE)
    assert (done.report.fetched, done.report.is_complete) == (1, True)
    assert sorted(pull.files().values()) == [b"of in/a", b"of in/b"]


async def test_files_of_the_object_itself_are_never_in_the_way_of_a_new_version(bucket: Any, pull: Any) -> None:
    bucket.put("in/a.tar", b"first")
    await pull()
    bucket.put("in/a.tar", b"the second")
    # What is to be left alone are the files of others.
    done = await pull(on_conflict=OnConflict.SKIP)
    assert (done.report.fetched, done.report.skipped, done.report.is_complete) == (1, 0, True)
    # Under other names meanwhile, and back: an older version has the name now.
    await pull(naming=Template("{name}-{type}", UTC))
    bucket.put("in/a.tar", b"and the third")
    for rule in (OnConflict.REFUSE, OnConflict.SKIP):
        done = await pull(on_conflict=rule)
        assert (done.report.missing, done.report.skipped, done.report.is_complete) == (0, 0, True), done.losses
    assert {b"first", b"the second", b"and the third"} <= set(pull.files().values())
    assert set(verified(pull.folder).values()) == {Found.GOOD, Found.OLDER}


async def test_what_is_skipped_is_another_file_and_not_what_a_killed_run_did_not_write_down(
    bucket: Any, pull: Any
) -> None:
    pull.folder.mkdir()
    for name in ("a", "b"):
        body = bucket.bodies[bucket.put(f"in/{name}").location.path]
        (pull.folder / name).write_bytes(body if name == "a" else body[::-1])
    done = await pull(on_conflict=OnConflict.SKIP)
    assert (done.report.had, done.report.skipped, done.report.fetched) == (1, 1, 0)
    assert [(line["path"], line["level"]) for line in pull.manifest()] == [("a", "md5")]
    assert verified(pull.folder) == {"a": Found.GOOD, "b": Found.EXTRA}


async def test_a_file_that_was_changed_here_is_in_the_way_of_a_new_version(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    await pull()
    (pull.folder / "x.tar").write_text("precious")
    bucket.put("in/x.tar", b"second")
    assert common_code([loss.error for loss in (await pull()).losses]) == 9
    assert (pull.folder / "x.tar").read_text() == "precious"


# What was killed


async def test_an_interrupted_pull_is_reported_by_verify_and_in_a_seal(bucket: Any, pull: Any) -> None:
    bucket.put("in/x")
    report = new_report("pull", pull.folder, ("acme8", "since:3d"))
    log = RunLog(pull.folder, "pull")
    # The folder is there by then, also that of the first one.
    await pull(begun=lambda: log.begin(report))
    assert verified(pull.folder) == {"x": Found.GOOD, "last-pull.json": Found.NOT_FETCHED}
    assert seal(pull.folder, Stop()).missing == 1
    for outcome, code, is_told in (
        (RunOutcome.STOPPED, 143, True),
        (RunOutcome.FAILED, 4, True),
        (RunOutcome.FAILED, 2, False),
        (RunOutcome.COMPLETE, 0, False),
    ):
        log.end(msgspec.structs.replace(report, outcome=outcome, code=code, ended=report.started))
        assert ("last-pull.json" in verified(pull.folder)) is is_told
    assert verified(pull.folder)["x"] is Found.GOOD
    assert seal(pull.folder, Stop()).missing == 0


# What lies beside


@pytest.mark.parametrize("damage", ["", "{}", None])
async def test_a_damaged_file_beside_an_object_is_written_anew(bucket: Any, pull: Any, damage: str | None) -> None:
    bucket.put("in/x")
    await pull(sidecars=True)
    beside = pull.folder / "x.json"
    lines = beside.read_text()
    beside.unlink()
    if damage is not None:
        beside.write_text(damage)
    assert "x.json" in verified(pull.folder)
    await pull()
    assert "x.json" in verified(pull.folder)
    done = await pull(sidecars=True)
    assert (done.report.had, beside.read_text()) == (1, lines)
    assert verified(pull.folder) == {"x": Found.GOOD}


async def test_a_table_from_before_is_kept_up_to_date(bucket: Any, pull: Any) -> None:
    bucket.put("in/x")
    await pull()
    assert not (pull.folder / "manifest.csv").exists()
    await pull(table=True)
    bucket.put("in/y")
    await pull()
    assert [row.partition(",")[0] for row in (pull.folder / "manifest.csv").read_text().splitlines()] == [
        *("path", "x", "y")
    ]


# Damaged manifests


async def test_a_file_whose_line_lost_its_digest_is_not_believed_to_be_the_object(bucket: Any, pull: Any) -> None:
    bucket.put("in/x.tar", b"first")
    await pull()
    (line,) = pull.manifest()
    del line["sha256"]
    (pull.folder / "manifest.jsonl").write_text(f"{json.dumps(line)}\n")
    (pull.folder / "x.tar").write_bytes(b"fIrst")
    os.utime(pull.folder / "x.tar", (0, 0))
    done = await pull()
    assert done.report.had == 0
    assert common_code([loss.error for loss in done.losses]) == 9


async def test_a_damaged_line_is_reported_and_its_file_is_found_again(bucket: Any, pull: Any) -> None:
    for name in "abc":
        bucket.put(f"in/{name}")
    await pull()
    path = pull.folder / "manifest.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"{", b"[", 1) + lines[2])
    done = await pull()
    assert (done.report.had, done.fetched) == (3, [])
    assert done.report.is_complete
    assert any("1 line cannot be read" in warning for warning in done.warnings)
    assert len(pull.manifest()) == 3


# What fails beside the objects


@pytest.fixture
def gone(tmp_path: Path) -> Path:
    """A folder that cannot be made, not even by root."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "state"


async def test_scratch_data_falls_back_to_the_folder_for_such_files(bucket: Any, pull: Any, gone: Path) -> None:
    bucket.put("in/a")
    assert (await pull(scratch=gone)).report.is_complete
    assert [finding.found for finding in verify_folder(pull.folder, Stop(), gone)] == [Found.GOOD]


async def test_scratch_data_is_held_in_memory_where_there_is_no_such_folder(
    bucket: Any, pull: Any, gone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(gone))
    bucket.put("in/a")
    assert (await pull(scratch=gone)).report.is_complete


async def test_an_object_that_is_gone_is_missing(bucket: Any, pull: Any) -> None:
    bucket.put("in/a")
    bucket.put("in/b")
    del bucket.bodies["in/a"]
    done = await pull()
    assert [type(loss.error) for loss in done.losses] == [MissingError]
    assert set(pull.files()) == {"b"}
