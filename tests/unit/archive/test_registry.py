"""Which folders were filled from which places, and what they say of themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from cloudstore_tui.archive.registry import FILE, MAX_ARCHIVES, ArchiveRegistry
from cloudstore_tui.archive.runs import RunLog, RunOutcome, new_report
from cloudstore_tui.core.models import Location

REGION = Location("acme8", "us-east")


def pulled(folder: Path, outcome: RunOutcome = RunOutcome.COMPLETE, command: str = "pull", age: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    report = replace(new_report(command, folder, ()), started=datetime.now(UTC) - timedelta(hours=age))
    RunLog(folder, command).end(replace(report, outcome=outcome, ended=report.started))
    return folder


def test_the_archive_of_a_place_is_what_its_folder_says(tmp_path: Path) -> None:
    registry = ArchiveRegistry(tmp_path / FILE)
    registry.add(REGION, pulled(tmp_path / "calls"))
    registry.add(Location("acme", path="exports/"), pulled(tmp_path / "files", RunOutcome.INCOMPLETE))
    assert registry.state_of(REGION) is None, "nobody has looked yet"
    again = ArchiveRegistry(tmp_path / FILE)
    assert len(again.refresh()) == 2
    archive = again.state_of(replace(REGION, place=("callrecording",)))
    assert archive is not None
    assert (archive.archive.folder, archive.is_good, archive.sealed) == (str(tmp_path / "calls"), True, "")
    files = again.state_of(Location("acme", path="exports/reporting/"))
    assert files is not None
    assert (files.outcome, files.complete) == (RunOutcome.INCOMPLETE, None)
    for elsewhere in (Location("acme8", "uk"), Location("acme8"), Location("acme", path="imports/")):
        assert again.state_of(elsewhere) is None

    (tmp_path / "calls" / "bag-info.txt").write_text("Bagging-Date: 2024-09-01\n")
    pulled(tmp_path / "calls", RunOutcome.FAILED, "watch", age=-1)
    again.refresh()
    archive = again.state_of(REGION)
    assert archive is not None
    assert (archive.outcome, archive.sealed, archive.complete is None) == (RunOutcome.FAILED, "2024-09-01", False)


def test_a_complete_archive_wins_over_one_that_lacks_something(tmp_path: Path) -> None:
    registry = ArchiveRegistry(tmp_path / FILE)
    registry.add(REGION, pulled(tmp_path / "good"))
    registry.add(REGION, pulled(tmp_path / "bad", RunOutcome.STOPPED))
    registry.refresh()
    archive = registry.state_of(REGION)
    assert archive is not None
    assert archive.archive.folder == str(tmp_path / "good")


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"folder": 1}]'])
def test_a_file_that_cannot_be_read_and_a_folder_that_is_gone_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    registry = ArchiveRegistry(tmp_path / FILE)
    assert registry.refresh() == ()
    registry.add(REGION, tmp_path / "gone")
    assert registry.refresh() == ()


def test_the_list_is_bounded_and_the_last_one_comes_first(tmp_path: Path) -> None:
    registry = ArchiveRegistry(tmp_path / FILE)
    for number in range(MAX_ARCHIVES + 3):
        registry.add(REGION, tmp_path / f"{number}")
    pulled(tmp_path / "2")
    pulled(tmp_path / "99")
    assert [Path(one.archive.folder).name for one in registry.refresh()] == ["99"]
    registry.add(REGION, tmp_path / "2")
    assert [Path(one.archive.folder).name for one in registry.refresh()] == ["2", "99"]
