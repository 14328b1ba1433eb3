"""The pane beside the list."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from textual.content import Content

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import Piece
from cloudstore_tui.core.models import Location, Retention, StoredObject
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Session
from cloudstore_tui.sandbox.eightbyeight import fixtures
from cloudstore_tui.ui import format as in_words
from cloudstore_tui.ui.widgets.detail_pane import Subject, detail_text, preview, two_lines

ENTRY = StoredObject(
    Location("acme8", "us-east", "id-1"),
    "int-1.mp3",
    type="callrecording",
    size=3_812_345,
    size_exact=True,
    created=datetime(2024, 9, 1, 9, 12, 33, tzinfo=UTC),
    state="REVOKED",
    checksum="922c",
    checksum_type="MD5",
    duration=1271,
    tags=(("agentName", "Khang Glynn"), ("direction", "INBOUND"), ("direction", "again"), ("queue", "")),
)


def lines(entry: StoredObject, width: int = 80, zone: str = "UTC") -> list[str]:
    return detail_text(entry, ZoneInfo(zone), width).plain.split("\n")


def test_every_field_and_every_tag_is_shown_repeated_ones_too() -> None:
    assert lines(ENTRY) == [
        "What       Recording",
        "Size       3.8 MB (3,812,345 bytes)",
        "Duration   21:11",
        "State      deleted (recoverable by 8x8 only): REVOKED",
        "Created    2024-09-01 09:12:33 UTC",
        "agentName  Khang Glynn",
        "direction  INBOUND",
        "direction  again",
        "queue      (empty)",
        "Name       int-1.mp3",
        "Type       callrecording",
        "Checksum   922c (MD5)",
        "Address    acme8:us-east/id-1",
    ]


def test_times_and_lengths_of_tags_are_shown_as_people_read_them() -> None:
    tags = (("startTime", "1725200109691"), ("duration", "26000"), ("endTime", "soon"))
    assert lines(replace(ENTRY, tags=tags))[5:8] == [
        "startTime  2024-09-01 14:15:09 UTC (1725200109691)",
        "duration   0:26 (26000 ms)",
        "endTime    soon",
    ]


def test_a_rounded_size_differs_from_an_exact_one() -> None:
    assert "Size       ≈3.8 MB, rounded by the service" in lines(replace(ENTRY, size_exact=False))


def test_times_are_in_the_zone_and_name_it() -> None:
    assert "Created    2024-09-01 10:12:33 BST" in lines(ENTRY, zone="Europe/London")


@pytest.mark.parametrize("name", ["x" * 300, "字" * 150, "👩‍👩‍👧" * 40])
def test_a_long_name_is_wrapped_whole(name: str) -> None:
    width = 50
    told = detail_text(replace(ENTRY, name=name), ZoneInfo("UTC"), width)
    shown = [line for line in told.split("\n") if line.cell_length]
    assert all(line.cell_length <= width for line in shown)
    start, end = told.plain.index("\nName"), told.plain.index("\nType")
    assert "".join(told.plain[start:end].split()).removeprefix("Name") == name


def test_a_wide_pane_puts_two_fields_into_a_line() -> None:
    assert lines(ENTRY, 120)[0].split()[:3] == ["What", "Recording", "Size"]
    assert len(lines(ENTRY, 120)) < len(lines(ENTRY))


def test_nothing_in_a_value_is_obeyed() -> None:
    told = detail_text(replace(ENTRY, name="[red]a\x1b[31m\nb"), ZoneInfo("UTC"), 80).plain
    assert "\nName       [red]a␛[31m␊b\n" in told


async def test_the_pane_follows_the_cursor_and_draws_once_when_it_rests(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.until(lambda: "Address  acme:exports/reporting/report-000.tar" in it.text)
        drawn: list[str] = []
        fields = it.screen.detail.text
        change = fields.update

        def counted(text: Content) -> None:
            drawn.append(text.plain)
            change(text)

        fields.update = counted
        it.screen.entries.table.action_move(1)
        it.screen.entries.table.action_move(1)
        it.screen.entries.table.action_move(1)
        await it.until(lambda: drawn)
        assert len(drawn) == 1
        assert "report-003.tar" in drawn[0]


async def test_every_line_is_on_the_screen_after_another_place_was_looked_at(browser: Any) -> None:
    async with browser(start="acme:exports/") as it:
        await it.until(lambda: "Name" in it.text)
        await it.press("enter")
        await it.until(lambda: "Address  acme:exports/" in it.text)


async def test_keys_scroll_the_pane(browser: Any, folders: Any) -> None:
    folders.tree["exports/"] = ["x" * 2000]
    async with browser(start="acme:exports/") as it:
        await it.pilot.pause(0.2)
        await it.press("i", "tab", "j", "j")
        assert it.screen.detail.scroll_offset.y == 2
        await it.press("k")
        assert it.screen.detail.scroll_offset.y == 1


def test_an_object_of_a_call_says_how_the_rest_of_it_is_found() -> None:
    of_a_call = replace(ENTRY, tags=(*ENTRY.tags, ("callId", "int-1")))
    assert ". shows all its files" in preview(Subject(of_a_call, UTC), 60).plain
    assert "THIS CALL" not in preview(Subject(replace(ENTRY, tags=(("dnis", "1"),)), UTC), 60).plain


def test_values_are_broken_between_words_where_they_have_some() -> None:
    entry = replace(
        ENTRY, tags=(("note", "the delivery that was promised for Tuesday has not come"), ("key", "x" * 90))
    )
    told = detail_text(entry, UTC, 38).plain.split("\n")
    assert max(map(len, told)) <= 38
    at = next(number for number, line in enumerate(told) if line.startswith("note"))
    assert [line[told[at].index("the") :] for line in told[at : at + 3]] == [
        "the delivery that was",
        "promised for Tuesday has not",
        "come",
    ]
    assert "".join(line.split()[-1] for line in told if "xxx" in line) == "x" * 90


def test_until_when_an_object_is_kept_is_shown_by_the_policy_alone() -> None:
    policy = Retention(timedelta(days=90), timedelta(days=365))
    told = preview(Subject(ENTRY, ZoneInfo("UTC"), retention=policy), 40).plain
    assert "Expires 2025-11-30 by your policy" in told
    assert "Expires" not in preview(Subject(ENTRY, ZoneInfo("UTC")), 40).plain
    (column,) = Profile("acme8", "8x8", retention=policy).expiry_columns
    assert in_words.value(ENTRY, column, ZoneInfo("UTC")) == "2025-11-30 09:12"
    assert Profile("acme8", "8x8").expiry_columns == ()


RECORDING = StoredObject(
    Location("acme8", "us-east", "id-1"),
    "int-191accbcf26.mp3",
    type="callcenterrecording",
    size=3_813_176,
    size_exact=True,
    created=datetime(2024, 9, 1, 9, 16, 35, tzinfo=UTC),
    state="AVAILABLE",
    duration=1271,
    checksum="279f59fd",
    checksum_type="MD5",
    tags=(
        *(("callId", "int-191accbcf26"), ("address", "+16695553203"), ("agentId", "ag788"), ("branchId", "hq")),
        *(("duration", "1271000"), ("agentName", "Khang Glynn"), ("direction", "INBOUND"), ("queueName", "Level 3")),
    ),
)
SUMMARY = replace(
    RECORDING,
    location=Location("acme8", "us-east", "id-2"),
    type="summary",
    duration=None,
    size=269,
    name="int-191accbcf26.json",
    tags=(("callId", "int-191accbcf26"),),
)


def test_a_preview_begins_with_who_when_and_how_long_and_ends_with_ids() -> None:
    subject = Subject(RECORDING, UTC, (RECORDING, SUMMARY), head="0:00 agent Good morning", title="TRANSCRIPT")
    assert preview(subject, 37).plain.split("\n") == [
        "Khang Glynn",
        "← +1 669 555 3203 · Level 3",
        "Sun 1 Sep 2024 09:16 · inbound",
        "21:11 · 3.8 MB · mp3",
        "",
        "THIS CALL             2 here · 3.8 MB",
        "Summary",
        "",
        "TRANSCRIPT",
        "0:00 agent Good morning",
        "",
        "DETAILS",
        "callId    int-191accbcf26",
        "agentId   ag788",
        "branchId  hq",
        "Checksum  279f59fd (MD5)",
        "Address   acme8:us-east/id-1",
        "… 7 more fields: i shows all",
    ]
    assert all(line.cell_length <= 20 for line in preview(subject, 20).split("\n"))


def test_nothing_moves_in_the_narrowest_pane_from_one_recording_to_the_next() -> None:
    """A line that wrapped for some rows moved all that is below, which a cursor key then had to send again."""
    width = 32
    longest = {"agentName": "Alejandro Fernández-Carvalho", "queueName": "Onboarding and renewals of contracts"}
    tags = (*((key, longest.get(key, value)) for key, value in RECORDING.tags), ("extensionNumber", "2009"))
    rows = (RECORDING, replace(RECORDING, tags=tags, size=189_123_456, duration=36_671, type="callrecording"))
    drawn = [preview(Subject(row, UTC), width).plain.split("\n") for row in rows]
    assert [line.index("DETAILS") for line in drawn] == [7, 7]
    assert drawn[1][:4] == [
        "Alejandro Fernández-Carvalho",
        "← +1 669 555 3203 · Onboarding …",
        "Sun 1 Sep 2024 09:16 · inbound",
        "10:11:11 · 189.1 MB · mp3",
    ]
    # One long label does not take the room of all values.
    assert {"callId    int-191accbcf26", "extensionNumber  2009"} < set(drawn[1])


def test_what_does_not_tell_whose_it_is_borrows_that_from_its_call() -> None:
    told = preview(Subject(SUMMARY, UTC, (RECORDING, SUMMARY)), 60).plain.split("\n")
    assert told[:3] == ["Khang Glynn", "← +1 669 555 3203 · Level 3", "Sun 1 Sep 2024 09:16 · inbound"]
    assert told[3:5] == ["269 B · Summary", ""]


def test_a_call_that_went_out_and_an_archived_object_say_so() -> None:
    tags = tuple((key, "OUTBOUND" if key == "direction" else value) for key, value in RECORDING.tags)
    told = preview(Subject(replace(RECORDING, tags=tags, state="ARCHIVED"), UTC), 60).plain
    assert "→ +1 669 555 3203" in told
    assert "Archived. B restores it." in told


def test_two_lines_say_whose_it_is_and_what_it_begins_with_or_belongs_to() -> None:
    told = two_lines(Subject(RECORDING, UTC, (RECORDING, SUMMARY)), 80).plain.split("\n")
    assert told == ["Khang Glynn ← +1 669 555 3203 · inbound · Level 3 · 21:11 · 3.8 MB · mp3", "This call: Summary"]
    head = "\n0:00  agent     Good\n                morning"
    told = two_lines(Subject(RECORDING, UTC, head=head, title="TRANSCRIPT"), 40).plain.split("\n")
    assert told == ["Khang Glynn ← +1 669 555 3203 · inbound", "0:00 agent Good morning"]
    told = two_lines(Subject(RECORDING, UTC, head="\nname  size\na     1"), 40).plain.split("\n")
    assert told[1] == "name  size"
    told = two_lines(Subject(SUMMARY, UTC, head='{\n  "summary": "Asks about line drops."\n}'), 60).plain.split("\n")
    assert told[1] == '{ "summary": "Asks about line drops." }'


START = "acme:exports/reporting/"


async def test_all_fields_are_those_that_only_a_look_at_it_tells(browser: Any, folders: Any) -> None:
    async with browser(start=START) as it:
        await it.press("j")
        assert folders.count("stat") == 0
        await it.press("i")
        await it.until(lambda: "told by stat" in it.text)
        assert folders.count("stat") == 1
        assert it.focus == "table"


async def test_what_comes_late_does_not_replace_the_next_entry(browser: Any, folders: Any) -> None:
    folders.gates["stat"] = asyncio.Event()
    async with browser(start=START) as it:
        await it.press("i", "j")
        folders.gates["stat"].set()
        await it.settle()
        await it.until(lambda: "reporting/report-001.tar" in it.text)
        await it.pilot.pause(0.2)
        assert "told by stat" not in it.text


async def test_a_failure_is_said_and_what_is_known_stays(browser: Any, folders: Any) -> None:
    folders.fail["stat"] = NetworkError("no answer came", subject="x")
    async with browser(start=START) as it:
        await it.press("i")
        assert it.notices == ["x: no answer came."]
        await it.until(lambda: "reporting/report-000.tar" in it.text)


NAMES = ["int-0000000.json", "int-0000001.json"]


@pytest.fixture
def texts(searches: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Small JSON objects, and what reads them."""
    usual = searches.object

    def named(number: int, query: Any) -> Any:
        return replace(usual(number, query), name=f"int-{number:07}.json", size=200)

    async def read(first: int, count: int) -> Piece:
        data = b'{"said": "hello \x1b[31m"}' if not first else b""
        return Piece(data.replace(b"\x1b", b"\\u001b"), 24)

    monkeypatch.setattr(searches, "object", named)
    return {"pieces": dict.fromkeys(NAMES, read)}


async def test_a_key_shows_the_beginning_of_a_small_text(browser: Any, texts: Any) -> None:
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=False) as it:
        await it.until(lambda: it.rows)
        await it.settle()
        assert it.engine.ranges == []
        await it.press("I")
        await it.until(lambda: '"said": "hello' in it.text)
        assert it.engine.ranges == [(NAMES[0], 0, 8192)]
        await it.press("j")
        await it.until(lambda: '"said"' not in it.text)
        assert len(it.engine.ranges) == 1


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_of_a_transcript_it_shows_what_is_said_and_not_its_facts(
    browser: Any, searches: Any, texts: Any, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    data = fixtures.transcript("c1", "Ann", "Bob", 1271, 1)
    usual = searches.object

    async def read(first: int, count: int) -> Piece:
        return Piece(data[first : first + count], len(data))

    monkeypatch.setattr(searches, "object", lambda *given: replace(usual(*given), type="transcription"))
    behind = {"pieces": dict.fromkeys(NAMES, read)}
    async with browser(start="acme8:us-east", behind=behind, size=size) as it:
        await it.until(lambda: it.rows)
        await it.press("I")
        await it.until(lambda: re.search("0:00 +agent", it.text))
        assert "language" not in it.text
        turns = [found for line in it.lines if (found := re.search(r"\d:\d\d  (agent|customer) +", line))]
        assert bool(turns) is (size[0] == 120)
        assert len({(found.start(1), found.end()) for found in turns}) <= 1, "longer times move no names"


async def test_it_follows_the_cursor_only_if_the_settings_say_so(browser: Any, texts: Any) -> None:
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=True) as it:
        await it.until(lambda: '"said"' in it.text)
        await it.press("j")
        await it.until(lambda: len(it.engine.ranges) == 2)
        assert [name for name, _, _ in it.engine.ranges] == NAMES


async def test_what_goes_wrong_unasked_is_said_in_the_pane(browser: Any, texts: Any) -> None:
    async def read(first: int, count: int) -> Piece:
        raise NetworkError("the host does not answer")

    texts["pieces"] = dict.fromkeys(NAMES, read)
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=True) as it:
        await it.until(lambda: "Its beginning cannot be shown" in it.text)
        assert it.notices == []
        await it.press("I")
        await it.until(lambda: it.notices)


async def test_recordings_are_not_fetched_for_the_pane(browser: Any) -> None:
    async with browser(start="acme8:us-east", preview_in_detail=True) as it:
        await it.until(lambda: it.rows)
        await it.press("j", "I")
        assert it.notices == ["Too big for the detail pane. Press p to preview."]
        assert it.engine.ranges == []


async def test_nothing_is_fetched_unasked_where_the_calls_of_the_minute_are_half_used(
    browser: Any, texts: Any, searches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudstore_tui.ui.widgets.detail_pane.REST", 0.01)
    used = [0.6]
    monkeypatch.setattr(type(searches), "session", property(lambda _: Session(pace_used=used[0])))
    async with browser(start="acme8:us-east", behind=texts, preview_in_detail=True) as it:
        await it.until(lambda: it.rows)
        await it.press("j")
        await it.pilot.pause(0.3)
        assert it.engine.ranges == []
        used[0] = 0.4
        await it.press("k")
        await it.until(lambda: it.engine.ranges)
