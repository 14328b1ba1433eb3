"""Everything known of the entry under the cursor."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from textual.content import Content
from textual.widgets import Static

from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.ui.detail_text import detail_text

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


def test_every_field_and_every_tag_is_told_repeated_ones_too() -> None:
    assert lines(ENTRY) == [
        "Name       int-1.mp3",
        "Address    acme8:us-east/id-1",
        "Type       callrecording",
        "Size       3.8 MB (3,812,345 bytes)",
        "State      deleted (recoverable by 8x8 only): REVOKED",
        "Duration   21:11",
        "Created    2024-09-01 09:12:33 UTC",
        "Checksum   922c (MD5)",
        "agentName  Khang Glynn",
        "direction  INBOUND",
        "direction  again",
        "queue      (empty)",
    ]


def test_a_rounded_size_is_told_from_an_exact_one() -> None:
    assert "Size       ≈3.8 MB, rounded by the service" in lines(replace(ENTRY, size_exact=False))


def test_times_are_in_the_zone_and_name_it() -> None:
    assert "Created    2024-09-01 10:12:33 BST" in lines(ENTRY, zone="Europe/London")


@pytest.mark.parametrize("name", ["x" * 300, "字" * 150, "👩‍👩‍👧" * 40])
def test_a_long_name_is_wrapped_whole(name: str) -> None:
    width = 50
    told = detail_text(replace(ENTRY, name=name), ZoneInfo("UTC"), width)
    shown = [line for line in told.split("\n") if line.cell_length]
    assert all(line.cell_length <= width for line in shown)
    start = told.plain.index("Address")
    assert "".join(told.plain[:start].split()).removeprefix("Name") == name


def test_a_wide_pane_puts_two_fields_into_a_line() -> None:
    assert lines(ENTRY, 120)[0].split() == ["Name", "int-1.mp3", "Address", "acme8:us-east/id-1"]
    assert len(lines(ENTRY, 120)) < len(lines(ENTRY))


def test_nothing_in_a_value_is_obeyed() -> None:
    told = detail_text(replace(ENTRY, name="[red]a\x1b[31m\nb"), ZoneInfo("UTC"), 80).plain
    assert told.startswith("Name       [red]a␛[31m␊b\n")


async def test_the_pane_follows_the_cursor_and_draws_once_when_it_rests(browser: Any) -> None:
    async with browser(start="acme:exports/reporting/") as it:
        await it.until(lambda: "report-000.tar" in "\n".join(it.lines[26:]))
        drawn: list[str] = []
        fields = it.screen.detail.query_one("#fields", Static)
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
        await it.until(lambda: "Address   acme:exports/" in it.text)


async def test_keys_scroll_the_pane(browser: Any, folders: Any) -> None:
    folders.tree["exports/"] = ["x" * 2000]
    async with browser(start="acme:exports/") as it:
        await it.pilot.pause(0.2)
        await it.press("enter", "j", "j")
        assert it.screen.detail.scroll_offset.y == 2
        await it.press("k")
        assert it.screen.detail.scroll_offset.y == 1


def test_an_object_of_a_call_says_how_the_rest_of_it_is_found() -> None:
    of_a_call = replace(ENTRY, tags=(*ENTRY.tags, ("callId", "int-1")))
    assert ["Call", "press . for everything of this call"] in [line.split(maxsplit=1) for line in lines(of_a_call)]
    assert not any("everything of this call" in line for line in lines(replace(ENTRY, tags=(("dnis", "1"),))))
