import asyncio
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.errors import LocalDiskError
from cloudstore_tui.core.models import Column, ColumnKind, Folder, Location, StoredObject, identity
from cloudstore_tui.results.database import RowDatabase
from cloudstore_tui.results.row_store import RowStore, Selection
from tests.support.sqlite import FullingDisk
from tests.support.waiting import PATIENCE

Make = Callable[..., StoredObject]
SIZE = Column("size", "Size", ColumnKind.SIZE)


def open_files(folder: Path) -> list[int]:
    """The modes of the files of this process that lie, or lay, in a folder."""
    modes = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            if str(link.readlink()).startswith(str(folder)):
                modes.append(link.stat().st_mode & 0o777)
        except FileNotFoundError:
            continue
    return modes


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_nobody_else_can_read_the_file_and_nothing_of_it_can_stay_behind(tmp_path: Path, make: Make) -> None:
    folder = tmp_path / "stores"
    folder.mkdir()
    before = os.umask(0)
    try:
        store = RowStore(folder)
        store.extend(make(number) for number in range(1000))
    finally:
        os.umask(before)
    assert list(folder.iterdir()) == []
    modes = open_files(folder)
    assert len(modes) >= 3
    assert set(modes) == {0o600}
    store.close()
    assert open_files(folder) == []


def test_it_uses_the_temporary_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(LocalDiskError, match="TMPDIR"):
        RowStore()


def test_a_full_disk_is_said_in_words_and_the_same_page_can_come_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, store = FullingDisk(monkeypatch), RowStore()
    store.extend(make(number) for number in range(10))
    disk.leave(1)
    page = [make(number) for number in range(10, 2000)]
    with pytest.raises(LocalDiskError, match="full") as caught:
        store.extend(page)
    assert caught.value.hint
    assert store.loaded == 10
    disk.leave(100_000)
    assert store.extend(page) == 1990
    assert store.window(5, 10) == [make(number) for number in range(5, 15)]
    store.close()


def test_a_page_that_repeats_rows_adds_only_the_new_ones(store: RowStore, make: Make) -> None:
    assert store.extend([make(1), make(2), make(1, size=7)]) == 2
    assert store.at(0) == make(1)
    assert store.extend([make(2), make(3)]) == 1
    assert [entry.name for entry in store.window(0, 10)] == [make(number).name for number in (1, 2, 3)]


def test_windows_outside_of_the_list_are_empty_or_short(store: RowStore, make: Make) -> None:
    store.extend(make(number) for number in range(5))
    assert store.window(3, 10) == [make(3), make(4)]
    assert store.window(-3, 4) == [make(0)]
    assert store.window(9, 4) == []


def test_sizes_and_times_sort_as_numbers_and_what_is_not_known_comes_last(store: RowStore, make: Make) -> None:
    store.extend([make(1, size=900), make(2, size=10_000), make(3)])
    store.extend([StoredObject(Location("a", path="x"), "unknown"), Folder(Location("a", path="f/"), "f")])
    store.sort(SIZE)
    assert [entry.name for entry in store.window(0, 9)][1:] == [make(1).name, make(3).name, make(2).name, "unknown"]
    store.sort(SIZE, descending=True)
    assert [entry.name for entry in store.window(0, 9)][1:] == [make(2).name, make(3).name, make(1).name, "unknown"]
    assert isinstance(store.at(0), Folder)


def test_names_sort_whatever_characters_they_have_and_what_has_none_comes_last(store: RowStore) -> None:
    names = ["b10", "\ud800", "B9", "", "é", "a"]
    store.extend(StoredObject(Location("acme8", "r", f"id{at}"), name) for at, name in enumerate(names))
    store.sort(Column("name", "Name"))
    assert [entry.name for entry in store.window(0, 9)] == ["a", "B9", "b10", "é", "\ud800", ""]
    store.sort(Column("name", "Name"), descending=True)
    assert [entry.name for entry in store.window(0, 9)] == ["\ud800", "é", "b10", "B9", "a", ""]


def test_times_sort_by_the_moment_whatever_their_zone(store: RowStore, make: Make) -> None:
    kolkata = datetime(2024, 9, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    later = datetime(2024, 9, 1, 7, tzinfo=UTC)
    store.extend([replace(make(1), modified=later), replace(make(2), modified=kolkata), make(3)])
    store.sort(Column("modified", "Modified", ColumnKind.TIME))
    assert [entry.location.path for entry in store.window(0, 9)] == ["id-2", "id-1", "id-3"]


def test_types_sort_by_what_people_call_them_and_unknown_ones_by_their_own_name(store: RowStore, make: Make) -> None:
    types = ("screenrecording", "summary", "agentnotes", "", "quux", "callcenterrecording")
    store.extend(make(number, type=kind) for number, kind in enumerate(types))
    store.sort(Column("type", "What"))
    # Notes, quux, Recording, Screen recording, Summary.
    assert [entry.location.path for entry in store.window(0, 9)] == [f"id-{at}" for at in (2, 4, 5, 0, 1, 3)]


def test_durations_in_tags_sort_as_numbers_and_other_tags_as_texts(store: RowStore, make: Make) -> None:
    values = ("1000", "90", "", "200")
    store.extend(replace(make(number), tags=(("holdDuration", value),)) for number, value in enumerate(values))
    order = {ColumnKind.DURATION: [1, 3, 0, 2], ColumnKind.TEXT: [0, 3, 1, 2]}
    for kind, numbers in order.items():
        store.sort(Column("holdDuration", "Hold", kind))
        assert [entry.location.path for entry in store.window(0, 9)] == [f"id-{number}" for number in numbers]


def test_marks_survive_sort_filter_and_refresh(store: RowStore, make: Make) -> None:
    store.extend(make(number) for number in range(20))
    store.mark([identity(make(3)), identity(make(5)), "nothing"])
    store.sort(SIZE, descending=True)
    store.filter("00005")
    assert len(store) == 1
    assert store.is_marked(0)
    store.filter("")
    with store.refresh():
        store.merge([make(30), make(5, size=7)])
        store.merge([make(3), make(4)])
    assert [entry.name for entry in store.marked()] == [make(3).name, make(5).name]
    assert _sums(store.selection) == (2, 3007, False)
    assert store.marked(limit=1) == [make(3)]


def test_a_mark_goes_with_its_entry_and_never_to_another_one(store: RowStore, make: Make) -> None:
    store.extend([make(1), make(2), make(3)])
    store.mark_range(0, 1)
    assert store.marked() == [make(1), make(2)]
    store.remove([identity(make(1))])
    assert (store.selection.count, store.marked()) == (1, [make(2)])
    store.clear()
    store.extend([make(4), make(5), make(4), make(6)])
    store.extend([make(6), make(7)])
    store.extend([make(8)])
    assert (store.selection.count, store.marked()) == (0, [])
    store.mark_all()
    assert store.marked() == [make(number) for number in (4, 5, 6, 7, 8)]


def test_a_size_that_no_service_can_mean_does_not_break_the_sum(store: RowStore, make: Make) -> None:
    store.extend([make(1, size=2**80), make(2, size=5)])
    store.mark_all()
    assert store.selection.size == 2**53 + 5
    assert store.at(0) == make(1, size=2**80)


def test_exact_sizes_add_up_exactly(store: RowStore, make: Make) -> None:
    store.extend([make(1, size=5, size_exact=True), make(2, size=6, size_exact=True), make(3, size=7)])
    store.mark([identity(make(1)), identity(make(2))])
    assert _sums(store.selection) == (2, 11, True)
    store.mark_all()
    assert _sums(store.selection) == (3, 18, False)


def test_the_span_of_what_is_marked_goes_from_the_oldest_to_the_newest(store: RowStore, make: Make) -> None:
    rows = [make(number) for number in (5, 1, 9, 3)]
    unknown = replace(make(7), created=None)
    store.extend([*rows, unknown])
    store.mark([identity(unknown)])
    assert (store.selection.first, store.selection.last) == (0, 0)
    store.mark(map(identity, rows[1:3]))
    moments = [int(row.created.timestamp()) for row in rows[1:3] if row.created]
    assert (store.selection.first, store.selection.last) == (min(moments), max(moments))
    assert store.selection.first > 1_700_000_000


def _sums(marks: Selection) -> tuple[int, int, bool]:
    return marks.count, marks.size, marks.size_exact


async def test_a_large_sort_leaves_the_loop_free_and_rows_that_come_meanwhile_are_not_lost(
    store: RowStore, make: Make
) -> None:
    for first in range(0, 40_000, 1000):
        store.extend(make(number) for number in range(first, first + 1000))
    late = [make(number, size=-number) for number in range(40_000, 41_000)]
    store.sort(SIZE, descending=True)
    assert store.stale
    assert store.at(0) == make(0)

    task, turns = asyncio.create_task(store.settle()), 0
    while not task.done():
        if turns == 1:
            assert store.stale
            store.extend(late)
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert store.at(0) == make(39_999)
    assert len({identity(entry) for entry in store.window(0, 50_000)}) == len(store) == 41_000
    assert store.stale
    await store.settle()
    assert not store.stale


async def test_another_wish_overtakes_one_that_is_being_carried_out(store: RowStore, make: Make) -> None:
    for first in range(0, 20_000, 1000):
        store.extend(make(number) for number in range(first, first + 1000))
    store.sort(SIZE, descending=True)
    older = asyncio.create_task(store.settle())
    await asyncio.sleep(0)
    store.sort(None)
    store.filter("agent 3")
    newer = asyncio.create_task(store.settle())
    await asyncio.gather(older, newer)
    assert not store.stale
    assert store.window(0, 2) == [make(3), make(10)]


async def test_an_order_of_rows_that_were_forgotten_meanwhile_is_not_shown(
    store: RowStore, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    sorted_numbers, found, cleared = RowDatabase.sorted_numbers, threading.Event(), threading.Event()

    def held(*arguments: Any) -> Any:
        order = sorted_numbers(*arguments)
        found.set()
        assert cleared.wait(PATIENCE)
        return order

    monkeypatch.setattr("cloudstore_tui.results.row_store.MAX_SORTED_DIRECTLY", 5)
    store.extend(make(number) for number in range(20))
    with monkeypatch.context() as patch:
        patch.setattr(RowDatabase, "sorted_numbers", held)
        store.sort(SIZE, descending=True)
        task = asyncio.create_task(store.settle())
        assert await asyncio.to_thread(found.wait, PATIENCE)
        store.clear()
        cleared.set()
        await task
    assert len(store) == 0
    store.extend([make(30), make(31)])
    assert store.window(0, 9) == [make(31), make(30)]


async def test_a_sort_that_is_cancelled_ends_and_can_be_asked_for_again(store: RowStore, make: Make) -> None:
    for first in range(0, 20_000, 1000):
        store.extend(make(number) for number in range(first, first + 1000))
    store.sort(SIZE, descending=True)
    task = asyncio.create_task(store.settle())
    await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert store.stale
    while store.stale:
        await store.settle()
    assert store.at(0) == make(19_999)


async def test_closing_ends_a_sort(make: Make) -> None:
    store = RowStore()
    for first in range(0, 20_000, 1000):
        store.extend(make(number) for number in range(first, first + 1000))
    store.sort(SIZE)
    task = asyncio.create_task(store.settle())
    await asyncio.sleep(0)
    store.close()
    await asyncio.wait_for(task, PATIENCE)
    assert not store.stale


def test_clearing_in_the_middle_of_a_refresh_leaves_no_ghosts(store: RowStore, make: Make) -> None:
    store.extend([make(1), make(2)])
    with store.refresh():
        store.merge([make(1), make(2)])
        store.clear()
        store.extend([make(9)])
    assert store.window(0, 10) == [make(9)]
    assert len(store) == store.loaded == 1
    with store.refresh():
        store.merge([make(1), make(9)])
        store.remove([identity(make(1))])
    assert store.window(0, 10) == [make(9)]


def test_filter_finds_names_and_tag_values_whatever_the_case_but_not_tag_names(store: RowStore, make: Make) -> None:
    store.extend([make(1, name="STRASSE.wav"), make(2), make(3, name="Wójcik.wav")])
    texts = (("straße", 1), ("AGENT 2", 1), ("agentname", 0), ("%", 0), ("recording", 1), ("WOJCIK", 1), ("wójcik", 1))
    for text, found in texts:
        store.filter(text)
        assert len(store) == found, text


def test_rows_that_come_while_a_filter_is_set_are_filtered(store: RowStore, make: Make) -> None:
    store.filter("agent 3")
    store.extend(make(number) for number in range(14))
    assert store.window(0, 9) == [make(3), make(10)]
    assert store.loaded == 14


async def test_values_are_counted_among_what_is_shown_the_most_frequent_first(store: RowStore, make: Make) -> None:
    agent = Column("agentName", "Agent")
    store.extend([Folder(Location("p", path="f/"), "f/"), *(make(number) for number in range(20))])
    store.extend([replace(make(90), tags=())])
    counted = await store.tally(agent, 100)
    assert counted[:2] == [("Agent 0", 3), ("Agent 1", 3)]
    assert ("", 1) in counted
    assert sum(many for _, many in counted) == 21
    assert await store.tally(agent, 2) == counted[:2]
    store.filter("agent 6")
    assert await store.tally(agent, 100) == [("Agent 6", 2)]
    assert sum((await store.tally_times(900)).values()) == 2
    store.filter("")
    times = await store.tally_times(60)
    assert sum(times.values()) == 21
    assert min(times) * 60 >= 1_725_148_800


def test_the_rows_of_a_call_are_found_however_they_came_changed_or_went(
    store: RowStore, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Runs of four, so that calls lie in several.
    monkeypatch.setattr("cloudstore_tui.results.database.MAX_RECENT", 4)

    def of_call(number: int, *, named: bool) -> StoredObject:
        who = (("agentName", f"Agent {number}"),) if named else ()
        return replace(make(number), tags=(("callId", f"call-{number % 5}"), *who))

    rows = [of_call(number, named=number >= 15) for number in range(20)]
    for first in range(0, 20, 3):
        store.extend(rows[first : first + 3])
    store.extend([make(20)])
    assert store.of_call(rows[7]) == [rows[number] for number in (2, 7, 12, 17)]
    assert store.of_call(make(20)) == []
    assert store.rows_with_person(rows[:3]) == {identity(rows[number]): rows[number + 15] for number in range(3)}
    assert store.rows_with_person([rows[19], make(20)]) == {}
    named, anonymous, moved = (
        of_call(2, named=True),
        of_call(17, named=False),
        replace(rows[12], tags=(("callId", "x"),)),
    )
    store.merge([named, anonymous, moved])
    assert store.of_call(named) == [named, rows[7], anonymous]
    assert store.rows_with_person([anonymous]) == {identity(anonymous): named}
    store.remove([identity(named)])
    assert store.of_call(anonymous) == [rows[7], anonymous]
    assert store.rows_with_person([anonymous]) == {}
    store.clear()
    assert store.of_call(anonymous) == []
