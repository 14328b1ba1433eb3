"""Which calls of a folder have every expected type, according to its manifest."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudstore_tui.archive.expected import MAX_CALLS, check_calls

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WITHIN = timedelta(hours=6)
EXPECTED = ("callcenterrecording", "transcription")


def line(kind: str, hours_ago: float, name: str, **more: object) -> dict[str, object]:
    """One object as the manifest has it; `call` is its tag, the rest are fields."""
    tags = {key: more.pop(key) for key in ("callId", "sourceId") if key in more}
    created = (NOW - timedelta(hours=hours_ago)).isoformat()
    facts = {"profile": "p", "region": "r", "id": name, "path": name, "type": kind, "created": created, "tags": tags}
    return facts | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [
        line("callcenterrecording", 30, "a1", callId="whole"),
        line("transcription", 25, "a2", callId="whole"),
        line("callcenterrecording", 2, "b1", callId="young"),
        line("callcenterrecording", 7, "c1", callId="late"),
        # Joined by what it was made of, and by its bucket.
        line("callcenterrecording", 9, "d1", callId="source"),
        line("transcription", 8, "d2", sourceId="d1"),
        line("callcenterrecording", 9, "e1", callId="bucket", bucket_id="B"),
        line("transcription", 8, "e2", bucket_id="B"),
        # Known, and not here.
        line("callcenterrecording", 10, "f1", callId="lost"),
        line("transcription", 10, "f2", callId="lost", error="gone", code=8),
        # A second line replaces it.
        line("callcenterrecording", 10, "g1", callId="twice", error="gone", code=8),
        line("callcenterrecording", 10, "g1", callId="twice"),
        line("transcription", 10, "g2", callId="twice"),
        # Nothing is expected of these.
        line("meeting", 20, "h1"),
        line("callcenterrecording", 60, "i1", callId="long ago"),
        line("callcenterrecording", 60, "j1", callId="straddling"),
        line("transcription", 50, "j2", callId="straddling"),
        line("callcenterrecording", 7, "k1", callId="old version", superseded="k2"),
        {"event": "unlisted", "profile": "p", "where": "p:r", "error": "no", "code": 4, "at": NOW.isoformat()},
    ]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    return tmp_path


def test_calls_are_complete_awaited_or_lacking(folder: Path) -> None:
    check = check_calls(folder, EXPECTED, WITHIN, NOW)
    assert (check.complete, check.awaited, check.lacking) == (4, 1, 2)
    assert {call.call: call.lacks for call in check.calls} == {
        "lost": ("transcription",),
        "late": ("transcription",),
    }
    assert str(check.calls[-1]) == "late without transcription"
    assert [call.call for call in check.lacking_since(NOW - timedelta(hours=2))] == ["late"]
    assert len(check.lacking_since(None)) == 2


def test_a_missed_deadline_is_reported_for_two_days(folder: Path) -> None:
    later = NOW + timedelta(hours=47)
    assert [call.call for call in check_calls(folder, EXPECTED, WITHIN, later).calls] == ["late", "young"]
    assert check_calls(folder, EXPECTED, WITHIN, NOW + timedelta(days=3)).lacking == 0


def test_a_deadline_missed_between_checks_is_reported_for_two_days_after_the_next(folder: Path) -> None:
    known = check_calls(folder, EXPECTED, WITHIN, NOW)
    back = NOW + timedelta(days=4)
    check = check_calls(folder, EXPECTED, WITHIN, back, known=known)
    assert [call.call for call in check.lacking_since(known.checked)] == ["young"]
    for hours in (1, 47):
        later = check_calls(folder, EXPECTED, WITHIN, back + timedelta(hours=hours), known=check)
        assert [call.call for call in later.calls] == ["young"]
        assert later.lacking_since(check.checked) == ()
        check = later
    assert check_calls(folder, EXPECTED, WITHIN, back + timedelta(hours=49), known=check).lacking == 0


def test_a_folder_without_a_manifest_has_no_calls(tmp_path: Path) -> None:
    check = check_calls(tmp_path, EXPECTED, WITHIN, NOW)
    assert (check.complete, check.awaited, check.lacking) == (0, 0, 0)


def test_only_so_many_calls_are_listed(tmp_path: Path) -> None:
    lines = (line("callcenterrecording", 8, f"x{number}", callId=f"{number}") for number in range(MAX_CALLS + 5))
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    check = check_calls(tmp_path, EXPECTED, WITHIN, NOW)
    assert (check.lacking, len(check.calls)) == (MAX_CALLS + 5, MAX_CALLS)
