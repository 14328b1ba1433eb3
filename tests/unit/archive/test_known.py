"""Which folders were filled from which places, and what they tell of themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloudstore_tui.archive.known import FILE, MAX_ARCHIVES, KnownArchives
from cloudstore_tui.archive.runs import RunLog, RunOutcome, new_report
from cloudstore_tui.core.models import Location

REGION = Location("acme8", "us-east")


def pulled(folder: Path, outcome: RunOutcome = RunOutcome.COMPLETE, command: str = "pull", age: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    report = replace(new_report(command, folder, ()), started=datetime.now(UTC) - timedelta(hours=age))
    RunLog(folder, command).end(replace(report, outcome=outcome, ended=report.started))
    return folder


def test_the_archive_of_a_place_is_what_its_folder_tells(tmp_path: Path) -> None:
    known = KnownArchives(tmp_path / FILE)
    known.note(REGION, pulled(tmp_path / "calls"))
    known.note(Location("acme", path="exports/"), pulled(tmp_path / "files", RunOutcome.INCOMPLETE))
    assert known.of(REGION) is None, "nobody has looked yet"
    again = KnownArchives(tmp_path / FILE)
    assert len(again.refresh()) == 2
    archive = again.of(replace(REGION, place=("callrecording",)))
    assert archive is not None
    assert (archive.archive.folder, archive.is_good, archive.sealed) == (str(tmp_path / "calls"), True, "")
    files = again.of(Location("acme", path="exports/reporting/"))
    assert files is not None
    assert (files.outcome, files.complete) == (RunOutcome.INCOMPLETE, None)
    for elsewhere in (Location("acme8", "uk"), Location("acme8"), Location("acme", path="imports/")):
        assert again.of(elsewhere) is None

    (tmp_path / "calls" / "bag-info.txt").write_text("Bagging-Date: 2024-09-01\n")
    pulled(tmp_path / "calls", RunOutcome.FAILED, "watch", age=-1)
    again.refresh()
    archive = again.of(REGION)
    assert archive is not None
    assert (archive.outcome, archive.sealed, archive.complete is None) == (RunOutcome.FAILED, "2024-09-01", False)


def test_a_good_archive_is_told_before_one_that_lacks_something(tmp_path: Path) -> None:
    known = KnownArchives(tmp_path / FILE)
    known.note(REGION, pulled(tmp_path / "good"))
    known.note(REGION, pulled(tmp_path / "bad", RunOutcome.STOPPED))
    known.refresh()
    archive = known.of(REGION)
    assert archive is not None
    assert archive.archive.folder == str(tmp_path / "good")


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"folder": 1}]'])
def test_a_file_that_cannot_be_read_and_a_folder_that_is_gone_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    known = KnownArchives(tmp_path / FILE)
    assert known.refresh() == ()
    known.note(REGION, tmp_path / "gone")
    assert known.refresh() == ()


def test_the_list_is_bounded_and_the_last_one_comes_first(tmp_path: Path) -> None:
    known = KnownArchives(tmp_path / FILE)
    for number in range(MAX_ARCHIVES + 3):
        known.note(REGION, tmp_path / f"{number}")
    pulled(tmp_path / "2")
    pulled(tmp_path / "99")
    assert [Path(one.archive.folder).name for one in known.refresh()] == ["99"]
    known.note(REGION, tmp_path / "2")
    assert [Path(one.archive.folder).name for one in known.refresh()] == ["2", "99"]
