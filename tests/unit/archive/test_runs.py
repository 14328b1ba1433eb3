"""What a folder knows of its runs, and the problems to report."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

from msgspec.structs import replace

from cloudstore_tui.archive.expected import CallCheck, LackingCall
from cloudstore_tui.archive.runs import (
    Coverage,
    RunLog,
    RunOutcome,
    RunReport,
    complaint,
    damage,
    fill_status,
    lacking_calls,
    read_status,
    refused_runs,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def report(hours: int, command: str = "watch", *, whole: bool = True, what: tuple[str, ...] = ("p",)) -> RunReport:
    """A run of that many hours ago, which looked back for a day."""
    began = NOON - timedelta(hours=hours)
    outcome = RunOutcome.COMPLETE if whole else RunOutcome.INCOMPLETE
    since, through = began - timedelta(days=1), began if whole else None
    return RunReport(command, "/calls", what, began, outcome=outcome, ended=began, since=since, through=through)


def test_coverage_grows_with_each_whole_run_of_the_same(tmp_path: Path) -> None:
    def covered() -> Coverage | None:
        status = read_status(tmp_path, "watch")
        return status.coverage if status is not None else None

    log = RunLog(tmp_path, "watch")
    log.end(report(10, whole=False))
    assert covered() is None
    log.end(report(9))
    first = Coverage(NOON - timedelta(hours=33), NOON - timedelta(hours=9))
    assert covered() == first
    log.begin(report(8, whole=False))
    log.end(report(8, whole=False))
    assert covered() == first
    log.end(report(7))
    assert covered() == Coverage(first.since, NOON - timedelta(hours=7))
    # What another query has brought says nothing of this one.
    log.begin(report(6, whole=False, what=("q",)))
    assert covered() is None


def test_a_run_in_which_the_clock_was_set_back_took_no_time_that_is_known() -> None:
    assert replace(report(0, "pull"), started=NOON, ended=NOON - timedelta(days=1)).seconds == 0.0


def test_the_newest_run_of_those_that_fill_a_folder_counts(tmp_path: Path) -> None:
    def wrong() -> str:
        found = complaint(fill_status(tmp_path), NOON, timedelta(hours=5), runs_now=False)
        return found.text if found is not None else ""

    assert "ever pulled" in wrong()
    RunLog(tmp_path, "pull").end(report(5, "pull", whole=False))
    assert "ever been complete" in wrong()
    RunLog(tmp_path, "pull").end(report(4, "pull"))
    assert not wrong()
    RunLog(tmp_path, "watch").end(report(3, whole=False))
    assert wrong() == "the last run was incomplete"
    RunLog(tmp_path, "pull").end(report(2, "pull"))
    assert not wrong()
    RunLog(tmp_path, "verify").end(report(1, "verify", whole=False))
    assert not wrong()


def test_a_pull_of_something_else_hides_none_that_was_not_complete(tmp_path: Path) -> None:
    def wrong() -> str:
        found = complaint(fill_status(tmp_path), NOON, None, runs_now=False)
        return found.text if found is not None else ""

    log = RunLog(tmp_path, "pull")
    log.end(report(9, "pull", whole=False, what=("acme8", "type:voicemail")))
    for hours in (8, 7):
        log.begin(replace(report(hours, "pull"), outcome=RunOutcome.UNFINISHED))
        log.end(report(hours, "pull"))
        assert wrong() == "the last pull of something else was incomplete: acme8 type:voicemail"
    RunLog(tmp_path, "watch").end(report(6, what=("acme",)))
    assert "type:voicemail" in wrong()
    log.end(report(5, "pull", what=("acme8", "type:voicemail")))
    assert not wrong()
    # Somebody sat before these.
    for code in (2, 130):
        log.end(replace(report(4, "pull", whole=False, what=(f"odd {code}",)), code=code))
    log.end(report(3, "pull"))
    assert not wrong()
    log.end(replace(report(2, "pull", what=("killed",)), outcome=RunOutcome.UNFINISHED))
    log.end(report(1, "pull"))
    assert wrong() == "the last pull of something else was unfinished: killed"
    log.end(report(-24 * 8, "pull"))
    status = read_status(tmp_path, "pull")
    assert status is not None
    assert status.others == ()


def test_runs_that_are_refused_at_once_are_all_remembered(tmp_path: Path) -> None:
    log, begins = RunLog(tmp_path, "pull"), Barrier(8)
    log.end(report(9, "pull"))

    def refuse(number: int) -> None:
        begins.wait()
        log.refuse(report(8, "pull", what=(str(number),)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(refuse, range(8)))
    status = fill_status(tmp_path)
    assert status is not None
    assert {run.what for run in status.refused} == {(str(number),) for number in range(8)}


def test_a_run_that_could_not_begin_is_reported_until_one_of_the_same_does(tmp_path: Path) -> None:
    def wrong() -> str:
        found = refused_runs(fill_status(tmp_path))
        return found.text if found is not None else ""

    log, voicemail = RunLog(tmp_path, "pull"), ("acme8", "type:voicemail")
    log.refuse(report(9, "pull", what=voicemail))
    assert list(tmp_path.iterdir()) == [], "a folder that nothing was pulled into gets no file"
    log.end(report(9, "pull"))
    log.begin(replace(report(8, "pull"), outcome=RunOutcome.UNFINISHED, ended=None))
    assert log.refuse(report(7, "pull", what=voicemail)).complete is not None
    text = "another run was filling the folder, so this one could not begin: acme8 type:voicemail"
    assert wrong() == text
    # The one that goes on does the same.
    log.refuse(report(7, "pull"))
    for hours in (6, 5):
        log.end(report(hours, "pull"))
        assert wrong() == text
    log.refuse(report(4, "pull", what=("q",)))
    assert wrong() == "another run was filling the folder, so this one could not begin: q, and 1 more"
    log.begin(report(3, "pull", what=("q",)))
    log.end(report(3, "pull", what=("q",)))
    assert wrong() == text
    RunLog(tmp_path, "watch").begin(report(2, what=voicemail))
    RunLog(tmp_path, "watch").end(report(2, what=voicemail))
    assert not wrong()
    # A seal, say, kept the folder, and no run of the same has done its work since.
    log.refuse(report(1, "pull", what=voicemail))
    assert wrong() == text
    log.refuse(report(-24 * 8, "pull", what=("q",)))
    assert "type:voicemail" not in wrong()
    (tmp_path / "refused-runs.json").write_text("{")
    assert not wrong()


def test_what_the_last_verification_found_is_reported_until_it_finds_nothing(tmp_path: Path) -> None:
    log = RunLog(tmp_path, "verify")
    assert damage(read_status(tmp_path, "verify")) is None
    counts = {"good": 9, "changed": 2, "damaged_line": 1, "not_fetched": 3}
    log.end(replace(report(5, "verify", whole=False), counts=counts, code=6))
    problem = damage(read_status(tmp_path, "verify"))
    assert problem is not None
    assert problem.text == "the last verification found: 2 changed, 1 damaged line"
    # What came to no end, or did not read everything, says nothing of that.
    log.begin(report(5, "verify", whole=False))
    log.end(replace(report(5, "verify", whole=False), code=2))
    log.end(replace(report(5, "verify"), counts={"good": 1, "missing": 1, "not_read": 11}))
    problem = damage(read_status(tmp_path, "verify"))
    assert problem is not None
    assert problem.text == "the last verification found: 2 changed, 1 missing, 1 damaged line"
    for other in ({"good": 9, "not_fetched": 3}, {"good": 12}):
        log.end(replace(report(4, "verify"), counts=other))
        assert damage(read_status(tmp_path, "verify")) is None
    log.end(replace(report(3, "verify", whole=False), counts={"chain": 1}, code=10))
    assert damage(read_status(tmp_path, "verify")) is None


def test_calls_that_lack_something_are_reported_until_they_do_not(tmp_path: Path) -> None:
    log = RunLog(tmp_path, "watch")
    calls = tuple(LackingCall(f"call-{number}", NOON, ("transcription",)) for number in range(5))
    log.end(
        RunReport("watch", "/calls", (), NOON, calls=CallCheck(("transcription",), 60, NOON, lacking=5, calls=calls))
    )
    log.begin(RunReport("watch", "/calls", (), NOON))
    problem = lacking_calls(fill_status(tmp_path))
    assert problem is not None
    assert problem.text.startswith("5 calls lack what is expected: call-2 without transcription; ")
    assert problem.text.endswith("; and 2 more")
    log.end(RunReport("watch", "/calls", (), NOON, calls=CallCheck(("transcription",), 60, NOON)))
    assert lacking_calls(fill_status(tmp_path)) is None
    assert lacking_calls(None) is None
