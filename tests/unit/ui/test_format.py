from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.core.models import Column, ColumnKind, Folder, Location, StoredObject
from cloudstore_tui.ui import format as formatted

MOMENT = datetime(2024, 9, 1, 22, 12, 33, 456000, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ENTRY = StoredObject(
    Location("acme8", "us-east", "1"),
    "a.mp3",
    size=3_812_345,
    created=MOMENT,
    duration=1271.4,
    state="REVOKED",
    tags=(("agentName", "Khang"), ("tag", "called like a method"), ("agentName", "second")),
)


@pytest.mark.parametrize(
    ("size", "exact", "text"),
    [
        (None, True, ""),
        (0, True, "0 B"),
        (1, True, "1 B"),
        (999, True, "999 B"),
        (1000, True, "1.0 kB"),
        (999_999, True, "1.0 MB"),
        (3_812_345, True, "3.8 MB"),
        (3_812_345, False, "≈3.8 MB"),
        (10**12, True, "1.0 TB"),
    ],
)
def test_sizes_are_short_and_say_when_they_are_rounded(size: int | None, exact: bool, text: str) -> None:
    assert formatted.size(size, exact=exact) == text


def test_a_full_size_is_given_only_if_it_is_exact() -> None:
    assert formatted.exact_size(3_812_345) == "3.8 MB (3,812,345 bytes)"
    assert formatted.exact_size(1) == "1 byte"
    assert formatted.exact_size(843) == "843 bytes"
    assert formatted.exact_size(3_812_345, exact=False) == "≈3.8 MB"
    assert formatted.exact_size(None) == ""


def test_times_are_those_of_the_zone() -> None:
    assert formatted.time(MOMENT, UTC) == "2024-09-01 22:12"
    assert formatted.time(MOMENT, BERLIN) == "2024-09-02 00:12"
    assert formatted.full_time(MOMENT, BERLIN) == "2024-09-02 00:12:33 CEST"
    assert formatted.time(None, UTC) == formatted.full_time(None, UTC) == ""


def test_the_ends_of_the_calendar_are_shown_too() -> None:
    assert formatted.time(datetime.max.replace(tzinfo=UTC), BERLIN) == "9999-12-31 23:59"
    assert formatted.full_time(datetime.max.replace(tzinfo=UTC), BERLIN) == "9999-12-31 23:59:59 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0:00"),
        (3.4, "0:03"),
        (59.6, "1:00"),
        (1271, "21:11"),
        (3723, "1:02:03"),
        (360_000, "100:00:00"),
        (-1, ""),
        (float("inf"), ""),
        (float("nan"), ""),
    ],
)
def test_durations_are_minutes_and_seconds(seconds: float | None, text: str) -> None:
    assert formatted.duration(seconds) == text
    assert formatted.time_left(seconds) == (f"{text} left" if text else "")


def test_speeds_are_empty_when_nothing_moves() -> None:
    assert formatted.speed(4_200_000) == "4.2 MB/s"
    assert formatted.speed(0) == ""


def test_states_say_what_they_mean() -> None:
    assert formatted.state("REVOKED") == "deleted (recoverable by 8x8 only)"
    assert formatted.state("DELETED") == "purged"
    assert formatted.state("SOMETHING_NEW") == "SOMETHING_NEW"


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("name", ColumnKind.TEXT, "a.mp3"),
        ("size", ColumnKind.SIZE, "≈3.8 MB"),
        ("created", ColumnKind.TIME, "2024-09-01 22:12"),
        ("modified", ColumnKind.TIME, ""),
        ("duration", ColumnKind.DURATION, "21:11"),
        ("state", ColumnKind.STATE, "deleted (recoverable by 8x8 only)"),
        ("agentName", ColumnKind.TEXT, "Khang"),
        ("tag", ColumnKind.TEXT, "called like a method"),
        ("noSuchTag", ColumnKind.DURATION, ""),
    ],
)
def test_a_column_shows_a_field_or_a_tag(name: str, kind: ColumnKind, text: str) -> None:
    assert formatted.value(ENTRY, Column(name, "", kind), UTC) == text


def test_a_folder_has_a_name_and_a_time() -> None:
    folder = Folder(Location("acme", path="exports/"), "exports/", modified=MOMENT)
    assert formatted.value(folder, Column("name", ""), UTC) == "exports/"
    assert formatted.value(folder, Column("modified", "", ColumnKind.TIME), UTC) == "2024-09-01 22:12"
    assert formatted.value(folder, Column("size", "", ColumnKind.SIZE), UTC) == ""


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("callcenterrecording",), ("Call recordings",)),
        (("callrecording", "2024", "09"), ("Work recordings", "2024", "09")),
        (("summary",), ("Summaries",)),
        (("odd one",), ("odd one",)),
        ((), ()),
    ],
)
def test_places_are_called_as_people_call_them(names: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert formatted.place_names(Location("acme8", "us-east", "", names)) == said


@pytest.mark.parametrize(
    ("type_", "tags", "said"),
    [
        ("callcenterrecording", (), "Recording"),
        ("sentimentScore", (), "Sentiment"),
        ("transcription", (("speaker", "agent"),), "Transcript, agent"),
        ("voicecommentrecording", (("pcsQuestionNumber", "2"),), "Voice comment 2"),
        ("odd one", (), "odd one"),
        ("", (), ""),
    ],
)
def test_types_are_called_as_people_call_them(type_: str, tags: tuple[tuple[str, str], ...], said: str) -> None:
    entry = StoredObject(Location("acme8", "us-east", "i"), "a", type=type_, tags=tags)
    assert formatted.value(entry, Column("type", ""), UTC) == said
